"""All of Nova's servers, with one question of what changed at most looks instead of a whole listing.

Nova takes some milliseconds for each server that it lists in detail, and asks Neutron about it besides, so a whole
listing of a large cloud takes it minutes. `changes-since` lists what was written since a time, with what was deleted
(Compute API guide, "Efficient polling"). All are gone over again by and by, for what is no change of a server to Nova:
volumes, an older cloud's zones, a row that was lost. Whichever is cut short goes on at the next look.

Nova leaves a cell that does not answer out of its lists, without saying so there. So no server is forgotten because a
listing lacks it: Nova is asked for that one. And while a compute service cannot be told (`silent`), the time since when
changes are asked for stands still.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from controller.adapters.openstack import parse
from controller.adapters.openstack.listing import Listing, Rows
from controller.adapters.openstack.rest import Rest, utc_now
from controller.errors import RefusedError, TransientError
from controller.model import cloud

_log = logging.getLogger(__name__)

ROUND_S = 600.0
"""So long after they were all gone over they are gone over again ..."""

BUDGET_S = 5.0
"""... while a look has taken no longer than that."""

OVERLAP = timedelta(minutes=5)
"""How far the clocks of Nova's services may be apart: what was written this much earlier is read again."""

MOST_ASKED = 20
"""Servers that a look asks for one by one, at most."""

GONE = frozenset({"DELETED", "SOFT_DELETED"})
"""Statuses of a server that a whole listing leaves out."""

PATH, TABLE = "/servers/detail", "servers"
PAGE = "200"
"""A page must come within a look: at a Nova that takes 13 ms a server, in 3 s."""

_Seen = cloud.Server | str
"""A server, or in words why its row cannot be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What changed; the next one asks for what changed since `then`."""

    listing: Listing
    then: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """All; `before` are those that were known when it began."""

    listing: Listing
    before: frozenset[str]
    began: datetime


class ListedServers:
    """Reads them and remembers them. `read` gives a row its value, and raises `parse.RowError` where it cannot.

    `silent`: a cell does not answer, as its compute services show.
    """

    def __init__(
        self,
        rest: Rest,
        read: Callable[[Mapping[str, Any]], cloud.Server],
        elapsed: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.silent = False
        self._rest = rest
        self._read = read
        self._elapsed = elapsed
        self._now = now
        self._alone = asyncio.Lock()
        self._known: dict[str, _Seen] = {}
        self._since: datetime | None = None
        self._question: _Question | None = None
        self._round: _Round | None = None
        self._next_round_s = 0.0
        self._doubtful: deque[str] = deque()
        self._newest: datetime | None = None
        self._ahead: timedelta | None = None

    async def all(self) -> parse.Parsed[cloud.Server]:
        """All that are not deleted. Raises what `Listing.ended` raises."""
        async with self._alone:
            began_s = self._elapsed()
            since = self._since if self._since and self._newest else await self._first()
            if self._question is not None:  # of an earlier look; what came since then it may have passed by
                since = await self._change(since)
            await self._change(since)
            try:
                await self._go_over(lambda: self._elapsed() >= began_s + BUDGET_S)
                await self._ask_again()
            except (TransientError, RefusedError) as error:  # what is known stays as good as it was
                _log.info("servers are not gone over again: %s", error)
            return parse.Parsed(
                values=tuple(one for one in self._known.values() if isinstance(one, cloud.Server)),
                flaws=tuple(one for one in self._known.values() if isinstance(one, str)),
            )

    async def _first(self) -> datetime:
        """Lists all; since when changes are to be asked for then."""
        going = self._round = self._round or self._new_round()
        await going.listing.ended()
        self._gone_over(self._known.keys() - going.listing.listed)  # of a listing that was begun anew
        self._since = going.began - OVERLAP
        return self._since

    async def _change(self, since: datetime) -> datetime:
        """Asks what changed since it was asked before; since when to ask the next time.

        Nova's clock may be behind ours, by no more than the age of its newest stamp when that was seen.
        """
        if self._question is None:
            written = since - (self._ahead or timedelta(0))
            asked = {"all_tenants": "1", "limit": PAGE, "changes-since": f"{written:%Y-%m-%dT%H:%M:%SZ}"}
            listing = Listing(self._rest, PATH, TABLE, asked, self._take)
            self._question = _Question(listing=listing, then=self._now() - OVERLAP)
        await self._question.listing.ended()
        self._since = since if self.silent else self._question.then
        self._question = None
        self._measure(self._ahead)
        return self._since

    async def _go_over(self, enough: Callable[[], bool]) -> None:
        """Some pages further; at the end, whom it lacks is to be asked for."""
        if enough() or (self._round is None and self._elapsed() < self._next_round_s):
            return
        going = self._round = self._round or self._new_round()
        if await going.listing.ended(enough):
            self._gone_over(going.before - going.listing.listed)

    def _gone_over(self, lacking: Iterable[str]) -> None:
        """A round is over, and lacked these."""
        self._round, self._next_round_s = None, self._elapsed() + ROUND_S
        self._doubtful.extend(lacking)
        self._measure()

    def _new_round(self) -> _Round:
        listing = Listing(self._rest, PATH, TABLE, {"all_tenants": "1", "limit": PAGE}, self._take)
        return _Round(listing=listing, before=frozenset(self._known), began=self._now())

    async def _ask_again(self) -> None:
        """Asks for the first of those that a round lacked, could not be understood, or may go without a word."""
        waiting = set(self._doubtful)
        self._doubtful.extend(key for key, seen in self._known.items() if _fleeting(seen) and key not in waiting)
        asked = [self._doubtful.popleft() for _ in range(min(MOST_ASKED, len(self._doubtful)))]
        await asyncio.gather(*(self._ask_for(key) for key in asked if key in self._known))

    async def _ask_for(self, key: str) -> None:
        body = await self._rest.find("compute", f"/servers/{key}")
        row = {"status": "DELETED"} if body is None else body.get("server")
        if isinstance(row, dict) and row.get("status") != "UNKNOWN":  # as Nova shows one whose cell is silent
            self._take({key: row})

    def _take(self, rows: Rows) -> None:
        for key, row in rows.items():
            with suppress(parse.RowError):
                written = parse.moment(row, "updated")
                self._newest = max(self._newest or written, written)
            if row.get("status") in GONE:
                self._known.pop(key, None)
            else:
                self._known[key] = self._seen(row)

    def _seen(self, row: Mapping[str, Any]) -> _Seen:
        found = parse.parsed("server", (row,), self._read)
        return found.values[0] if found.values else found.flaws[0]

    def _measure(self, before: timedelta | None = None) -> None:
        """How far our clock may be ahead of Nova's; measured anew at each round, since clocks are set."""
        if self._newest is not None:
            age = max(self._now() - self._newest, timedelta(0))
            self._ahead = age if before is None else min(age, before)


def _fleeting(seen: _Seen) -> bool:
    """One that Nova deletes, as it is, without writing down when; and one that could not be understood."""
    return isinstance(seen, str) or seen.status == "BUILD" or seen.task_state == "deleting"
