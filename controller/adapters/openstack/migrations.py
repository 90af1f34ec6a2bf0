"""Nova's migrations that have not ended, with one question at most looks instead of one for each status.

Nova takes one status a question (`GET /os-migrations?status=`), so a whole reading asks for each. From then on the
newest records are enough: a migration is made open and never opens again, so what is open now was open at the last
reading or was made since, and the listing has the newest first (from microversion 2.59).
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from controller.adapters.openstack import parse
from controller.adapters.openstack.rest import Rest, listing
from controller.model import cloud

WHOLE_EVERY_S = 600.0
"""After this long every status is asked for again."""

OVERLAP = timedelta(minutes=5)
"""How far the clocks of Nova's services may be apart: records this much older than the newest known are read again."""

FEW = 6
"""Up to so many old migrations are asked for one by one; with more, a whole reading asks less."""

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

    def __init__(self, rest: Rest, now: Callable[[], float] = time.monotonic) -> None:
        self._rest = rest
        self._now = now
        self._whole_until: float | None = None
        self._open: dict[object, str] = {}
        self._newest: datetime | None = None

    async def read(self) -> parse.Parsed[cloud.Migration]:
        """All that have not ended; after one that cannot be understood, the next reading is a whole one."""
        known = dict(self._open)
        if self._whole_until is None or self._now() >= self._whole_until:
            rows = await self._whole()
        else:
            rows = await self._since(known)
        self._remember(rows, known)
        found = parse.parsed("migration", [row for row in rows.values() if _is_open(row)], parse.migration)
        if found.flaws:
            self._whole_until = None
        return found

    async def _whole(self) -> dict[object, _Row]:
        """Status by status in the order of a migration's life: one that moves on meanwhile is seen again."""
        until = self._now() + WHOLE_EVERY_S
        body = await self._rest.get("compute", _PATH, {"limit": "1"})
        self._see(listing(body, _TABLE, f"GET compute {_PATH}"))
        found: dict[object, _Row] = {}
        for status in _ORDER_OF_LIFE:
            found |= await self._rows({"status": status})
        self._whole_until = until
        return found

    async def _since(self, known: Mapping[object, str]) -> dict[object, _Row]:
        """The newest records, and each older one that was open at the last reading."""
        horizon = self._newest - OVERLAP if self._newest else None
        found: dict[object, _Row] = {}
        async for page in self._rest.pages("compute", _PATH, _TABLE, {"limit": _NEWEST}):
            found |= _keyed(page)
            if horizon is not None and any(made < horizon for made in _made(page)):
                break
        older = known.keys() - found.keys()
        if len(older) > FEW:
            return await self._whole()
        for server_id in {known[one] for one in older}:
            found |= await self._rows({"instance_uuid": server_id})
        return found

    def _remember(self, rows: Mapping[object, _Row], known: Mapping[object, str]) -> None:
        for key, row in rows.items():
            server_id = row.get("instance_uuid")
            if _is_open(row) and isinstance(server_id, str):
                self._open[key] = server_id
        for ended in [key for key in known.keys() | rows.keys() if key not in rows or not _is_open(rows[key])]:
            self._open.pop(ended, None)
        self._see(rows.values())

    def _see(self, rows: Iterable[_Row]) -> None:
        before = [self._newest] if self._newest else []
        self._newest = max([*before, *_made(rows)], default=None)

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
