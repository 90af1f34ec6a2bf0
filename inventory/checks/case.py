"""What a check is given: the estate, where its rows stand, and which rows could not be read."""

from dataclasses import dataclass
from typing import Protocol

from inventory.model import Estate, Problem


class Where(Protocol):
    """Answers `file:line` of a row, or of one of its fields."""

    def __call__(self, table: str, name: str, field_name: str = "", /) -> str: ...


def nowhere(table: str, name: str, field_name: str = "", /) -> str:
    """For estates that come from no file."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`broken` holds table and name of the rows that are declared but could not be read.

    `whole` says that no row is broken and no name unknown, so that sums over the estate mean something.
    """

    estate: Estate
    where: Where = nowhere
    broken: frozenset[tuple[str, str]] = frozenset()
    whole: bool = True

    def problem(self, table: str, name: str, what: str, field_name: str = "") -> Problem:
        """A problem of one row, at the line of its field."""
        return Problem(where=self.where(table, name, field_name), what=f"{table} {name}: {what}")

    def declares(self, table: str, name: str) -> bool:
        """Whether some row has that name, be it readable or broken."""
        return name in getattr(self.estate, table) or (table, name) in self.broken
