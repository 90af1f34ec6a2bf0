"""Hosts are filled by what they and what arrives use at their peaks, and are hot by what they use now."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from controller.model.cluster import VmState
from controller.model.plan import Plan
from controller.model.policy import Policy, Recent
from controller.planner import check, explain, plan
from tests import builders
from tests.builders import NOW, Host, Vm

POLICY = Policy(balance=False)
NOW_ONLY = Policy(balance=False, recent=Recent(window=timedelta(0), forecast=False))


def cluster(target: dict[str, float] | None = None, vm: dict[str, object] | None = None, **more: object):
    """c1 is hot with one VM of 8 vCPUs that uses 2; c2 uses 40 of its 64 threads, and may use 51.2."""
    hosts = [Host(name="c1", cpu=0.81, **more.get("source", {})), Host(name="c2", cpu=40 / 64, **(target or {}))]
    given = {"vcpus": 8, "cpu": 2.0, **(vm or {})}
    vms = [Vm(name="flees", host="c1", **given), *more.get("others", ())]
    return builders.cluster(hosts=hosts, vms=vms)


def planned(policy: Policy = POLICY, **more: object) -> Plan:
    facts = cluster(**more)
    made = plan.plan(facts, policy, NOW)
    assert not check.problems(facts, policy, made)
    return made


def resident(now: float, ahead: float | None) -> list[Vm]:
    return [Vm(name="stays", host="c2", vcpus=40, cpu=now, cpu_ahead=ahead, locked=True)]


@pytest.mark.parametrize(
    ("more", "goes"),
    [
        ({"target": {"cpu_high": 49 / 64}}, True),
        ({"target": {"cpu_high": 50 / 64}}, False),
        ({"target": {"cpu_high": 20 / 64}}, True),
        ({"target": {"cpu_high": 46 / 64}, "vm": {"cpu_high": 6.0}}, False),
        ({"target": {"cpu_high": 46 / 64}, "vm": {"cpu_ahead": 6.0}}, False),
        ({"target": {"cpu_high": 46 / 64}, "vm": {"cpu_high": 5.0, "cpu_ahead": 1.0}}, True),
        ({"others": resident(30.0, 39.0)}, True),
        ({"others": resident(30.0, 39.5)}, False),
        ({"others": resident(30.0, None)}, True),
        ({"target": {"cpu_high": 45 / 64}, "others": resident(30.0, 39.5)}, False),
        ({"target": {"network_mib_s": 800.0, "network_high_mib_s": 830.0}, "vm": {"network_mib_s": 5.0}}, True),
        ({"target": {"network_mib_s": 800.0, "network_high_mib_s": 830.0}, "vm": {"network_mib_s": 20.0}}, False),
        ({"target": {"network_mib_s": 800.0}, "vm": {"network_mib_s": 5.0, "network_high_mib_s": 60.0}}, False),
    ],
)
def test_a_host_is_filled_to_what_leaves_room_for_its_peaks(more: dict[str, object], goes: bool):
    made = planned(**more)
    assert [move.vm_name for move in made.moves] == (["flees"] if goes else [])
    if not goes:
        assert {hold.rule for hold in made.holds if hold.vm == "flees"} <= {"cpu", "network"}


@pytest.mark.parametrize("source", [{"memory_health": 2}, {"draining": True}, {"clearance": 0}])
def test_what_leaves_a_host_that_fails_drains_or_is_not_cleared_for_it_goes_by_what_is_used_now(source):
    crowded = {"target": {"cpu_high": 51 / 64}, "vm": {"cpu_high": 8.0, "classification": 1}, "source": source}
    assert [move.vm_name for move in planned(**crowded).moves] == ["flees"]


def test_what_arrives_together_counts_at_its_peaks_together():
    """Two VMs of 2 threads with peaks of 5: c2 has room for one peak and its own, not for two."""
    hosts = [Host(name="c1", cpu=0.84), Host(name="c2", cpu=40 / 64, cpu_high=44 / 64)]
    vms = [Vm(name=name, host="c1", vcpus=8, cpu=2.0, cpu_high=5.0) for name in "ab"]
    facts = builders.cluster(hosts=hosts, vms=vms)
    assert len(plan.plan(facts, POLICY, NOW).moves) == 1
    known = replace(facts, vms=replace(facts.vms, cpu_high_vcpus=np.full(2, np.nan)))
    assert len(plan.plan(known, POLICY, NOW).moves) == 2


def test_a_vm_on_its_way_makes_no_host_hot_by_its_peaks():
    hosts = [Host(name="c1"), Host(name="c2", cpu=45 / 64)]
    vms = [Vm(name="comes", host="c1", target="c2", busy=True, vcpus=32, cpu=2.0, cpu_high=20.0, cpu_ahead=25.0)]
    breaches = plan.plan(builders.cluster(hosts=hosts, vms=vms), POLICY, NOW).breaches_before
    assert "cpu:c2" not in {breach.key for breach in breaches}


def test_forecasts_count_only_where_policy_says_so():
    assert not planned(others=resident(30.0, 39.5)).moves
    assert planned(NOW_ONLY, others=resident(30.0, 39.5)).moves


def test_a_host_is_hot_by_what_it_uses_now():
    facts = builders.cluster(
        hosts=[Host(name="c1", cpu=0.5, cpu_high=1.0), Host(name="c2")],
        vms=[Vm(name="a", host="c1", vcpus=32, cpu=30.0)],
    )
    assert not plan.plan(facts, POLICY, NOW).breaches_before


def test_a_vm_that_is_off_has_no_peaks():
    facts = builders.cluster(
        hosts=[Host(name="c1", draining=True), Host(name="c2", cpu=51 / 64)],
        vms=[Vm(name="off", host="c1", cpu=None, cpu_high=8.0, cpu_ahead=8.0, state=VmState.SHUTOFF)],
    )
    made = plan.plan(facts, POLICY, NOW, only=["c1"], cold=["c1"])
    assert [move.cold for move in made.moves] == [True]


def test_an_explanation_tells_what_is_kept_for_peaks():
    facts = cluster(target={"cpu_high": 50 / 64}, vm={"cpu_high": 3.0, "cpu_ahead": 2.5})
    made = plan.plan(facts, POLICY, NOW)
    of_host = dict(explain.explain(facts, POLICY, made, "c2").numbers)
    assert of_host["filled to"] == "41.2 busy threads: its limit of 51.2, less 10.0 that it uses more at its peaks"
    of_vm = explain.explain(facts, POLICY, made, "flees")
    assert dict(of_vm.numbers)["at its peaks"] == "3.00 vCPUs (3.00 lately, 2.50 by its forecast)"
    assert "now or at its peaks" in str(of_vm)
