"""A drain from its beginning to the way back: every state of a server, and who must act."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from controller.engine import confirmation
from controller.engine.drain import Drainer
from controller.errors import PermanentError, RefusedError, TransientError
from controller.model.cloud import Service
from controller.model.ids import HostName, PlanId, ServerId
from controller.model.migration import State
from controller.model.operation import Drain, DrainState, Holdout, Pause
from controller.model.plan import Concern, Hold, Move, Plan
from controller.model.policy import Limits, Mode, Policy
from tests.fakes import journals
from tests.fakes.clock import NO_DEADLINE
from tests.fakes.cloud import FakeCloud
from tests.fakes.rig import Rig

C1 = HostName("c1")


class Planner:
    """Sends what may leave c1 to the hosts it is told, a wave each, in the order told."""

    def __init__(self, rig: Rig, targets: Mapping[str, str], holds: tuple[Hold, ...] = ()) -> None:
        self._rig = rig
        self._targets = targets
        self._holds = holds
        self._count = 0

    async def __call__(self, drain: Drain) -> Plan:
        self._count += 1
        now = self._rig.clock.now()
        here = {s.id: s for s in self._rig.cloud.servers.values() if s.host == drain.host}
        going = [(ServerId(vm), HostName(target)) for vm, target in self._targets.items() if vm in here]
        moves = tuple(
            Move(
                n=n,
                wave=n,
                vm=vm,
                vm_name=vm,
                source=drain.host,
                target=target,
                concern=Concern.DRAIN,
                rule="drain",
                breach=f"drain:{drain.host}",
                why=drain.why,
                score_before=(),
                score_after=(),
                copy_bytes=0,
                copy=timedelta(0),
                blackout_estimate=timedelta(0),
                cold=here[vm].status == "SHUTOFF",
            )
            for n, (vm, target) in enumerate(going, start=1)
        )
        return Plan(
            id=PlanId(f"plan-{self._count}"),
            estate="test",
            snapshot_at=now,
            created_at=now,
            sentence="",
            moves=moves,
            holds=self._holds,
            objective=tuple(Concern),
            breaches_before=(),
            breaches_after=(),
            limits=(),
            score_before=(),
            score_after=(),
        )


def drainer(rig: Rig, targets: Mapping[str, str], holds: tuple[Hold, ...] = ()) -> Drainer:
    planner = Planner(rig, targets, holds)
    return Drainer(rig.cloud, rig.journal, rig.clock, migrator=rig.migrator, plan=planner)


async def begin(drains: Drainer, *, keep_shutoff: bool = False) -> Drain:
    return await drains.begin(C1, who="somchai", why="memory", keep_shutoff=keep_shutoff)


async def test_a_host_is_disabled_emptied_and_seen_to_be_empty(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1")
    rig.cloud.boot("vm-2", "c1", status="PAUSED")
    rig.cloud.boot("vm-3", "c1", status="SHUTOFF")
    drains = drainer(rig, {"vm-1": "c2", "vm-2": "c3", "vm-3": "c2"})
    drain = await begin(drains)
    assert drain.state is DrainState.EMPTYING
    service = rig.cloud.services[C1]
    assert not service.enabled and service.disabled_reason == f"gdcc: drain {drain.id} by somchai: memory"
    drain = await drains.step(drain)
    assert drain.state is DrainState.EMPTY
    where = {key: (server.host, server.status) for key, server in rig.cloud.servers.items()}
    assert where == {"vm-1": ("c2", "ACTIVE"), "vm-2": ("c3", "PAUSED"), "vm-3": ("c2", "SHUTOFF")}
    entries = rig.journal.entries_since(drain.since)
    assert [entry.intent.id for entry in entries] == [f"{drain.id}-{n}" for n in (1, 2, 3)]
    assert {entry.intent.origin for entry in entries} == {"drain"}
    assert rig.journal.drains() == (drain,)


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.RECOMMEND, Mode.APPROVE])
async def test_a_drain_acts_in_every_mode_and_in_a_freeze(rig: Rig, mode: Mode) -> None:
    rig.policy, rig.freeze = Policy(mode=mode), "half the hosts have no readings"
    rig.cloud.boot("vm-1", "c1", locked=True)
    drains = drainer(rig, {"vm-1": "c2"})
    assert (await drains.step(await begin(drains))).state is DrainState.EMPTY


async def test_a_pause_binds_a_drain_too(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1")
    rig.journal.pause(Pause(scope=None, who="malee", why="storm", since=rig.clock.now()))
    drains = drainer(rig, {"vm-1": "c2"})
    drain = await drains.step(await begin(drains))
    assert (drain.state, rig.cloud.starts) == (DrainState.EMPTYING, [])
    rig.journal.resume(None, "malee", rig.clock.now())
    assert (await drains.step(drain)).state is DrainState.EMPTY


@pytest.mark.parametrize(
    ("changes", "who"),
    [
        ({"status": "VERIFY_RESIZE"}, "owner: confirm or revert"),
        ({"status": "SUSPENDED"}, "owner: resume"),
        ({"status": "RESCUE"}, "owner: unrescue"),
        ({"status": "ERROR"}, "operator: find out why"),
        ({"status": "SHELVED"}, "owner: unshelve"),
        ({"status": "SHELVED_OFFLOADED"}, "operator: look why"),
        ({"status": "SOFT_DELETED"}, "operator: wait for the reclaim"),
        ({"status": "BUILD", "task_state": "spawning"}, "Nova ends it"),
        ({"status": "REBOOT", "task_state": "rebooting"}, "ends by itself"),
        ({"task_state": "image_snapshot"}, "ends by itself"),
        ({"status": "PASSWORD"}, "operator: bring it to ACTIVE"),
    ],
)
async def test_a_server_that_cannot_leave_is_named_at_once_with_who_must_act(
    rig: Rig, changes: dict[str, str], who: str
) -> None:
    rig.cloud.boot("vm-1", "c1", **changes)
    rig.cloud.boot("vm-2", "c1")
    drains = drainer(rig, {"vm-1": "c2", "vm-2": "c2"})
    began = rig.clock.now()
    drain = await begin(drains)
    assert (drain.state, rig.clock.now()) == (DrainState.STUCK, began)
    (holdout,) = drain.holdouts
    assert holdout.server_id == "vm-1" and who in holdout.who_must_act
    drain = await drains.step(drain)
    assert rig.cloud.servers[ServerId("vm-2")].host == "c2"
    assert drain.state is DrainState.STUCK
    rig.cloud.change("vm-1", status="ACTIVE", task_state=None)
    assert (await drains.step(drain)).state is DrainState.EMPTY


async def test_a_resize_that_left_may_come_back_until_it_is_confirmed(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1", status="SHUTOFF")
    await rig.cloud.cold_migrate(ServerId("vm-1"), HostName("c2"), deadline=NO_DEADLINE)
    rig.clock.advance(timedelta(seconds=10))
    drains = drainer(rig, {})
    drain = await begin(drains)
    assert drain.state is DrainState.STUCK
    assert "on c2 now, and a revert would bring it back" in drain.holdouts[0].why
    await rig.cloud.confirm_resize(ServerId("vm-1"))
    rig.clock.advance(timedelta(seconds=2))
    assert (await drains.step(drain)).state is DrainState.EMPTY


@pytest.mark.parametrize("status", ["SHUTOFF", "SOFT_DELETED"])
async def test_stopped_servers_stay_for_a_reboot(rig: Rig, status: str) -> None:
    rig.cloud.boot("vm-1", "c1", status=status)
    drains = drainer(rig, {"vm-1": "c2"})
    drain = await begin(drains, keep_shutoff=True)
    assert drain.state is DrainState.EMPTY
    assert rig.cloud.servers[ServerId("vm-1")].host == "c1" and rig.cloud.starts == []


async def test_a_server_with_no_target_is_a_holdout_and_one_that_waits_its_turn_is_not(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1")
    rig.cloud.boot("vm-2", "c1")
    holds = tuple(
        Hold(breach="drain:c1", vm=ServerId(vm), rule=rule, why=f"{vm} stays on c1: {rule}")
        for vm, rule in [("vm-1", "clearance"), ("vm-2", "out-of-host")]
    )
    drain = await drainer(rig, {}, holds).step(await begin(drainer(rig, {})))
    assert drain.state is DrainState.STUCK
    assert [(one.server_id, one.why) for one in drain.holdouts] == [("vm-1", "vm-1 stays on c1: clearance")]


@pytest.mark.parametrize(
    ("rule", "who"),
    [("on-battery", "may wait for the mains"), ("window", "its window"), ("capacity", "make room on another host")],
)
async def test_a_server_with_no_target_is_told_with_who_can_make_one(rig: Rig, rule: str, who: str) -> None:
    rig.cloud.boot("vm-1", "c1")
    holds = (Hold(breach="drain:c1", vm=ServerId("vm-1"), rule=rule, why=f"vm-1 stays on c1: {rule}"),)
    drain = await drainer(rig, {}, holds).step(await begin(drainer(rig, {})))
    assert [who in one.who_must_act for one in drain.holdouts] == [True]


async def test_somebody_elses_migration_off_the_host_is_waited_for(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1")
    rig.cloud.start_foreign("vm-1", "c3")
    drains = drainer(rig, {"vm-1": "c2"})
    drain = await drains.step(await begin(drains))
    assert (drain.state, len(rig.cloud.starts)) == (DrainState.EMPTYING, 1)
    rig.clock.advance(timedelta(minutes=1))
    assert (await drains.step(drain)).state is DrainState.EMPTY


async def test_a_host_that_is_down_is_told_with_its_servers_and_nothing_is_started_elsewhere(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1")
    rig.cloud.boot("vm-2", "c1", status="ERROR")
    rig.cloud.change_service("c1", up=False)
    drains = drainer(rig, {"vm-1": "c2"})
    drain = await drains.step(await begin(drains))
    assert drain.state is DrainState.STUCK
    assert [one.server_id for one in drain.holdouts] == ["vm-1", "vm-2"]
    assert all("prove it dead" in one.who_must_act for one in drain.holdouts)
    changed = {name for name, _ in rig.cloud.calls} - {"server", "service", "servers_on", "running_migrations"}
    assert changed == {"disable_service"}


async def test_a_drain_whose_move_fails_goes_on_with_the_next_step(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1")
    rig.cloud.boot("vm-2", "c1")
    rig.cloud.faults[ServerId("vm-1")] = "copy"
    drain = await (first := drainer(rig, {"vm-1": "c2", "vm-2": "c2"})).step(await begin(first))
    assert drain.state is DrainState.EMPTYING
    assert [entry.state for entry in rig.journal.entries_since(drain.since)] == [State.FAILED]
    del rig.cloud.faults[ServerId("vm-1")]
    assert (await drainer(rig, {"vm-1": "c3", "vm-2": "c2"}).step(drain)).state is DrainState.EMPTY


async def test_a_restart_goes_on_with_the_drain_and_its_numbers(rig: Rig) -> None:
    rig.policy = Policy(mode=Mode.AUTO, limits=Limits(per_system=5))
    for n in (1, 2):
        rig.cloud.boot(f"vm-{n}", "c1")
    await begin(first := drainer(rig, {"vm-1": "c2", "vm-2": "c3"}))
    (drain,) = rig.journal.drains()
    step = asyncio.create_task(first.step(drain))
    await rig.clock.sleep(timedelta(seconds=5))
    step.cancel()
    await asyncio.gather(step, return_exceptions=True)
    rig.restart()
    (drain,) = rig.journal.drains()
    assert (await drainer(rig, {}).step(drain)).state is DrainState.EMPTYING
    await rig.adopter.adopt()
    drain = await drainer(rig, {"vm-2": "c3"}).step(drain)
    assert drain.state is DrainState.EMPTY
    ids = [entry.intent.id for entry in rig.journal.entries_since(drain.since)]
    assert ids == [f"{drain.id}-1", f"{drain.id}-2"]
    assert len(rig.cloud.starts) == 2


async def test_a_drain_whose_disable_gets_no_answer_stands_and_goes_on(rig: Rig) -> None:
    class Deaf(FakeCloud):
        async def disable_service(self, service: Service, reason: str) -> None:
            raise TransientError("HTTP 503")

    deaf = Deaf(rig.clock)
    drains = Drainer(deaf, rig.journal, rig.clock, migrator=rig.migrator, plan=Planner(rig, {}))
    with pytest.raises(TransientError, match="journaled and goes on by itself"):
        await begin(drains)
    (drain,) = rig.journal.drains()
    assert (await drainer(rig, {}).step(drain)).state is DrainState.EMPTY
    assert not rig.cloud.services[C1].enabled


async def test_an_unknown_host_and_a_second_drain_are_refused(rig: Rig) -> None:
    drains = drainer(rig, {})
    with pytest.raises(RefusedError, match="no compute service"):
        await drains.begin(HostName("c9"), who="somchai", why="", keep_shutoff=False)
    await begin(drains)
    rig.clock.advance(timedelta(seconds=1))
    with pytest.raises(RefusedError) as refused:
        await begin(drains)
    assert refused.value.rule == "already-draining"


@pytest.mark.parametrize(("left", "state"), [(0, DrainState.EMPTY), (1, DrainState.STUCK)])
async def test_an_empty_host_that_leaves_nova_is_not_stuck_and_one_with_servers_is(
    rig: Rig, left: int, state: DrainState
) -> None:
    for n in range(left):
        rig.cloud.boot(f"vm-{n}", "c1")
    drains = drainer(rig, {})
    drain = await begin(drains)
    del rig.cloud.services[C1]
    with pytest.raises(RefusedError, match="no compute service"):
        await drains.step(drain)
    assert [one.state for one in rig.journal.drains()] == [state]


async def test_enabling_ends_the_drain_and_no_step_disables_the_host_again(rig: Rig) -> None:
    drains = drainer(rig, {})
    drain = await begin(drains)
    assert await drains.enable(C1, who="somchai", force=False) == "c1 is enabled."
    assert rig.cloud.services[C1].enabled and rig.journal.drains() == ()
    assert (await drains.step(drain)).state is DrainState.ENDED
    assert rig.cloud.services[C1].enabled
    assert await drains.enable(C1, who="somchai", force=False) == "c1 is enabled already."


async def test_enabling_during_a_drain_stops_it_after_the_moves_under_way(rig: Rig) -> None:
    for n in (1, 2):
        rig.cloud.boot(f"vm-{n}", "c1")
    drains = drainer(rig, {"vm-1": "c2", "vm-2": "c3"})
    step = asyncio.create_task(drains.step(await begin(drains)))
    await rig.clock.sleep(timedelta(seconds=5))
    await drains.enable(C1, who="somchai", force=False)
    assert (await step).state is DrainState.ENDED
    assert [server.host for server in rig.cloud.servers.values()] == ["c2", "c1"]
    assert rig.journal.drains() == () and rig.cloud.services[C1].enabled


async def test_no_move_of_a_drain_that_was_ended_begins_in_its_wave(rig: Rig) -> None:
    """The second waits for a slot that somebody else's migration has."""
    rig.policy = Policy(mode=Mode.OBSERVE, limits=Limits(out_of_host=2, into_host=4, per_system=9, per_agency=9))
    for n in (1, 2, 3):
        rig.cloud.boot(f"vm-{n}", "c1")
    planner = Planner(rig, {"vm-1": "c2", "vm-2": "c3"})

    async def at_once(drain: Drain) -> Plan:
        plan = await planner(drain)
        return replace(plan, moves=tuple(replace(move, wave=1) for move in plan.moves))

    drains = Drainer(rig.cloud, rig.journal, rig.clock, migrator=rig.migrator, plan=at_once)
    rig.cloud.faults[ServerId("vm-3")] = "stall"
    drain = await begin(drains)
    rig.cloud.start_foreign("vm-3", "c2")
    step = asyncio.create_task(drains.step(drain))
    await rig.clock.sleep(timedelta(seconds=4))
    await drains.enable(C1, who="somchai", force=False)
    await step
    assert [start.server_id for start in rig.cloud.starts] == ["vm-3", "vm-1"]


