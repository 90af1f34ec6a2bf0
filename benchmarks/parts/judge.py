"""What moves make of a cluster, whoever chose them, by one measure: our rules, limits and score.

Moves are made in their order, each finished before the next begins; a move that a rule refuses is counted and made all
the same, as Nova would have it where it is asked by force.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from controller.model import cluster as model
from controller.model.plan import Breach, Concern
from controller.model.policy import Policy
from controller.planner import classify, rules, score, situation
from controller.planner.load import Load
from controller.planner.score import Score

LEVELS = tuple(concern for concern in Concern if concern is not Concern.CONSOLIDATION)
"""Of the objective as shipped, where consolidation is off: its own level, the last, is then 0 throughout."""
LIMITED = ("capacity", "cpu", "memory", "network", "storage", "feed", "pdu", "phase")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`over`: hosts, feeds, PDUs and phases over any limit, each once. `over_memory`: hosts with more memory placed
    than Placement admits. `refused`: moves by the first rule that refuses them.
    """

    moves: int
    refused: Counter[str]
    over: int
    over_memory: int
    score: Score


def over_any_limit(breaches: Iterable[Breach]) -> int:
    """Hosts, feeds, PDUs and phases over any limit, each once."""
    return len({breach.subject for breach in breaches if breach.rule in LIMITED})


def judged(cluster: model.Cluster, policy: Policy, now: datetime, moves: Iterable[tuple[str, str]]) -> Verdict:
    """The cluster after the moves, given as names of VM and target; no moves judge it as it is."""
    facts = situation.of_cluster(cluster, policy, now)
    hosts = {str(name): row for row, name in enumerate(facts.cluster.hosts.names)}
    vms = {str(name): row for row, name in enumerate(facts.cluster.vms.ids)}
    load, refused, made = Load(facts), Counter[str](), 0
    for vm, target in ((vms[name], hosts[to]) for name, to in moves):
        rule = facts.held(vm) or rules.ruled_out_by(load, vm, np.array([target], np.int32))[0]
        refused.update([rule] if rule else [])
        load.move(vm, target)
        made += 1
    return Verdict(
        moves=made,
        refused=refused,
        over=over_any_limit(classify.breaches(load)),
        over_memory=int(classify.over_capacity(load)[1].sum()),
        score=score.of_load(load),
    )
