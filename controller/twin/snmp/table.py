"""What one device knows, sorted as SNMP walks it."""

import bisect
from collections.abc import Sequence

from controller.twin.snmp import ber

Row = tuple[str, bytes]
"""An object's dotted identifier and its encoded value."""


class Shape:
    """The identifiers of one kind of device, sorted and encoded once for all devices that have them."""

    _known: dict[tuple[str, ...], "Shape"] = {}  # noqa: RUF012 - a cache, one for the process

    def __init__(self, names: tuple[str, ...]) -> None:
        parsed = [ber.parse(name) for name in names]
        self.order = sorted(range(len(names)), key=parsed.__getitem__)
        self.oids = [parsed[n] for n in self.order]
        self.encoded = [ber.object_id(oid) for oid in self.oids]
        self.exact = {each[2:] if each[1] < 0x80 else each[3:]: n for n, each in enumerate(self.encoded)}

    @classmethod
    def of(cls, names: tuple[str, ...]) -> "Shape":
        """The shape of these identifiers, in the order in which their values come."""
        if names not in cls._known:
            cls._known[names] = cls(names)
        return cls._known[names]


class Table:
    """A device's objects at one moment."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._shape = Shape.of(tuple(name for name, _ in rows))
        self._values = [rows[n][1] for n in self._shape.order]

    def get(self, body: bytes) -> bytes:
        """The variable binding of exactly this object; noSuchObject where there is none."""
        at = self._shape.exact.get(body)
        return ber.tlv(ber.SEQUENCE, ber.tlv(ber.OID, body) + ber.NO_SUCH_OBJECT) if at is None else self.binding(at)

    def after(self, body: bytes) -> int:
        """The position of the first object behind this one."""
        at = self._shape.exact.get(body)
        return at + 1 if at is not None else bisect.bisect_right(self._shape.oids, ber.read_oid(body))

    def binding(self, at: int) -> bytes:
        """The variable binding at a position that `after` gave, or past the end."""
        if at >= len(self._values):
            return ber.tlv(ber.SEQUENCE, self._shape.encoded[-1] + ber.END_OF_MIB)
        return ber.tlv(ber.SEQUENCE, self._shape.encoded[at] + self._values[at])

    def next(self, body: bytes) -> bytes:
        """The binding of the object behind this one; endOfMibView, under the name that was asked, behind the last."""
        at = self.after(body)
        if at >= len(self._values):
            return ber.tlv(ber.SEQUENCE, ber.tlv(ber.OID, body) + ber.END_OF_MIB)
        return self.binding(at)

    def __len__(self) -> int:
        return len(self._values)
