"""Addresses, SNMP profiles and networks: nothing twice, nothing that its kind cannot be."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from functools import cache

from inventory.checks.case import Case
from inventory.facility import DeviceKind, SnmpProfile
from inventory.model import Problem
from inventory.wiring import parsed

SNMP_PORT = 161
_PORT = re.compile(r"[0-9]{1,5}")

FEWEST_ADDRESSES = 4
"""Of a provider network: its own, its broadcast, its gateway's, and one for whoever uses it."""

_Range = ipaddress.IPv4Network | ipaddress.IPv6Network

BMC_PROFILES = frozenset({SnmpProfile.IDRAC, SnmpProfile.ILO, SnmpProfile.XCC, SnmpProfile.SUPERMICRO})
PDU_PROFILES = frozenset({SnmpProfile.APC_PDU, SnmpProfile.RARITAN_PDU})
_DEVICE_PROFILES = {
    DeviceKind.UPS: frozenset({SnmpProfile.UPS_MIB}),
    DeviceKind.SWITCH: frozenset({SnmpProfile.IF_MIB}),
}


def check(case: Case) -> Iterator[Problem]:
    """Problems of addresses and networks."""
    yield from _profiles(case)
    yield from _twice(case)
    yield from _networks(case)
    yield from _pools(case)


def _profiles(case: Case) -> Iterator[Problem]:
    for host in case.estate.hosts.values():
        if host.bmc is not None and host.bmc.profile not in BMC_PROFILES:
            yield _wrong_profile(case, ("hosts", host.name, "bmc"), host.bmc.profile, BMC_PROFILES)
    for pdu in case.estate.pdus.values():
        if pdu.profile is not None and pdu.profile not in PDU_PROFILES:
            yield _wrong_profile(case, ("pdus", pdu.name, "profile"), pdu.profile, PDU_PROFILES)
        if len({part is None for part in (pdu.address, pdu.profile, pdu.credential)}) == 2:
            what = "address, profile and credential belong together (give all three or none)"
            yield case.problem("pdus", pdu.name, what)
    for device in case.estate.devices.values():
        allowed = _DEVICE_PROFILES.get(device.kind, frozenset())
        if not allowed and device.profile is not None:
            what = (
                f"a device of kind {device.kind} is not polled, no profile reads it (leave out profile and credential)"
            )
            yield case.problem("devices", device.name, what, "profile")
        elif device.profile is not None and device.profile not in allowed:
            yield _wrong_profile(case, ("devices", device.name, "profile"), device.profile, allowed)
        if (device.profile is None) != (device.credential is None):
            yield case.problem("devices", device.name, "profile and credential belong together (give both or none)")


def _wrong_profile(
    case: Case, row: tuple[str, str, str], profile: SnmpProfile, allowed: frozenset[SnmpProfile]
) -> Problem:
    table, name, field_name = row
    what = f"profile {profile} is not one for this kind of device (use {', '.join(sorted(allowed))})"
    return case.problem(table, name, what, field_name)


def _twice(case: Case) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for table, name, field_name, address in _addresses(case):
        key = _normalized(address, field_name)
        if key is None and field_name == "networks":
            continue  # `wiring` says that its network does not hold it
        if key is None:
            what = f"{address!r} is not an address (write 10.0.0.1, 10.0.0.1:161 or [fd00::1]:161)"
            if field_name == "exporters":
                what = f"{address!r} is not an address with a port (write 10.0.0.1:9100 or a name with a port)"
            yield case.problem(table, name, what, field_name)
            continue
        if key in owners:
            what = f"address {address} is also that of {owners[key]} (correct one of them)"
            yield case.problem(table, name, what, field_name)
        owners.setdefault(key, f"{table} {name}")


def _addresses(case: Case) -> Iterator[tuple[str, str, str, str]]:
    for host in case.estate.hosts.values():
        if host.address is not None:
            yield "hosts", host.name, "address", host.address
        if host.bmc is not None:
            yield "hosts", host.name, "bmc", host.bmc.address
        for exporter in host.exporters:
            yield "hosts", host.name, "exporters", exporter
        for address in host.networks.values():
            yield "hosts", host.name, "networks", address
    for pdu in case.estate.pdus.values():
        if pdu.address is not None:
            yield "pdus", pdu.name, "address", pdu.address
    for device in case.estate.devices.values():
        yield "devices", device.name, "address", device.address


