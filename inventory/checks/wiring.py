"""Ports, bonds and the hosts' own networks: names that Linux takes, every address inside the range of its network."""

import re
from collections import defaultdict
from collections.abc import Iterator

from inventory.checks.addresses import endpoint, ranges
from inventory.checks.case import Case
from inventory.model import Host, HostType, Problem
from inventory.wiring import HostNetwork, HostNetworkUse

_INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")
"""Linux takes at most 15 bytes, and more characters than anybody wants in a file's name."""

_ANY_PORT = 22
"""Stands for the port of an address that gives none."""


def check(case: Case) -> Iterator[Problem]:
    """Problems of wiring."""
    for host_type in case.estate.host_types.values():
        yield from _ports(case, host_type)
    yield from _networks(case)
    managed = [each for each in case.estate.host_networks.values() if each.use is HostNetworkUse.MANAGEMENT]
    for host in case.estate.hosts.values():
        yield from _managed(case, host, managed)
        yield from _addresses(case, host)


def _ports(case: Case, host_type: HostType) -> Iterator[Problem]:
    names = [nic.name for nic in host_type.nics]
    bonds = [nic.bond for nic in host_type.nics if nic.bond is not None]
    for name in dict.fromkeys([*names, *bonds]):
        if not _INTERFACE.fullmatch(name):
            what = f"{name!r} cannot name an interface (write at most 15 letters, digits, '.', '_' and '-')"
            yield case.problem("host_types", host_type.name, what, "nics")
    if len(set(names)) < len(names):
        yield case.problem("host_types", host_type.name, "names a port twice (keep one)", "nics")
    for bond in sorted(set(bonds).intersection(names)):
        yield case.problem("host_types", host_type.name, f"{bond!r} is a port and a bond (rename the bond)", "nics")


def _networks(case: Case) -> Iterator[Problem]:
    networks = case.estate.host_networks
    for network in networks.values():
        provider = network.use is HostNetworkUse.PROVIDER
        if provider and network.cidr is not None:
            what = "is a provider network, on which hosts have no address (leave its cidr out)"
            yield case.problem("host_networks", network.name, what, "cidr")
        if not provider and network.cidr is None:
            what = f"is a {network.use} network without a range of addresses (give its cidr)"
            yield case.problem("host_networks", network.name, what, "use")
    texts = {name: network.cidr for name, network in networks.items() if network.cidr is not None}
    yield from ranges(case, "host_networks", "cidr", texts)


def _managed(case: Case, host: Host, networks: list[HostNetwork]) -> Iterator[Problem]:
    """Where the estate declares management networks, a host's own address is on one of them."""
    split = endpoint(host.address, _ANY_PORT) if host.address is not None and networks else None
    if split is not None and not any(network.holds(split[0]) for network in networks):
        known = ", ".join(f"{network.name} {network.cidr}" for network in networks)
        what = f"address {host.address} is on no management network (correct it, or one of {known})"
        yield case.problem("hosts", host.name, what, "address")


def _addresses(case: Case, host: Host) -> Iterator[Problem]:
    of_use: defaultdict[HostNetworkUse, list[str]] = defaultdict(list)
    for name, address in host.networks.items():
        network = case.estate.host_networks.get(name)
        if network is not None:
            of_use[network.use].append(name)
            what = _misplaced(network, address)
            if what is not None:
                yield case.problem("hosts", host.name, what, "networks")
        elif not case.declares("host_networks", name):
            what = f"networks names {name!r}, which is not in host_networks (declare it there, or correct the name)"
            yield case.problem("hosts", host.name, what, "networks")
    migration = of_use[HostNetworkUse.MIGRATION]
    if len(migration) > 1:
        what = f"has addresses on {' and '.join(migration)}, nova-compute migrates over one (keep one)"
        yield case.problem("hosts", host.name, what, "networks")


def _misplaced(network: HostNetwork, address: str) -> str | None:
    if network.use is HostNetworkUse.MANAGEMENT:
        return f"{network.name} is a management network, the address on it is the host's own (write it as 'address')"
    if network.use is HostNetworkUse.PROVIDER:
        return f"{network.name} is a provider network, on which hosts have no address (leave it out)"
    if network.cidr is not None and not network.holds(address):
        return f"{address} is no host's address in {network.cidr} of network {network.name} (correct one of them)"
    return None
