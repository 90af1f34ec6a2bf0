"""Which migrations are open, asked with few questions, is what asking for every status would say."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.adapters.openstack.migrations import WHOLE_EVERY_S, OpenMigrations
from controller.adapters.openstack.rest import Rest
from tests.fakes.openstack_http import migration_row

START = datetime(2026, 1, 1, tzinfo=UTC)
LIFE = ("queued", "preparing", "running", "completed")
PAGE = 3
SERVERS = 5


class Table:
    """Nova's migrations behind what `Rest` offers of them, with pages of three; `asked` are the questions.

    `silent` records are in a cell that does not answer; `deleted` are servers that are gone.
    """

    def __init__(self) -> None:
        self.table: list[dict[str, Any]] = []
        self.asked: list[dict[str, str]] = []
        self.silent: set[int] = set()
        self.deleted: set[str] = set()
        self.seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def make(self, status: str = "queued", ahead: timedelta = timedelta(0)) -> dict[str, Any]:
        number = len(self.table)
        made = (self.now() + ahead).isoformat()
        server_id = f"s{number % SERVERS}"
        self.table.append(migration_row(number, status=status, created_at=made, instance_uuid=server_id))
        return self.table[-1]

    def open(self) -> set[int]:
        return {row["id"] for row in self.table if row["status"] in LIFE[:-1]}

    async def pages(
        self, service: str, path: str, table: str, params: Mapping[str, str]
    ) -> AsyncIterator[list[dict[str, Any]]]:
        self.asked.append(dict(params))
        newest_first = sorted(self.table, key=lambda row: (row["created_at"], row["id"]), reverse=True)
        rows = [row for row in newest_first if row["id"] not in self.silent and _matches(row, params)]
        for first in range(0, len(rows), PAGE):
            yield [dict(row) for row in rows[first : first + PAGE]]

    async def rows(self, service: str, path: str, table: str, params: Mapping[str, str]) -> list[dict[str, Any]]:
        return [row async for page in self.pages(service, path, table, params) for row in page]

    async def get(self, service: str, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        return {"migrations": (await self.rows(service, path, "migrations", params))[:1]}

    async def find(self, service: str, path: str) -> dict[str, Any] | None:
        name = path.removeprefix("/servers/")
        return None if name in self.deleted else {"server": {"id": name}}


def _matches(row: Mapping[str, Any], params: Mapping[str, str]) -> bool:
    return all(row[key] == params[key] for key in ("status", "instance_uuid") if key in params)


@pytest.fixture
def table() -> Table:
    return Table()


def reader(table: Table) -> OpenMigrations:
    return OpenMigrations(cast("Rest", table), elapsed=lambda: table.seconds, now=table.now)


def seen(migrations: OpenMigrations) -> set[int]:
    found = asyncio.run(migrations.read())
    assert found.flaws == ()
    return {one.id for one in found.values}


def questions(table: Table, migrations: OpenMigrations) -> int:
    before = len(table.asked)
    seen(migrations)
    return len(table.asked) - before


STEPS = st.one_of(
    st.just("make"),
    st.tuples(st.just("on"), st.integers(0, 9)),
    st.tuples(st.just("wait"), st.integers(1, 900)),
    st.tuples(st.just("silence"), st.integers(0, 9)),
    st.just("answer"),
)


@given(st.lists(STEPS, max_size=40))
def test_whatever_is_made_goes_on_ends_or_is_silent_between_looks_what_is_open_is_seen(steps: list[Any]) -> None:
    """A record that goes silent after it was seen counts as it was seen last, one that never was cannot be known."""
    table, known = Table(), set[int]()
    migrations = reader(table)
    for step in steps:
        match step:
            case "make":
                table.make()
            case "answer":
                table.silent.clear()
            case ("silence", number) if number < len(table.table):
                table.silent.add(table.table[-1 - number]["id"])
            case ("on", number) if number < len(table.table):
                row = table.table[-1 - number]
                row["status"] = LIFE[min(LIFE.index(row["status"]) + 1, len(LIFE) - 1)]
            case ("wait", seconds):
                table.seconds += seconds
                wanted = (table.open() - table.silent) | (known & table.silent)
                known = seen(migrations)
                assert known == wanted


def test_after_the_first_look_one_question_is_enough_until_all_is_asked_again(table: Table) -> None:
    old, migrations = table.make(), reader(table)
    whole = questions(table, migrations)
    assert whole > 10
    assert questions(table, migrations) == 1
    table.seconds += WHOLE_EVERY_S
    assert questions(table, migrations) == whole
    table.make("completed")
    assert old["id"] in seen(migrations)


def test_hundreds_that_wait_for_weeks_cost_one_question_more(table: Table) -> None:
    migrations = reader(table)
    waiting = [table.make("finished") for _ in range(300)]
    table.seconds += 500
    for _ in range(PAGE + 1):
        table.make("completed")
    seen(migrations)
    assert questions(table, migrations) == 2
    waiting[0]["status"] = "completed"
    assert seen(migrations) == {row["id"] for row in waiting[1:]}
    assert questions(table, migrations) == 2


def test_one_whose_server_is_gone_and_of_which_nothing_is_told_is_forgotten(table: Table) -> None:
    migrations = reader(table)
    row = table.make("running")
    seen(migrations)
    table.silent.add(row["id"])
    table.seconds += WHOLE_EVERY_S
    assert seen(migrations) == {row["id"]}
    table.deleted.add(row["instance_uuid"])
    assert seen(migrations) == set()


def test_a_record_that_a_clock_ahead_made_hides_none_behind_it(table: Table) -> None:
    migrations = reader(table)
    seen(migrations)
    table.make("completed", ahead=timedelta(days=1))
    seen(migrations)
    for _ in range(4 * PAGE):
        table.make("running")
    assert seen(migrations) == table.open()


def test_a_row_that_cannot_be_understood_is_a_flaw_until_it_can_be(table: Table) -> None:
    migrations = reader(table)
    assert seen(migrations) == set()
    row = table.make("running")
    row["source_compute"] = 7
    assert asyncio.run(migrations.read()).flaws
    table.seconds += 400
    for _ in range(PAGE + 1):
        table.make("completed")
    assert asyncio.run(migrations.read()).flaws, "older than the newest by more than the clocks may be apart"
    row["source_compute"] = "c1"
    assert seen(migrations) == {row["id"]}


def test_readings_that_overlap_lose_nothing_to_one_another(table: Table) -> None:
    migrations = reader(table)

    async def both() -> None:
        await migrations.read()
        first = asyncio.ensure_future(migrations.read())
        await asyncio.sleep(0)
        table.make("running")
        await asyncio.gather(first, migrations.read())

    asyncio.run(both())
    assert seen(migrations) == table.open()