async def test_a_drain_that_nova_refuses_is_ended_again(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1")
    rig.cloud.denied = {"disable_service"}
    drains, began = drainer(rig, {"vm-1": "c2"}), rig.clock.now()
    with pytest.raises(PermanentError, match="403"):
        await begin(drains)
    assert rig.journal.drains() == () and rig.cloud.services[C1].enabled
    assert "ends the drain of c1, which was refused" in rig.journal.notes(began)[-1][2]


async def test_a_drain_whose_step_nova_refuses_waits_for_a_person(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1")
    drains = drainer(rig, {"vm-1": "c2"})
    drain = await begin(drains)
    rig.cloud.denied = {"servers_on"}
    with pytest.raises(PermanentError):
        await drains.step(drain)
    assert [found.state for found in rig.journal.drains()] == [DrainState.STUCK]


async def test_a_stuck_drain_is_stuck_while_it_is_planned_again_and_says_so_once(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1")
    hold = Hold(breach="drain:c1", vm=ServerId("vm-1"), rule="memory-capacity", why="no room anywhere")
    planner, seen = Planner(rig, {}, (hold,)), []

    async def looking(drain: Drain) -> Plan:
        seen.extend(found.state for found in rig.journal.drains())
        return await planner(drain)

    drains = Drainer(rig.cloud, rig.journal, rig.clock, migrator=rig.migrator, plan=looking)
    drain = await drains.step(await begin(drains))
    told = rig.journal.notes(drain.since)
    for _ in range(3):
        drain = await drains.step(drain)
    assert seen == [DrainState.EMPTYING, *[DrainState.STUCK] * 3]
    assert rig.journal.notes(drain.since) == told


async def test_somebody_elses_disable_is_kept_and_undone_only_by_force(rig: Rig) -> None:
    rig.cloud.change_service("c1", enabled=False, disabled_reason="fan, ticket 12")
    drains = drainer(rig, {})
    await begin(drains)
    assert rig.cloud.services[C1].disabled_reason == "fan, ticket 12"
    with pytest.raises(RefusedError, match="fan, ticket 12") as refused:
        await drains.enable(C1, who="somchai", force=False)
    assert refused.value.rule == "not-ours" and len(rig.journal.drains()) == 1
    assert await drains.enable(C1, who="somchai", force=True) == "c1 is enabled."
    assert "fan, ticket 12" in rig.journal.notes(rig.clock.now())[-1][2]


async def test_the_confirmation_lists_what_is_not_known(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1", project_id="p-stranger", locked=True)
    rig.cloud.boot("vm-2", "c1", status="SUSPENDED")
    rig.cloud.change_service("c1", enabled=False, disabled_reason="fan")
    rig.freeze = "the inventory shrank"
    drains = drainer(rig, {})
    remains, held = await drains.look(C1)
    said = confirmation.unknowns(C1, remains, held, rig.situation(), None)
    for part in ["somebody else (fan)", "does not know", "locked", "no snapshot", "shrank", "vm-2 cannot be moved"]:
        assert sum(part in sentence for sentence in said) == 1, part
    assert rig.cloud.services[C1].disabled_reason == "fan" and rig.journal.drains() == ()


def test_a_drain_gets_on_by_what_happens_and_not_by_other_words() -> None:
    held = Holdout(server_id=ServerId("v"), server_name="v", status="ACTIVE", why="9 of 10 hosts are", who_must_act="x")
    drain = Drain(
        id="d", host=HostName("c1"), who="malee", why="dimm", keep_shutoff=False, since=journals.START,
        state=DrainState.STUCK, holdouts=(held,),
    )  # fmt: skip
    assert replace(drain, holdouts=(replace(held, why="8 of 10 hosts are"),)).standing == drain.standing
    assert replace(drain, holdouts=()).standing != drain.standing
    assert replace(drain, state=DrainState.EMPTYING).standing != drain.standing
