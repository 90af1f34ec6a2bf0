"""Plans that free as many hosts as they can, beside the same without, in a process of its own.

python -m benchmarks.parts.consolidation_run HOSTS VMS SEED ANSWER
"""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.parts import judge, perturbed
from controller.model.policy import Consolidation
from controller.planner import plan, situation

EVERY_HOST = Consolidation(enabled=True, max_hosts=10**6, watts_per_gib=0.1)
FREEING = replace(perturbed.POLICY, consolidation=EVERY_HOST, limits=replace(perturbed.POLICY.limits, max_moves=10**6))


def main() -> None:
    hosts, vms, seed = map(int, sys.argv[1:4])
    cluster = perturbed.perturbed(hosts, vms, seed)
    told = {}
    for name, policy in (("without", perturbed.POLICY), ("with", FREEING)):
        began = time.process_time()
        made = plan.plan(cluster, policy, perturbed.NOW)
        told[name] = {
            "cpu_s": time.process_time() - began,
            "moves": len(made.moves),
            "over_after": judge.over_any_limit(made.breaches_after),
            "freed": len(made.frees),
            "watts": sum(each.idle_watts for each in made.frees),
        }
    facts = situation.of_cluster(cluster, FREEING, perturbed.NOW)
    Path(sys.argv[4]).write_text(json.dumps(told | {"most": most(facts)}))


def most(facts: situation.Situation) -> int:
    """No plan frees more: what is placed must fit into the hosts in use, none filled beyond `fill_ratio` by moves or
    what it held before, with the largest of them free.
    """
    fill, spare = facts.policy.consolidation.fill_ratio, facts.policy.consolidation.spare_hosts
    held = np.stack([np.bincount(facts.cluster.vms.host, weights=row, minlength=facts.capacity.shape[1])
                     for row in facts.asked])  # fmt: skip
    needed = []
    for row, capacity in zip(held, facts.capacity, strict=True):
        can_hold = np.sort(np.maximum(fill * capacity, np.minimum(row, capacity)))[::-1]
        fits = np.searchsorted(np.cumsum(can_hold), row.sum() - 1e-6) + 1
        with_reserve = np.searchsorted(np.cumsum(np.sort(capacity)[::-1]), row.sum() - 1e-6) + 1 + spare
        needed.append(max(int(fits), int(with_reserve)))
    return facts.capacity.shape[1] - max(needed)


if __name__ == "__main__":
    main()
