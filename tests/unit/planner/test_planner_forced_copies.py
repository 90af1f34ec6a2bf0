"""VMs that write faster than they are copied: left, or planned with an end that is forced, where that is permitted."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.model.cluster import VmState
from controller.model.plan import Plan
from controller.model.policy import Limits, MigrationPolicy, Policy
from controller.planner import check, plan
from inventory.model import Tier
from tests import builders
from tests.builders import NOW, Host, System, Vm

LINK_MIB_S = 1024.0
AFTER = timedelta(seconds=100)
MIGRATION = MigrationPolicy(post_copy=True, force_complete_after=AFTER, max_pause=timedelta(seconds=30))
PAUSING = replace(MIGRATION, force_complete_tiers=frozenset({Tier.BASIC}))


def policy(migration: MigrationPolicy = MIGRATION, **limits: object) -> Policy:
    return Policy(migration=migration, limits=Limits(at_once=1, **limits), balance=False)


def cluster(*, post_copy=False, tier: int = Tier.STANDARD, draining=False, pause_s: float = 0.0, **vm: object):
    """c1 fails under one VM of 16 GiB, which writes 2 GiB a second; c2 is free. A copy has 1 GiB a second."""
    hosts = [
        Host(name="c1", link_mib_s=LINK_MIB_S, post_copy=post_copy, memory_health=0 if draining else 2,
             draining=draining),
        Host(name="c2", link_mib_s=LINK_MIB_S),
    ]  # fmt: skip
    given = {"memory_gib": 16, "memory_used_gib": 4.0, "dirty_mib_s": 2048.0, **vm}
    return builders.cluster(
        hosts=hosts, vms=[Vm(name="busy", host="c1", **given)], systems=[System(tier=tier, pause_s=pause_s)]
    )


def planned(of: Policy, **more: object) -> Plan:
    return plan.plan(cluster(**more), of, NOW)


def test_it_is_left_where_nothing_permits_to_force_it():
    made = planned(policy())
    assert not made.moves
    assert {hold.rule for hold in made.holds} == {"pre-copy"}


def test_where_its_source_permits_post_copy_it_is_forced_after_its_time_and_hardly_pauses():
    (move,) = planned(policy(), post_copy=True).moves
    assert move.force_complete_after == AFTER
    assert move.copy == AFTER + timedelta(seconds=16)
    assert move.copy_bytes == (100 + 16) * 2**30
    assert move.blackout_estimate == timedelta(seconds=0.5)
    assert move.why.endswith("as its copy would not converge in time and is forced after 100 s by post-copy")


def test_where_its_tier_may_be_paused_it_pauses_for_as_long_as_its_memory_takes():
    (move,) = planned(policy(PAUSING), tier=Tier.BASIC).moves
    assert move.force_complete_after == AFTER
    assert move.blackout_estimate == timedelta(seconds=16)
    assert move.why.endswith("forced after 100 s by pausing it, which it bears for 30 s")


@pytest.mark.parametrize(
    ("migration", "more"),
    [
        (PAUSING, {"tier": Tier.STANDARD}),
        (PAUSING, {"tier": Tier.BASIC, "memory_gib": 31}),
        (replace(PAUSING, force_complete_after=timedelta(minutes=9, seconds=45)), {"tier": Tier.BASIC}),
    ],
    ids=["another tier", "too long a pause", "too late"],
)
def test_it_is_left_where_its_pause_is_not_allowed(migration: MigrationPolicy, more: dict[str, object]):
    assert not planned(policy(migration), **more).moves


def test_where_its_agency_bears_a_pause_now_it_may_be_longer_than_policys():
    (move,) = planned(policy(), pause_s=60.0, memory_gib=31).moves
    assert (move.force_complete_after, move.blackout_estimate) == (AFTER, timedelta(seconds=31))
    assert move.why.endswith("forced after 100 s by pausing it, which it bears for 60 s")
    assert not planned(policy(), pause_s=30.0, memory_gib=31).moves


def test_of_its_tiers_pause_and_its_agencys_the_longer_one_counts():
    given = {"tier": Tier.BASIC, "memory_gib": 25}
    assert planned(policy(PAUSING), pause_s=20.0, **given).moves
    assert planned(policy(replace(PAUSING, max_pause=timedelta(seconds=20))), pause_s=30.0, **given).moves


@pytest.mark.parametrize(
    ("pause_s", "why"),
    [(0.0, "neither its tier, its agency nor its source permits that"), (20.0, "paused for 31 s, allowed 20 s")],
)
def test_the_checker_refuses_a_pause_that_the_agency_does_not_bear(pause_s: float, why: str):
    made = planned(policy(), pause_s=60.0, memory_gib=31)
    assert check.problems(cluster(pause_s=60.0, memory_gib=31), policy(), made) == ()
    assert why in "; ".join(check.problems(cluster(pause_s=pause_s, memory_gib=31), policy(), made))


def test_what_the_estate_declares_counts_once_hosts_are_configured_so():
    assert not planned(policy(replace(MIGRATION, post_copy=False)), post_copy=True).moves


def test_a_copy_is_never_planned_for_longer_than_until_it_would_be_given_up():
    hasty = replace(MIGRATION, give_up_after=timedelta(seconds=110))
    assert not planned(policy(hasty), post_copy=True).moves
    made = planned(policy(), post_copy=True)
    assert "would take 116 s, allowed 110 s" in "; ".join(check.problems(cluster(post_copy=True), policy(hasty), made))


def test_a_vm_of_no_known_system_is_never_paused_on_purpose():
    assert not planned(policy(PAUSING), tier=Tier.BASIC, system=None, draining=True).moves
    assert planned(policy(PAUSING), tier=Tier.BASIC, draining=True).moves


@pytest.mark.parametrize(("dirty_mib_s", "state"), [(10.0, VmState.ACTIVE), (5000.0, VmState.PAUSED)])
def test_what_converges_by_itself_is_not_forced(dirty_mib_s: float, state: VmState):
    (move,) = planned(policy(), post_copy=True, dirty_mib_s=dirty_mib_s, state=state).moves
    assert move.force_complete_after is None and "forced" not in move.why


def test_what_would_converge_too_late_is_forced():
    slowly = {"dirty_mib_s": 1000.0, "post_copy": True}
    (move,) = planned(policy(max_copy=timedelta(seconds=600)), **slowly).moves
    assert move.force_complete_after == AFTER
    (move,) = planned(policy(max_copy=timedelta(seconds=700)), **slowly).moves
    assert move.force_complete_after is None


@pytest.mark.parametrize(
    ("facts", "against", "what"),
    [
        ({}, policy(PAUSING), "neither its tier, its agency nor its source permits"),
        ({"tier": Tier.BASIC}, policy(), "neither its tier, its agency nor its source permits"),
        (
            {"tier": Tier.BASIC},
            policy(replace(PAUSING, max_pause=timedelta(seconds=15))),
            "paused for 16 s, allowed",
        ),
        ({"tier": Tier.BASIC}, policy(PAUSING, max_copy=timedelta(seconds=110)), "would take 116 s, allowed 110 s"),
    ],
)
def test_the_checker_knows_when_a_copy_may_be_forced(facts: dict[str, object], against: Policy, what: str):
    made = planned(policy(PAUSING), tier=Tier.BASIC)
    assert not check.problems(cluster(tier=Tier.BASIC), policy(PAUSING), made)
    assert what in "; ".join(check.problems(cluster(**facts), against, made))
