"""What a device answered, by OID, with the few views of it that decoders need."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from controller.adapters.snmp.oids import SYS_UPTIME, Oid
from controller.adapters.snmp.pdu import Value

_NUMBER = re.compile(r"\s*([+-]?\d{1,15}(?:\.\d{1,15})?(?!\d))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """Objects that were answered in one message, None where the device has none, and sysUpTime as it said there."""

    ticks: int | None
    values: Mapping[Oid, Value | None]


@dataclass(frozen=True, slots=True)
class Answers:
    """Objects that the device does not have are left out. `dated`: those that were asked together, by message."""

    values: Mapping[Oid, Value]
    dated: tuple[Dated, ...] = ()

    def together(self, oid: Oid) -> "Answers | None":
        """What came in one message with that object, sysUpTime too; None where it was not asked so."""
        for each in self.dated:
            if oid in each.values:
                present = {of: value for of, value in each.values.items() if value is not None}
                return Answers(present if each.ticks is None else {**present, SYS_UPTIME: each.ticks})
        return None

    def integer(self, oid: Oid) -> int | None:
        """The object's number, None where it is absent or no number."""
        value = self.values.get(oid)
        return value if isinstance(value, int) else None

    def text(self, oid: Oid) -> str | None:
        """The object's text without padding, None where it is absent or no text."""
        value = self.values.get(oid)
        return value.decode("utf-8", "replace").strip("\0 \t\r\n") if isinstance(value, bytes) else None

    def number(self, oid: Oid) -> float | None:
        """A number that the device writes as text (`"24.00"`, `"176 Watts"`), or as a number."""
        text = self.text(oid)
        if text is None:
            value = self.integer(oid)
            return None if value is None else float(value)
        match = _NUMBER.match(text)
        return float(match[1]) if match else None

    def rows(self, column: Oid) -> tuple[Oid, ...]:
        """The indexes of a column's objects, in order."""
        length = len(column)
        return tuple(sorted(of[length:] for of in self.values if of[:length] == column))

    def integers(self, column: Oid) -> tuple[int, ...]:
        """A column's numbers, in the order of their indexes."""
        found = (self.integer(column + row) for row in self.rows(column))
        return tuple(value for value in found if value is not None)

    def texts(self, column: Oid) -> tuple[str, ...]:
        """A column's texts, in the order of their indexes."""
        found = (self.text(column + row) for row in self.rows(column))
        return tuple(value for value in found if value is not None)
