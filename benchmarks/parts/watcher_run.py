"""Watcher's workload stabilization on a cluster in memory. Runs in Watcher's own environment and knows nothing of ours.

    python watcher_run.py FACTS ANSWER

Everything that decides is Watcher's: `execute` of its strategy on its `ModelRoot`. What stands around it is what a
service would have fetched: the model comes from FACTS instead of Nova, statistics from a dictionary instead of
Prometheus. The time is that of `execute` alone, after all has been loaded.
"""

import importlib.metadata
import json
import logging
import random
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path

warnings.simplefilter("ignore")  # of its dependencies' deprecations; none is about us
logging.disable(logging.INFO)

from watcher.common import utils  # noqa: E402
from watcher.decision_engine.model import element, model_root  # noqa: E402
from watcher.decision_engine.strategy.strategies import workload_stabilization  # noqa: E402


class Statistics:
    """What a datasource answers: the mean of each metric, the same for every period."""

    def __init__(self, values: dict[str, dict[str, float]]) -> None:
        self._values = values

    def statistic_aggregation(self, resource, resource_type, meter_name, period, aggregate, granularity):
        """Watcher's own call; `None`, as from its datasources, where there is no such series."""
        return self._values[resource.uuid].get(meter_name)


def main() -> None:
    facts, answer = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    strategy = stabilization(facts)
    random.seed(facts["seed"])
    began, worked = time.perf_counter(), time.process_time()
    try:
        solution, failed = strategy.execute(), None
    except Exception:  # noqa: BLE001 - told as what it did
        solution, failed = strategy.solution, traceback.format_exc(limit=-3)
    told = {
        "seconds": time.perf_counter() - began,
        "cpu_s": time.process_time() - worked,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "moves": [_move(action) for action in solution.actions if action["action_type"] == "migrate"],
        "failed": failed,
        "version": importlib.metadata.version("python-watcher"),
        "deviation": [strategy.sd_before_audit, strategy.sd_after_audit],
    }
    answer.write_text(json.dumps(told))


def stabilization(facts: dict) -> workload_stabilization.WorkloadStabilization:
    """The strategy with its documented defaults, but for the parameters given."""
    strategy = workload_stabilization.WorkloadStabilization(config=utils.Struct(datasources=None))
    defaults = {name: each["default"] for name, each in strategy.get_schema()["properties"].items()}
    strategy.input_parameters = utils.Struct({**defaults, **facts["parameters"]})
    strategy._compute_model = model(facts)
    strategy._datasource_backend = Statistics({each["uuid"]: each["metrics"] for each in facts["hosts"] + facts["vms"]})
    return strategy


def model(facts: dict) -> model_root.ModelRoot:
    """Watcher's graph of nodes and instances."""
    made = model_root.ModelRoot()
    for host in facts["hosts"]:
        made.add_node(element.ComputeNode(**{name: value for name, value in host.items() if name != "metrics"}))
    for vm in facts["vms"]:
        instance = element.Instance(**{name: value for name, value in vm.items() if name not in {"metrics", "host"}})
        made.add_instance(instance)
        made.map_instance(instance, made.get_node_by_uuid(vm["host"]))
    return made


def _move(action: dict) -> tuple[str, str]:
    return action["input_parameters"]["resource_name"], action["input_parameters"]["destination_node"]


if __name__ == "__main__":
    main()
