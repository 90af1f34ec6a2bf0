"""Traps (SNMPv2-Trap, RFC 3416): what devices tell unasked when a part fails or a UPS goes on battery.

A trap is sent once at the change; the first look sets what is normal.
"""

from collections.abc import Iterator, Sequence

from controller.model.sample import Health
from controller.twin.ailments import Part, Sensor
from controller.twin.snmp import ber, pdus, usm
from controller.twin.snmp.devices import Device
from controller.twin.world import World
from inventory.facility import SnmpProfile

_TRAP_OID = ber.parse("1.3.6.1.6.3.1.1.4.1.0")
_UPTIME_OID = ber.parse("1.3.6.1.2.1.1.3.0")
_DELL = "1.3.6.1.4.1.674.10892.5.3.2"
_HPE = "1.3.6.1.4.1.232.0"
_FAILED = {
    SnmpProfile.IDRAC: {
        Part.MEMORY: f"{_DELL}.1.0.2265", Part.PSU: f"{_DELL}.1.0.2185", Part.FAN: f"{_DELL}.1.0.2153",
        Part.DISK: f"{_DELL}.2.0.4345",
    },
    SnmpProfile.ILO: {Part.PSU: f"{_HPE}.6050", Part.FAN: f"{_HPE}.6036"},
}  # fmt: skip
_HOT = {SnmpProfile.IDRAC: f"{_DELL}.1.0.2161", SnmpProfile.ILO: f"{_HPE}.6040"}
_ON_BATTERY = "1.3.6.1.2.1.33.2.1"
_PSU_LOST = {SnmpProfile.IDRAC: f"{_DELL}.1.0.2185", SnmpProfile.ILO: f"{_HPE}.6069"}


class Traps:
    """What has been told already. Nothing is sent until a `receiver` (address and port) is named."""

    def __init__(self, world: World, devices: Sequence[Device]) -> None:
        self._world = world
        self._devices = [each for each in devices if each.profile in _SPEAKERS]
        self._told: dict[str, frozenset[str]] | None = None
        self._count = 0
        self.receiver: tuple[str, int] | None = None

    def due(self) -> Iterator[tuple[Device, bytes, tuple[str, int]]]:
        """Messages to be sent now."""
        if self.receiver is None:
            return
        now = {device.name: frozenset(self._states(device)) for device in self._devices}
        before, self._told = self._told, now
        for device in self._devices if before is not None else ():
            assert before is not None
            for trap in sorted(now[device.name] - before[device.name]):
                if device.name not in self._world.ailments.dead:
                    yield device, self._message(device, ber.parse(trap)), self.receiver

    def _states(self, device: Device) -> Iterator[str]:
        """The traps that what is wrong with a device now stands for."""
        world = self._world
        if device.profile is SnmpProfile.UPS_MIB:
            feed = world.estate.devices[device.name].serves
            if not world.plant.mains[world.topology.feed_row(feed)]:
                yield _ON_BATTERY
            return
        for part, trap in _FAILED[device.profile].items():
            if world.ailments.health_of(device.name, part) is Health.FAILED:
                yield trap
        host = world.estate.hosts[device.name]
        inlet = world.ailments.reading(device.name, Sensor.INLET, float(world.hosts.inlet[self._row(device)]))
        if inlet is not None and inlet > world.estate.zones[world.estate.racks[host.rack].zone].critical_celsius:
            yield _HOT[device.profile]
        feeds = [world.topology.feed_row(world.estate.pdus[cord.pdu].feed) for cord in host.cords]
        if not all(world.plant.live[feed] for feed in feeds):
            yield _PSU_LOST[device.profile]

    def _row(self, device: Device) -> int:
        return self._world.topology.host_row(device.name)

    def _message(self, device: Device, trap: ber.Oid) -> bytes:
        """The trap in the version that the device speaks."""
        self._count += 1
        now = self._world.now
        bindings = ber.tlv(ber.SEQUENCE, ber.object_id(_UPTIME_OID) + ber.ticks(now - device.engine.began))
        bindings += ber.tlv(ber.SEQUENCE, ber.object_id(_TRAP_OID) + ber.object_id(trap))
        body = ber.integer(self._count) + ber.integer(0) + ber.integer(0) + ber.tlv(ber.SEQUENCE, bindings)
        pdu = ber.tlv(pdus.TRAP, body)
        if device.secret.user:
            return usm.sealed_message(device.engine, ber.integer(self._count), b"", pdu, now)
        community = ber.tlv(ber.OCTETS, device.secret.community.encode())
        return ber.tlv(ber.SEQUENCE, ber.integer(1) + community + pdu)


_SPEAKERS = frozenset({SnmpProfile.IDRAC, SnmpProfile.ILO, SnmpProfile.UPS_MIB})
"""Profiles whose traps the twin sends."""
