"""Our planner on the same cluster, as a process of its own that is measured as `watcher_run` is.

    python -m benchmarks.parts.planner_run HOSTS VMS SEED ANSWER

The time is that of `plan`: the search, waves, every move's explanation, and the check by the independent checker.
"""

import json
import resource
import sys
import time
from pathlib import Path

from benchmarks.parts import fewest_moves, judge, perturbed
from controller.planner import plan, situation
from controller.planner.load import Load


def main() -> None:
    hosts, vms, seed = map(int, sys.argv[1:4])
    cluster = perturbed.perturbed(hosts, vms, seed)
    began, worked = time.perf_counter(), time.process_time()
    made = plan.plan(cluster, perturbed.POLICY, perturbed.NOW)
    told = {
        "seconds": time.perf_counter() - began,
        "cpu_s": time.process_time() - worked,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "moves": [(move.vm, move.target) for move in made.moves],
        "failed": None,
        "waves": len(made.waves),
        "over_before": judge.over_any_limit(made.breaches_before),
        "over_after": judge.over_any_limit(made.breaches_after),
        "score_before": made.score_before,
        "score_after": made.score_after,
        "least_moves": fewest_moves.fewest(Load(situation.of_cluster(cluster, perturbed.POLICY, perturbed.NOW))),
    }
    Path(sys.argv[4]).write_text(json.dumps(told))


if __name__ == "__main__":
    main()
