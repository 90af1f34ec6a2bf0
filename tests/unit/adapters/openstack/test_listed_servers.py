"""What servers there are, asked with few questions, is what a whole listing would say."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.adapters.openstack import parse, servers
from controller.adapters.openstack.rest import Rest
from controller.adapters.openstack.servers import BUDGET_S, ROUND_S, ListedServers
from controller.errors import RefusedError, TransientError
from tests.fakes.openstack_http import server_row

START = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = 3


class Table:
    """Nova's servers behind what `Rest` offers of them, with pages of three; `asked` are the questions.

    `cut`: so many pages are answered and no more, until it is lifted. `skew` is by how much the clock of whoever writes
    differs from that of the cloud, and `ahead` by how much ours is ahead of that.
    A page takes `page_s`. Servers that are `silent` are in a cell that does not answer, and while Nova is `broken` it
    lists nothing but changes.
    """

    def __init__(self) -> None:
        self.table: dict[str, dict[str, Any]] = {}
        self.asked: list[dict[str, str]] = []
        self.cut: int | None = None
        self.seconds = 0.0
        self.skew = timedelta(0)
        self.ahead = timedelta(0)
        self.made = 0
        self.page_s = 0.0
        self.silent: set[str] = set()
        self.broken = False

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds) + self.ahead

    def make(self) -> str:
        name = f"s{self.made:03}"
        self.made += 1
        self.table[name] = server_row(name)
        self.write(name, status="ACTIVE")
        return name

    def write(self, key: str, **changed: Any) -> None:
        self.table[key] |= {**changed, "updated": f"{self.now() - self.ahead + self.skew:%Y-%m-%dT%H:%M:%SZ}"}

    def there(self) -> dict[str, str]:
        return {name: row["name"] for name, row in self.table.items() if row["status"] not in servers.GONE}

    async def find(self, service: str, path: str) -> dict[str, Any] | None:
        name = path.removeprefix("/servers/")
        if name in self.silent:
            return {"server": {"id": name, "status": "UNKNOWN"}}
        row = self.table.get(name)
        return None if row is None or row["status"] == "DELETED" else {"server": dict(row)}

    async def pages(
        self, service: str, path: str, table: str, params: Mapping[str, str], *, version: object = None
    ) -> AsyncIterator[list[dict[str, Any]]]:
        self.asked.append(dict(params))
        newest_first = sorted(self.table.keys() - self.silent, reverse=True)
        if self.broken and "changes-since" not in params:
            raise TransientError("500", where=path)
        if "marker" in params and params["marker"] not in self.table:
            raise RefusedError("marker not found", rule="bad-request", where=path)
        names = [name for name in newest_first if name < params.get("marker", "t")]
        shown = [row for name in names if _shown(row := self.table[name], params.get("changes-since"))]
        for first in range(0, len(shown), PAGE):
            if self.cut is not None:
                if self.cut == 0:
                    raise asyncio.CancelledError
                self.cut -= 1
            self.seconds += self.page_s
            yield [dict(row) for row in shown[first : first + PAGE]]


def _shown(row: Mapping[str, Any], since: str | None) -> bool:
    return row["status"] not in servers.GONE if since is None else row["updated"] >= since


@pytest.fixture
def table() -> Table:
    return Table()


def reader(table: Table) -> ListedServers:
    read = partial(parse.server, zone_shown=True)
    return ListedServers(cast("Rest", table), read, elapsed=lambda: table.seconds, now=table.now)


async def seen(listed: ListedServers) -> dict[str, str]:
    return {server.id: server.name for server in (await listed.all()).values}


async def test_a_later_look_asks_one_question_and_sees_what_came_went_and_changed(table: Table) -> None:
    names = [table.make() for _ in range(8)]
    listed = reader(table)
    assert await seen(listed) == table.there()
    table.seconds, table.asked = 400.0, []
    table.write(names[0], name="renamed")
    table.write(names[1], status="SOFT_DELETED")
    table.write(names[2], status="DELETED")
    table.make()
    assert await seen(listed) == table.there()
    assert [set(asked) for asked in table.asked] == [{"all_tenants", "limit", "changes-since"}]
    table.write(names[1], status="ACTIVE")  # its owner had it restored
    assert await seen(listed) == table.there()


async def test_what_changed_long_ago_is_not_asked_for_again_and_again(table: Table) -> None:
    for _ in range(8):
        table.make()
    listed = reader(table)
    for _ in range(3):
        table.seconds += 500.0
        await listed.all()
    *_, since = (datetime.fromisoformat(asked["changes-since"]) for asked in table.asked if "changes-since" in asked)
    assert since > START


async def test_a_row_that_cannot_be_understood_is_a_flaw_until_it_can(table: Table) -> None:
    name = table.make()
    table.write(name, locked="yes")
    listed = reader(table)
    found = await listed.all()
    assert (found.values, len(found.flaws)) == ((), 1) and name in found.flaws[0]
    table.write(name, locked=False)
    assert await seen(listed) == table.there()


async def test_a_first_listing_that_is_cut_short_goes_on_where_it_was(table: Table) -> None:
    names = [table.make() for _ in range(8)]
    listed = reader(table)
    table.cut = 2
    with pytest.raises(asyncio.CancelledError):
        await listed.all()
    table.cut, table.seconds = None, 1000.0
    table.write(names[7], status="DELETED")
    table.write(names[6], name="renamed")
    table.make()
    assert await seen(listed) == table.there()
    assert [asked.get("marker") for asked in table.asked] == [None, names[2], None]


async def test_a_marker_that_is_gone_begins_the_listing_anew(table: Table) -> None:
    names = [table.make() for _ in range(8)]
    listed = reader(table)
    table.cut = 1
    with pytest.raises(asyncio.CancelledError):
        await listed.all()
    table.cut = None
    del table.table[names[5]]
    with pytest.raises(RefusedError):
        await listed.all()
    assert await seen(listed) == table.there()


async def test_pages_that_repeat_are_told_and_the_listing_begins_anew(table: Table) -> None:
    table.make()
    listed = reader(table)
    pages = table.pages

    async def repeating(*asked: Any, version: object = None) -> AsyncIterator[list[dict[str, Any]]]:
        for _ in range(2):
            async for page in pages(*asked):
                yield page

    table.pages = repeating  # type: ignore[method-assign]
    with pytest.raises(TransientError, match="came twice"):
        await listed.all()
    table.pages = pages  # type: ignore[method-assign]
    assert await seen(listed) == table.there()


async def test_a_question_that_is_cut_short_goes_on_where_it_was(table: Table) -> None:
    names = [table.make() for _ in range(12)]
    listed = reader(table)
    await listed.all()
    for name in names:
        table.write(name, name="renamed")
    table.asked = []
    for _ in range(3):
        table.cut = 1
        with pytest.raises(asyncio.CancelledError):
            await listed.all()
    table.cut = None
    assert await seen(listed) == table.there()
    assert [asked.get("marker") for asked in table.asked] == [None, names[9], names[6], names[3], None]


async def test_all_are_gone_over_again_as_far_as_a_look_has_time_for_it(table: Table) -> None:
    names = [table.make() for _ in range(12)]
    listed = reader(table)
    await listed.all()
    table.table[names[0]]["name"] = "written past Nova"
    del table.table[names[1]]
    table.seconds, table.page_s = ROUND_S + 1000.0, BUDGET_S / 2
    looks = 0
    while await seen(listed) != table.there():
        looks += 1
        assert looks < 5
    assert looks > 1
    table.asked = []
    await listed.all()
    assert ["changes-since" in asked for asked in table.asked] == [True]


async def test_a_round_that_fails_costs_no_look(table: Table) -> None:
    names = [table.make() for _ in range(3)]
    listed = reader(table)
    await listed.all()
    table.seconds = ROUND_S
    table.broken = True
    table.write(names[0], name="renamed")
    assert await seen(listed) == table.there()


async def test_whom_a_silent_cell_keeps_out_of_every_list_is_as_it_was_seen_last(table: Table) -> None:
    names = [table.make() for _ in range(8)]
    listed = reader(table)
    before = await seen(listed)
    table.silent, listed.silent = set(names[:4]), True
    table.write(names[0], name="renamed")
    for _ in range(5):
        table.seconds += ROUND_S
        assert await seen(listed) == before
    table.silent, listed.silent = set(), False
    assert await seen(listed) == table.there() != before


async def test_one_that_may_go_without_a_word_is_asked_for(table: Table) -> None:
    name, *_ = [table.make() for _ in range(3)]
    table.write(name, status="BUILD")
    listed = reader(table)
    assert name in await seen(listed)
    del table.table[name]
    await listed.all()
    assert await seen(listed) == table.there()


ACTIONS = ("make", "change", "delete", "soft-delete", "restore", "look", "cut", "wait", "long wait", "vanish")


@settings(deadline=None, max_examples=200)
@given(
    before=st.integers(0, 9),
    actions=st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 99)), max_size=30),
    skews=st.lists(st.integers(-140, 140), min_size=1),
    ahead=st.integers(-9000, 9000),
)
def test_whatever_happens_a_look_sees_what_a_whole_listing_would(
    before: int, actions: list[tuple[str, int]], skews: list[int], ahead: int
) -> None:
    table = Table()
    table.ahead = timedelta(seconds=ahead)
    for _ in range(before):
        table.make()
    listed = reader(table)

    async def run() -> None:
        for number, (action, which) in enumerate(actions):
            table.skew = timedelta(seconds=skews[number % len(skews)])
            name = sorted(table.table)[which % len(table.table)] if table.table else table.make()
            match action:
                case "make":
                    table.make()
                case "change":
                    table.write(name, name=f"name {number}")
                case "delete" | "soft-delete" | "restore":
                    after = {"delete": "DELETED", "soft-delete": "SOFT_DELETED", "restore": "ACTIVE"}[action]
                    table.write(name, status=after)
                case "vanish":
                    table.write(name, status="BUILD")
                    await listed.all()
                    del table.table[name]
                    await listed.all()
                case "wait" | "long wait":
                    table.seconds += which if action == "wait" else ROUND_S
                case "cut":
                    table.cut = which % 3
                    with suppress(asyncio.CancelledError):
                        await listed.all()
                    table.cut = None
                case _:
                    assert await seen(listed) == table.there()
        assert await seen(listed) == table.there()

    asyncio.run(run())
