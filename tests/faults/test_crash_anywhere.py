"""kill -9 at every step: before each call to the cloud and the journal, and after each that changes something.

Whatever the step, after a restart: no move appears twice in the cloud's own record, every intent ends adopted or not
sent, no server is lost, and what was not sent can be planned afresh.
"""

import contextlib
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from controller.engine.order import Order
from controller.model.ids import MoveId, ServerId
from controller.model.migration import OPEN_STATES, State
from controller.model.policy import Limits, MigrationPolicy, Mode, Policy
from tests.fakes import journals
from tests.fakes.crash import Crash, Fuse, Mortal
from tests.fakes.rig import Rig, order

WIDE = Limits(at_once=9, out_of_host=9, into_host=9, across_rack=9, per_agency=9, per_system=9)
SPARSE = Policy(mode=Mode.AUTO, limits=WIDE, migration=MigrationPolicy(poll=timedelta(seconds=4)))
"""Few looks, so that few steps are between each change of state."""
DOWN = (timedelta(0), timedelta(seconds=4), timedelta(minutes=5))
"""How long the process stays dead: the migration goes on, ends, or ended long ago meanwhile."""

SCENARIOS: dict[str, Callable[[Rig], list[Order]]] = {}


def scenario(build: Callable[[Rig], list[Order]]) -> Callable[[Rig], list[Order]]:
    SCENARIOS[build.__name__] = build
    return build


def small(rig: Rig, name: str, **changes: object) -> None:
    rig.cloud.boot(name, "c1", memory_mib=1500, **changes)


@scenario
def a_move(rig: Rig) -> list[Order]:
    small(rig, "vm-1")
    return [order()]


@scenario
def a_move_whose_answer_is_lost(rig: Rig) -> list[Order]:
    small(rig, "vm-1")
    rig.cloud.answers = ["lost"]
    return [order()]


@scenario
def a_move_whose_request_arrives_late(rig: Rig) -> list[Order]:
    small(rig, "vm-1")
    rig.cloud.answers = ["late"]
    return [order()]


@scenario
def a_move_that_fails(rig: Rig) -> list[Order]:
    small(rig, "vm-1")
    rig.cloud.faults[ServerId("vm-1")] = "copy"
    return [order()]


@scenario
def two_moves_at_once(rig: Rig) -> list[Order]:
    small(rig, "vm-1")
    small(rig, "vm-2")
    return [order("vm-1"), order("vm-2", "c3")]


@scenario
def a_stopped_server(rig: Rig) -> list[Order]:
    small(rig, "vm-1", status="SHUTOFF")
    return [order(cold=True, by_operator=True)]


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """A folder in memory where there is one: hundreds of journals, and no test of the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


async def lives(rig: Rig, at: int, act: Callable[[], Awaitable[object]]) -> bool:
    """Runs `act` in a process that dies at step `at`; whether it came to its end alive."""
    fuse = Fuse(at)
    with contextlib.suppress(Crash):
        rig.start(Mortal(rig.cloud, fuse), Mortal(rig.journal, fuse))  # type: ignore[arg-type]
        await act()
    return not fuse.blown


@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_crash_at_any_step_repeats_no_move_and_loses_none(name: str, quick_path: Path) -> None:
    step, alive = 0, False
    while not alive:
        step += 3 if name == "two_moves_at_once" else 1
        folder = quick_path / str(step)
        folder.mkdir()
        rig = Rig(folder, policy=SPARSE)
        orders = SCENARIOS[name](rig)
        alive = await lives(rig, step, lambda rig=rig, orders=orders: rig.migrator.run_wave(orders))
        rig.clock.advance(DOWN[step % len(DOWN)])
        if step % 2:
            await lives(rig, 3 + step % 7, lambda rig=rig: rig.adopter.adopt())
        await recover_and_check(rig, orders)
        rig.journal.close_store()
    assert step > 20


async def recover_and_check(rig: Rig, orders: list[Order]) -> None:
    """Restarts for good, adopts, and holds the journal against the cloud's own record."""
    rig.restart()
    await rig.adopter.adopt()
    assert rig.journal.open_entries() == ()
    for asked in orders:
        entry = rig.journal.entry(asked.id)
        starts = [start for start in rig.cloud.starts if start.server_id == asked.server_id]
        server = rig.cloud.servers[asked.server_id]
        assert entry is None or entry.state not in OPEN_STATES
        if entry is None or entry.state is State.NOT_SENT:
            assert starts == [] and server.host == "c1"
        else:
            assert len(starts) == 1 and starts[0].record == entry.migration_id
            assert server.host == (asked.target if entry.state is State.SUCCEEDED else "c1")
        assert server.task_state is None
        if entry is not None and entry.state is State.NOT_SENT:
            rig.cloud.answers = []
            again = await rig.migrator.execute(order(asked.server_id, asked.target, id=MoveId("p2-1"), cold=asked.cold))
            assert again.entry is not None


async def test_a_restart_adopts_a_move_of_each_state_of_the_journal(tmp_path: Path) -> None:
    for state in sorted(OPEN_STATES):
        folder = tmp_path / state
        folder.mkdir()
        rig = Rig(folder)
        rig.cloud.boot("vm-1", "c1")
        rig.journal.intend(journals.intent(epoch=9, deadline=rig.clock.now() + timedelta(seconds=10)))
        record = rig.cloud.start_foreign("vm-1", "c2")
        if state is not State.INTENDED:
            known = None if state is State.SENT else record
            rig.journal.advance(MoveId("p1-1"), state, rig.clock.now(), migration_id=known)
        rig.restart()
        (entry,) = await rig.adopter.adopt()
        assert (entry.state, entry.migration_id) == (State.SUCCEEDED, record)
        assert len(rig.cloud.starts) == 1
        rig.journal.close_store()


async def test_an_intent_that_was_never_sent_is_closed_only_after_its_deadline_and_the_timeout(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.cloud.boot("vm-1", "c1")
    rig.journal.intend(journals.intent(epoch=9, deadline=rig.clock.now() + timedelta(seconds=10)))
    began = rig.clock.now()
    (entry,) = await rig.adopter.adopt()
    assert entry.state is State.NOT_SENT
    assert timedelta(seconds=40) < rig.clock.now() - began < timedelta(seconds=45)
    rig.journal.close_store()


async def test_somebody_elses_migration_elsewhere_is_not_adopted(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.cloud.boot("vm-1", "c1", memory_mib=100_000)
    rig.journal.intend(journals.intent(epoch=9, deadline=rig.clock.now() + timedelta(seconds=10)))
    rig.cloud.start_foreign("vm-1", "c3")
    (entry,) = await rig.adopter.adopt()
    assert (entry.state, entry.migration_id) == (State.NOT_SENT, None)
    assert rig.cloud.servers[ServerId("vm-1")].host == "c3"
    rig.journal.close_store()


async def test_adopting_again_while_it_goes_on_follows_nothing_twice(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.cloud.boot("vm-1", "c1")
    rig.journal.intend(journals.intent(epoch=9))
    with rig.follower.hold(MoveId("p1-1")):
        assert rig.adopter.orphans() == ()
        assert await rig.adopter.adopt() == ()
    assert [entry.intent.id for entry in rig.adopter.orphans()] == ["p1-1"]
    rig.journal.close_store()
