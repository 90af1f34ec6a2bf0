"""Records of migrations that Nova never ended: they hold nothing up, and an operator is told of each once."""

from datetime import timedelta
from pathlib import Path

import pytest

from controller.model.ids import HostName
from controller.model.operation import DrainState
from tests.fakes.turning import Turning

LONG_AGO, JUST_NOW = timedelta(days=90), timedelta(minutes=1)


@pytest.mark.parametrize("name", ["vm-1", "deleted-long-ago"])
async def test_one_that_nothing_works_on_any_more_uses_up_no_limit_of_its_hosts(tmp_path: Path, name: str) -> None:
    site = Turning(tmp_path, servers=2)
    began = site.rig.clock.now()
    site.cloud.leave_behind(name, "c2", LONG_AGO)
    site.sensors.failing.add("c1")
    await site.turns(10)
    assert {vm for vm, *_ in site.started()} == {"vm-1", "vm-2"}
    told = [text for _, _, text in site.rig.journal.notes(began) if "does not count any more" in text]
    assert len(told) == 1 and f"migration 7 of {name} from c1 to c2 as running" in told[0]


async def test_a_host_with_one_can_be_drained(tmp_path: Path) -> None:
    site = Turning(tmp_path, servers=2)
    site.cloud.leave_behind("vm-1", "c2", LONG_AGO)
    await site.turns(1)
    await site.desk.drain(HostName("c1"), "somchai", "memory", keep_shutoff=False)
    await site.turns(10)
    assert [drain.state for drain in site.rig.journal.drains()] == [DrainState.EMPTY]


@pytest.mark.parametrize("changes", [{"task_state": "migrating"}, {"status": "VERIFY_RESIZE"}, {}])
async def test_what_may_still_be_under_way_counts(tmp_path: Path, changes: dict[str, str]) -> None:
    """By its age it could be forgotten, but for its server; or it is too young."""
    site = Turning(tmp_path, servers=2)
    site.cloud.leave_behind("vm-1", "c2", LONG_AGO if changes else JUST_NOW)
    site.cloud.change("vm-1", **changes)
    site.sensors.failing.add("c1")
    await site.turns(4)
    assert site.started() == []
