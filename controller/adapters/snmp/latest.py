"""The newest readings of every device, put into columns when asked for."""

from collections.abc import Sequence
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
    """

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
        columns: dict[tuple[Kind, Quantity], list[tuple[str, float, float]]] = {}
        for readings in self._by_device.values():
            for (kind, quantity, name), (reading, at) in readings.items():
                columns.setdefault((kind, quantity), []).append((name, reading.value, at))
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
        ]
