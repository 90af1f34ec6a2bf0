"""What the hosts stand in: sites, rooms, cooling zones, power, racks, and the devices that serve them."""

from dataclasses import dataclass
from enum import StrEnum


class DeviceKind(StrEnum):
    """What stands at the other end of an SNMP address that is neither a BMC nor a PDU."""

    UPS = "ups"
    COOLING = "cooling"
    SWITCH = "switch"


class SnmpProfile(StrEnum):
    """Which OIDs a device answers; each has one reading plan in the SNMP adapter."""

    IDRAC = "idrac"
    ILO = "ilo"
    XCC = "xcc"
    SUPERMICRO = "supermicro"
    APC_PDU = "apc-pdu"
    RARITAN_PDU = "raritan-pdu"
    UPS_MIB = "ups-mib"
    IF_MIB = "if-mib"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    name: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    name: str
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A cooling zone: the racks that one set of cooling units keeps cool. Heat is a gate on it."""

    name: str
    room: str
    warning_celsius: float = 27.0
    critical_celsius: float = 32.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A power feed. `partner` is the feed that carries its dual-corded hosts when this one fails.

    What may be drawn is `rated_watts * derating_ratio`.
    """

    name: str
    room: str
    rated_watts: float
    partner: str | None = None
    derating_ratio: float = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Pdu:
    """A rack PDU on one feed. A phase may carry `rated_amps * volts * derating_ratio` watts, the PDU all phases."""

    name: str
    rack: str
    feed: str
    rated_amps: float
    volts: float = 230.0
    phases: int = 1
    derating_ratio: float = 0.8
    address: str | None = None
    profile: SnmpProfile | None = None
    credential: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rack:
    """`base_watts` is what else stands in it (switches, consoles), on one feed alone when the other fails.

    `uplink_mib_s` is what its uplinks together may carry, each way.
    """

    name: str
    room: str
    zone: str
    units: int = 42
    uplink_mib_s: float = 2400.0
    base_watts: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A UPS, a cooling unit or a switch. `serves` names its feed (UPS), zone (cooling) or rack (switch).

    `uplinks` are a switch's ports that lead out of its rack, by their ifName; none where it is empty, and not described
    where it is missing. A port channel stands for its members.
    """

    name: str
    kind: DeviceKind
    serves: str
    address: str
    profile: SnmpProfile | None = None
    credential: str | None = None
    uplinks: frozenset[str] | None = None
