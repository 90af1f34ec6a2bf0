"""Hosts that are emptied: where their servers go, which of them stay, how long it takes, what is left afterwards."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from controller.errors import InputError
from controller.model import cluster as model
from controller.model.ids import HostName
from controller.model.policy import Limits, Policy
from controller.model.whatif import Loss, Outcome, Verdict
from controller.planner import plan
from controller.planner.whatif import emptying, grown, outcome
from inventory.model import Domain
from tests import builders
from tests.builders import Group, Host, System, Vm

LOOSE = Policy(limits=Limits(at_once=99, out_of_host=8, into_host=8, per_agency=99, per_system=99, per_hour=99))


def empty(cluster: model.Cluster, *hosts: str, policy: Policy = LOOSE) -> Outcome:
    return outcome.empty(cluster, policy, builders.NOW, [HostName(host) for host in hosts])


def why(found: Outcome) -> dict[str, str]:
    return {each.name: each.why for each in found.restarts if each.target is None}


def hosts(*names: str, **more: object) -> list[Host]:
    return [Host(name=name, **more) for name in names]  # type: ignore[arg-type]


def test_the_servers_of_emptied_hosts_move_to_others_that_stay() -> None:
    vms = [Vm(name=f"v{n}", host=f"c{1 + n % 2}") for n in range(4)]
    found = empty(builders.cluster(hosts=hosts("c1", "c2", "c3"), vms=vms), "c1", "c2")
    assert found.emptied == ("c1", "c2")
    assert found.hosts == found.losses == ()
    assert {each.target for each in found.restarts} == {"c3"}
    assert found.verdict is Verdict.SURVIVED


@pytest.mark.parametrize(
    ("vm", "says"),
    [
        ({"state": model.VmState.OTHER}, "its state is not one that can be migrated live"),
        ({"busy": True}, "a task of it is under way"),
        ({"fit_known": False}, "its fit elsewhere cannot be shown"),
        ({"dirty_mib_s": 5000.0}, "the copy would take too long or never converge"),
        ({"memory_gib": 500.0}, "none of the 1 hosts that may start it has"),
    ],
)
def test_a_server_that_cannot_move_keeps_its_host_and_the_reason_is_told(vm: dict[str, object], says: str) -> None:
    vms = [Vm(name="stays", host="c1", **vm), Vm(name="goes", host="c1")]  # type: ignore[arg-type]
    big = hosts("c1", memory_gib=1024)
    found = empty(builders.cluster(hosts=[*big, *hosts("c2")], vms=vms), "c1")
    assert found.verdict is Verdict.SHORT
    assert list(why(found)) == ["stays"]
    assert says in why(found)["stays"]
    assert [(each.servers, each.memory_mib > 0) for each in found.missing] == [(1, True)]


@pytest.mark.parametrize("vm", [{"locked": True}, {"rests": True}, {"state": model.VmState.SHUTOFF}, {"system": None}])
def test_what_an_operators_drain_moves_moves_here_too(vm: dict[str, object]) -> None:
    cluster = builders.cluster(hosts=hosts("c1", "c2"), vms=[Vm(name="v", host="c1", **vm)])  # type: ignore[arg-type]
    assert why(empty(cluster, "c1")) == {}


def test_a_closed_window_and_spent_budgets_cost_time_and_no_place() -> None:
    systems = [System(open=False, at_once=1, per_hour=1, moved_last_hour=1)]
    cluster = builders.cluster(hosts=hosts("c1", "c2"), vms=[Vm(name="v", host="c1")], systems=systems)
    assert empty(cluster, "c1").verdict is Verdict.SURVIVED


def test_a_closed_window_hides_no_rule_that_keeps_a_server_for_good() -> None:
    """Nothing moves off a host whose compute service is down, whatever its system's window says."""
    off = [Host(name="c1", up=False), Host(name="c2")]
    cluster = builders.cluster(hosts=off, vms=[Vm(name="v", host="c1")], systems=[System(open=False)])
    assert why(empty(cluster, "c1")) == {"v": "its compute service is down"}


