"""The agents of an estate: which device answers at which address, as what, and with which secret."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from controller.twin.credentials import SnmpSecret
from controller.twin.snmp import ber, bmcs, power, switches, views
from controller.twin.snmp.table import Row, Table
from controller.twin.snmp.usm import Engine
from controller.twin.world import World
from inventory.facility import SnmpProfile

UPTIME_S = 86_400.0 * 3
"""How long every agent had been up when the twin began."""
_KEPT_S = 1.0
"""A device's values are worked out again after this long."""
_SYSTEM = "1.3.6.1.2.1.1"
_ENGINE = "1.3.6.1.6.3.10.2.1"
_BOARDS = {
    SnmpProfile.IDRAC: (bmcs.idrac, "1.3.6.1.4.1.674.10892.5", 674),
    SnmpProfile.ILO: (bmcs.ilo, "1.3.6.1.4.1.232.9.4.11", 232),
    SnmpProfile.XCC: (bmcs.xcc, "1.3.6.1.4.1.19046.11.1", 19046),
    SnmpProfile.SUPERMICRO: (bmcs.supermicro, "1.3.6.1.4.1.21317", 21317),
}
_STRIPS = {
    SnmpProfile.APC_PDU: (power.apc, "1.3.6.1.4.1.318.1.3.4.5", 318),
    SnmpProfile.RARITAN_PDU: (power.raritan, "1.3.6.1.4.1.13742.6", 13742),
}


@dataclass(slots=True, kw_only=True)
class Device:
    """One agent. `rows` gives its own objects as they are now."""

    name: str
    profile: SnmpProfile
    address: tuple[str, int]
    secret: SnmpSecret
    engine: Engine
    object_id: str
    rows: Callable[[], Iterator[Row]]
    kept: Table | None = None
    kept_at: float = 0.0

    def table(self, now: float) -> Table:
        """Everything that it serves, at most a second old."""
        if self.kept is None or not 0.0 <= now - self.kept_at < _KEPT_S:
            self.kept, self.kept_at = Table([*self._common(now), *self.rows()]), now
        return self.kept

    def _common(self, now: float) -> Iterator[Row]:
        up = now - self.engine.began
        yield f"{_SYSTEM}.1.0", ber.text(f"{self.profile.value} (twin)")
        yield f"{_SYSTEM}.2.0", ber.object_id(ber.parse(self.object_id))
        yield f"{_SYSTEM}.3.0", ber.ticks(up)
        yield f"{_SYSTEM}.5.0", ber.text(self.name)
        yield f"{_ENGINE}.1.0", ber.tlv(ber.OCTETS, self.engine.id)
        yield f"{_ENGINE}.2.0", ber.integer(self.engine.boots)
        yield f"{_ENGINE}.3.0", ber.integer(self.engine.time(now))


def of(world: World, secrets: Mapping[str, SnmpSecret]) -> list[Device]:
    """Every device of the estate that has an address and a profile."""
    return [
        *_bmcs(world, secrets),
        *_pdus(world, secrets),
        *_supplies(world, secrets),
        *_switches(world, secrets),
    ]


def _bmcs(world: World, secrets: Mapping[str, SnmpSecret]) -> Iterator[Device]:
    for row, name in enumerate(world.topology.hosts):
        host = world.estate.hosts[name]
        if host.bmc is not None and host.bmc.profile in _BOARDS:
            rows, object_id, number = _BOARDS[host.bmc.profile]
            yield Device(
                name=name, profile=host.bmc.profile, secret=secrets[host.bmc.credential], object_id=object_id,
                engine=_engine(world, name, number, secrets[host.bmc.credential]), address=_at(host.bmc.address),
                rows=lambda host=host, row=row, rows=rows: rows(views.board(world, host, row)),  # type: ignore[misc]
            )  # fmt: skip


def _pdus(world: World, secrets: Mapping[str, SnmpSecret]) -> Iterator[Device]:
    for pdu in world.estate.pdus.values():
        if pdu.address and pdu.credential and pdu.profile in _STRIPS:
            rows, object_id, number = _STRIPS[pdu.profile]
            yield Device(
                name=pdu.name, profile=pdu.profile, secret=secrets[pdu.credential], object_id=object_id,
                engine=_engine(world, pdu.name, number, secrets[pdu.credential]), address=_at(pdu.address),
                rows=lambda pdu=pdu, rows=rows: rows(views.strip(world, pdu)),  # type: ignore[misc]
            )  # fmt: skip


def _supplies(world: World, secrets: Mapping[str, SnmpSecret]) -> Iterator[Device]:
    for device in world.estate.devices.values():
        if device.profile is SnmpProfile.UPS_MIB and device.credential and device.serves in world.estate.feeds:
            yield Device(
                name=device.name, profile=device.profile, secret=secrets[device.credential],
                object_id="1.3.6.1.2.1.33", address=_at(device.address),
                engine=_engine(world, device.name, 8072, secrets[device.credential]),
                rows=lambda device=device: power.ups(views.supply(world, device)),  # type: ignore[misc]
            )  # fmt: skip


def _switches(world: World, secrets: Mapping[str, SnmpSecret]) -> Iterator[Device]:
    for device in world.estate.devices.values():
        if device.profile is SnmpProfile.IF_MIB and device.credential:
            engine = _engine(world, device.name, 30065, secrets[device.credential])
            yield Device(
                name=device.name, profile=device.profile, secret=secrets[device.credential],
                object_id="1.3.6.1.4.1.30065.1.3011", address=_at(device.address), engine=engine,
                rows=lambda device=device, engine=engine: (  # type: ignore[misc]
                    switches.if_mib(views.panel(world, device, engine.began))
                ),
            )  # fmt: skip


def _at(address: str) -> tuple[str, int]:
    ip, _, port = address.partition(":")
    return ip, int(port or 161)


def _engine(world: World, name: str, enterprise: int, secret: SnmpSecret) -> Engine:
    """An engine id of the vendor's enterprise number and eight bytes of its own (RFC 3411, format 5)."""
    own = hashlib.sha256(f"{world.estate.name}/{name}".encode()).digest()[:8]
    return Engine(
        id=(0x80000000 | enterprise).to_bytes(4, "big") + b"\x05" + own, secret=secret, began=world.began - UPTIME_S
    )
