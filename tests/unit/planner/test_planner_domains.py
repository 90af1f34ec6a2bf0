"""Groups that want their members in several fault domains: what breaks that, what mends it, and what would."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.model.cluster import Cluster, GroupKind
from controller.model.ids import HostName
from controller.model.plan import Plan
from controller.model.policy import Limits, Policy
from controller.planner import check, groups, plan, rules, situation
from controller.planner.campaign import exposure
from controller.planner.load import Load
from controller.planner.whatif import emptying, outcome
from inventory.model import Domain
from tests import builders
from tests.builders import NOW, Group, Host, Rack, Vm

POLICY = Policy(limits=Limits(out_of_host=4, into_host=4, per_system=4, per_agency=4), balance=False)


def cluster(least: int, most: int = 9, kind: GroupKind = GroupKind.ANTI_AFFINITY, **on: str) -> Cluster:
    """Two hosts in each of three racks, c1 and c2 in r1, c3 and c4 in r2, c5 and c6 in r3."""
    hosts = [Host(name=f"c{n}", rack=f"r{(n + 1) // 2}") for n in range(1, 7)]
    wide = Group(name="web", members=tuple(on), domain=Domain.RACK, max_per_domain=most, min_domains=least, kind=kind)
    racks = [Rack(name=f"r{n}") for n in (1, 2, 3)]
    vms = [Vm(name=vm, host=host) for vm, host in on.items()]
    return builders.cluster(hosts=hosts, racks=racks, vms=vms, groups=[wide])


def loaded(made: Cluster) -> Load:
    return Load(situation.of_cluster(made, POLICY, NOW))


def planned(made: Cluster) -> Plan:
    return plan.plan(made, POLICY, NOW)


@pytest.mark.parametrize(
    ("least", "on", "excess"),
    [
        (2, {"a": "c1", "b": "c2"}, 1),
        (3, {"a": "c1", "b": "c2", "c": "c3"}, 1),
        (3, {"a": "c1", "b": "c1", "c": "c2"}, 2),
        (9, {"a": "c1", "b": "c2"}, 1),
        (2, {"a": "c1", "b": "c3"}, 0),
        (1, {"a": "c1", "b": "c2"}, 0),
    ],
)
def test_what_is_missing_is_the_domains_that_are_wanted_and_hold_no_member(
    least: int, on: dict[str, str], excess: int
) -> None:
    load = loaded(cluster(least, **on))
    assert load.excess_of.tolist() == [excess]
    load.move(0, 5)
    load.move(0, int(load.origin[0]))
    assert load.excess_of.tolist() == [excess]


def test_a_soft_kind_wants_no_number_of_domains() -> None:
    assert loaded(cluster(2, kind=GroupKind.SOFT_ANTI_AFFINITY, a="c1", b="c2")).excess_of.tolist() == [0]


def test_a_member_goes_where_none_stands_to_mend_it() -> None:
    made = planned(cluster(2, a="c1", b="c2", c="c2"))
    assert [each.why for each in made.breaches_before] == [
        "group web: its members stand in 1 rack, and it wants at least 2"
    ]
    (move,) = made.moves
    assert move.target in {"c3", "c4", "c5", "c6"}
    assert (move.rule, made.breaches_after) == ("group", ())


def test_members_go_on_until_as_many_domains_hold_one_as_are_wanted() -> None:
    made = planned(cluster(3, a="c1", b="c1", c="c2", d="c2"))
    racks = {(int(move.target[1]) + 1) // 2 for move in made.moves}
    assert (len(made.moves), racks, made.breaches_after) == (2, {2, 3}, ())


def test_too_many_in_one_domain_and_too_few_domains_are_one_breach() -> None:
    made = planned(cluster(3, 1, a="c1", b="c2", c="c2"))
    (before,) = made.breaches_before
    assert before.why.startswith("group web wants at most 1 in one rack, and 3 stand in one; its members stand in 1 ")
    assert made.breaches_after == ()


def test_the_last_member_of_a_domain_may_only_go_to_one_that_holds_none() -> None:
    load = loaded(cluster(2, a="c1", b="c3"))
    assert rules.targets(load, 0).tolist() == [1, 4, 5]
    assert rules.targets(loaded(cluster(2, a="c1", b="c3", c="c2")), 0).tolist() == [1, 2, 3, 4, 5]
    assert rules.targets(loaded(cluster(2, a="c1", b="c3", c="c5")), 0).tolist() == [1, 2, 3, 4, 5]


def test_a_drain_that_would_leave_too_few_domains_is_held_by_the_group() -> None:
    made = cluster(2, a="c1", b="c3")
    enabled, draining = (np.isin(np.array(made.hosts.names), names) for names in (["c1", "c3"], ["c1"]))
    made = replace(made, hosts=replace(made.hosts, enabled=enabled, draining=draining))
    found = plan.plan(made, POLICY, NOW)
    assert found.moves == ()
    assert any("group (web)" in hold.why for hold in found.holds)


def test_members_that_would_change_domains_with_each_other_do_not_in_one_wave() -> None:
    """Both leave failing hosts. If each took the other's rack, one move alone would bring them together."""
    made = cluster(2, a="c1", b="c3")
    sick = np.array([name in {"c1", "c3"} for name in made.hosts.names])
    closed = np.array([name in {"c5", "c6"} for name in made.hosts.names])
    health = replace(made.hosts.memory_health, values=np.where(sick, 2.0, 0.0))
    made = replace(made, hosts=replace(made.hosts, memory_health=health, enabled=~closed))
    found = plan.plan(made, POLICY, NOW)
    assert {(move.vm, move.target) for move in found.moves} == {("a", "c2"), ("b", "c4")}


