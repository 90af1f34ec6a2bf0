"""A paged listing of Nova's that may be cut short after any page, and goes on there when it is asked for again.

Nova takes milliseconds for each row, so a long listing outlasts a look's deadline; begun anew each time it would never
end. What changed while it went on is its reader's to ask for.
"""

from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any

from controller.adapters.openstack.rest import Rest
from controller.adapters.openstack.session import Version
from controller.errors import RefusedError, TransientError

Rows = Mapping[str, Mapping[str, Any]]
"""By id."""


def _never() -> bool:
    return False


class Listing:
    """`take` is given the rows of each page; `listed` are the ids of all that were given."""

    def __init__(
        self,
        rest: Rest,
        path: str,
        table: str,
        params: Mapping[str, str],
        take: Callable[[Rows], None],
        *,
        version: Version | None = None,
    ) -> None:
        self._rest = rest
        self._path = path
        self._table = table
        self._params = params
        self._take = take
        self._version = version
        self._marker: dict[str, str] = {}
        self.listed: set[str] = set()

    async def ended(self, enough: Callable[[], bool] = _never) -> bool:
        """Reads on to the end, or until it is `enough` after a page; whether it came to the end.

        Raises what `Rest.pages` raises. Where Nova refuses, such as a marker that is gone, and where a page comes twice
        (`TransientError`), it begins anew the next time.
        """
        try:
            return await self._ended(enough)
        except RefusedError:
            self._begin_anew()
            raise

    async def _ended(self, enough: Callable[[], bool]) -> bool:
        asked = {**self._params, **self._marker}
        pages = self._rest.pages("compute", self._path, self._table, asked, version=self._version)
        async with aclosing(pages):
            async for page in pages:
                rows = {str(row.get("id", "?")): row for row in page}
                if rows and rows.keys() <= self.listed:
                    self._begin_anew()
                    raise TransientError("a page came twice", where=f"GET compute {self._path}")
                self._take(rows)
                self.listed |= rows.keys()
                if rows:
                    self._marker = {"marker": next(reversed(rows))}
                if enough():
                    return False
        return True

    def _begin_anew(self) -> None:
        self._marker, self.listed = {}, set()
