"""The journal on SQLite and on PostgreSQL: what is written is there after a restart, what may not be is refused."""

import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import exc, text

from controller.adapters.store import engine, journal, lock, schema, tables
from controller.errors import InvariantError, PermanentError, RefusedError
from controller.model.extent import Extent, Peak
from controller.model.ids import HostName, MoveId, PlanId, RequestId, ServerId
from controller.model.migration import NEXT, OPEN_STATES, Outcome, State
from controller.model.operation import Approval, Drain, DrainState, Holdout, Pause
from controller.model.plan import Breach, Concern, LimitState, Move, Plan
from controller.model.policy import Scope, ScopeKind
from tests.fakes import journals
from tests.fakes.journals import START, intent
from tests.fakes.postgres import Postgres

MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.lab)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty, upgraded journal."""
    if request.param == "sqlite":
        return journals.address(tmp_path)
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_journal()


@pytest.fixture
def store(address: str) -> Iterator[journal.SqlJournal]:
    with journal.open_journal(address) as opened:
        yield opened


def outcome(state: State, at: datetime = START + MINUTE, **values: object) -> Outcome:
    return Outcome(state=state, why="because", ended_at=at, **values)  # type: ignore[arg-type]


def test_an_intent_is_there_after_a_restart(store: journal.SqlJournal, address: str) -> None:
    asked = intent(last_migration_id=41, system=None)
    store.intend(asked)
    with journal.open_journal(address) as again:
        (entry,) = again.open_entries()
    assert (entry.intent, entry.state, entry.outcome) == (asked, State.INTENDED, None)


def test_a_move_is_followed_to_its_end(store: journal.SqlJournal) -> None:
    store.intend(intent())
    store.advance(MoveId("p1-1"), State.SENT, START, request_id=RequestId("req-1"))
    store.advance(MoveId("p1-1"), State.RUNNING, START + MINUTE, migration_id=7)
    store.advance(MoveId("p1-1"), State.VERIFYING, START + MINUTE)
    cost = outcome(State.SUCCEEDED, seconds=4.5, copied_bytes=1 << 40, blackout_estimate=timedelta(milliseconds=80))
    entry = store.close(MoveId("p1-1"), cost)
    assert (entry.state, entry.migration_id, entry.request_id, entry.outcome) == (State.SUCCEEDED, 7, "req-1", cost)
    assert store.open_entries() == ()
    assert store.entries_since(START) == (entry,)
    assert store.entries_since(START + MINUTE) == ()


def test_why_a_move_is_to_be_aborted_is_kept_until_it_ends(store: journal.SqlJournal) -> None:
    store.intend(intent())
    assert [entry.abort_rule for entry in store.open_entries()] == [""]
    store.aborting(MoveId("p1-1"), "operator-abort")
    assert [entry.abort_rule for entry in store.open_entries()] == ["operator-abort"]
    ended = store.close(MoveId("p1-1"), outcome(State.NOT_SENT))
    store.aborting(MoveId("p1-1"), "stalled")
    assert store.entry(MoveId("p1-1")) == ended


def test_a_server_has_one_open_move_at_most(store: journal.SqlJournal) -> None:
    store.intend(intent())
    with pytest.raises(RefusedError, match="p1-1, intended") as refused:
        store.intend(intent("p1-2"))
    assert refused.value.rule == "open-intent"
    store.close(MoveId("p1-1"), outcome(State.NOT_SENT))
    store.intend(intent("p1-2"))


def test_an_old_leaders_intent_is_refused(store: journal.SqlJournal) -> None:
    assert store.open_epoch("c1", START) == 1
    assert store.open_epoch("c2", START) == 2
    with pytest.raises(RefusedError) as refused:
        store.intend(intent(epoch=1))
    assert refused.value.rule == "epoch"
    store.intend(intent(epoch=2))
    assert store.open_epoch("c3", START) == 3


@pytest.mark.parametrize("before", sorted(OPEN_STATES))
@pytest.mark.parametrize("after", sorted(State))
def test_only_the_steps_of_the_life_of_a_move_are_written(
    store: journal.SqlJournal, before: State, after: State
) -> None:
    store.intend(intent())
    if before is not State.INTENDED:
        store.advance(MoveId("p1-1"), before, START)

    def step() -> None:
        if after in OPEN_STATES:
            store.advance(MoveId("p1-1"), after, START)
        else:
            store.close(MoveId("p1-1"), outcome(after))

    if after in NEXT[before]:
        step()
        entry = store.entry(MoveId("p1-1"))
        assert entry is not None and entry.state is after
    else:
        with pytest.raises(InvariantError):
            step()


def test_an_end_is_not_left(store: journal.SqlJournal) -> None:
    store.intend(intent())
    store.close(MoveId("p1-1"), outcome(State.REFUSED))
    with pytest.raises(InvariantError, match="refused cannot become sent"):
        store.advance(MoveId("p1-1"), State.SENT, START)
    with pytest.raises(InvariantError, match="no move of this id"):
        store.advance(MoveId("p9-1"), State.SENT, START)
    with pytest.raises(RefusedError, match="was made before"):
        store.intend(intent())


def test_failures_are_counted_by_when_they_ended(store: journal.SqlJournal) -> None:
    for n, state in enumerate([State.FAILED, State.SUCCEEDED, State.ABORTED, State.LOST], start=1):
        move = MoveId(f"p1-{n}")
        store.intend(intent(move))
        store.advance(move, State.VERIFYING, START)
        store.close(move, outcome(state, START + n * MINUTE, rule="copy"))
    assert [found.state for found in store.failures_since(START)] == [State.FAILED, State.ABORTED, State.LOST]
    assert [found.state for found in store.failures_since(START + 3 * MINUTE)] == [State.LOST]


def plan(plan_id: str = "p1", at: datetime = START) -> Plan:
    move = Move(
        n=1,
        wave=1,
        vm=ServerId("vm-1"),
        vm_name="web-1",
        source=HostName("c1"),
        target=HostName("c2"),
        concern=Concern.HOT,
        rule="cpu",
        breach="cpu:c1",
        why="hot",
        score_before=(1.0, 0.3),
        score_after=(0.0, 0.2),
        copy_bytes=1e9,
        copy=timedelta(seconds=1.25),
        blackout_estimate=timedelta(milliseconds=300),
    )
    breach = Breach(
        key="cpu:c1", concern=Concern.HOT, rule="cpu", subject="c1", amount=0.9, limit=0.8, unit="ratio", why="hot"
    )
    drain = Breach(
        key="drain:c3", concern=Concern.DRAIN, rule="drain", subject="c3", amount=1, limit=0, unit="VMs", why="drained"
    )
    limit = LimitState(key="cpu:c1", subject="c1", unit="ratio", limit=math.inf, before=0.9, after=0.7)
    return Plan(
        id=PlanId(plan_id),
        estate="demo",
        snapshot_at=at,
        created_at=at,
        sentence="One move.",
        moves=(move,),
        holds=(),
        objective=(Concern.BROKEN, Concern.HOT, Concern.UNEVEN, Concern.CONSOLIDATION),
        breaches_before=(breach, drain),
        breaches_after=(),
        limits=(limit,),
        score_before=(1.0,),
        score_after=(0.0,),
    )


def test_a_plan_comes_back_as_it_was(store: journal.SqlJournal) -> None:
    store.save_plan(plan())
    store.save_plan(plan("p2", START + MINUTE))
    assert store.plan(PlanId("p1")) == plan()
    assert store.newest_plan() == plan("p2", START + MINUTE)
    assert store.plan(PlanId("p3")) is None


OLDER = {
    '"blackout_estimate":': '"blackout":',
    '"concern":"drain"': '"concern":0',
    '"concern":"hot"': '"concern":1',
    '"objective":["broken","hot","uneven","consolidation"],': "",
}
"""What a plan's JSON says now, and what it said at first."""


