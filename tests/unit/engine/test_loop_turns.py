"""Turns of the loop: what starts a plan, what keeps one back, and what the status says when something fails."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.engine import proposal
from controller.errors import InvariantError, RefusedError
from controller.model.ids import HostName, ProjectId, ServerId
from controller.model.migration import State
from controller.model.operation import DrainState
from controller.model.plan import Concern
from controller.model.policy import Mode, Scope, ScopeKind
from controller.planner import plan as planner
from controller.planner.prepared import Prepared
from inventory.model import Window
from tests.fakes import journals
from tests.fakes.turning import Turning

C1, C2 = HostName("c1"), HostName("c2")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Turning]:
    """Two servers on c1, whose memory fails; mode auto."""
    made = Turning(tmp_path)
    made.sensors.failing = {"c1"}
    yield made
    made.rig.journal.close_store()


def test_a_failing_host_is_emptied_and_every_move_is_journaled(site: Turning) -> None:
    asyncio.run(site.turns(8))
    assert {site.host_of("vm-1"), site.host_of("vm-2")}.isdisjoint({"c1"})
    entries = site.journal.entries_since(journals.START - timedelta(days=1))
    assert [entry.state for entry in entries] == [State.SUCCEEDED, State.SUCCEEDED]
    assert len(site.cloud.starts) == 2


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.RECOMMEND])
def test_below_mode_approve_nothing_is_moved(site: Turning, mode: Mode) -> None:
    site.change_policy(mode=mode)
    said = asyncio.run(site.turns(3))
    assert site.started() == []
    assert f"Mode {mode.name.lower()}: nothing is moved." in said
    proposal = site.loop.memory.proposal
    assert proposal is not None
    assert bool(proposal.moves) == (mode is Mode.RECOMMEND)
    assert {breach.rule for breach in proposal.breaches_before} == {"health"}


def test_a_full_disk_under_the_journal_moves_nothing_and_the_status_says_why(site: Turning) -> None:
    site.journal.full = {"intend", "save_plan", "note", "advance", "close"}
    asyncio.run(site.turns(3))
    assert site.started() == []
    assert "disk under the journal is full" in site.loop.status.sentence
    assert "disk under the journal is full" in (site.loop.status.stopped or "")


def test_a_disk_that_fills_between_the_plan_and_the_intent_moves_nothing(site: Turning) -> None:
    site.journal.full = {"intend"}
    asyncio.run(site.turns(1))

    async def after() -> None:
        await site.loop.turn()

    asyncio.run(after())
    assert site.started() == []
    assert "disk under the journal is full" in (site.loop.status.stopped or "")


def test_with_the_disk_free_again_the_loop_goes_on_by_itself(site: Turning) -> None:
    site.journal.full = {"*"}
    asyncio.run(site.turns(2))
    site.journal.full = set()
    asyncio.run(site.turns(6))
    assert site.host_of("vm-1") != "c1"
    assert site.loop.status.stopped is None


def test_a_turn_that_raises_what_nobody_foresaw_stops_own_moves_until_an_operator_resumes(site: Turning) -> None:
    site.sensors.bug = ZeroDivisionError("bug")
    asyncio.run(site.turns(1))
    site.sensors.bug = None
    said = asyncio.run(site.turns(2))
    assert site.started() == []
    assert "Own moves are stopped" in said and "ZeroDivisionError" in (site.loop.status.stopped or "")
    site.desk.resume(None, "malee")
    asyncio.run(site.turns(3))
    assert site.started() != []


def test_an_invariant_that_does_not_hold_stops_own_moves(site: Turning) -> None:
    site.sensors.bug = InvariantError("a plan failed its check")
    asyncio.run(site.turns(1))
    site.sensors.bug = None
    asyncio.run(site.turns(2))
    assert site.started() == []
    assert site.loop.status.stopped == "a plan failed its check"


@pytest.mark.parametrize("drain", [False, True])
def test_a_controller_that_finds_a_newer_leader_stops_for_good_and_says_so(site: Turning, drain: bool) -> None:
    if drain:
        site.sensors.failing = set()
    asyncio.run(site.turns(1) if drain else asyncio.sleep(0))
    site.rig.journal.open_epoch("another", site.rig.clock.now())
    if drain:
        asyncio.run(site.desk.drain(C1, "malee", "disk", keep_shutoff=False))
    asyncio.run(site.turns(5))
    assert site.started() == []
    assert "a newer leader has epoch 3" in (site.loop.status.stopped or "")
    assert "restart" in (site.loop.status.stopped or "")


def test_a_host_that_failed_and_whose_bmc_went_quiet_receives_nothing_until_it_says_that_it_is_well(
    site: Turning,
) -> None:
    site.change_policy(mode=Mode.OBSERVE)
    site.sensors.failing = {"c1", "c2", "c3", "c4"}
    asyncio.run(site.turns(1))
    site.sensors.mute = {"c2", "c3", "c4"}
    site.rig.clock.advance(timedelta(hours=5))
    site.change_policy(mode=Mode.AUTO)
    asyncio.run(site.turns(4))
    assert site.started() == []
    site.sensors.failing, site.sensors.mute = {"c1"}, {"c2", "c4"}
    asyncio.run(site.turns(6))
    assert {target for _, target in site.started()} == {"c3"}


def test_a_freeze_stops_own_moves_but_not_a_drain(site: Turning) -> None:
    site.sensors.blind = {"c3", "c4"}

    async def run() -> None:
        await site.turns(2)
        assert site.loop.status.freeze is not None
        assert site.started() == []
        await site.desk.drain(C1, "malee", "dimm", keep_shutoff=False)
        await site.turns(6)

    asyncio.run(run())
    assert site.loop.status.freeze is not None
    assert {server for server, _ in site.started()} == {"vm-1", "vm-2"}


def test_a_pause_of_everything_is_said_and_starts_no_plan(site: Turning) -> None:
    async def run() -> str:
        await site.desk.pause(None, "malee", "fire drill", abort=False)
        return await site.turns(2)

    said = asyncio.run(run())
    assert "Paused by malee" in said and "fire drill" in said
    assert site.started() == [] and site.loop.memory.ran is None


def test_a_paused_host_is_left_alone_and_the_rest_goes_on(site: Turning) -> None:
    async def run() -> None:
        await site.loop.turn()
        await site.settle(timedelta(seconds=2))
        first = site.started()[0][1]
        await site.desk.pause(Scope(kind=ScopeKind.HOST, name=first), "malee", "cabling", abort=False)
        await site.turns(8)

    asyncio.run(run())
    (_, first), (_, second) = site.started()
    assert first != second and {first, second} == {"c2", "c3"}


def test_outside_its_windows_no_plan_is_started_and_the_sentence_says_so(site: Turning) -> None:
    site.change_policy(windows=(Window(days=frozenset({6}), start_minute=0, end_minute=60),))
    said = asyncio.run(site.turns(2))
    assert "outside the windows" in said
    assert site.loop.memory.ran is None and not site.loop.wake.is_set()


def test_a_plan_that_is_refused_at_once_does_not_make_the_loop_spin(site: Turning) -> None:
    async def run() -> None:
        await site.loop.turn()
        for name in ("vm-1", "vm-2"):
            site.cloud.change(name, task_state="image_snapshot")
        await site.settle(timedelta(seconds=2))

    asyncio.run(run())
    assert site.started() == [] and not site.loop.wake.is_set()


def test_a_scope_in_recommend_keeps_its_own_and_does_not_hold_up_the_rest(site: Turning) -> None:
    site.change_policy(scope_modes={Scope(kind=ScopeKind.SYSTEM, name="web"): Mode.RECOMMEND})
    asyncio.run(site.turns(6))
    assert {server for server, _ in site.started()} == {"vm-2"}
    assert site.host_of("vm-1") == "c1"


def test_moves_of_an_earlier_process_are_adopted_before_any_plan(tmp_path: Path) -> None:
    site = Turning(tmp_path)
    site.sensors.failing = {"c1"}
    site.cloud.dirty_mib_s[ServerId("vm-1")] = 900.0

    async def killed_in_the_middle() -> None:
        await site.loop.turn()
        await site.settle(timedelta(seconds=4))
        await site.die()

    asyncio.run(killed_in_the_middle())
    begun = site.started()
    assert len(begun) == 1 and len(site.rig.journal.open_entries()) == 1
    site.restart()

    async def again() -> None:
        await site.loop.turn()
        assert site.started() == begun
        await site.turns(10)

    asyncio.run(again())
    assert len({server for server, _ in site.started()}) == len(site.started()) == 2
    site.rig.journal.close_store()


@pytest.mark.parametrize("drain", [False, True])
def test_what_goes_wrong_while_a_plan_or_a_drain_is_under_way_is_told_at_the_next_look(
    site: Turning, drain: bool
) -> None:
    site.sensors.failing = set() if drain else {"c1"}
    site.cloud.boot("vm-3", "c3", project_id=ProjectId("p-web"), disk_gib=0)

    async def run() -> None:
        await site.loop.turn()
        if drain:
            await site.desk.drain(C1, "malee", "dimm", keep_shutoff=False)
            await site.loop.turn()
        site.sensors.failing |= {"c3"}
        await site.loop.turn()
        assert "goes on" in site.loop.status.sentence

    asyncio.run(run())
    summary = site.loop.status.plan
    assert summary is not None
    assert summary.breaches["health"] == len(site.sensors.failing)


def test_of_a_move_that_nova_may_not_have_heard_of_nothing_follows_until_that_is_known(site: Turning) -> None:
    site.cloud.answers = ["dropped"]

    async def run() -> None:
        await site.loop.turn()
        await site.settle(timedelta(seconds=4))
        assert len(site.rig.journal.open_entries()) == 1
        await site.die()
        site.restart()
        await site.loop.turn()
        assert "earlier process" in site.loop.status.sentence and site.started() == []
        await site.turns(20)

    asyncio.run(run())
    assert len({server for server, _ in site.started()}) == len(site.started()) == 2


def test_a_drain_goes_on_while_a_move_of_an_earlier_process_is_followed(site: Turning) -> None:
    """Which may be a cold copy of hours."""
    site.cloud.change("vm-2", project_id=ProjectId("p-web"))
    site.cloud.boot("vm-3", "c3", project_id=ProjectId("p-db"), disk_gib=0)
    site.cloud.faults[ServerId("vm-1")] = site.cloud.faults[ServerId("vm-2")] = "stuck"

    async def run() -> None:
        await site.loop.turn()
        await site.settle(timedelta(seconds=4))
        (stuck,) = site.rig.journal.open_entries()
        await site.die()
        site.restart()
        site.sensors.failing = set()
        await site.loop.turn()
        await site.desk.drain(HostName("c3"), "malee", "dimm", keep_shutoff=False)
        await site.turns(6)
        assert stuck.intent.id in {entry.intent.id for entry in site.rig.journal.open_entries()}

    asyncio.run(run())
    assert site.host_of("vm-3") != "c3"


@pytest.mark.parametrize("first", ["broken", "drain"])
def test_a_drain_leaves_turns_to_what_policy_puts_before_it(tmp_path: Path, first: str) -> None:
    site = Turning(tmp_path, servers=5)
    wrong = (Concern.BROKEN, Concern.HOT, Concern.DRAIN)
    site.change_policy(
        objective=(*(wrong if first == "broken" else wrong[::-1]), Concern.UNEVEN, Concern.CONSOLIDATION)
    )

    site.cloud.change_service("c4", enabled=False)

    async def run() -> None:
        await site.turns(1)
        await site.desk.drain(C1, "malee", "dimm", keep_shutoff=False)
        site.cloud.boot("vm-9", "c4", project_id=ProjectId("p-web"), disk_gib=0)
        site.sensors.failing = {"c4"}
        for _ in range(40):
            await site.loop.turn()
            await site.settle(timedelta(seconds=4))

    asyncio.run(run())
    order = [server for server, _ in site.started()]
    assert sorted(order) == ["vm-1", "vm-2", "vm-3", "vm-4", "vm-5", "vm-9"]
    assert (order.index("vm-9") < 5) is (first == "broken")
    site.rig.journal.close_store()


def test_own_moves_go_on_beside_a_drain_that_nova_lets_move_nothing(tmp_path: Path) -> None:
    site = Turning(tmp_path)
    wrong = (Concern.DRAIN, Concern.BROKEN, Concern.HOT)
    site.change_policy(objective=(*wrong, Concern.UNEVEN, Concern.CONSOLIDATION))
    site.cloud.boot("vm-9", "c3", project_id=ProjectId("p-web"), disk_gib=0)
    site.cloud.faults |= {ServerId("vm-1"): "check", ServerId("vm-2"): "check"}

    async def run() -> None:
        await site.turns(1)
        await site.desk.drain(C1, "malee", "dimm", keep_shutoff=False)
        await site.turns(8)
        site.sensors.failing = {"c3"}
        await site.turns(8)

    asyncio.run(run())
    assert site.host_of("vm-9") != "c3"
    site.rig.journal.close_store()


@pytest.mark.parametrize("vain", ["its own", "down", "frozen"])
def test_what_no_move_of_the_controllers_can_help_costs_a_drain_one_turn(tmp_path: Path, vain: str) -> None:
    site = Turning(tmp_path, servers=4)
    looks = 0

    async def run() -> None:
        nonlocal looks
        await site.turns(1)
        await site.desk.drain(C1, "malee", "dimm", keep_shutoff=False)
        if vain == "its own":
            site.sensors.failing = {"c1"}
        if vain == "down":
            site.cloud.boot("vm-9", "c4", project_id=ProjectId("p-web"), disk_gib=0)
            site.cloud.change_service("c4", up=False)
        if vain == "frozen":
            site.sensors.failing, site.sensors.blind = {"c3"}, {"c3", "c4"}
        while any(drain.state is not DrainState.EMPTY for drain in site.journal.drains()) and looks < 200:
            await site.loop.turn()
            await site.settle(timedelta(seconds=4))
            looks += "goes on" not in site.loop.status.sentence and "goes first" not in site.loop.status.sentence

    asyncio.run(run())
    assert [drain.state for drain in site.journal.drains()] == [DrainState.EMPTY]
    assert {server for server, _ in site.started()} == {"vm-1", "vm-2", "vm-3", "vm-4"}
    assert looks <= 2
    site.rig.journal.close_store()


def test_a_turn_that_a_drain_gives_away_makes_nothing_only_better(tmp_path: Path) -> None:
    site = Turning(tmp_path, servers=5, balance=True)
    wanted = site.loop.policy
    seen: list[bool] = []

    def newest(*given: Any, **more: Any) -> Any:
        seen.append(given[2].balance)
        return proposals_newest(*given, **more)

    proposals_newest = proposal.newest
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proposal, "newest", newest)

        async def run() -> None:
            await site.turns(1)
            await site.desk.drain(C1, "malee", "dimm", keep_shutoff=False)
            site.cloud.boot("vm-9", "c4", project_id=ProjectId("p-web"), disk_gib=0)
            site.cloud.change_service("c4", enabled=False)
            site.sensors.failing = {"c4"}
            for _ in range(12):
                await site.loop.turn()
                await site.settle(timedelta(seconds=4))

        asyncio.run(run())
    assert seen[0] is True and False in seen and wanted == site.loop.policy
    site.rig.journal.close_store()


def test_a_drain_that_begins_beside_one_that_stands_still_goes_first(tmp_path: Path) -> None:
    site = Turning(tmp_path)
    site.cloud.boot("vm-9", "c3", project_id=ProjectId("p-web"), disk_gib=0)
    site.cloud.denied = {"live_migrate"}

    async def run() -> None:
        await site.turns(1)
        await site.desk.drain(C1, "malee", "dimm", keep_shutoff=False)
        await site.turns(6)
        assert site.loop.memory.still
        await site.desk.drain(HostName("c3"), "malee", "dimm", keep_shutoff=False)
        await site.turns(1)
        assert "goes first" in site.loop.status.sentence

    asyncio.run(run())
    site.rig.journal.close_store()


@pytest.mark.parametrize("trouble", ["forbids", "denied", "unreachable"])
def test_a_drain_of_which_nova_takes_no_move_does_not_make_the_loop_spin(site: Turning, trouble: str) -> None:
    site.sensors.failing = set()
    if trouble == "forbids":
        site.cloud.forbids = True
    if trouble == "denied":
        site.cloud.denied = {"live_migrate"}
    if trouble == "unreachable":
        site.cloud.answers = ["unreachable"] * 50

    async def run() -> None:
        await site.turns(1)
        await site.desk.drain(C1, "malee", "dimm", keep_shutoff=False)
        await site.turns(1)
        site.loop.wake.clear()
        for _ in range(4):
            await site.loop.turn()
            await site.settle(timedelta(seconds=1))
            assert not site.loop.wake.is_set()
            site.rig.clock.advance(timedelta(seconds=30))

    asyncio.run(run())
    asked = [name for name, _ in site.cloud.calls].count("live_migrate")
    assert asked == 1 if trouble == "forbids" else 1 < asked <= 5


def test_a_dry_run_drains_nothing_and_carries_on_no_drain(tmp_path: Path) -> None:
    site = Turning(tmp_path)

    async def run() -> None:
        await site.turns(1)
        await site.desk.drain(C1, "malee", "dimm", keep_shutoff=False)
        site.restart(dry_run=True)
        await site.turns(4)
        with pytest.raises(RefusedError, match="runs dry"):
            await site.desk.drain(C2, "malee", "dimm", keep_shutoff=False)
        with pytest.raises(RefusedError, match="runs dry"):
            await site.desk.enable(C1, "malee", force=False)

    asyncio.run(run())
    assert site.started() == []
    assert [(drain.host, drain.state) for drain in site.journal.drains()] == [(C1, DrainState.EMPTYING)]
    site.rig.journal.close_store()


def test_a_drain_interrupts_a_plan_before_its_next_wave(site: Turning) -> None:
    async def run() -> None:
        await site.loop.turn()
        await site.settle(timedelta(seconds=2))
        assert len(site.started()) == 1
        await site.desk.drain(C2, "malee", "dimm", keep_shutoff=False)
        await site.turns(2)

    asyncio.run(run())
    assert site.loop.memory.ran is not None
    assert "the drain of c2 goes first" in site.loop.memory.ran.sentence


def test_a_stuck_drain_does_not_make_the_loop_spin(site: Turning) -> None:
    site.sensors.failing = set()
    site.cloud.change("vm-1", status="SUSPENDED")
    site.cloud.change("vm-2", status="SUSPENDED")

    async def run() -> None:
        await site.turns(1)
        await site.desk.drain(C1, "malee", "dimm", keep_shutoff=False)
        await site.turns(2)
        site.loop.wake.clear()
        await site.turns(2)

    asyncio.run(run())
    assert not site.loop.wake.is_set()


def test_a_stuck_drain_leaves_the_sentence_of_the_turns_as_it_is(site: Turning) -> None:
    site.sensors.failing = set()
    site.cloud.change("vm-1", status="SUSPENDED")
    site.cloud.change("vm-2", status="SUSPENDED")
    site.change_policy(mode=Mode.RECOMMEND)

    async def run() -> list[str]:
        await site.turns(1)
        await site.desk.drain(C1, "malee", "dimm", keep_shutoff=False)
        await site.turns(4)
        return [await site.turns(1) for _ in range(6)]

    sentences = asyncio.run(run())
    assert len(set(sentences)) == 1
    assert "Mode recommend" in sentences[0]


def test_a_drain_goes_around_a_paused_host(site: Turning) -> None:
    site.change_policy(mode=Mode.RECOMMEND)

    async def run() -> None:
        await site.desk.pause(Scope(kind=ScopeKind.HOST, name="c2"), "malee", "cabling", abort=False)
        await site.turns(1)
        await site.desk.drain(C1, "malee", "dimm", keep_shutoff=False)
        await site.turns(4)

    asyncio.run(run())
    assert [target for _, target in site.started()] == ["c3", "c3"]


def test_why_a_drain_waits_is_in_the_sentence(site: Turning) -> None:
    async def run() -> str:
        await site.turns(1)
        await site.desk.drain(C2, "malee", "dimm", keep_shutoff=False)
        site.journal.full = {"note", "save_drain", "intend"}
        return await site.turns(3)

    site.change_policy(mode=Mode.RECOMMEND)
    site.cloud.boot("vm-9", "c2")
    assert "The drain of c2 waits: journal.db: the disk under the journal is full" in asyncio.run(run())


def test_a_reload_to_a_smaller_estate_freezes(site: Turning) -> None:
    async def run() -> None:
        await site.turns(1)
        hosts = {name: host for name, host in site.rig.estate.hosts.items() if name != "c4"}
        site.loop.take_over(site.loop.policy, replace(site.rig.estate, hosts=hosts), timedelta(seconds=60))
        await site.loop.turn()

    site.change_policy(mode=Mode.RECOMMEND)
    asyncio.run(run())
    assert "shrank from 4 to 3" in (site.loop.status.freeze or "")
    assert site.loop.status.interval == timedelta(seconds=60)


def test_an_empty_host_is_watched_on_and_what_comes_is_moved_too(site: Turning) -> None:
    site.sensors.failing = set()
    site.change_policy(mode=Mode.RECOMMEND)

    async def run() -> None:
        await site.turns(1)
        await site.desk.drain(C1, "malee", "dimm", keep_shutoff=False)
        await site.turns(6)
        assert [drain.state for drain in site.desk.drains()] == [DrainState.EMPTY]
        site.cloud.boot("vm-late", "c1", project_id=ProjectId("p-web"), disk_gib=0)
        site.cloud.change_service("c1", enabled=True, disabled_reason=None)
        await site.turns(8)

    asyncio.run(run())
    assert site.host_of("vm-late") != "c1"
    assert [drain.state for drain in site.desk.drains()] == [DrainState.EMPTY]
    assert not site.cloud.services["c1"].enabled


def test_a_stuck_drain_and_own_moves_take_turns_and_never_run_side_by_side(site: Turning) -> None:
    site.sensors.failing = {"c2"}
    site.cloud.boot("vm-3", "c2", project_id=ProjectId("p-web"), disk_gib=0)
    site.cloud.change("vm-1", status="SUSPENDED")
    both = []

    async def run() -> None:
        await site.turns(1)
        await site.desk.drain(C1, "malee", "dimm", keep_shutoff=False)
        for _ in range(12):
            await site.turns(1)
            both.append(site.loop.running_plan and site.loop.stepping_drains)

    asyncio.run(run())
    assert not any(both)
    assert 2 < site.loop.status.drain_steps < 12, "turns of the controller's own moves are no steps of drains"
    assert site.host_of("vm-3") != "c2"
    assert site.host_of("vm-2") != "c1"
    assert {entry.state for entry in site.journal.entries_since(journals.START)} == {State.SUCCEEDED}


@pytest.mark.parametrize("trouble", ["hot", "failing"])
@pytest.mark.parametrize("scope", [Scope(kind=ScopeKind.HOST, name="c1"), Scope(kind=ScopeKind.SYSTEM, name="web")])
@pytest.mark.parametrize("paused", [False, True])
def test_what_is_wrong_in_a_withheld_scope_is_told_with_the_reason_that_holds_it(
    site: Turning, trouble: str, scope: Scope, paused: bool
) -> None:
    site.sensors.failing = set()
    getattr(site.sensors, trouble).add("c1")
    if not paused:
        site.change_policy(scope_modes={scope: Mode.RECOMMEND})

    async def turned() -> None:
        if paused:
            await site.desk.pause(scope, "malee", "cabling", abort=False)
        await site.turns(1)

    asyncio.run(turned())
    proposal = site.loop.memory.proposal or site.journal.newest_plan()
    assert proposal is not None
    assert {breach.subject for breach in proposal.breaches_before} >= {"c1"}
    held = {hold.rule for hold in proposal.holds if hold.breach in {"cpu:c1", "health:c1"}}
    assert "withheld" in held or {move.vm_name for move in proposal.moves} == {"vm-2"}
    assert not {"untrusted", "window"} & held
    assert "vm-1" not in {move.vm_name for move in proposal.moves}


def test_what_rarely_changes_is_worked_out_once_and_anew_where_the_estate_changed(site: Turning) -> None:
    site.change_policy(mode=Mode.RECOMMEND)

    def tables() -> Prepared:
        site.loop.memory.proposal = None
        asyncio.run(site.turns(1))
        assert {"observe", "judge", "plan"} <= site.loop.status.seconds.keys()
        seen, proposal = site.loop.memory.seen, site.loop.memory.proposal
        assert seen is not None and proposal is not None and seen.tables is not None
        assert planner.plan(seen.cluster, site.loop.policy, seen.look.at).moves == proposal.moves
        return seen.tables

    first, second = tables(), tables()
    assert second.topology.table is first.topology.table
    assert second.vms.table is first.vms.table
    estate = site.rig.estate
    moved = replace(estate.hosts["c2"], rack="r2", unit=7, cords=estate.hosts["c3"].cords)
    site.loop.take_over(site.loop.policy, replace(estate, hosts={**estate.hosts, "c2": moved}), site.loop.interval)
    third = tables()
    assert third.topology.table is not first.topology.table
    assert third.vms.table is first.vms.table
