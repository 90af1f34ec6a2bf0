"""The plan on the table: a fresh one each look, or the one before it as long as it is still right. Pure.

Readings change at every look, and with them what is best; a person who reads a plan needs it to stay. So the plan
before is kept while it is young, its causes still hold, nothing else became urgent, and the checker proves it again on
the newest snapshot. What runs after an approval is therefore proved on what was seen last.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from controller.model.cluster import Cluster
from controller.model.plan import Concern, Plan
from controller.model.policy import Mode, Policy
from controller.planner import canonical, check, classify, limits, score, situation
from controller.planner import plan as planner
from controller.planner.load import Load
from controller.planner.prepared import Prepared

KEPT = timedelta(minutes=15)
"""A proposal that nobody approves is not kept longer than this."""


def newest(
    before: Plan | None,
    cluster: Cluster,
    policy: Policy,
    now: datetime,
    tables: Prepared | None = None,
    *,
    approved: bool = False,
) -> Plan:
    """The plan before, proved again, or a fresh one; one that was `approved` is kept however long it has to wait.

    `tables`: see `planner.plan`, which raises what is raised.
    """
    fresh = planner.plan(cluster, policy, now, before=tables)
    young = before is not None and (approved or now - before.created_at < KEPT)
    if before is None or not young or not _still_wanted(before, fresh):
        return fresh
    return proved_again(before, cluster, policy, now, tables) or fresh


def proved_again(
    plan: Plan, cluster: Cluster, policy: Policy, now: datetime, tables: Prepared | None = None
) -> Plan | None:
    """The same moves with this snapshot's numbers, proved on it; None where they do not fit it."""
    if check.misshapen(cluster, plan):
        return None
    facts = situation.of_cluster(cluster, policy, now, before=tables)
    vms, hosts = facts.cluster.vms.ids, facts.cluster.hosts.names
    was, then = Load(facts), Load(facts)
    for move in plan.moves:
        then.move(canonical.at(vms, move.vm), canonical.at(hosts, move.target))
    renewed = replace(
        plan,
        breaches_before=classify.breaches(was),
        breaches_after=classify.breaches(then),
        limits=limits.states(was, then),
        score_before=score.of_load(was),
        score_after=score.of_load(then),
        frees=tuple(
            replace(freed, idle_watts=float(facts.saving.idle_watts[canonical.at(hosts, freed.host)]))
            for freed in plan.frees
        ),
    )
    if renewed.score_after > renewed.score_before:
        return None
    return None if check.problems(cluster, policy, replace(renewed, created_at=now)) else renewed


def awaits_approval(policy: Policy) -> bool:
    """Whether there is a scope in which a person decides."""
    return policy.mode is Mode.APPROVE or (policy.mode is Mode.AUTO and Mode.APPROVE in policy.scope_modes.values())


def also_recommended(policy: Policy) -> bool:
    """Whether plans are run or approved, and there is a scope in which they are only recommended."""
    return policy.mode in {Mode.APPROVE, Mode.AUTO} and Mode.RECOMMEND in policy.scope_modes.values()


def beyond(recommended: Plan, acting: Cluster) -> int:
    """How many of the recommended moves are of a system, or touch a host, withheld from those that may be made."""
    hosts = {name for name, withheld in zip(acting.hosts.names, acting.hosts.withheld, strict=True) if withheld}
    system = dict(zip(acting.vms.ids, acting.vms.system.tolist(), strict=True))
    systems = acting.systems.withheld
    return sum(
        bool({move.source, move.target} & hosts) or (system[move.vm] >= 0 and bool(systems[system[move.vm]]))
        for move in recommended.moves
    )


def _still_wanted(before: Plan, fresh: Plan) -> bool:
    """For causes that still hold, no cause that the fresh plan would cure is missing, no room made in vain.

    Which hosts are best freed changes with every reading, and nothing is worse for others being freed: it is no cause.
    """
    needed = {move.vm for move in fresh.moves}
    if any(move.room_for is not None and move.vm not in needed for move in before.moves):
        return False
    causes = _causes(before)
    holding = {breach.key for breach in fresh.breaches_before}
    urgent = _causes(fresh)
    return bool(fresh.moves) and urgent <= causes <= holding


def _causes(plan: Plan) -> set[str]:
    return {move.breach for move in plan.moves if move.concern is not Concern.CONSOLIDATION}
