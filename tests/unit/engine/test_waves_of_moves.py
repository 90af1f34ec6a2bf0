"""Moves side by side: wave after wave, within the limits, and with a journal that fails under them."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from controller.engine.ports import Journal
from controller.engine.tally import RefusalCount
from controller.errors import TransientError
from controller.model.ids import ServerId
from controller.model.migration import State
from controller.model.policy import Limits, Mode, Policy
from tests.fakes.rig import Rig, ended, order, refused_by

WIDE = Limits(at_once=20, out_of_host=20, into_host=20, across_rack=20, per_agency=20, per_system=20)


def full(rig: Rig, *refusing: str) -> Journal:
    """The rig's journal on a full disk: what writes by one of these names fails."""

    class Full:
        def __getattr__(self, name: str) -> object:
            if name in refusing:
                raise TransientError("the disk under the journal is full")
            return getattr(rig.journal, name)

    return cast(Journal, Full())


async def test_a_wave_runs_side_by_side_and_later_waves_wait_for_its_success(rig: Rig) -> None:
    rig.policy = Policy(mode=Mode.AUTO, limits=WIDE)
    for n in range(4):
        rig.cloud.boot(f"vm-{n}", "c1")
    rig.cloud.faults[ServerId("vm-2")] = "copy"
    began = rig.clock.now()
    waves = [[order("vm-0"), order("vm-1")], [order("vm-2")], [order("vm-3")]]
    results = await rig.migrator.run_waves(waves)
    assert [ended(result)[0] for result in results] == [State.SUCCEEDED, State.SUCCEEDED, State.FAILED]
    assert rig.clock.now() - began < timedelta(seconds=20)
    assert rig.cloud.servers[ServerId("vm-3")].host == "c1"


async def test_a_wave_wider_than_the_limits_goes_one_after_another(rig: Rig) -> None:
    rig.policy = Policy(mode=Mode.AUTO, limits=replace(WIDE, out_of_host=1))
    for n in range(3):
        rig.cloud.boot(f"vm-{n}", "c1")
    results = await rig.migrator.run_wave([order(f"vm-{n}") for n in range(3)])
    assert [ended(result)[0] for result in results] == [State.SUCCEEDED] * 3
    times = [start.at for start in rig.cloud.starts]
    assert all(later - earlier > timedelta(seconds=9) for earlier, later in itertools.pairwise(times))


async def test_orders_refused_before_anything_was_written_are_counted_by_rule(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1", locked=True)
    rig.cloud.boot("vm-2", "c1")
    done = await rig.migrator.run_wave([order(), order("vm-2")])
    assert [result.refusal is None for result in done] == [False, True]
    assert rig.migrator.refusals() == (RefusalCount(origin="plan", rule="locked", count=1),)


async def test_a_wave_behind_somebody_elses_migration_is_left_for_the_next_plan(rig: Rig) -> None:
    rig.cloud.boot("vm-9", "c1", project_id="p-db")
    rig.cloud.start_foreign("vm-9", "c3")
    rig.cloud.boot("vm-1", "c1")
    result = await rig.migrator.execute(order())
    assert refused_by(result) == "out-of-host"


async def test_a_refusal_counts_also_where_the_journal_fails_under_another_move_of_the_wave(rig: Rig) -> None:
    rig.cloud.boot("vm-1", "c1", locked=True)
    rig.cloud.boot("vm-2", "c1")
    rig.start(rig.cloud, full(rig, "intend"))
    with pytest.raises(TransientError, match="full"):
        await rig.migrator.run_wave([order(), order("vm-2")])
    assert rig.migrator.refusals() == (RefusalCount(origin="plan", rule="locked", count=1),)


async def test_a_journal_that_fails_under_a_move_stops_it_and_leaves_it_for_adoption(rig: Rig) -> None:
    rig.start(rig.cloud, full(rig, "advance"))
    rig.cloud.boot("vm-1", "c1")
    with pytest.raises(TransientError, match="full"):
        await rig.migrator.run_wave([order()])
    (entry,) = rig.journal.open_entries()
    assert entry.state is State.INTENDED
    rig.start(rig.cloud, rig.journal)
    (adopted,) = await rig.adopter.adopt()
    assert adopted.state is State.SUCCEEDED and len(rig.cloud.starts) == 1


async def test_no_move_is_made_that_the_journal_cannot_write(rig: Rig) -> None:
    rig.start(rig.cloud, full(rig, "intend"))
    rig.cloud.boot("vm-1", "c1")
    with pytest.raises(TransientError, match="full"):
        await rig.migrator.run_wave([order()])
    assert rig.cloud.starts == []