def test_a_plan_that_an_older_program_kept_can_still_be_read(address: str) -> None:
    with journal.open_journal(address) as opened:
        opened.save_plan(plan())
    database = engine.open_engine(engine.journal_url(address))
    with database.begin() as connection:
        for now, before in OLDER.items():
            connection.exec_driver_sql(f"UPDATE plans SET body = replace(body, '{now}', '{before}')")
        for column in ("force_after_s", "abort_rule"):
            connection.exec_driver_sql(f"ALTER TABLE moves DROP COLUMN {column}")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0004'")
    database.dispose()
    schema.upgrade(address)
    with journal.open_journal(address) as again:
        assert again.newest_plan() == plan()


def test_old_plans_go_unless_they_were_approved(store: journal.SqlJournal) -> None:
    store.save_plan(plan("p1"))
    store.save_plan(plan("p2"))
    store.approve(Approval(plan_id=PlanId("p2"), who="somchai", at=START))
    store.approve(Approval(plan_id=PlanId("p2"), who="malee", at=START + MINUTE))
    store.save_plan(plan("p3", START + timedelta(days=8)))
    assert store.plan(PlanId("p1")) is None
    assert store.plan(PlanId("p2")) is not None
    assert store.approvals() == (Approval(plan_id=PlanId("p2"), who="somchai", at=START),)
    with pytest.raises(RefusedError, match="no plan of this id"):
        store.approve(Approval(plan_id=PlanId("p1"), who="malee", at=START))


