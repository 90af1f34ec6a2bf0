"""What is said to leave no target does, and would not if any part of it were dropped."""

import numpy as np
from hypothesis import example, given

from controller.model.policy import Policy
from controller.planner import classify, conflict, plan, rules, situation
from controller.planner.budget import Ledger
from controller.planner.holds import Holds
from controller.planner.load import Load
from tests import builders
from tests.fakes import arbitrary_clusters
from tests.fakes.arbitrary_clusters import slowly


def against(load: Load, vm: int) -> dict[str, set[int]]:
    """The other hosts that each rule rules out, read off the rules one by one."""
    every = np.arange(len(load.situation.cluster.hosts.names), dtype=np.int32)
    out = {rule: set(np.flatnonzero(mask).tolist()) for rule, mask in load.situation.standing.shut.items()}
    for rule in (*rules.STATIC[1:], *rules.PER_VM, *rules.DYNAMIC):
        out[rule.name] = set(np.flatnonzero(~rule.admits(load, vm, every)).tolist())
    own = int(load.host[vm])
    return {rule: hosts - {own} for rule, hosts in out.items()}


def placed(load: Load) -> list[int]:
    vms = load.situation.cluster.vms
    return np.flatnonzero((load.host >= 0) & (vms.requirement >= 0)).tolist()


def after_the_plan(cluster, policy):
    facts = situation.of_cluster(cluster, policy, builders.NOW)
    made = plan.plan(cluster, policy, builders.NOW)
    load, ledger = Load(facts), Ledger(facts.cluster, facts.places, policy.limits.max_moves)
    for move in made.moves:
        load.move(facts.cluster.vms.ids.index(move.vm), facts.cluster.hosts.names.index(move.target))
        ledger.spend(facts.cluster.vms.ids.index(move.vm))
    return made, load, Holds(load, ledger, ())


@slowly
@given(cluster=arbitrary_clusters.clusters(), policy=arbitrary_clusters.policies())
def test_a_vms_set_is_conflicting_and_none_of_it_can_be_dropped(cluster, policy):
    load = Load(situation.of_cluster(cluster, policy, builders.NOW))
    bars = conflict.Bars(load)
    for vm in placed(load):
        others = set(range(len(cluster.hosts.names))) - {int(load.host[vm])}
        found = conflict.found(load, bars.pairs(vm))
        admitted = rules.targets(load, vm)
        assert (found is None) == (len(admitted) > 0)
        if found is None:
            continue
        out = against(load, vm)
        assert set().union(*(out[rule] for rule in found.rules)) == others
        for dropped in found.rules:
            assert set().union(*(out[rule] for rule in found.rules if rule != dropped)) < others
        for share in found.shares:
            assert share.rules_out == len(out[share.rule])
        assert sum(share.rest for share in found.shares) == found.pairs == len(others)


@slowly
@given(cluster=arbitrary_clusters.clusters(), policy=arbitrary_clusters.policies())
def test_where_a_rule_is_said_to_stand_alone_nothing_else_keeps_the_vm_away(cluster, policy):
    load = Load(situation.of_cluster(cluster, policy, builders.NOW))
    for vm in placed(load):
        found, out = conflict.found(load, conflict.Bars(load).pairs(vm)), against(load, vm)
        for share in found.shares if found else ():
            for name in share.alone:
                host = load.situation.cluster.hosts.names.index(name)
                assert {rule for rule, hosts in out.items() if host in hosts} == {share.rule}


A_HELD_VM_AND_HOSTS_BARRED_FOR_THE_SAME = arbitrary_clusters.cluster(seed=39916801, hosts=3, vms=7)


@slowly
@example(cluster=A_HELD_VM_AND_HOSTS_BARRED_FOR_THE_SAME, policy=Policy())
@given(cluster=arbitrary_clusters.clusters(), policy=arbitrary_clusters.policies())
def test_the_set_of_a_breach_that_stays_is_conflicting_and_minimal_over_all_its_vms(cluster, policy):
    made, load, holds = after_the_plan(cluster, policy)
    for breach in made.breaches_after:
        left = holds.why_left(breach)
        if left is None or left.conflict is None:
            continue
        assert left.sentence
        assert sum(group.vms for group in left.stuck) >= left.conflict.vms
        pairs = pairs_of(load, holds, breach)
        kept = set(left.conflict.rules)
        assert all(kept & rules_ for rules_ in pairs)
        for dropped in kept:
            assert any(not (kept - {dropped}) & rules_ for rules_ in pairs), (dropped, kept)


def pairs_of(load: Load, holds: Holds, breach) -> list[set[str]]:
    """For every pair of a VM that should have moved and another host, what rules it out."""
    found = []
    for vm in holds.asked(breach):
        if vm not in placed(load):
            continue
        out, within, held = against(load, vm), holds.relieved_within(breach, vm), holds.held(vm)
        for host in set(range(len(load.situation.cluster.hosts.names))) - {int(load.host[vm])}:
            rules_ = {rule for rule, hosts in out.items() if host in hosts} | ({held} if held else set())
            found.append(rules_ | ({"relief"} if within is not None and host not in within else set()))
    return found


@slowly
@given(cluster=arbitrary_clusters.clusters(), policy=arbitrary_clusters.policies())
def test_every_breach_that_could_still_be_mended_is_held_by_no_set(cluster, policy):
    made, load, holds = after_the_plan(cluster, policy)
    assert {breach.key for breach in classify.breaches(load)} == {breach.key for breach in made.breaches_after}
    for breach in made.breaches_after:
        left = holds.why_left(breach)
        if left is None:
            continue
        verdicts = [holds.verdict(vm, holds.relieved_within(breach, vm)) for vm in holds.asked(breach)]
        assert left.conflict is None or all(verdict.rule for verdict in verdicts)