def test_a_server_goes_where_its_copy_ends_in_time_though_other_hosts_are_emptier() -> None:
    """Over the uplinks the copy takes longer than it may; within the rack it does not."""
    racks = [builders.Rack(name=name, uplink_mib_s=8.0) for name in ("r1", "r2")]
    near = [Host(name="c1"), Host(name="near", memory_gib=64)]
    vms = [Vm(name="v", host="c1", memory_gib=40)]
    apart = {"racks": racks, "vms": vms}
    found = empty(builders.cluster(hosts=[*near, Host(name="far", rack="r2")], **apart), "c1")  # type: ignore[arg-type]
    assert [each.target for each in found.restarts] == ["near"]
    full = [near[0], Host(name="near", memory_gib=32), Host(name="far", rack="r2")]
    found = empty(builders.cluster(hosts=full, **apart), "c1")  # type: ignore[arg-type]
    assert why(found) == {"v": "the copy would take too long or never converge to the 1 host with room for it"}


def test_a_group_that_stands_together_does_not_leave_its_host_server_by_server() -> None:
    pair = [Group(name="pair", members=("a", "b"), kind=model.GroupKind.AFFINITY)]
    vms = [Vm(name=name, host="c1") for name in "ab"]
    cluster = builders.cluster(hosts=hosts("c1", "c2"), vms=vms, groups=pair)
    drained = plan.plan(emptying.draining(cluster, [HostName("c1")]), LOOSE, builders.NOW)
    assert drained.moves == ()
    found = empty(cluster, "c1")
    assert set(why(found).values()) == {"group pair keeps it from the 1 host with room for it"}
    spare = outcome.spare(cluster, LOOSE, builders.NOW)
    assert outcome.lose(spare, [Loss(kind=Domain.HOST, name="c1")], timedelta(0)).verdict is Verdict.SURVIVED


@pytest.mark.parametrize("kind", [model.GroupKind.AFFINITY, model.GroupKind.ANTI_AFFINITY])
def test_what_breaks_a_groups_rule_already_may_move_within_the_domain_where_it_does(kind: model.GroupKind) -> None:
    """As in a plan: that breaks nothing worse. Most of the group stand in the other rack, whose hosts are full."""
    machines = [*hosts("c1", "c2"), *hosts("d1", "d2", "d3", rack="r2", memory_gib=8)]
    vms = [Vm(name=f"on-{host.name}", host=host.name) for host in machines]
    group = Group(name="g", members=tuple(vm.name for vm in vms), kind=kind, domain=Domain.RACK)
    cluster = builders.cluster(hosts=machines, vms=vms, groups=[group])
    c1 = HostName("c1")
    made = plan.plan(emptying.draining(cluster, [c1]), LOOSE, builders.NOW, only=[c1])
    assert [(move.vm, move.target) for move in made.moves] == [("on-c1", "c2")]
    assert [(each.vm, each.target) for each in empty(cluster, "c1").restarts] == [("on-c1", "c2")]


def test_a_server_that_is_off_moves_over_a_link_of_no_known_speed() -> None:
    """Nobody can say how long that takes, and it is told as very long."""
    off = Vm(name="v", host="c1", state=model.VmState.SHUTOFF)
    found = empty(builders.cluster(hosts=[Host(name="c1", link_mib_s=0.0), Host(name="c2")], vms=[off]), "c1")
    assert (found.verdict, found.recovery > timedelta(days=365)) == (Verdict.SURVIVED, True)


def test_groups_hold_while_hosts_are_emptied() -> None:
    apart = [Group(name="apart", members=("a", "b"))]
    vms = [Vm(name="a", host="c1"), Vm(name="b", host="c2")]
    cluster = builders.cluster(hosts=hosts("c1", "c2", "c3"), vms=vms, groups=apart)
    assert empty(cluster, "c1").verdict is Verdict.SURVIVED
    both = empty(cluster, "c1", "c2")
    assert list(why(both).values()) == ["group apart keeps it from the 1 host with room for it"]
    assert both.systems[0].rules == ("apart",)


def test_an_emptied_host_gives_back_no_watts_a_lost_one_does() -> None:
    """What hangs on the feed draws all that it may: only watts that are given back make room for a busy server."""
    supplies = [builders.Supply(name="A", limit_watts=600.0)]
    two = hosts("c1", "c2", supplies=("A",), watts=300.0)
    cluster = builders.cluster(hosts=two, vms=[Vm(name="v", host="c1", cpu=4.0)], supplies=supplies)
    assert empty(cluster, "c1").verdict is Verdict.HOT
    spare = outcome.spare(cluster, LOOSE, builders.NOW)
    assert outcome.lose(spare, [Loss(kind=Domain.HOST, name="c1")], timedelta(0)).verdict is Verdict.SURVIVED