def test_a_restart_may_bring_a_group_together_and_says_so() -> None:
    made = cluster(2, a="c1", b="c3")
    open_ = np.array([name in {"c1", "c3"} for name in made.hosts.names])
    made = replace(made, hosts=replace(made.hosts, enabled=open_))
    spare = outcome.spare(made, POLICY, NOW)
    found = outcome.lose(spare, [outcome.Loss(kind=Domain.HOST, name="c1")], outcome.timedelta(0))
    assert [each.target for each in found.restarts] == ["c3"]
    assert [(rule.rule, rule.before, rule.after) for one in found.systems for rule in one.broken] == [
        ("web", False, True)
    ]
    drained = emptying.draining(made, [made.hosts.names[0]])
    assert plan.plan(drained, POLICY, NOW).moves == ()


def test_hosts_that_go_together_leave_a_member_for_each_domain_that_is_wanted() -> None:
    """Of three members that are to be in two racks two may be out at once, and without a least all three."""
    on = {"a": "c1", "b": "c3", "c": "c5"}
    for least, allowed in ((1, 3), (2, 2), (3, 1)):
        budget = exposure.Budget(exposure.exposure(cluster(least, 3, **on)))
        taken = 0
        for host in map(HostName, on.values()):
            if budget.refuses(host) is None:
                budget.take(host)
                taken += 1
        assert taken == allowed


PLACES = st.integers(0, 4)


@given(
    held=st.frozensets(PLACES, max_size=3),
    moving=st.lists(st.tuples(PLACES, PLACES), max_size=5),
    least=st.integers(0, 6),
)
def test_what_is_surely_held_is_held_in_every_outcome(
    held: frozenset[int], moving: list[tuple[int, int]], least: int
) -> None:
    fewest = min(len(held.union(ends)) for ends in itertools.product(*moving))
    assert groups.surely(held, moving, least) == (fewest >= least)


def beside_a_migration() -> Cluster:
    """A member that migrates from r1 to r2, and one in r3 whose host is drained, where nothing else may receive it."""
    hosts = [
        Host(name=f"c{n}", rack=f"r{(n + 1) // 2}", draining=n == 5, enabled=n < 5)  # r3 is shut
        for n in range(1, 7)
    ]
    vms = [Vm(name="x", host="c1", target="c3", busy=True), Vm(name="y", host="c5")]
    wide = Group(name="web", members=("x", "y"), domain=Domain.RACK, max_per_domain=2, min_domains=2)
    return builders.cluster(hosts=hosts, racks=[Rack(name=f"r{n}") for n in (1, 2, 3)], vms=vms, groups=[wide])


def test_a_member_under_way_holds_neither_of_its_domains_for_sure() -> None:
    made = planned(beside_a_migration())
    assert made.moves == ()
    assert "group" in {hold.rule for hold in made.holds if hold.vm == "y"}


def test_the_checker_counts_a_member_under_way_where_it_does_worse() -> None:
    cluster_ = beside_a_migration()
    free = replace(cluster_, groups=())
    move = next(move for move in planned(free).moves if move.vm == "y")
    for target in ("c2", "c4"):
        whole = replace(planned(cluster_), moves=(replace(move, target=HostName(target)),))
        told = [problem for problem in check.problems(cluster_, POLICY, whole) if "group" in problem]
        assert "wave 1: group web could be in 1 of at least 2 domains (rack)" in told


def test_a_later_wave_keeps_the_domains_that_an_earlier_one_has_won() -> None:
    """With three members in r1 and one in r2, one that goes to r3 lets no other then leave r2 for r1."""
    load = loaded(cluster(3, a="c1", b="c1", c="c2", d="c3"))
    load.move(0, 4)
    assert rules.group(load, 3, np.array([0, 5], np.int32)).tolist() == [False, False]
