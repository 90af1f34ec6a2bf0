SHELL := /bin/bash
ifneq ($(wildcard /usr/bin/python3.11),) # profiled when it was built, and so a tenth faster than many others
export UV_PYTHON ?= /usr/bin/python3.11
endif
UV := $(shell command -v uv || echo $(HOME)/.local/bin/uv)
RUN := $(UV) run --no-sync
SIDE_BY_SIDE := -n 3 --dist worksteal # two work while one waits for a socket
BESIDE_THE_LABS := -n 3 --dist loadgroup # one stirs the cloud and one the hosts, once they are up
unexport PYTHONDONTWRITEBYTECODE # what is compiled anew in each process takes half of a test run
# Machine code of kernels takes half a minute to make.
export NUMBA_CACHE_DIR ?= $(HOME)/.cache/gdcc/numba

.PHONY: help setup demo test test-fast test-hosts lint lab lab-down bench soak

help: ## these lines
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

setup: ## the tool uv, the project's environment from its lock file, and Ansible's collections
	@command -v $(UV) >/dev/null || python3 -m pip install -q --user --break-system-packages uv || python3 -m pip install -q uv
	@$(UV) sync -q --locked
	@$(RUN) python playbooks/install_collections.py

demo: setup ## a data centre in software, and the controller curing it; KEEP=1 stays up
	@$(RUN) python -m controller.cli.demo $(if $(KEEP),--keep)

test: setup ## everything, on a real OpenStack and on three Debian hosts
	@tests/lab/pulumi-tools/build >/dev/null
	@nice $(MAKE) -s lint & lint=$$!; tests/lab/lab install && { tests/lab/lab up swift & \
		GDCC_EXAMPLES=200 $(RUN) pytest -q -m "not soak" $(BESIDE_THE_LABS); }; \
		passed=$$?; wait $$lint && exit $$passed

test-hosts: setup ## of these, the three hosts alone: from bare to a cloud's computes, and a campaign over them
	@$(RUN) pytest -q -m "hosts and not soak"

test-fast: setup ## what needs no lab, in under a minute
	@GDCC_EXAMPLES=10 $(RUN) pytest -q -m "not lab" $(SIDE_BY_SIDE)

lint: setup ## style, types and the direction of imports
	@$(RUN) ruff check . && $(RUN) ruff format --check . && $(RUN) mypy && $(RUN) lint-imports
	@$(RUN) yamllint -s playbooks && $(RUN) ansible-lint -q

lab: setup ## a real OpenStack, Prometheus and SNMP agents on this machine
	@tests/lab/lab up

lab-down: ## the end of it, nothing left behind
	@tests/lab/lab joined down
	@tests/lab/lab hosts down
	@tests/lab/lab vm down
	@tests/lab/lab down

soak: setup ## the planner's properties on thousands of clusters, and each role on a lab host; hours
	@$(RUN) pytest -q -m soak
	@GDCC_EXAMPLES=10000 $(RUN) pytest -q tests/properties

bench: setup ## benchmarks, as ratios
	@for file in benchmarks/*.py; do $(RUN) python $$file || failed="$$failed $$file"; done; \
		[ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }
