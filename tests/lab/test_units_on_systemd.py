"""The units of `deploy/` under a real systemd, sandbox and all, on a machine set up as deploy/README.md says.

The daemon watches a twin that runs beside it. The tests build on one another, in their order.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator

import pytest
import yaml

from tests.lab import machine
from tests.lab.machine import CHECKOUT, REPOSITORY, Machine

pytestmark = pytest.mark.lab

UNIT = "gdcc-controller"
CONFIG = "/etc/gdcc/controller.yaml"
GDCC = "runuser -u gdcc -- gdcc"
SET_UP = re.compile(r"```sh\n(.*?)```", re.DOTALL)
"""The commands of deploy/README.md; those of the first block set a machine up."""

TWIN = (
    f"{GDCC} inventory generate --vms 24 --seed 1 --loopback --out /etc/gdcc/estate",
    "systemd-run --unit=twin --uid=gdcc gdcc twin --estate /etc/gdcc/estate --state /etc/gdcc/twin",
)
NOT_HERE = ("git ", "uv ", "ln ")
"""Commands of the set-up that make the checkout and its environment: the machine has the tests'."""


def configure(operators: Machine, mode: str) -> None:
    """What the twin hands over, with the places that the unit is for."""
    handed_over = yaml.safe_load(operators.does("cat /etc/gdcc/twin/daemon.yaml"))
    settings = {key: value for key, value in handed_over.items() if key not in ("state_dir", "socket")}
    operators.write(CONFIG, yaml.safe_dump({**settings, "interval": "3s", "policy": {"mode": mode}}))
    operators.does(f"chgrp gdcc {CONFIG}; chmod 640 {CONFIG}")


@pytest.fixture(scope="module")
def operators() -> Iterator[Machine]:
    """The machine as deploy/README.md has it set up; its twin stands for the estate."""
    with machine.booted() as made:
        made.write(
            "/usr/bin/gdcc", f'#!/bin/sh\nPYTHONPATH={CHECKOUT} exec {CHECKOUT}/.venv/bin/python -m controller "$@"\n'
        )
        made.does("chmod 755 /usr/bin/gdcc")
        set_up, start = SET_UP.findall((REPOSITORY / "deploy/README.md").read_text())
        for command in set_up.replace("\\\n", " ").splitlines():
            if not command.startswith(NOT_HERE):
                made.does(command)
        for command in TWIN:
            made.does(command)
        made.awaits("the twin", "journalctl -u twin -o cat | grep -o '^ready'", "ready")
        configure(made, "recommend")
        made.does(start.splitlines()[0])
        yield made


def test_it_is_started_once_it_is_ready_and_says_how_it_stands(operators: Machine) -> None:
    unit = operators.shows(UNIT)
    assert (unit["ActiveState"], unit["SubState"], unit["NRestarts"]) == ("active", "running", "0")
    operators.awaits("a turn", f"systemctl show {UNIT} -p StatusText | grep -o 'nothing is moved'", "nothing is moved")
    operators.awaits("hosts are trusted", f"{GDCC} status | grep -o '8 trusted'", "8 trusted")


def test_whoever_is_not_of_its_group_may_not_speak_with_it(operators: Machine) -> None:
    assert "become a member of the socket's group" in operators.does("runuser -u nobody -- gdcc status 2>&1", ok=1)


@pytest.fixture(scope="module")
def host(operators: Machine) -> str:
    """The one with the fewest VMs, but not none."""
    operators.does(f"{GDCC} snapshot --out /var/lib/gdcc/cluster.json")
    seen = json.loads(operators.does("cat /var/lib/gdcc/cluster.json"))
    row, _ = min(Counter(seen["vms"]["host"]).items(), key=lambda item: item[1])
    return str(seen["hosts"]["names"][row])


def test_it_empties_a_host_and_gives_it_back(operators: Machine, host: str) -> None:
    """Planning, migrating and journaling in the sandbox."""
    assert f"{host}: empty" in operators.does(f"{GDCC} drain {host} --why disk --yes 2>&1")
    operators.does(f"{GDCC} enable {host}")


def test_its_campaigns_run_ansible(operators: Machine, host: str) -> None:
    """There is no such host to reach; that Ansible says so is what a sandbox could have kept it from."""
    work = {"playbook": "host-verify.yml", "reboot": "never"}
    campaign = {"name": "look", "hosts": [host], "work": work}
    operators.write("/etc/gdcc/look.yaml", yaml.safe_dump({"version": 1, "campaign": campaign}))
    operators.does(
        f"chmod 644 /etc/gdcc/look.yaml; {GDCC} campaign new /etc/gdcc/look.yaml; {GDCC} campaign start look"
    )
    operators.awaits("it pauses", f"{GDCC} campaign show look | grep -o -m1 paused", "paused")
    assert "ssh: connect to host" in " ".join(operators.does(f"{GDCC} campaign show look").split())


def test_a_reload_takes_over_what_is_valid_and_keeps_the_old_where_it_is_not(operators: Machine) -> None:
    before = operators.shows(UNIT)["MainPID"]
    operators.write(CONFIG, "version: 1\nestat: /etc/gdcc/estate\n")
    operators.does(f"systemctl reload {UNIT}")
    operators.awaits(
        "it says why", f"journalctl -u {UNIT} -o cat | grep -o -m1 'estat is not a key'", "estat is not a key"
    )
    configure(operators, "observe")
    operators.does(f"systemctl reload {UNIT}")
    operators.awaits(
        "it takes it over", f"systemctl show {UNIT} -p StatusText | grep -o 'Mode observe'", "Mode observe"
    )
    assert operators.shows(UNIT)["MainPID"] == before


def test_one_that_hangs_is_started_again(operators: Machine) -> None:
    operators.does(f"mkdir -p /run/systemd/system/{UNIT}.service.d")
    operators.write(f"/run/systemd/system/{UNIT}.service.d/soon.conf", "[Service]\nWatchdogSec=10s\nRestartSec=1s\n")
    operators.does(f"systemctl daemon-reload; systemctl restart {UNIT}")
    before = operators.shows(UNIT)["MainPID"]
    operators.does(f"kill -STOP {before}")
    operators.awaits("it is killed", f"systemctl show {UNIT} -p NRestarts --value", *map(str, range(1, 9)))
    operators.awaits("another one", f"systemctl is-active {UNIT}", "active")
    assert operators.shows(UNIT)["MainPID"] != before


def test_it_ends_well_when_it_is_asked_to(operators: Machine) -> None:
    operators.does(f"systemctl stop {UNIT}")
    unit = operators.shows(UNIT)
    assert (unit["ActiveState"], unit["Result"]) == ("inactive", "success")


def test_systemd_finds_nothing_else_wrong_with_any_unit(operators: Machine) -> None:
    units = [unit for unit in sorted((REPOSITORY / "deploy").iterdir()) if unit.suffix in {".service", ".timer"}]
    assert len(units) == 3
    named = " ".join(f"{CHECKOUT}/deploy/{unit.name}" for unit in units)
    said = operators.does(f"systemd-analyze verify {named} 2>&1", ok=None).splitlines()
    assert [line for line in said if "ignoring: notify-reload" not in line] == []
