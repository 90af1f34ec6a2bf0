"""Nova's migrations that have not ended, with one question at most looks instead of one for each status.

Nova takes one status a question (`GET /os-migrations?status=`), so a whole reading asks for each. From then on the
newest records are enough: a migration is made open and never opens again, so what is open now was open at the last
reading or was made since, and the listing has the newest first (from microversion 2.59). What was open and is older is
asked for by its status, and by its server where it has that status no longer.

Nova leaves out a cell that does not answer, without saying so: a record that was open stays so until it, or a server
that is gone, says otherwise.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from controller.adapters.openstack import parse
from controller.adapters.openstack.rest import Rest, listing, utc_now
from controller.model import cloud

WHOLE_EVERY_S = 600.0
"""After this long every status is asked for again."""

OVERLAP = timedelta(minutes=5)
"""How far the clocks of Nova's services may be apart: records this much older than the newest known are read again."""

_ORDER_OF_LIFE = (
    "accepted",
    "queued",
    "preparing",
    "pre-migrating",
    "running",
    "migrating",
    "running (post-copy)",
    "migrating (post-copy)",
    "post-migrating",
    "finished",
    "confirming",
    "reverting",
)

_PATH, _TABLE = "/os-migrations", "migrations"
_NEWEST, _PAGE = "100", "1000"
_Row = dict[str, Any]


class OpenMigrations:
    """Reads them and remembers which they were. Readings may overlap: none takes from another what it found."""

    def __init__(
        self, rest: Rest, elapsed: Callable[[], float] = time.monotonic, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._rest = rest
        self._elapsed = elapsed
        self._now = now
        self._whole_until: float | None = None
        self._open: dict[object, _Row] = {}
        self._newest: datetime | None = None

    async def read(self) -> parse.Parsed[cloud.Migration]:
        """All that have not ended; after one that cannot be understood, the next reading is a whole one."""
        known, began = dict(self._open), self._elapsed()
        whole = self._whole_until is None or began >= self._whole_until
        newest = await self._latest() if whole else await self._since()
        rows = {} if whole else dict(newest)
        old = {row.get("status") for key, row in known.items() if key not in rows}
        for status in _ORDER_OF_LIFE:  # one that moves on meanwhile is seen again
            if whole or status in old:
                rows |= await self._rows({"status": status})
        rows |= await self._gone_on({key: row for key, row in known.items() if key not in rows})
        if whole:
            self._whole_until = began + WHOLE_EVERY_S
        return self._remembered(rows, known, newest)

    async def _latest(self) -> dict[object, _Row]:
        body = await self._rest.get("compute", _PATH, {"limit": "1"})
        return _keyed(listing(body, _TABLE, f"GET compute {_PATH}"))

    async def _since(self) -> dict[object, _Row]:
        """The newest records, as far back as clocks may be apart. One that is ahead of ours puts nothing off."""
        horizon = min(self._newest, self._now()) - OVERLAP if self._newest else None
        found: dict[object, _Row] = {}
        async for page in self._rest.pages("compute", _PATH, _TABLE, {"limit": _NEWEST}):
            found |= _keyed(page)
            if horizon is not None and any(made < horizon for made in _made(page)):
                break
        return found

    async def _gone_on(self, known: Mapping[object, _Row]) -> dict[object, _Row]:
        """What has its last status no longer, as it is now; as it was, where Nova does not tell."""
        found: dict[object, _Row] = {}
        for server_id in sorted({row["instance_uuid"] for row in known.values()}):
            found |= await self._rows({"instance_uuid": server_id})
        for key, row in known.items():
            if key not in found and await self._rest.find("compute", f"/servers/{row['instance_uuid']}") is not None:
                found[key] = row
        return found

    def _remembered(
        self, rows: Mapping[object, _Row], known: Mapping[object, _Row], newest: Mapping[object, _Row]
    ) -> parse.Parsed[cloud.Migration]:
        opened = {key: row for key, row in rows.items() if _is_open(row)}
        self._open |= {key: row for key, row in opened.items() if isinstance(row.get("instance_uuid"), str)}
        for ended in (known.keys() | rows.keys()) - opened.keys():
            self._open.pop(ended, None)
        self._newest = max(_made(newest.values()), default=self._newest)
        found = parse.parsed("migration", opened.values(), parse.migration)
        if found.flaws:
            self._whole_until = None
        return found

    async def _rows(self, params: Mapping[str, str]) -> dict[object, _Row]:
        return _keyed(await self._rest.rows("compute", _PATH, _TABLE, {**params, "limit": _PAGE}))


def _is_open(row: _Row) -> bool:
    """Whether it has not ended; a record that does not say is for the parser to refuse."""
    status = row.get("status")
    return status in _ORDER_OF_LIFE or not isinstance(status, str)


def _keyed(rows: Iterable[_Row]) -> dict[object, _Row]:
    return {row.get("uuid", id(row)): row for row in rows}


def _made(rows: Iterable[_Row]) -> Iterator[datetime]:
    """When they were made; of those that can be understood."""
    for row in rows:
        with suppress(parse.RowError):
            yield parse.moment(row, "created_at")