@pytest.mark.parametrize(
    ("limits", "copies"),
    [
        ({}, 1),
        ({"at_once": 1}, 4),
        ({"out_of_host": 2}, 2),
        ({"into_host": 2}, 2),
        ({"per_agency": 1}, 4),
        ({"per_system": 3}, 2),
    ],
)
def test_how_long_it_takes_follows_from_every_limit(limits: dict[str, int], copies: int) -> None:
    policy = replace(LOOSE, limits=replace(LOOSE.limits, **limits))
    vms = [Vm(name=f"v{n}", host="c1", dirty_mib_s=0.0, memory_gib=8.0) for n in range(4)]
    cluster = builders.cluster(hosts=hosts("c1", "c2"), vms=vms)
    sharing = min(policy.limits.at_once, max(policy.limits.out_of_host, policy.limits.into_host))
    one = 8 * 1024 / (1200 / sharing)
    assert empty(cluster, "c1", policy=policy).recovery.total_seconds() == pytest.approx(copies * one, abs=1)


def test_an_hours_budget_is_waited_for() -> None:
    policy = replace(LOOSE, limits=replace(LOOSE.limits, per_hour=2))
    vms = [Vm(name=f"v{n}", host="c1", dirty_mib_s=0.0) for n in range(5)]
    found = empty(builders.cluster(hosts=hosts("c1", "c2"), vms=vms), "c1", policy=policy)
    assert timedelta(hours=2) < found.recovery < timedelta(hours=3)


def test_afterwards_the_servers_stand_where_they_went_and_the_hosts_are_closed() -> None:
    vms = [Vm(name=f"on-{name}", host=name, memory_gib=100.0) for name in ("c1", "c2")]
    cluster = builders.cluster(hosts=hosts("c1", "c2", "c3"), vms=vms)
    found = empty(cluster, "c1")
    after = emptying.after(cluster, LOOSE, found, builders.NOW)
    assert [after.hosts.names[host] for host in after.vms.host] == ["c3", "c2"]
    assert after.hosts.draining.tolist() == [True, False, False]
    spare = outcome.spare(after, LOOSE, builders.NOW)
    lost = outcome.lose(spare, [Loss(kind=Domain.HOST, name="c2")], timedelta(0))
    assert [each.target for each in lost.restarts] == ["c3"]
    assert outcome.lose(spare, [Loss(kind=Domain.HOST, name="c1")], timedelta(0)).restarts == ()


def test_a_generation_is_every_host_of_it_or_of_a_type() -> None:
    old, new = hosts("c1", "c3", generation="2019"), hosts("c2", generation="2024")
    cluster = builders.cluster(hosts=[*old, *new])
    assert emptying.of_generation(cluster, "2019") == ("c1", "c3")
    assert emptying.of_generation(cluster, cluster.host_types.names[1]) == ("c2",)
    with pytest.raises(InputError, match=r"no hosts of a type or generation 2020.*it knows 2019, 2024, t0, t1"):
        emptying.of_generation(cluster, "2020")
    with pytest.raises(InputError, match="knows no host c9"):
        emptying.draining(cluster, [HostName("c9")])


def test_more_hosts_of_a_type_are_like_the_first_of_it_in_service() -> None:
    small = [
        Host(name="c1", generation="small", enabled=False, vcpus=8.0),
        Host(name="c2", generation="small", vcpus=9.0),
    ]
    cluster = builders.cluster(hosts=[*small, Host(name="c3", generation="big", vcpus=99.0)])
    big, little = cluster.host_types.names
    assert grown.with_hosts(cluster, little, 1).hosts.vcpus.tolist() == [8.0, 9.0, 99.0, 9.0]
    assert grown.with_hosts(cluster, big, 2).hosts.names[3:] == (f"{big}+1", f"{big}+2")
    with pytest.raises(InputError, match="no type of that name"):
        grown.with_hosts(cluster, "t9", 1)
    dead = replace(cluster, hosts=replace(cluster.hosts, up=np.zeros(3, np.bool_)))
    made = grown.with_hosts(dead, little, 1).hosts
    assert (made.vcpus[-1], made.up[-1]) == (cluster.host_types.vcpus[cluster.host_types.names.index(little)], True)
