"""A profile's reading plan: which objects to ask for, and the decoder that reads the answers."""

from collections.abc import Callable
from dataclasses import dataclass

from controller.adapters.snmp.answers import Answers
from controller.adapters.snmp.findings import Findings
from controller.adapters.snmp.oids import Oid
from controller.adapters.snmp.target import Target

ROWS_A_BULK = 12

Decoder = Callable[[Answers, Findings], None]
"""Pure but for filling in the findings."""

Together = Callable[[Answers, Target], tuple[tuple[Oid, ...], ...]]
"""Groups of objects that mean something only of one moment, chosen by what the walk found."""


def _every(row: Oid) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns that are walked side by side. `live` ones are read at every poll, `fixed` ones (names, types) only with
    the walk. `wanted` says of a row's index whether it is read between walks; `rows_a_bulk`: how many are walked at a
    time."""

    live: tuple[Oid, ...]
    fixed: tuple[Oid, ...] = ()
    wanted: Callable[[Oid], bool] = _every
    rows_a_bulk: int = ROWS_A_BULK


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPlan:
    """`scalars` are whole OIDs with their instance. An optional object that a device lacks costs nothing more.

    `together` is asked at every poll, each group in one message with sysUpTime.
    """

    scalars: tuple[Oid, ...] = ()
    tables: tuple[Table, ...] = ()
    decode: Decoder
    together: Together | None = None
