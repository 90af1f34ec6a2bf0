"""Copies that do not end by themselves: forced to their end where that is permitted, or aborted."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from controller.errors import RefusedError, TransientError
from controller.model.ids import RequestId, ServerId
from controller.model.migration import Entry, State
from controller.model.policy import MigrationPolicy
from inventory.model import Pause, Tier
from inventory.windows import window
from tests.fakes.cloud import FakeCloud
from tests.fakes.rig import Rig, ended, move, order, outcome

PAUSING = MigrationPolicy(force_complete_tiers=frozenset({Tier.STANDARD}))
AFTER = timedelta(seconds=75)


def permit(rig: Rig, *, post_copy: bool = False, policy: MigrationPolicy | None = None) -> None:
    """Hosts that permit post-copy or not, and a guest that writes faster than it is copied."""
    host_types = {"t": replace(rig.estate.host_types["t"], post_copy=post_copy)}
    rig.estate = replace(rig.estate, host_types=host_types)
    rig.policy = replace(rig.policy, migration=policy or MigrationPolicy(post_copy=post_copy))
    rig.cloud.dirty_mib_s[ServerId("vm-1")] = 2000


async def test_the_blackout_of_a_forced_copy_is_all_that_was_left_of_it(rig: Rig) -> None:
    permit(rig, policy=PAUSING)
    cost = outcome(await move(rig))
    link_mib_s = rig.estate.host_types["t"].migration_mib_s
    share_mib_s = link_mib_s / min(rig.policy.limits.into_host, rig.policy.limits.at_once)
    assert cost.blackout_estimate == timedelta(seconds=8192 / share_mib_s)


async def test_a_stall_is_forced_only_for_tiers_that_allow_it(rig: Rig) -> None:
    permit(rig, policy=PAUSING)
    result = await move(rig)
    assert ended(result) == (State.SUCCEEDED, "")
    assert {"force_complete"} == {name for name, _ in rig.cloud.calls} & {"force_complete", "abort_migration"}


@pytest.mark.parametrize(("post_copy", "policy"), [(True, MigrationPolicy(post_copy=True)), (False, PAUSING)])
async def test_a_planned_end_is_forced_at_its_time_and_no_stall_before_it(
    rig: Rig, post_copy: bool, policy: MigrationPolicy
) -> None:
    permit(rig, post_copy=post_copy, policy=policy)
    began = rig.clock.now()
    result = await move(rig, order(force_complete_after=AFTER))
    assert ended(result) == (State.SUCCEEDED, "")
    assert AFTER < rig.clock.now() - began < AFTER + timedelta(seconds=15)
    assert [name for name, _ in rig.cloud.calls].count("force_complete") == 1
    assert "abort_migration" not in {name for name, _ in rig.cloud.calls}
    pause = outcome(result).blackout_estimate
    assert pause is not None and (pause < timedelta(seconds=1)) is post_copy


async def test_a_planned_end_is_not_forced_where_nothing_permits_it_any_more(rig: Rig) -> None:
    permit(rig)
    result = await move(rig, order(force_complete_after=AFTER))
    assert ended(result) == (State.ABORTED, "stalled")
    assert "force_complete" not in {name for name, _ in rig.cloud.calls}


async def test_an_end_that_nova_does_not_force_is_asked_for_once_and_then_aborted(rig: Rig) -> None:
    class Refusing(FakeCloud):
        async def force_complete(self, server_id: ServerId, migration_id: int) -> RequestId:
            await self._called("force_complete", server_id, migration_id)
            raise RefusedError("it is not in a state for that", rule="conflict")

    rig.cloud = Refusing(rig.clock)
    rig.start(rig.cloud, rig.journal)
    permit(rig, post_copy=True)
    result = await move(rig, order(force_complete_after=AFTER))
    assert ended(result) == (State.ABORTED, "stalled")
    names = [name for name, _ in rig.cloud.calls]
    assert names.count("force_complete") == 1 and names.index("force_complete") < names.index("abort_migration")


async def test_a_copy_that_ends_by_itself_as_nova_refuses_to_force_it_has_the_blackout_of_any_other(rig: Rig) -> None:
    class Refusing(FakeCloud):
        async def force_complete(self, server_id: ServerId, migration_id: int) -> RequestId:
            self.dirty_mib_s[server_id] = 1.0
            for run in self._runs:
                run.dirty_mib_s = 1.0
            raise RefusedError("it is not in a state for that", rule="conflict")

    rig.cloud = Refusing(rig.clock)
    rig.start(rig.cloud, rig.journal)
    permit(rig, policy=PAUSING)
    result = await move(rig, order(force_complete_after=AFTER))
    assert ended(result) == (State.SUCCEEDED, "")
    pause = outcome(result).blackout_estimate
    assert pause is not None and pause < timedelta(seconds=1)


@pytest.mark.parametrize("post_copy", [True, False])
async def test_a_copy_over_a_dead_link_is_aborted_and_nobody_is_paused_for_it(rig: Rig, post_copy: bool) -> None:
    permit(rig, post_copy=post_copy, policy=replace(PAUSING, post_copy=post_copy))
    rig.cloud.faults[ServerId("vm-1")] = "stall"
    began = rig.clock.now()
    result = await move(rig, order(force_complete_after=AFTER))
    assert ended(result) == (State.ABORTED, "stalled")
    assert rig.clock.now() - began < timedelta(seconds=45)
    assert "force_complete" not in {name for name, _ in rig.cloud.calls}


async def test_a_planned_pause_that_lasts_longer_than_a_stall_comes_to_its_end(rig: Rig) -> None:
    permit(rig, policy=replace(PAUSING, max_pause=timedelta(seconds=60)))
    result = await move(rig, order(force_complete_after=AFTER), memory_mib=40 * 1024)
    assert ended(result) == (State.SUCCEEDED, "")
    assert "abort_migration" not in {name for name, _ in rig.cloud.calls}


@pytest.mark.parametrize("longest", [timedelta(seconds=5), timedelta(seconds=30)])
async def test_a_pause_is_held_against_policy_again_before_it_begins(rig: Rig, longest: timedelta) -> None:
    permit(rig, policy=replace(PAUSING, max_pause=longest))
    result = await move(rig, order(force_complete_after=AFTER), memory_mib=16 * 1024)
    forced = "force_complete" in {name for name, _ in rig.cloud.calls}
    assert ended(result)[0] is State.SUCCEEDED and forced


def bear(rig: Rig, seconds: int, *windows: str) -> None:
    """The system of every server allows so long a pause."""
    pause = Pause(seconds=seconds, windows=tuple(map(window, windows)))
    systems = {name: replace(each, pause=pause) for name, each in rig.estate.systems.items()}
    rig.estate = replace(rig.estate, systems=systems)


@pytest.mark.parametrize(
    ("seconds", "windows", "forced"),
    [(60, (), True), (60, ("Mon-Sun 00:00-24:00",), True), (2, (), False), (60, ("Mon-Sun 03:00-03:01",), False)],
    ids=["whenever it may be moved", "in a window", "too short a pause", "outside of its window"],
)
async def test_an_agency_is_asked_again_for_its_pause_before_it_begins(
    rig: Rig, seconds: int, windows: tuple[str, ...], forced: bool
) -> None:
    permit(rig)
    bear(rig, seconds, *windows)
    result = await move(rig, order(force_complete_after=AFTER), memory_mib=16 * 1024)
    assert ("force_complete" in {name for name, _ in rig.cloud.calls}) is forced
    assert ended(result) == ((State.SUCCEEDED, "") if forced else (State.ABORTED, "stalled"))


async def test_post_copy_that_is_declared_and_not_yet_configured_pauses_nobody(rig: Rig) -> None:
    permit(rig, post_copy=True, policy=MigrationPolicy())
    assert ended(await move(rig, order(force_complete_after=AFTER))) == (State.ABORTED, "stalled")
    assert "force_complete" not in {name for name, _ in rig.cloud.calls}


async def test_a_forced_end_that_nova_did_not_hear_of_is_asked_for_again(rig: Rig) -> None:
    class Deaf(FakeCloud):
        times = 0

        async def force_complete(self, server_id: ServerId, migration_id: int) -> RequestId:
            self.times += 1
            if self.times == 1:
                raise TransientError("Nova answered 503", where="nova")
            return await super().force_complete(server_id, migration_id)

    rig.cloud = Deaf(rig.clock)
    rig.start(rig.cloud, rig.journal)
    permit(rig, post_copy=True)
    assert ended(await move(rig, order(force_complete_after=AFTER))) == (State.SUCCEEDED, "")


async def test_a_planned_end_outlives_the_process(rig: Rig) -> None:
    permit(rig, post_copy=True)
    rig.cloud.boot("vm-1", "c1")
    task = asyncio.create_task(rig.migrator.execute(order(force_complete_after=AFTER)))
    await rig.clock.sleep(timedelta(seconds=20))
    task.cancel()
    rig.restart()
    (entry,) = rig.journal.open_entries()
    assert entry.intent.force_complete_after == AFTER
    (adopted,) = await rig.adopter.adopt()
    assert isinstance(adopted, Entry) and adopted.state is State.SUCCEEDED
    assert [name for name, _ in rig.cloud.calls].count("force_complete") == 1
