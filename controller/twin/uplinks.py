"""What passes the uplinks of the twin's racks: what their VMs send and receive beyond the rack, and copies across."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from controller.twin.machines import MIB
from controller.twin.topology import Floats, Rows, Topology
from inventory.facility import DeviceKind
from inventory.model import Estate

_SPEEDS = (1_000, 10_000, 25_000, 40_000, 50_000, 100_000, 200_000, 400_000, 800_000)
"""Mbit/s that a port can have."""
_BEGUN = 3 * 10**12
"""Octets that each counter had counted when the twin began."""

PortName = tuple[str, str]
"""A switch and one of its ports."""


@dataclass(slots=True, kw_only=True)
class Port:
    """One uplink. `received`, `sent`: octets since its counters began; `renewed`: when that was, None for its boot."""

    rack: int
    mbit_s: int
    up: bool = True
    received: float = 0.0
    sent: float = 0.0
    begun: int = _BEGUN
    renewed: float | None = None

    @property
    def octets(self) -> tuple[int, int]:
        """What its counters show of received and sent."""
        return self.begun + int(self.received), self.begun + int(self.sent)

    def renew(self, at: float | None) -> None:
        """Its counters begin anew, with the switch (None) or at a time of their own."""
        self.received, self.sent, self.begun, self.renewed = 0.0, 0.0, 0, at


@dataclass(slots=True, kw_only=True)
class Uplinks:
    """Bytes/s into each rack and out of it now, and the ports that count them.

    `copies_in` and `copies_out`: the part that live migrations across racks have of it.
    """

    ports: Mapping[PortName, Port]
    by_rack: Mapping[int, tuple[Port, ...]]
    copies_in: Floats
    copies_out: Floats
    vms_in: Floats
    vms_out: Floats

    @property
    def into(self) -> Floats:
        """Bytes/s that come into each rack."""
        return self.vms_in + self.copies_in

    @property
    def out(self) -> Floats:
        """Bytes/s that leave each rack."""
        return self.vms_out + self.copies_out

    def spend(self, dt: float) -> None:
        """Counts what passes in `dt` seconds, in equal parts on a rack's ports that are up."""
        into, out = self.into, self.out
        for rack, ports in self.by_rack.items():
            carrying = [port for port in ports if port.up]
            for port in carrying:
                port.received += float(into[rack]) * dt / len(carrying)
                port.sent += float(out[rack]) * dt / len(carrying)

    def of_switch(self, switch: str) -> dict[str, Port]:
        """A switch's uplinks by name."""
        return {name: port for (owner, name), port in sorted(self.ports.items()) if owner == switch}

    def renew(self, switch: str, at: float | None) -> None:
        """The counters of a switch begin anew, with the switch itself (None) or at a time of their own."""
        for port in self.of_switch(switch).values():
            port.renew(at)


def of(estate: Estate, topology: Topology, copy_speed: float) -> Uplinks:
    """Every uplink of an estate, quiet. Ports are as fast as their part of what the rack's uplinks carry asks."""
    switches = [device for device in estate.devices.values() if device.kind is DeviceKind.SWITCH and device.uplinks]
    sharing = Counter(switch.serves for switch in switches for _ in switch.uplinks or ())
    ports = {}
    for switch in switches:
        row = topology.rack_row(switch.serves)
        wanted = topology.rack_uplink_mib_s[row] * MIB * 8 / 1e6 * copy_speed / sharing[switch.serves]
        speed = next((speed for speed in _SPEEDS if speed >= wanted), _SPEEDS[-1])
        for name in sorted(switch.uplinks or ()):
            ports[switch.name, name] = Port(rack=row, mbit_s=speed)
    count = len(topology.racks)
    return Uplinks(
        ports=ports, by_rack=_grouped(ports.values()), copies_in=np.zeros(count), copies_out=np.zeros(count),
        vms_in=np.zeros(count), vms_out=np.zeros(count),
    )  # fmt: skip


def _grouped(ports: Iterable[Port]) -> dict[int, tuple[Port, ...]]:
    found: dict[int, tuple[Port, ...]] = {}
    for port in ports:
        found[port.rack] = (*found.get(port.rack, ()), port)
    return found


def copied(copies: Iterable[tuple[int, int, float]], topology: Topology) -> tuple[Floats, Floats]:
    """Bytes/s into each rack and out of it by copies (source row, target row, bytes/s) that cross racks."""
    into, out = np.zeros(len(topology.racks)), np.zeros(len(topology.racks))
    racks: Rows = topology.host_rack
    for source, target, bytes_s in copies:
        if racks[source] != racks[target]:
            out[racks[source]] += bytes_s
            into[racks[target]] += bytes_s
    return into, out
