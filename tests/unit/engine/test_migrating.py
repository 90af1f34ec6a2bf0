"""One move from order to end, over a cloud that takes time, fails, stalls and lies."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from controller.adapters.dry_run import DryRunCloud
from controller.engine.places import GroupRule
from controller.model.cloud import Guest, Server
from controller.model.ids import HostName, MoveId, RequestId, ServerId
from controller.model.migration import Entry, State
from controller.model.policy import Limits, MigrationPolicy, Mode, Scope, ScopeKind
from inventory.model import Domain, NumaCell
from tests.fakes.cloud import FakeCloud
from tests.fakes.rig import Rig, ended, move, order, outcome, refused_by

SMALL = NumaCell(vcpus=2, memory_mib=8192)

LINK, UPLINK = 1200.0, 2400.0
"""MiB/s of a host and of a rack where the estate tells nothing else."""


async def test_a_move_is_followed_to_a_verified_end_and_its_cost_is_kept(rig: Rig) -> None:
    result = await move(rig)
    assert ended(result) == (State.SUCCEEDED, "")
    assert rig.cloud.servers[ServerId("vm-1")].host == "c2"
    cost = outcome(result)
    assert cost.seconds is not None and 9 < cost.seconds < 12
    assert cost.copied_bytes == 8192 << 20
    assert cost.blackout_estimate is not None and timedelta(0) < cost.blackout_estimate < timedelta(seconds=1)
    assert result.entry is not None
    assert (result.entry.migration_id, result.entry.intent.system) == (100, "web")
    assert rig.journal.open_entries() == ()


@pytest.mark.parametrize(
    ("target", "limits", "share_mib_s"),
    [
        ("c2", Limits(at_once=1), LINK),
        ("c2", Limits(at_once=9, out_of_host=2, into_host=1), LINK / 2),
        ("c2", Limits(at_once=9, out_of_host=1, into_host=4), LINK / 4),
        ("c3", Limits(at_once=9, out_of_host=1, into_host=1, across_rack=8), UPLINK / 8),
    ],
)
def test_a_copys_share_of_the_link_is_what_all_allowed_copies_leave_it(
    rig: Rig, target: str, limits: Limits, share_mib_s: float
) -> None:
    assert rig.situation().link_mib_s(HostName("c1"), HostName(target), limits) == share_mib_s


async def test_the_intent_is_in_the_journal_before_nova_is_asked(rig: Rig) -> None:
    seen: list[State] = []

    class Watching(FakeCloud):
        async def live_migrate(self, server_id: ServerId, target: HostName, *, deadline: datetime) -> RequestId:
            seen.extend(entry.state for entry in rig.journal.open_entries())
            return await super().live_migrate(server_id, target, deadline=deadline)

    rig.cloud = Watching(rig.clock)
    rig.start(rig.cloud, rig.journal)
    await move(rig)
    assert seen == [State.INTENDED]


@pytest.mark.parametrize(
    ("fault", "state", "rule"),
    [
        ("check", State.REFUSED, "no-valid-host"),
        ("pre", State.FAILED, "migration-failed"),
        ("copy", State.FAILED, "migration-failed"),
        ("error", State.FAILED, "server-error"),
        ("late-error", State.FAILED, "server-error"),
        ("lie", State.FAILED, "did-not-move"),
        ("unbound", State.FAILED, "port-not-bound"),
        ("delete", State.FAILED, "server-deleted"),
        ("no-record", State.FAILED, "no-record"),
        ("stall", State.ABORTED, "stalled"),
        ("stuck", State.LOST, "lost"),
        ("resize", State.SUCCEEDED, ""),
    ],
)
async def test_every_way_a_migration_can_end_is_told_apart(rig: Rig, fault: str, state: State, rule: str) -> None:
    rig.cloud.faults[ServerId("vm-1")] = fault
    result = await move(rig)
    assert ended(result) == (state, rule)
    assert len(rig.cloud.starts) == (0 if fault == "check" else 1)
    if state in {State.FAILED, State.ABORTED, State.LOST, State.REFUSED}:
        ((server_id, target, learned, _),) = rig.journal.refusals(rig.clock.now())
        assert (server_id, target, learned) == ("vm-1", "c2", rule)


@pytest.mark.parametrize("fault", ["error", "lie", "unbound", "stuck"])
async def test_an_end_that_needs_a_person_is_noted(rig: Rig, fault: str) -> None:
    rig.cloud.faults[ServerId("vm-1")] = fault
    before = rig.clock.now()
    await move(rig)
    ((_, who, what),) = rig.journal.notes(before)
    assert who == "controller" and "vm-1" in what


async def test_a_stall_is_aborted_after_its_time_and_the_server_stays(rig: Rig) -> None:
    rig.cloud.faults[ServerId("vm-1")] = "stall"
    began = rig.clock.now()
    result = await move(rig)
    assert rig.clock.now() - began < timedelta(seconds=40)
    assert [name for name, _ in rig.cloud.calls].count("abort_migration") == 1
    assert rig.cloud.servers[ServerId("vm-1")].host == "c1"
    assert "written faster than it was copied" in outcome(result).why


async def test_a_copy_that_goes_on_too_long_is_aborted_though_it_progresses(rig: Rig) -> None:
    rig.cloud.dirty_mib_s[ServerId("vm-1")] = 995
    result = await move(rig)
    assert ended(result) == (State.ABORTED, "too-long")


async def test_nothing_is_concluded_while_nova_does_not_answer(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1")
    task = asyncio.create_task(rig.migrator.execute(order()))
    await rig.clock.sleep(timedelta(seconds=4))
    rig.cloud.down_until = rig.clock.now() + timedelta(hours=3)
    await rig.clock.sleep(timedelta(hours=2))
    (entry,) = rig.journal.open_entries()
    assert entry.state is State.RUNNING
    assert ended(await task) == (State.SUCCEEDED, "")


@pytest.mark.parametrize(
    ("answer", "state", "rule", "starts"),
    [
        ("lost", State.SUCCEEDED, "", 1),
        ("dropped", State.NOT_SENT, "no-trace", 0),
        ("late", State.SUCCEEDED, "", 1),
        ("unreachable", State.NOT_SENT, "unreachable", 0),
    ],
)
async def test_a_lost_answer_is_resolved_by_looking_and_never_by_asking_again(
    rig: Rig, answer: str, state: State, rule: str, starts: int
) -> None:
    rig.cloud.answers = [answer]
    result = await move(rig)
    assert ended(result) == (state, rule)
    assert len(rig.cloud.starts) == starts
    assert [name for name, _ in rig.cloud.calls].count("live_migrate") == 1


async def test_a_request_whose_fate_is_unknown_is_given_its_deadline_and_the_timeout(rig: Rig) -> None:
    rig.cloud.answers = ["dropped"]
    began = rig.clock.now()
    await move(rig)
    assert rig.clock.now() - began > timedelta(seconds=40)


async def test_an_intent_past_its_deadline_is_not_sent(rig: Rig) -> None:
    rig.policy = replace(rig.policy, migration=MigrationPolicy(intent_deadline=timedelta(0)))
    result = await move(rig)
    assert ended(result) == (State.NOT_SENT, "deadline")
    assert "live_migrate" not in [name for name, _ in rig.cloud.calls]


async def test_a_request_that_is_held_up_past_its_deadline_is_never_sent_and_that_is_known(rig: Rig) -> None:
    rig.cloud.latency = timedelta(seconds=11)
    result = await move(rig)
    assert ended(result) == (State.NOT_SENT, "deadline")
    assert rig.cloud.starts == []


async def test_an_older_migration_of_the_same_way_is_not_taken_for_this_one(rig: Rig) -> None:
    rig.policy = replace(rig.policy, migration=MigrationPolicy(cooldown=timedelta(0)))
    rig.cloud.faults[ServerId("vm-1")] = "copy"
    await move(rig)
    del rig.cloud.faults[ServerId("vm-1")]
    await rig.clock.sleep(timedelta(hours=2))
    rig.cloud.answers = ["dropped"]
    result = await rig.migrator.execute(order(id=MoveId("p2-1")))
    assert ended(result) == (State.NOT_SENT, "no-trace")


@pytest.mark.parametrize(
    ("server", "asked", "rule"),
    [
        ({"host": "c3"}, {}, "server-moved"),
        ({"status": "SHUTOFF"}, {}, "status"),
        ({"status": "ERROR"}, {}, "status"),
        ({"task_state": "rebooting"}, {}, "task-under-way"),
        ({"locked": True}, {}, "locked"),
        ({"flavor_name": "m2"}, {"flavor_name": "m1"}, "flavor-changed"),
        ({"memory_mib": 300_000}, {}, "placement"),
        ({}, {"target": "c1"}, "same-host"),
        ({}, {"target": "c9"}, "target-unknown"),
        ({}, {"target": "c4"}, "clearance"),
        ({"project_id": "p-stranger"}, {}, "project-unknown"),
        ({}, {"cold": True}, "status"),
    ],
)
async def test_what_changed_since_the_plan_bars_the_move(
    rig: Rig, server: dict[str, object], asked: dict[str, object], rule: str
) -> None:
    result = await move(rig, order(**asked), **server)  # type: ignore[arg-type]
    assert refused_by(result) == rule
    assert rig.cloud.starts == [] and rig.journal.entries_since(rig.clock.now()) == ()


async def test_nova_is_left_alone_for_as_long_as_it_asked(rig: Rig) -> None:
    rig.cloud.answers = ["throttled"]
    assert ended(await move(rig)) == (State.NOT_SENT, "unreachable")
    assert refused_by(await rig.migrator.execute(replace(order(), id=MoveId("p-2")))) == "retry-after"
    assert [name for name, _ in rig.cloud.calls].count("live_migrate") == 1
    assert tuple(rig.journal.refusals(rig.clock.now())) == ()
    await rig.clock.sleep(timedelta(seconds=91))
    assert ended(await rig.migrator.execute(replace(order(), id=MoveId("p-3")))) == (State.SUCCEEDED, "")


async def test_an_error_that_names_no_time_does_not_shorten_what_nova_asked_for(rig: Rig) -> None:
    rig.cloud.answers = ["throttled", "unreachable"]
    rig.cloud.boot("vm-2", "c1")
    both = (order(), replace(order(), id=MoveId("p-2"), server_id=ServerId("vm-2"), target=HostName("c3")))
    rig.cloud.boot("vm-1", "c1")
    assert {ended(result)[0] for result in await rig.migrator.run_wave(both)} == {State.NOT_SENT}
    assert refused_by(await rig.migrator.execute(replace(order(), id=MoveId("p-3")))) == "retry-after"


async def test_a_pinned_guest_is_not_moved_on_our_own_and_known_at_the_next_look(rig: Rig) -> None:
    rig.cloud.guests[ServerId("vm-1")] = Guest(numa=(SMALL,), image_properties={})
    assert refused_by(await move(rig)) == "fit-unknown"
    assert rig.cloud.starts == []
    (server,) = (await rig.cloud.facts()).servers
    assert server.guest is not None and server.guest.numa == (SMALL,)


async def test_a_drain_needs_no_image_service(rig: Rig) -> None:
    rig.cloud.guests[ServerId("vm-1")] = Guest(numa=(SMALL,), image_properties=None)
    result = await move(rig, order(by_operator=True))
    assert ended(result)[0] is State.SUCCEEDED


async def test_a_drain_offers_nova_no_target_whose_cells_are_too_small_and_remembers_it(rig: Rig) -> None:
    types = {name: replace(each, numa=(SMALL, SMALL)) for name, each in rig.estate.host_types.items()}
    rig.estate = replace(rig.estate, host_types=types)
    rig.cloud.guests[ServerId("vm-1")] = Guest(numa=(replace(SMALL, memory_mib=9000),), image_properties={})
    assert refused_by(await move(rig, order(by_operator=True))) == "numa"
    assert rig.cloud.starts == []
    assert [rule for _, _, rule, _ in rig.journal.refusals(rig.clock.now())] == ["numa"]


async def test_a_deleted_server_is_not_moved(rig: Rig) -> None:
    assert refused_by(await rig.migrator.execute(order())) == "server-gone"


@pytest.mark.parametrize(
    ("host", "changes", "rule"),
    [
        ("c1", {"up": False}, "source-down"),
        ("c2", {"up": False}, "target-down"),
        ("c2", {"forced_down": True}, "target-down"),
        ("c2", {"enabled": False, "disabled_reason": "fan"}, "target-disabled"),
    ],
)
async def test_a_service_that_is_not_fit_bars_the_move(
    rig: Rig, host: str, changes: dict[str, object], rule: str
) -> None:
    rig.cloud.change_service(host, **changes)
    assert refused_by(await move(rig)) == rule


async def test_no_move_is_made_on_facts_that_cannot_be_read(rig: Rig) -> None:
    rig.cloud.down_until = rig.clock.now() + timedelta(minutes=1)
    assert refused_by(await move(rig)) == "facts"


async def test_an_unknown_project_moves_in_a_drain_to_the_highest_clearance_only(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1", project_id="p-stranger")
    low = await rig.migrator.execute(order(target="c4", by_operator=True))
    assert refused_by(low) == "clearance"
    assert ended(await rig.migrator.execute(order(target="c2", by_operator=True))) == (State.SUCCEEDED, "")


async def test_a_stopped_server_is_migrated_cold_confirmed_and_verified(rig: Rig) -> None:
    result = await move(rig, order(cold=True, by_operator=True), status="SHUTOFF")
    assert ended(result) == (State.SUCCEEDED, "")
    server = rig.cloud.servers[ServerId("vm-1")]
    assert (server.host, server.status) == ("c2", "SHUTOFF")
    assert outcome(result).blackout_estimate is None


async def test_what_nova_refused_is_not_asked_again(rig: Rig) -> None:
    rig.cloud.faults[ServerId("vm-1")] = "check"
    await move(rig)
    again = await rig.migrator.execute(order(id=MoveId("p2-1")))
    assert refused_by(again) == "learned"
    assert ended(await rig.migrator.execute(order(id=MoveId("p2-2"), target="c3"))) == (State.REFUSED, "no-valid-host")


async def test_a_schedulers_no_is_asked_for_again_soon_and_believed_when_it_is_said_again(rig: Rig) -> None:
    """Nova's scheduler looks at a list of each host's servers that may be two minutes old: the other of a pair that has
    just left counts there still.
    """
    rig.cloud.boot("vm-1", "c1")
    rig.cloud.faults[ServerId("vm-1")] = "check"
    soon, late = rig.policy.migration.recheck_memory, rig.policy.migration.refusal_memory
    for n, memory in ((1, soon), (2, late), (3, late)):
        assert ended(await rig.migrator.execute(order(id=MoveId(f"p{n}-1")))) == (State.REFUSED, "no-valid-host")
        ((_, _, _, until),) = rig.journal.refusals(rig.clock.now())
        assert until - rig.clock.now() == memory
        rig.clock.advance(memory)
    del rig.cloud.faults[ServerId("vm-1")]
    assert ended(await rig.migrator.execute(order(id=MoveId("p4-1")))) == (State.SUCCEEDED, "")


async def test_a_dry_run_tells_and_changes_nothing(rig: Rig) -> None:
    told: list[str] = []
    rig.start(DryRunCloud(rig.cloud, told.append), rig.journal)
    result = await move(rig)
    assert ended(result) == (State.REFUSED, "dry-run")
    assert told == ["dry run: would live-migrate vm-1 to c2"]
    assert rig.cloud.starts == [] and rig.journal.refusals(rig.clock.now()) == ()


async def test_a_dry_run_tells_the_same_move_seldom_and_another_at_once(rig: Rig) -> None:
    told: list[str] = []
    rig.start(DryRunCloud(rig.cloud, told.append), rig.journal)
    rig.cloud.boot("vm-1", "c1")
    for n in range(3):
        await rig.migrator.execute(order(id=MoveId(f"p{n}-1")))
    await rig.migrator.execute(order(id=MoveId("p4-1"), target=HostName("c3")))
    assert told == [f"dry run: would live-migrate vm-1 to {target}" for target in ("c2", "c3")]
    rig.clock.advance(rig.policy.migration.recheck_memory)
    await rig.migrator.execute(order(id=MoveId("p5-1")))
    assert len(told) == 3


async def test_an_account_that_may_not_migrate_is_not_tried_with_every_server(rig: Rig) -> None:
    rig.cloud.forbids = True
    rig.cloud.boot("vm-1", "c1")
    rig.cloud.boot("vm-2", "c1")
    assert ended(await rig.migrator.execute(order())) == (State.REFUSED, "policy")
    other = await rig.migrator.execute(order(id=MoveId("p2-1"), server_id=ServerId("vm-2"), target=HostName("c3")))
    assert other.refusal is not None and other.refusal.rule == "policy"
    assert rig.journal.refusals(rig.clock.now()) == ()
    rig.cloud.forbids = False
    rig.clock.advance(rig.policy.migration.recheck_memory)
    assert ended(await rig.migrator.execute(order(id=MoveId("p3-1")))) == (State.SUCCEEDED, "")


async def test_a_nova_that_names_no_time_is_left_alone_until_the_next_look(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1")
    rig.cloud.answers = ["unreachable"]
    assert ended(await rig.migrator.execute(order())) == (State.NOT_SENT, "unreachable")
    at_once = await rig.migrator.execute(order(id=MoveId("p2-1")))
    assert at_once.refusal is not None and at_once.refusal.rule == "retry-after"
    rig.clock.advance(rig.policy.migration.poll)
    assert ended(await rig.migrator.execute(order(id=MoveId("p3-1")))) == (State.SUCCEEDED, "")


async def test_an_operators_abort_ends_what_runs_and_costs_no_error_budget(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1")
    task = asyncio.create_task(rig.migrator.execute(order()))
    await rig.clock.sleep(timedelta(seconds=4))
    assert rig.migrator.abort_running(Scope(kind=ScopeKind.RACK, name="r2")) == ()
    assert [entry.intent.id for entry in rig.migrator.abort_running(Scope(kind=ScopeKind.SYSTEM, name="web"))]
    assert ended(await task) == (State.ABORTED, "operator-abort")
    assert rig.journal.refusals(rig.clock.now()) == ()


async def test_an_adopted_migration_that_still_runs_after_a_long_stop_is_not_given_up(rig: Rig) -> None:
    server: Server = rig.cloud.boot("vm-1", "c1", memory_mib=16384)
    task = asyncio.create_task(rig.migrator.execute(order()))
    await rig.clock.sleep(timedelta(seconds=4))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    rig.cloud.faults[server.id] = ""
    rig.restart()
    rig.clock.advance(timedelta(hours=5))
    (entry,) = await rig.adopter.adopt()
    assert isinstance(entry, Entry) and entry.state is State.SUCCEEDED
    assert entry.outcome is not None and entry.outcome.seconds is not None


def _target_down(rig: Rig) -> None:
    rig.cloud.change_service("c2", up=False)


def _target_disabled(rig: Rig) -> None:
    rig.cloud.change_service("c2", enabled=False, disabled_reason="repair")


def _target_full(rig: Rig) -> None:
    rig.cloud.memory_mib[HostName("c2")] = 0


@pytest.mark.parametrize(
    ("happens", "rule"),
    [(_target_down, "target-down"), (_target_disabled, "target-disabled"), (_target_full, "placement")],
)
async def test_a_target_that_the_facts_bar_is_learned_for_minutes_so_that_another_is_planned(
    rig: Rig, happens: Callable[[Rig], None], rule: str
) -> None:
    happens(rig)
    began = rig.clock.now()
    assert refused_by(await move(rig)) == rule
    learned = (ServerId("vm-1"), HostName("c2"), rule, began + rig.policy.migration.recheck_memory)
    assert rig.journal.refusals(began) == (learned,)


async def test_a_bar_of_the_facts_does_not_shorten_what_nova_taught(rig: Rig) -> None:
    taught = (ServerId("vm-1"), HostName("c2"), "no-valid-host", rig.clock.now() + timedelta(hours=1))
    rig.journal.learn(*taught)
    _target_down(rig)
    assert refused_by(await move(rig)) == "target-down"
    assert rig.journal.refusals(rig.clock.now()) == (taught,)


@pytest.mark.parametrize("mode", [Mode.RECOMMEND, Mode.APPROVE])
async def test_a_refusal_that_says_nothing_of_the_target_teaches_nothing(rig: Rig, mode: Mode) -> None:
    rig.policy = replace(rig.policy, mode=mode)
    assert refused_by(await move(rig)) in {"mode", "approval"}
    assert rig.journal.refusals(rig.clock.now()) == ()


async def test_facts_that_cannot_be_read_teach_nothing(rig: Rig) -> None:
    rig.cloud.down_until = rig.clock.now() + timedelta(minutes=1)
    assert refused_by(await move(rig)) == "facts"
    assert rig.journal.refusals(rig.clock.now()) == ()


@pytest.mark.parametrize(
    ("domain", "target", "read"), [(Domain.ROOM, "c3", 0), (Domain.RACK, "c2", 0), (Domain.RACK, "c3", 40)]
)
async def test_members_of_a_group_are_read_only_where_the_move_leaves_their_domain(
    rig: Rig, domain: Domain, target: str, read: int
) -> None:
    members = tuple(ServerId(f"vm-{n}") for n in range(1, 42))
    rule = GroupRule(name="g", domain=domain, together=True, max_per_domain=1, members=members)
    rig.groups = {ServerId("vm-1"): (rule,)}
    for member in members[1:]:
        rig.cloud.boot(member, "c3", memory_mib=64)
    assert ended(await move(rig, order(target=target))) == (State.SUCCEEDED, "")
    asked = [args[0] for name, args in rig.cloud.calls if name == "server"]
    assert len(set(asked) - {ServerId("vm-1")}) == read


async def test_a_server_that_its_owner_starts_while_the_facts_are_read_is_not_moved_cold(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1", status="SHUTOFF")
    others = [rig.cloud.boot(f"mate-{n}", "c3").id for n in range(64)]
    members = (ServerId("vm-1"), *others)
    rule = GroupRule(name="g", domain=Domain.HOST, together=False, max_per_domain=500, members=members)
    rig.groups = {ServerId("vm-1"): (rule,)}
    rig.cloud.latency = timedelta(seconds=0.5)
    task = asyncio.create_task(rig.migrator.execute(order(cold=True, by_operator=True)))
    await rig.clock.sleep(timedelta(seconds=2))
    rig.cloud.change("vm-1", status="ACTIVE")
    assert refused_by(await task) == "status"
    assert rig.cloud.starts == []


@pytest.mark.parametrize("seconds", [0.0, 0.9])
async def test_an_operators_abort_is_theirs_over_a_restart_too(rig: Rig, seconds: float) -> None:
    """Before Nova was asked for it, and after."""
    rig.cloud.boot("vm-1", "c1")
    rig.cloud.dirty_mib_s[ServerId("vm-1")] = 900.0
    task = asyncio.create_task(rig.migrator.execute(order()))
    await rig.clock.sleep(timedelta(seconds=10))
    assert len(rig.migrator.abort_running(None)) == 1
    await rig.clock.sleep(timedelta(seconds=seconds))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    rig.restart()
    (entry,) = await rig.adopter.adopt()
    assert entry.outcome is not None and (entry.state, entry.outcome.rule) == (State.ABORTED, "operator-abort")
    assert rig.journal.refusals(rig.clock.now()) == ()


async def test_an_abort_of_ours_is_told_as_ours_by_the_next_process(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1")
    rig.cloud.dirty_mib_s[ServerId("vm-1")] = 5000.0
    task = asyncio.create_task(rig.migrator.execute(order()))
    while not any(name == "abort_migration" for name, _ in rig.cloud.calls):
        await rig.clock.sleep(timedelta(seconds=0.2))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    rig.restart()
    (entry,) = await rig.adopter.adopt()
    assert entry.outcome is not None and entry.outcome.rule == "stalled"


async def test_a_move_whose_ports_may_not_be_read_ends_and_somebody_is_told(rig: Rig) -> None:
    rig.cloud.denied = {"ports_of"}
    began = rig.clock.now()
    assert ended(await move(rig)) == (State.LOST, "lost")
    (note,) = rig.journal.notes(began)
    assert "whether its ports are bound there cannot be read" in note[2]


async def test_a_look_that_is_refused_is_told_once_and_what_has_arrived_is_not_said_to_be_aborted(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1")
    task, began = asyncio.create_task(rig.migrator.execute(order())), rig.clock.now()
    while [entry.state for entry in rig.journal.open_entries()] != [State.VERIFYING]:
        await rig.clock.sleep(timedelta(seconds=0.1))
    rig.cloud.denied = {"server"}
    await rig.clock.sleep(timedelta(minutes=5))
    assert [text.partition(":")[0] for _, _, text in rig.journal.notes(began)] == [
        "cannot look at move p1-vm-1, which goes on by itself"
    ]
    assert rig.migrator.abort_running(None) == ()
    rig.cloud.denied = set()
    assert ended(await task) == (State.SUCCEEDED, "")
