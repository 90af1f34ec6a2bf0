"""A proposal that frees hosts stays on the table while it is right, whichever other hosts are better freed now."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.engine import proposal
from controller.model.cluster import Cluster
from controller.model.policy import Consolidation, Limits, Policy
from controller.planner import plan
from tests import builders
from tests.builders import NOW, Host, Vm

POLICY = Policy(limits=Limits(per_agency=8, per_system=8), consolidation=Consolidation(enabled=True))
LATER = NOW + timedelta(minutes=1)


def cluster(*more: Vm, **last: object) -> Cluster:
    hosts = [*(Host(name=f"c{n}") for n in range(1, 4)), Host(name="c4", **last)]
    vms = [Vm(name=f"v{n}{m}", host=f"c{n}") for n in range(1, 5) for m in range(2)]
    return builders.cluster(hosts=hosts, vms=[*vms, *more])


def test_it_stays_though_another_host_would_save_more_now() -> None:
    first = plan.plan(cluster(), POLICY, NOW)
    dearer = cluster(watts=600.0)
    assert "c4" in {freed.host for freed in plan.plan(dearer, POLICY, LATER).frees}
    assert proposal.newest(first, dearer, POLICY, LATER).moves == first.moves


@pytest.mark.parametrize("memory_gib", [170.0, 220.0])
def test_it_goes_where_its_targets_would_be_filled_too_far(memory_gib: float) -> None:
    first = plan.plan(cluster(), POLICY, NOW)
    (target, *_) = {move.target for move in first.moves}
    big = Vm(name="big", host=target, memory_gib=memory_gib)
    assert proposal.newest(first, cluster(big), POLICY, LATER).moves != first.moves


def test_it_goes_where_something_became_hot() -> None:
    first = plan.plan(cluster(), POLICY, NOW)
    hot = [Vm(name=f"w{n}", host="c3", vcpus=32, cpu=26.0) for n in range(2)]
    fresh = proposal.newest(first, cluster(*hot), POLICY, LATER)
    assert "cpu:c3" in {move.breach for move in fresh.moves}
    assert replace(fresh, created_at=NOW) != first


def readings_risen(before: Cluster, by: float) -> Cluster:
    """The same cluster, its hosts' CPU and watts a little higher."""
    cpu, watts = before.hosts.cpu_ratio, before.hosts.power_watts
    cpu, watts = (replace(each, values=each.values * by) for each in (cpu, watts))
    return replace(before, hosts=replace(before.hosts, cpu_ratio=cpu, power_watts=watts))


@pytest.mark.parametrize("approved", [True, False])
def test_it_stays_while_readings_change_a_little_and_has_their_numbers(approved: bool) -> None:
    hosts = [Host(name="c1"), *(Host(name=f"c{n}") for n in range(2, 5))]
    busy = builders.cluster(hosts=hosts, vms=[Vm(name=f"v{n}", host="c1", vcpus=8, cpu=7.0) for n in range(8)])
    first = plan.plan(busy, Policy(), NOW)
    assert first.moves
    later = proposal.newest(first, readings_risen(busy, 1.001), Policy(), LATER, approved=approved)
    assert (later.id, later.moves) == (first.id, first.moves)
    assert later.score_before > first.score_before


def test_it_stays_while_what_its_freed_hosts_draw_changes_a_little() -> None:
    first = plan.plan(cluster(), POLICY, NOW)
    later = proposal.newest(first, readings_risen(cluster(), 1.001), POLICY, LATER)
    assert later.moves == first.moves and later.frees != first.frees


def test_it_goes_with_a_vm_that_is_no_longer_there() -> None:
    first = plan.plan(cluster(), POLICY, NOW)
    ids = {move.vm_name for move in first.moves}
    hosts = [Host(name=f"c{n}") for n in range(1, 5)]
    left = [Vm(name=f"v{n}{m}", host=f"c{n}") for n in range(1, 5) for m in range(2) if f"v{n}{m}" not in ids]
    assert proposal.proved_again(first, builders.cluster(hosts=hosts, vms=left), POLICY, LATER) is None
