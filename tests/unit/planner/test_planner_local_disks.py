"""A VM whose disk stands on its host's own disks: a live migration copies that too, and takes as long."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from controller.model import cluster as model
from controller.model.plan import Plan
from controller.model.policy import Limits, MigrationPolicy, Policy
from controller.planner import copies, explain, plan, rules
from controller.planner.load import Load
from controller.planner.situation import of_cluster
from inventory.model import Tier
from tests import builders
from tests.builders import GIB, Host, System, Vm

LINK = 1200.0 * 2**20
"""One copy out of a host and one into it at a time: all of the link."""
ONE = Policy(limits=Limits(out_of_host=1, into_host=1))


def load(*, shared: tuple[bool, bool] = (False, False), policy: Policy = ONE, **vm: object) -> Load:
    hosts = [Host(name=f"c{n}", shared_storage=each) for n, each in enumerate(shared, 1)]
    given: dict[str, object] = {"memory_gib": 8, "disk_gib": 100, "dirty_mib_s": 0.0, **vm}
    one = Vm(name="v", host="c1", **given)  # type: ignore[arg-type]
    systems = [System(tier=int(Tier.BASIC))]
    return Load(of_cluster(builders.cluster(hosts=hosts, vms=[one], systems=systems), policy, builders.NOW))


def admits(load: Load) -> bool:
    return bool(rules.pre_copy(load, 0, np.array([1], np.int32))[0])


def test_a_local_disk_is_copied_before_the_memory() -> None:
    taken, shared = copies.estimate(load(), 0, 1), copies.estimate(load(shared=(True, True)), 0, 1)
    assert taken.copy_s == pytest.approx(shared.copy_s + 100 * GIB / LINK)
    assert taken.sent_bytes == pytest.approx(shared.sent_bytes + 100 * GIB)
    assert taken.blackout_s == shared.blackout_s


@pytest.mark.parametrize("shared", [(False, True), (True, False)])
def test_a_disk_is_shared_only_where_both_hosts_reach_it(shared: tuple[bool, bool]) -> None:
    assert copies.estimate(load(shared=shared), 0, 1).copy_s > 100 * GIB / LINK


def test_a_server_that_boots_from_a_volume_has_no_disk_to_copy() -> None:
    assert copies.estimate(load(disk_gib=0), 0, 1).sent_bytes == pytest.approx(8 * GIB)


def test_a_disk_that_would_take_too_long_keeps_the_vm_where_it_is() -> None:
    policy = replace(ONE, limits=replace(ONE.limits, max_copy=timedelta(seconds=200)))
    assert admits(load(policy=policy, disk_gib=200))
    assert not admits(load(policy=policy, disk_gib=300))
    assert admits(load(policy=policy, disk_gib=300, shared=(True, True)))
    assert not admits(load(policy=policy, disk_gib=300, shared=(True, False)))


@pytest.mark.parametrize("shared", [True, False])
def test_what_moving_sends_counts_the_disk(shared: bool) -> None:
    here = load(shared=(shared, shared))
    assert copies.sent_gib(here, np.array([0], np.int32)).tolist() == [8.0 + (0.0 if shared else 100.0)]


def test_a_copy_is_forced_only_where_its_disk_is_over_by_then() -> None:
    """Paused or turned to post-copy while its disk is still copied, it would wait for all the rest of that."""
    policy = replace(
        ONE,
        migration=MigrationPolicy(
            force_complete_tiers=(Tier.BASIC,), force_complete_after=timedelta(seconds=100),
            max_pause=timedelta(minutes=1),
        ),
    )  # fmt: skip
    wild: dict[str, object] = {"dirty_mib_s": 5000.0, "policy": policy}
    small, large = load(disk_gib=100, **wild), load(disk_gib=200, **wild)  # type: ignore[arg-type]
    assert (admits(small), copies.forced(small, 0, 1)) == (True, True)
    assert copies.estimate(small, 0, 1).sent_bytes == pytest.approx(100 * LINK + 8 * GIB)
    assert np.isfinite(copies.sent_gib(small, np.array([0], np.int32))[0])
    assert (admits(large), copies.forced(large, 0, 1)) == (False, False)
    assert np.isinf(copies.sent_gib(large, np.array([0], np.int32))[0])


def hot(*, shared: bool, disk_gib: float) -> tuple[model.Cluster, Plan]:
    hosts = [Host(name="c1", cpu=0.95, shared_storage=shared), Host(name="c2", shared_storage=shared)]
    vms = [Vm(name=f"v{n}", host="c1", vcpus=16, cpu=14.0, disk_gib=disk_gib) for n in range(4)]
    cluster = builders.cluster(hosts=hosts, vms=vms)
    return cluster, plan.plan(cluster, ONE, builders.NOW)


def test_a_plan_and_its_reasons_tell_the_disk() -> None:
    _, made = hot(shared=False, disk_gib=120)
    assert made.moves
    for move in made.moves:
        assert move.copy.total_seconds() >= 120 * GIB / LINK
        assert "8 GiB and a local disk of 120 GiB" in move.why
    _, made = hot(shared=True, disk_gib=120)
    assert made.moves
    assert all("disk" not in move.why for move in made.moves)


def test_why_a_vm_stays_names_its_disk_and_what_would_say_that_it_is_shared() -> None:
    cluster, made = hot(shared=False, disk_gib=2000)
    assert made.moves == ()
    answer = explain.explain(cluster, ONE, made, cluster.vms.names[0])
    assert "local disk of 2,000 GiB" in answer.sentence
    assert "shared_storage" in answer.sentence
    assert dict(answer.numbers)["flavor"].endswith("2000 GiB disk, which a live migration copies")


@pytest.mark.parametrize("wrong", [{"memory_health": 2}, {"draining": True}])
@pytest.mark.parametrize(("unsaid", "leaves"), [((True, True), True), ((True, False), False), ((False, False), False)])
def test_a_disk_of_which_nobody_says_whether_it_is_shared_bars_no_move_that_must_be(
    wrong: dict[str, object], unsaid: tuple[bool, bool], leaves: bool
) -> None:
    """It would take an hour and more; in the estimates it counts."""
    first, second = (
        Host(name=f"c{n}", shared_storage=False, unsaid_storage=each, disk_gib=1e5, **(wrong if n == 1 else {}))  # type: ignore[arg-type]
        for n, each in enumerate(unsaid, 1)
    )
    vm = Vm(name="v", host="c1", disk_gib=5000.0)
    made = plan.plan(builders.cluster(hosts=[first, second], vms=[vm]), ONE, builders.NOW)
    assert [move.target for move in made.moves] == ["c2"][: int(leaves)]
    if leaves:
        assert made.moves[0].copy > timedelta(hours=1)
        assert "host_types.shared_storage is not said" in made.moves[0].why
    else:
        assert [hold.rule for hold in made.holds] == ["pre-copy"]


def test_beside_such_a_disk_no_end_is_forced() -> None:
    """Nobody knows whether it would be over by then, and its guest would wait for it."""
    hosts = [
        Host(name=f"c{n}", shared_storage=False, unsaid_storage=True, disk_gib=1e5, memory_health=2 * (n == 1))
        for n in (1, 2)
    ]
    vm = Vm(name="v", host="c1", disk_gib=5000.0, dirty_mib_s=5000.0)
    policy = replace(ONE, migration=MigrationPolicy(force_complete_tiers=frozenset(Tier), post_copy=True))
    cluster = builders.cluster(hosts=hosts, vms=[vm], systems=[System(tier=int(Tier.BASIC))])
    made = plan.plan(cluster, policy, builders.NOW)
    assert made.moves == () and [hold.rule for hold in made.holds] == ["pre-copy"]


def test_for_balance_such_a_disk_counts_as_its_hosts_own() -> None:
    hosts = [Host(name=f"c{n}", shared_storage=False, unsaid_storage=True, disk_gib=1e5) for n in (1, 2)]
    vm = Vm(name="v", host="c1", disk_gib=5000.0)
    facts = of_cluster(builders.cluster(hosts=hosts, vms=[vm]), ONE, builders.NOW)
    assert not admits(Load(facts))
