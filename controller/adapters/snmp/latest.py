"""The newest readings of every device, put into columns when asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from controller.adapters.snmp.device import Polled
from controller.adapters.snmp.findings import SOURCE, Reading
from controller.model.sample import Batch, Kind, Quantity


@dataclass(slots=True)
class Latest:
    """Readings by device, each with the second since the epoch at which the device had answered.

    An answer replaces the whole of the device's earlier one: what it no longer says is gone, but for what it says is
    unchanged. A failed poll replaces only its `up`: the rest grows old.

    `units`: how many UPSs feed each feed together. Its watts are the sum of theirs, where all have told them, of the
    oldest's time; its battery is the one that ends first.
    """

    units: Mapping[str, int] = field(default_factory=dict)
    _by_device: dict[str, dict[tuple[Kind, Quantity, str], tuple[Reading, float]]] = field(default_factory=dict)

    def put(self, device: str, polled: Polled) -> None:
        fresh = {(each.kind, each.quantity, each.name): (each, polled.at) for each in polled.readings}
        before = self._by_device.get(device, {})
        kept = {of: each for of, each in before.items() if not polled.answered or of[2] in polled.unchanged}
        self._by_device[device] = {**kept, **fresh}

    def forget(self, device: str) -> None:
        """Drops what the device said."""
        self._by_device.pop(device, None)

    def batches(self) -> Sequence[Batch]:
        """One batch for each kind and quantity."""
        told: dict[tuple[Kind, Quantity, str], list[tuple[float, float]]] = {}
        for readings in self._by_device.values():
            for key, (reading, at) in readings.items():
                told.setdefault(key, []).append((reading.value, at))
        columns: dict[tuple[Kind, Quantity], list[tuple[str, float, float]]] = {}
        for (kind, quantity, name), several in told.items():
            one = _of_units(quantity, several, self.units.get(name, 1)) if kind is Kind.FEED else several
            columns.setdefault((kind, quantity), []).extend((name, *each) for each in one)
        return [
            Batch(
                kind=kind,
                quantity=quantity,
                source=SOURCE,
                names=tuple(name for name, _, _ in rows),
                values=np.array([value for _, value, _ in rows], np.float64),
                at=np.array([at for _, _, at in rows], np.float64),
            )
            for (kind, quantity), rows in sorted(columns.items())
            if rows
        ]


def _of_units(quantity: Quantity, told: list[tuple[float, float]], units: int) -> list[tuple[float, float]]:
    """Value and time of a feed, of those that its UPSs told."""
    if quantity is Quantity.POWER_WATTS:
        return [(sum(value for value, _ in told), min(at for _, at in told))] if len(told) >= units else []
    return [min(told)] if quantity is Quantity.BATTERY_MINUTES else told