def test_how_long_everything_was_paused_is_told_of_any_time(store: journal.SqlJournal, address: str) -> None:
    rack = Scope(kind=ScopeKind.RACK, name="r1")
    store.pause(Pause(scope=rack, who="malee", why="switch", since=START))
    store.pause(Pause(scope=None, who="somchai", why="storm", since=START + 10 * MINUTE))
    store.pause(Pause(scope=None, who="somchai", why="worse", since=START + 15 * MINUTE))
    store.resume(None, "somchai", START + 30 * MINUTE)
    store.pause(Pause(scope=None, who="somchai", why="again", since=START + 50 * MINUTE))
    with journal.open_journal(address) as again:
        assert again.paused(START, START + 60 * MINUTE) == 30 * MINUTE
        assert again.paused(START + 20 * MINUTE, START + 55 * MINUTE) == 15 * MINUTE
        assert again.paused(START + 31 * MINUTE, START + 49 * MINUTE) == timedelta(0)


def test_a_pause_holds_until_its_own_scope_is_resumed(store: journal.SqlJournal) -> None:
    rack = Scope(kind=ScopeKind.RACK, name="r1")
    store.pause(Pause(scope=None, who="somchai", why="storm", since=START))
    store.pause(Pause(scope=rack, who="malee", why="switch", since=START))
    store.pause(Pause(scope=rack, who="malee", why="both switches", since=START + MINUTE))
    assert [(pause.scope, pause.why) for pause in store.pauses()] == [(None, "storm"), (rack, "both switches")]
    assert store.resumed_at() is None
    assert store.resume(rack, "malee", START + MINUTE)
    assert not store.resume(rack, "malee", START + MINUTE)
    assert store.resumed_at() is None
    assert store.resume(None, "somchai", START + 2 * MINUTE)
    assert store.pauses() == ()
    assert store.resumed_at() == START + 2 * MINUTE


def test_a_host_has_one_drain_at_a_time(store: journal.SqlJournal) -> None:
    holdout = Holdout(
        server_id=ServerId("vm-9"), server_name="db-9", status="ERROR", why="is in ERROR", who_must_act="operator"
    )
    asked = Drain(
        id="d1",
        host=HostName("c1"),
        who="somchai",
        why="memory",
        keep_shutoff=True,
        since=START,
        state=DrainState.STUCK,
        holdouts=(holdout,),
    )
    store.save_drain(asked)
    store.save_drain(asked)
    assert store.drains() == (asked,)
    second = Drain(
        id="d2",
        host=HostName("c1"),
        who="malee",
        why="",
        keep_shutoff=False,
        since=START,
        state=DrainState.EMPTYING,
    )
    with pytest.raises(RefusedError, match="a drain of it by somchai is under way: memory"):
        store.save_drain(second)


