"""What a device's firmware sees of the world: the values that its tables are written from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from controller.model.sample import Health
from controller.twin.ailments import Part, Sensor
from controller.twin.world import World
from inventory.facility import Device, Pdu
from inventory.model import Host


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A host as its BMC sees it. None is a dead sensor. `psus`: for each cord, whether current comes in."""

    name: str
    powered: bool
    inlet_celsius: float | None
    cpu_celsius: float
    watts: float | None
    energy_wh: float
    fan_rpm: int
    psus: tuple[bool, ...]
    psu_rated_watts: int
    health: Mapping[Part, Health]
    warning_celsius: float
    critical_celsius: float

    @property
    def worst(self) -> Health:
        """The worst health of any part; WARNING at least where a cord is dead."""
        dead = Health.WARNING if not all(self.psus) else Health.OK
        return max(*self.health.values(), dead)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A rack PDU. None is a dead meter."""

    name: str
    volts: float
    rated_amps: float
    phase_watts: tuple[float | None, ...]
    energy_kwh: float

    @property
    def watts(self) -> float | None:
        """All phases together."""
        known = [watts for watts in self.phase_watts if watts is not None]
        return sum(known) if len(known) == len(self.phase_watts) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """A UPS. `live` is whether its output carries current."""

    name: str
    on_battery: bool
    live: bool
    minutes: float
    full_minutes: float
    watts: float
    rated_watts: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Jack:
    """A port of a switch. `renewed_s`: the switch's uptime when its counters last began anew."""

    name: str
    alias: str
    up: bool
    mbit_s: int
    received: int
    sent: int
    renewed_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A switch: a port for each host of its rack, then its uplinks."""

    name: str
    ports: tuple[Jack, ...]


def board(world: World, host: Host, row: int) -> Board:
    """A host's BMC, now."""
    hosts, topo, ailments = world.hosts, world.topology, world.ailments
    kind = world.estate.host_types[host.type]
    zone = world.estate.zones[world.estate.racks[host.rack].zone]
    load = float(hosts.cpu_ratio[row])
    inlet = ailments.reading(host.name, Sensor.INLET, float(hosts.inlet[row]))
    live = world.plant.live
    feeds = [topo.feed_row(world.estate.pdus[cord.pdu].feed) for cord in host.cords]
    return Board(
        name=host.name,
        powered=bool(hosts.powered[row]),
        inlet_celsius=inlet,
        cpu_celsius=float(hosts.inlet[row]) + 15.0 + 35.0 * load,
        watts=ailments.reading(host.name, Sensor.POWER, float(hosts.watts[row])),
        energy_wh=float(hosts.energy_wh[row]),
        fan_rpm=int(4000 + 6000 * load) if hosts.powered[row] else 0,
        psus=tuple(bool(live[feed]) for feed in feeds),
        psu_rated_watts=int(-(-kind.peak_watts * 1.25 // 100) * 100),
        health={part: ailments.health_of(host.name, part) for part in Part},
        warning_celsius=zone.warning_celsius,
        critical_celsius=zone.critical_celsius,
    )


def strip(world: World, pdu: Pdu) -> Strip:
    """A PDU, now. A lying or dead meter gives every phase its share of the lie."""
    topo, plant = world.topology, world.plant
    row = topo.pdus.index(pdu.name)
    first = topo.phases.index(f"{pdu.name}/1")
    phases = [float(watts) for watts in plant.phase_watts[first : first + pdu.phases]]
    total = sum(phases)
    told = world.ailments.reading(pdu.name, Sensor.POWER, total)
    shown = [None if told is None else watts * (told / total if total else 1.0) for watts in phases]
    return Strip(
        name=pdu.name,
        volts=pdu.volts,
        rated_amps=pdu.rated_amps,
        phase_watts=tuple(shown),
        energy_kwh=1000.0 + float(plant.pdu_energy_wh[row]) / 1000.0,
    )


def panel(world: World, device: Device, began: float) -> Panel:
    """A switch, now; `began`: when it started."""
    hosts, topo = world.hosts, world.topology
    inside = np.flatnonzero(topo.host_rack == topo.rack_row(device.serves))
    octets = [int(hosts.rx_bytes[row]) for row in inside]
    ports = [
        Jack(name=f"Ethernet{n}/1", alias=topo.hosts[row], up=bool(hosts.powered[row]), mbit_s=25_000, received=passed,
             sent=passed)
        for n, (row, passed) in enumerate(zip(inside, octets, strict=True), 1)
    ]  # fmt: skip
    for name, port in world.uplinks.of_switch(device.name).items():
        received, sent = port.octets
        renewed_s = 0.0 if port.renewed is None else max(0.0, port.renewed - began)
        ports.append(
            Jack(name=name, alias="spine", up=port.up, mbit_s=port.mbit_s, received=received, sent=sent,
                 renewed_s=renewed_s)
        )  # fmt: skip
    return Panel(name=device.name, ports=tuple(ports))


def supply(world: World, device: Device) -> Supply:
    """A UPS, now."""
    row = world.topology.feed_row(device.serves)
    plant = world.plant
    return Supply(
        name=device.name,
        on_battery=not bool(plant.mains[row]),
        live=bool(plant.live[row]),
        minutes=float(plant.battery_minutes[row]),
        full_minutes=world.nature.battery_minutes,
        watts=float(plant.feed_watts[row]),
        rated_watts=world.estate.feeds[device.serves].rated_watts,
    )
