"""All of Nova's servers, with one question of what changed at most looks instead of a whole listing.

Nova takes some milliseconds for each server that it lists in detail, and asks Neutron about it besides, so a whole
listing of a large cloud takes it minutes. `changes-since` lists what was written since a time, with what was deleted
(Compute API guide, "Efficient polling"). The rest is gone over by and by, some pages at each look, for what is no
change of a server to Nova: volumes, an older cloud's zones, a row that was lost.

The first listing is whole. One that is cut short is gone on with, not begun anew, so that it ends at some look however
short a look's deadline is; what changed in the meantime is asked for after its last page.

A cell that does not answer is left out of what changed: its servers stay as they were seen last.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from controller.adapters.openstack import parse
from controller.adapters.openstack.rest import Rest, utc_now
from controller.errors import RefusedError, TransientError
from controller.model import cloud

ROUND_S = 600.0
"""After this long all servers are gone over again ..."""

LOOKS = 20
"""... over so many looks."""

OVERLAP = timedelta(minutes=5)
"""How far the clocks of Nova's services may be apart: what was written this much earlier is read again."""

GONE = frozenset({"DELETED", "SOFT_DELETED"})
"""Statuses of a server that a whole listing leaves out."""

PATH, TABLE, PAGE = "/servers/detail", "servers", "1000"

_Row = Mapping[str, Any]
_Seen = cloud.Server | str
"""A server, or in words why its row cannot be understood."""


@dataclass(slots=True, kw_only=True)
class _Round:
    """A listing under way: the ids it has `listed`, and by id what it showed and what changed since.

    `marker` is the last one it has listed.
    """

    began_s: float
    since: datetime
    listed: set[str] = field(default_factory=set)
    rows: dict[str, _Seen] = field(default_factory=dict)
    marker: str | None = None
    pages: int = 0


class ListedServers:
    """Reads them and remembers them. `read` gives a row its value, and raises `parse.RowError` where it cannot."""

    def __init__(
        self,
        rest: Rest,
        read: Callable[[_Row], cloud.Server],
        elapsed: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._rest = rest
        self._read = read
        self._elapsed = elapsed
        self._now = now
        self._alone = asyncio.Lock()
        self._known: dict[str, _Seen] | None = None
        self._newest: datetime | None = None
        self._asked: datetime | None = None
        self._ahead: timedelta | None = None
        self._round: _Round | None = None
        self._next_round_s = 0.0
        self._pages_a_look = 1

    async def all(self) -> parse.Parsed[cloud.Server]:
        """All that are not deleted. Raises what `Rest.pages` raises."""
        async with self._alone:
            if self._known is None or self._elapsed() >= self._next_round_s or self._round is not None:
                await self._go_round()
            known = self._known
            if known is None:
                raise TransientError("the listing of servers did not end", where=f"GET compute {PATH}")
            await self._change(known)
            return parse.Parsed(
                values=tuple(one for one in known.values() if isinstance(one, cloud.Server)),
                flaws=tuple(one for one in known.values() if isinstance(one, str)),
            )

    async def _go_round(self) -> None:
        """Some pages further; the first time, to the end."""
        if self._round is None:
            self._round = _Round(began_s=self._elapsed(), since=self._now() - OVERLAP)
        going = self._round
        most = math.inf if self._known is None else going.pages + self._pages_a_look
        try:
            if not await self._ended(going, most):
                return
        except RefusedError:  # such as for a marker that is gone
            self._round = None
            raise
        self._known, self._asked = going.rows, self._asked or going.since
        self._measure()
        self._round, self._next_round_s = None, going.began_s + ROUND_S
        self._pages_a_look = math.ceil(going.pages / LOOKS)

    async def _ended(self, going: _Round, most: float) -> bool:
        """Goes on until it has `most` pages; whether it came to the end before."""
        marker = {"marker": going.marker} if going.marker else {}
        asked = {"all_tenants": "1", "limit": PAGE, **marker}
        async with aclosing(self._rest.pages("compute", PATH, TABLE, asked)) as pages:
            async for page in pages:
                rows = {_key(row): row for row in page}
                if rows and rows.keys() <= going.listed:
                    self._round = None
                    raise TransientError("a page came twice", where=f"GET compute {PATH}")
                going.listed |= rows.keys()
                going.rows |= self._parsed(rows)
                going.marker, going.pages = next(reversed(rows), going.marker), going.pages + 1
                if going.pages >= most:
                    return False
        return True

    async def _change(self, known: dict[str, _Seen]) -> None:
        """Asks what changed since it was asked before.

        Nova's clock may be behind ours, by no more than its newest stamp ever was when it was seen.
        """
        asking = self._now() - OVERLAP
        since = (self._asked or asking) - (self._ahead or timedelta(0))
        query = {"all_tenants": "1", "limit": PAGE, "changes-since": f"{since:%Y-%m-%dT%H:%M:%SZ}"}
        rows: dict[str, _Row] = {}
        async for page in self._rest.pages("compute", PATH, TABLE, query):
            rows |= {_key(row): row for row in page}
        changed = self._parsed({key: row for key, row in rows.items() if row.get("status") not in GONE})
        for shown in (known, self._round.rows if self._round else {}):
            shown.update(changed)
            for key in rows.keys() - changed.keys():
                shown.pop(key, None)
        self._asked = asking
        self._measure()

    def _measure(self) -> None:
        if self._newest is not None:
            behind = max(self._now() - self._newest, timedelta(0))
            self._ahead = behind if self._ahead is None else min(self._ahead, behind)

    def _parsed(self, rows: Mapping[str, _Row]) -> dict[str, _Seen]:
        """What each row says; the newest time among them is remembered."""
        found: dict[str, _Seen] = {}
        for key, row in rows.items():
            try:
                server = found[key] = self._read(row)
            except parse.RowError as error:
                found[key] = f"server {key}: {error.what}"
            else:
                if server.updated_at is not None:
                    self._newest = max(self._newest or server.updated_at, server.updated_at)
        return found


def _key(row: _Row) -> str:
    return str(row.get("id", "?"))