def test_what_was_learned_is_forgotten_in_time(store: journal.SqlJournal) -> None:
    store.learn(ServerId("vm-1"), HostName("c2"), "NoValidHost", START + MINUTE)
    store.learn(ServerId("vm-1"), HostName("c2"), "NoValidHost", START + 2 * MINUTE)
    assert store.refusals(START + MINUTE) == ((ServerId("vm-1"), HostName("c2"), "NoValidHost", START + 2 * MINUTE),)
    assert store.refusals(START + 2 * MINUTE) == ()


def test_notes_are_kept_in_order(store: journal.SqlJournal) -> None:
    store.note(START, "somchai", "paused everything")
    store.note(START, "somchai", "resumed")
    assert store.notes(START) == ((START, "somchai", "paused everything"), (START, "somchai", "resumed"))


def test_upgrading_again_changes_nothing(store: journal.SqlJournal, address: str) -> None:
    store.intend(intent())
    schema.upgrade(address)
    assert schema.begun(address)
    assert store.entry(MoveId("p1-1")) is not None


def test_the_migrations_make_the_tables_that_the_code_uses(address: str) -> None:
    database = engine.open_engine(engine.journal_url(address))
    with database.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    database.dispose()


def test_peaks_are_kept_over_a_restart_and_replaced_as_a_whole(store: journal.SqlJournal, address: str) -> None:
    def peak(minute: int, vms: int) -> Peak:
        return Peak(since=START + minute * MINUTE, extent=Extent(expected_hosts=4, hosts=3, vms=vms))

    store.save_peaks((peak(0, 12), peak(5, 11)))
    store.save_peaks((peak(5, 11), peak(10, 13)))
    with journal.open_journal(address) as again:
        assert again.peaks() == (peak(5, 11), peak(10, 13))
        again.save_peaks(())
        assert again.peaks() == ()


def test_the_database_itself_refuses_a_second_open_move(store: journal.SqlJournal, address: str) -> None:
    store.intend(intent())
    database = engine.open_engine(engine.journal_url(address))
    with database.begin() as raw, pytest.raises(exc.IntegrityError):
        raw.execute(text("create temporary table one as select * from moves"))
        raw.execute(text("update one set id = 'p1-2'"))
        raw.execute(text("insert into moves select * from one"))
    database.dispose()


def test_a_newer_schema_is_refused_by_name(address: str) -> None:
    database = engine.open_engine(engine.journal_url(address))
    with database.begin() as raw:
        raw.execute(text("update alembic_version set version_num = '9999'"))
    database.dispose()
    for call in (schema.upgrade, journal.open_journal, schema.begun):
        with pytest.raises(PermanentError, match="newer version"):
            call(address)


def test_a_reader_needs_no_lock_and_cannot_write(store: journal.SqlJournal, address: str) -> None:
    store.intend(intent())
    with journal.open_journal(address, read_only=True) as reader:
        assert len(reader.open_entries()) == 1
        with pytest.raises(PermanentError, match="cannot be written"):
            reader.intend(intent("p1-2", server_id=ServerId("vm-2")))
    store.close(MoveId("p1-1"), outcome(State.REFUSED))


def test_one_process_at_a_time_holds_a_journal_and_the_next_is_told_who(address: str) -> None:
    with lock.take(address, purpose="gdcc run", now=START) as held:
        held.require()
        with pytest.raises(RefusedError) as refused:
            lock.take(address, purpose="gdcc drain", now=START)
        assert refused.value.rule == "journal-locked"
        assert "gdcc run" in str(refused.value) and f"process {os.getpid()}" in str(refused.value)
    with lock.take(address, purpose="gdcc drain", now=START) as held:
        held.require()


def test_a_dead_holders_lock_is_free(address: str) -> None:
    code = (
        "import os, sys, datetime; from controller.adapters.store import lock;"
        "held = lock.take(sys.argv[1], purpose='x', now=datetime.datetime.now(datetime.UTC)); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, address], check=False).returncode == 9
    end = time.monotonic() + 10
    while True:
        try:
            lock.take(address, purpose="gdcc run", now=START).release()
            break
        except RefusedError:
            assert time.monotonic() < end
