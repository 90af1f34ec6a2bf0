"""What to poll: every device of the inventory that has an address, a profile and a credential."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from controller.adapters.snmp.wire import Address
from controller.errors import InputError
from controller.model.sample import Kind
from inventory.facility import Device, DeviceKind, Pdu, SnmpProfile
from inventory.model import Estate, Host, HostType

SNMP_PORT = 161

_IDLE_SHARE = 0.5
_PEAK_SHARE = 1.3
_RATED_SHARE = 1.5
"""How far a meter may stray from what the inventory calls possible before it is called a liar; modelled.

Half of idle: a host with few DIMMs. Peak and a third: inventory's peak is a typical one. One and a half times a
rating: what a breaker bears for minutes.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watts:
    """Lowest and highest believable power."""

    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One device. `subject` of `kind` is whom its readings are about: a BMC's host, a PDU itself, a UPS's feed.

    `name` is the device's own, unique among targets: `bmc:c17`, `pdu:r01-a`, `ups:ups-a1`, `switch:sw-01-a`. A switch's
    readings are about its `uplinks`, `{subject}/{ifName}`.
    """

    name: str
    kind: Kind
    subject: str
    address: Address
    profile: SnmpProfile
    credential: str
    watts: Watts = Watts(least=0.0, most=0.0)
    phases: int = 0
    phase_watts: Watts = Watts(least=0.0, most=0.0)
    uplinks: frozenset[str] = frozenset()


def targets(estate: Estate) -> tuple[Target, ...]:
    """All of them, sorted by name. Raises InputError for an address that is no IP address."""
    every = (*_bmcs(estate), *_pdus(estate), *_upses(estate), *_switches(estate))
    return tuple(sorted(every, key=lambda target: target.name))


def _bmcs(estate: Estate) -> Iterable[Target]:
    for host in estate.hosts.values():
        if host.bmc is not None:
            yield _bmc(host, estate.host_types[host.type])


def _bmc(host: Host, host_type: HostType) -> Target:
    assert host.bmc is not None
    return Target(
        name=f"bmc:{host.name}",
        kind=Kind.HOST,
        subject=host.name,
        address=_address(host.bmc.address, host.name),
        profile=host.bmc.profile,
        credential=host.bmc.credential,
        watts=Watts(least=host_type.idle_watts * _IDLE_SHARE, most=host_type.peak_watts * _PEAK_SHARE),
    )


def _pdus(estate: Estate) -> Iterable[Target]:
    for pdu in estate.pdus.values():
        if pdu.address is not None and pdu.profile is not None and pdu.credential is not None:
            yield _pdu(pdu, pdu.address, pdu.profile, pdu.credential)


def _pdu(pdu: Pdu, address: str, profile: SnmpProfile, credential: str) -> Target:
    most = pdu.rated_amps * pdu.volts * _RATED_SHARE
    return Target(
        name=f"pdu:{pdu.name}",
        kind=Kind.PDU,
        subject=pdu.name,
        address=_address(address, pdu.name),
        profile=profile,
        credential=credential,
        watts=Watts(least=0.0, most=most * pdu.phases),
        phases=pdu.phases,
        phase_watts=Watts(least=0.0, most=most),
    )


def _upses(estate: Estate) -> Iterable[Target]:
    for device in estate.devices.values():
        if device.kind is DeviceKind.UPS and device.profile is not None and device.credential is not None:
            yield _ups(device, device.profile, device.credential, estate.feeds[device.serves].rated_watts)


def _ups(device: Device, profile: SnmpProfile, credential: str, rated_watts: float) -> Target:
    return Target(
        name=f"ups:{device.name}",
        kind=Kind.FEED,
        subject=device.serves,
        address=_address(device.address, device.name),
        profile=profile,
        credential=credential,
        watts=Watts(least=0.0, most=rated_watts * _RATED_SHARE),
    )


def _switches(estate: Estate) -> Iterable[Target]:
    for device in estate.devices.values():
        if device.kind is DeviceKind.SWITCH and device.profile is not None and device.credential is not None:
            yield Target(
                name=f"switch:{device.name}",
                kind=Kind.PORT,
                subject=device.name,
                address=_address(device.address, device.name),
                profile=device.profile,
                credential=device.credential,
                uplinks=device.uplinks or frozenset(),
            )


def _address(text: str, of: str) -> Address:
    """`ip`, `ip:port`, `[ipv6]` or `[ipv6]:port`."""
    host, port = text, ""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, port = text.split(":")
    try:
        return str(ipaddress.ip_address(host)), int(port) if port else SNMP_PORT
    except ValueError as error:
        raise InputError(
            f"{text!r} is not the IP address of an SNMP agent", where=of, remedy="write it as 10.0.0.1 or 10.0.0.1:161"
        ) from error
