"""What no cloud should say of itself, and one may: a plan that passes its check, or a clear refusal."""

from dataclasses import replace

import numpy as np
import pytest

from controller.model.cluster import Cluster, GroupKind
from controller.model.plan import Plan
from controller.model.policy import Limits, Mode, Policy
from controller.planner import assigned, check, plan, search, situation
from controller.planner.load import Load
from tests import builders
from tests.builders import NOW, Group, Host, Vm

SEVERAL = Policy(mode=Mode.AUTO, search_rounds=3)


def proved(cluster: Cluster, policy: Policy = SEVERAL) -> Plan:
    made = plan.plan(cluster, policy, NOW)
    assert check.problems(cluster, policy, made) == ()
    assert made.score_after <= made.score_before
    return made


def test_nothing_at_all_is_planned_for():
    made = proved(builders.cluster(hosts=[]))
    assert made.moves == made.breaches_before == made.holds == ()


def test_a_host_alone_has_nowhere_to_send_anything():
    made = proved(builders.cluster(hosts=[Host(name="c1", memory_health=2)], vms=[Vm(name="a", host="c1")]))
    assert not made.moves and "there is no other host" in made.holds[0].why


def test_a_vm_larger_than_any_host_stays_and_capacity_holds_it():
    made = proved(
        builders.cluster(
            hosts=[Host(name="c1", memory_health=2), *(Host(name=f"c{n}", memory_gib=64.0) for n in (2, 3))],
            vms=[Vm(name="huge", host="c1", memory_gib=200.0), Vm(name="small", host="c1")],
        )
    )
    assert [move.vm_name for move in made.moves] == ["small"]
    assert [(hold.vm, hold.rule) for hold in made.holds] == [("huge", "capacity")]


@pytest.mark.parametrize("together", [True, False], ids=["they stand together", "they stand apart"])
def test_of_rules_that_contradict_each_other_one_stays_broken_and_nobody_moves_to_and_fro(together: bool):
    pair = ("a", "b")
    cluster = builders.cluster(
        hosts=[Host(name=f"c{n}") for n in (1, 2, 3)],
        vms=[Vm(name="a", host="c1"), Vm(name="b", host="c1" if together else "c2")],
        groups=[Group(name="apart", members=pair), Group(name="together", members=pair, kind=GroupKind.AFFINITY)],
    )
    made = proved(cluster)
    assert not made.moves and [breach.key for breach in made.breaches_after] == [
        "group:apart" if together else "group:together"
    ]
    assert {hold.rule for hold in made.holds} == {"group"}


def spread() -> Cluster:
    """Hosts and VMs of a kibibyte and of a pebibyte, of a thousandth of a thread and of a million."""
    sizes = [(2.0**-10, 1), (1.0, 8), (2.0**20, 10**6)]
    hosts = [
        Host(name=f"c{n}{twin}", memory_gib=4.0 * gib, vcpus=4.0 * vcpus, threads=4 * vcpus, memory_used_gib=None,
             cpu=None, disk_gib=1e9, memory_health=2 * (twin == "a"))
        for n, (gib, vcpus) in enumerate(sizes) for twin in "ab"
    ]  # fmt: skip
    vms = [
        Vm(name=f"v{n}{k}", host=f"c{n}a", memory_gib=gib, vcpus=vcpus, cpu=None, memory_used_gib=None, dirty_mib_s=0.0)
        for n, (gib, vcpus) in enumerate(sizes) for k in "xy"
    ]  # fmt: skip
    return builders.cluster(hosts=hosts, vms=vms)


def test_amounts_a_billion_times_apart_are_planned_for():
    made = proved(spread(), replace(SEVERAL, limits=Limits(out_of_host=4, into_host=4, per_system=9, per_agency=9)))
    assert {move.vm_name[:2] for move in made.moves} >= {"v0", "v1"}


def test_amounts_too_far_apart_for_a_direction_give_none_and_the_plan_is_made(monkeypatch):
    """Costs beyond 2^53 are refused by the problem itself (`UnsoundProblemError`)."""
    monkeypatch.setattr(assigned, "LARGEST", 10**13)
    monkeypatch.setattr(assigned, "UNIT", 10**12)
    load = Load(situation.of_cluster(spread(), SEVERAL, NOW))
    movable = np.ones(len(load.host), np.bool_)
    with pytest.raises(assigned.UnsoundProblemError, match="2\\^53"):
        assigned.of_load(load, np.arange(len(load.host), dtype=np.int32))
    assert assigned.placement(load, movable, (), 1, search.never) is None
    assert proved(spread()).moves


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1e9])
def test_readings_that_are_no_amounts_are_no_reason_and_no_room(value: float):
    cluster = builders.cluster(
        hosts=[Host(name="c1", memory_health=2), Host(name="c2"), Host(name="c3")],
        vms=[Vm(name=name, host="c1", vcpus=8) for name in "ab"],
    )
    cpu, host_cpu = cluster.vms.cpu_vcpus, cluster.hosts.cpu_ratio
    odd = replace(
        cluster,
        vms=replace(cluster.vms, cpu_vcpus=replace(cpu, values=np.full_like(cpu.values, value))),
        hosts=replace(cluster.hosts, cpu_ratio=replace(host_cpu, values=np.array([0.5, value, value]))),
    )
    assert len(proved(odd).moves) == 2
