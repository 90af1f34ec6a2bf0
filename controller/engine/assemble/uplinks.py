"""What passes each rack's uplinks: the sum of its switches' ports, or nothing where one of them is not known."""

from collections.abc import Iterable

import numpy as np

from controller.engine.gate import Gate
from controller.model import cluster as model
from controller.model.sample import IntColumn, Kind, Quantity, Trust
from inventory.facility import DeviceKind
from inventory.model import Estate


def traffic(estate: Estate, gate: Gate, racks: Iterable[str]) -> tuple[model.Reading, model.Reading]:
    """What comes into each rack and what leaves it, in bytes/s.

    A rack's reading is trusted as the least trusted of its ports', and of the time and source of the oldest. A rack
    with a port that was not read, or without uplinks, has none: a part is never told as the whole.
    """
    rows = {name: row for row, name in enumerate(racks)}
    every = sorted((rows[rack], name) for rack, name in ports(estate))
    rack = np.array([row for row, _ in every], np.int32)
    names = tuple(name for _, name in every)
    into, out = (
        _summed(gate.reading(Kind.PORT, quantity, names), rack, len(rows))
        for quantity in (Quantity.UPLINK_IN_BYTES_S, Quantity.UPLINK_OUT_BYTES_S)
    )
    return into, out


def unread(estate: Estate, racks: model.Racks) -> bool:
    """Whether a rack that names uplinks has no reading of them."""
    named = {rack for rack, _ in ports(estate)}
    trust = zip(racks.names, racks.uplink_in_bytes_s.trust.tolist(), strict=True)
    return any(rack in named and each == Trust.ABSENT for rack, each in trust)


def ports(estate: Estate) -> tuple[tuple[str, str], ...]:
    """The rack of every uplink, and the uplink's name in readings, sorted by that."""
    switches = [device for device in estate.devices.values() if device.kind is DeviceKind.SWITCH]
    named = ((switch.serves, f"{switch.name}/{port}") for switch in switches for port in switch.uplinks or ())
    return tuple(sorted(named, key=lambda port: port[1]))


def _summed(ports: model.Reading, rack: IntColumn, racks: int) -> model.Reading:
    """The ports' readings by rack; `rack` is each port's, sorted."""
    found = model.absent(racks)
    if not len(rack):
        return found
    has, first = np.unique(rack, return_index=True)
    trust, sums = np.maximum.reduceat(ports.trust, first), np.add.reduceat(ports.values, first)
    oldest = np.lexsort((ports.at, rack))[first]
    whole = trust < Trust.ABSENT
    at = has[whole]
    found.trust[has] = trust
    found.values[at] = sums[whole]
    found.at[at] = ports.at[oldest][whole]
    found.source[at] = ports.source[oldest][whole]
    return found
