"""Which migrations are open, asked with few questions, is what asking for every status would say."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.adapters.openstack.migrations import FEW, WHOLE_EVERY_S, OpenMigrations
from controller.adapters.openstack.rest import Rest
from tests.fakes.openstack_http import migration_row

START = datetime(2026, 1, 1, tzinfo=UTC)
LIFE = ("queued", "preparing", "running", "completed")
PAGE = 3


class Table:
    """Nova's migrations behind what `Rest` offers of them, with pages of three; `asked` are the questions."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.asked: list[dict[str, str]] = []
        self.seconds = 0.0

    def make(self, status: str = "queued") -> dict[str, Any]:
        number = len(self.rows)
        made = (START + timedelta(seconds=self.seconds)).isoformat()
        self.rows.append(migration_row(number, status=status, created_at=made, instance_uuid=f"s{number % 5}"))
        return self.rows[-1]

    def open(self) -> set[int]:
        return {row["id"] for row in self.rows if row["status"] in LIFE[:-1]}

    async def pages(
        self, service: str, path: str, table: str, params: Mapping[str, str]
    ) -> AsyncIterator[list[dict[str, Any]]]:
        self.asked.append(dict(params))
        rows = [row for row in reversed(self.rows) if _matches(row, params)]
        for first in range(0, len(rows), PAGE):
            yield [dict(row) for row in rows[first : first + PAGE]]

    async def rows_of(self, service: str, path: str, table: str, params: Mapping[str, str]) -> list[dict[str, Any]]:
        return [row async for page in self.pages(service, path, table, params) for row in page]

    async def get(self, service: str, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        self.asked.append(dict(params))
        return {"migrations": [dict(row) for row in self.rows[-1:]]}


def _matches(row: Mapping[str, Any], params: Mapping[str, str]) -> bool:
    return all(row[key] == params[key] for key in ("status", "instance_uuid") if key in params)


class _Wired:
    """`Table` by the names of `Rest`."""

    def __init__(self, table: Table) -> None:
        self.pages, self.rows, self.get = table.pages, table.rows_of, table.get


@pytest.fixture
def table() -> Table:
    return Table()


def reader(table: Table) -> OpenMigrations:
    return OpenMigrations(cast("Rest", _Wired(table)), now=lambda: table.seconds)


def seen(migrations: OpenMigrations) -> set[int]:
    found = asyncio.run(migrations.read())
    assert found.flaws == ()
    return {one.id for one in found.values}


def questions(table: Table, migrations: OpenMigrations) -> int:
    before = len(table.asked)
    seen(migrations)
    return len(table.asked) - before


@given(
    st.lists(
        st.one_of(
            st.just("make"),
            st.tuples(st.just("on"), st.integers(0, 9)),
            st.tuples(st.just("wait"), st.integers(1, 900)),
        ),
        max_size=40,
    )
)
def test_whatever_is_made_goes_on_and_ends_between_looks_what_is_open_is_seen(steps: list[Any]) -> None:
    table = Table()
    migrations = reader(table)
    for step in steps:
        match step:
            case "make":
                table.make()
            case ("on", number) if number < len(table.rows):
                row = table.rows[-1 - number]
                row["status"] = LIFE[min(LIFE.index(row["status"]) + 1, len(LIFE) - 1)]
            case ("wait", seconds):
                table.seconds += seconds
                assert seen(migrations) == table.open()


def test_after_the_first_look_one_question_is_enough_until_all_is_asked_again(table: Table) -> None:
    old, migrations = table.make(), reader(table)
    whole = questions(table, migrations)
    assert whole > 10
    assert questions(table, migrations) == 1
    table.seconds += WHOLE_EVERY_S
    assert questions(table, migrations) == whole
    table.make("completed")
    assert old["id"] in seen(migrations)


SHOWN = 2
"""Of the old ones, those on the page on which the newest end: it holds one new row and these."""


@pytest.mark.parametrize(("more", "whole"), [(0, False), (1, True)])
def test_old_ones_are_asked_for_by_their_servers_and_many_as_a_whole(table: Table, more: int, whole: bool) -> None:
    migrations = reader(table)
    waiting = [table.make("running") for _ in range(FEW + SHOWN + more)]
    table.seconds += 500
    for _ in range(PAGE + 1):
        table.make("completed")
    seen(migrations)
    asked = questions(table, migrations)
    assert asked > 10 if whole else asked == 1 + len({row["instance_uuid"] for row in waiting[:-SHOWN]})
    waiting[0]["status"] = "completed"
    assert seen(migrations) == {row["id"] for row in waiting[1:]}


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