def endpoint(text: str, default_port: int | None) -> tuple[str, int] | None:
    """Host and port of `host`, `host:port` or `[v6]:port`; None where it is neither, or has no port and no default."""
    host, port = text, ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            return None
        port = rest[1:]
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not host or (port and not _is_port(port)) or (text.endswith(":") and not port):
        return None
    if port:
        return host, int(port)
    return (host, default_port) if default_port is not None else None


def _is_port(text: str) -> bool:
    return _PORT.fullmatch(text) is not None and 0 < int(text) < 65536


def _normalized(address: str, field_name: str) -> str | None:
    """One text for one endpoint. A host's own address and a BMC on the standard port share a key: one IP, one owner."""
    split = endpoint(address, None if field_name == "exporters" else SNMP_PORT)
    if field_name == "networks":
        split = address, SNMP_PORT
    if split is None:
        return None
    host, port = split
    found = parsed(host)
    if found is not None:
        host = str(found)
    elif field_name != "exporters" or any(char.isspace() or char in "/:" for char in host):
        return None
    return host if port == SNMP_PORT else f"{host}:{port}"


def _networks(case: Case) -> Iterator[Problem]:
    wires: dict[tuple[str, int | None], str] = {}
    for network in case.estate.networks.values():
        other = wires.setdefault((network.physical_network, network.vlan), network.name)
        if other != network.name:
            wire = "no VLAN" if network.vlan is None else f"VLAN {network.vlan}"
            what = f"{wire} on {network.physical_network} is also that of {other} (correct one of them)"
            yield case.problem("networks", network.name, what, "vlan")
        cidr = _range(network.cidr)
        if cidr is not None and cidr.num_addresses < FEWEST_ADDRESSES:
            what = f"{network.cidr} holds {cidr.num_addresses} addresses, too few for a gateway and others (widen it)"
            yield case.problem("networks", network.name, what, "cidr")
    yield from ranges(case, "networks", "cidr", {name: row.cidr for name, row in case.estate.networks.items()})


def _pools(case: Case) -> Iterator[Problem]:
    pools = {name: row.pool for name, row in case.estate.agencies.items() if row.pool is not None}
    yield from ranges(case, "agencies", "pool", pools)
    networks = [(row.name, _range(row.cidr)) for row in case.estate.networks.values()]
    for name, text in pools.items():
        pool = _range(text)
        for other, cidr in networks:
            if pool is not None and cidr is not None and pool.version == cidr.version and pool.overlaps(cidr):
                what = f"pool {text} overlaps with {cidr} of network {other} (correct one of them)"
                yield case.problem("agencies", name, what, "pool")


def _range(text: str) -> _Range | None:
    try:
        return _parsed(text)
    except ValueError:
        return None


@cache
def _parsed(text: str) -> _Range:
    return ipaddress.ip_network(text)


def ranges(case: Case, table: str, field_name: str, texts: Mapping[str, str]) -> Iterator[Problem]:
    """Ranges of one table that are none, or that overlap."""
    ranges: list[tuple[int, int, int, str]] = []
    for name, text in texts.items():
        try:
            network = _parsed(text)
        except ValueError as error:
            what = f"{field_name} {text!r} is no network: {error} (write it like 10.8.0.0/16)"
            yield case.problem(table, name, what, field_name)
            continue
        ranges.append((network.version, int(network.network_address), int(network.broadcast_address), name))
    widest: tuple[int, int, int, str] | None = None
    for each in sorted(ranges):
        if widest is not None and widest[0] == each[0] and each[1] <= widest[2]:
            what = (
                f"{field_name} {texts[each[3]]} overlaps with {texts[widest[3]]} of {widest[3]} (correct one of them)"
            )
            yield case.problem(table, each[3], what, field_name)
        if widest is None or widest[0] != each[0] or each[2] > widest[2]:
            widest = each
