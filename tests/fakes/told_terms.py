"""The terms that each move of a plan changes, beside what it says that it makes of the score."""

from collections.abc import Iterator

from controller.model.cluster import Cluster
from controller.model.plan import Move, Plan
from controller.model.policy import Policy
from controller.planner import situation, terms
from controller.planner.load import Load
from controller.planner.terms import Term
from tests import builders


def of_moves(cluster: Cluster, policy: Policy, made: Plan) -> Iterator[tuple[Move, list[Term], list[str]]]:
    """Each move with its terms, and the parts of the score whose change is not the sum of theirs."""
    facts = situation.of_cluster(cluster, policy, builders.NOW)
    load = Load(facts)
    for move in made.moves:
        vm, target = facts.cluster.vms.ids.index(move.vm), facts.cluster.hosts.names.index(move.target)
        changed = list(terms.of_move(load, vm, target, move.breach))
        sums = [sum(term.after - term.before for term in changed if term.concern == name) for name in made.objective]
        told = [after - before for before, after in zip(move.score_before, move.score_after, strict=True)]
        pairs = zip(made.objective, sums, told, strict=True)
        yield move, changed, [name for name, found, said in pairs if abs(found - said) > 1e-6]
        load.move(vm, target)
