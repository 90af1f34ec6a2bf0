"""The variables that Ansible is given for each host, as plain values: text, numbers, lists, mappings."""

from collections.abc import Mapping

from inventory import provider_config
from inventory.checks.addresses import endpoint
from inventory.model import Estate, Host, HostType, host_feeds
from inventory.wiring import HostNetwork, HostNetworkUse

Variables = Mapping[str, object]

_SSH_PORT = 22


def of(estate: Estate) -> dict[str, Variables]:
    """Each host's variables, by its name. What hosts have in common is one object, which is not to be changed."""
    of_type = {each.name: _of_type(each) for each in estate.host_types.values()}
    of_rack = {name: _of_rack(estate, name) for name in estate.racks}
    cleared: dict[tuple[object, ...], Variables] = {}
    variables: dict[str, Variables] = {}
    for name, host in estate.hosts.items():
        key = (host.type, host.clearance)
        if key not in cleared:
            cleared[key] = _of_clearance(estate, host)
        variables[name] = {**_of_host(estate, host), **of_rack[host.rack], **of_type[host.type], **cleared[key]}
    return variables


def _of_host(estate: Estate, host: Host) -> Variables:
    bmc = host.bmc
    return {
        **_reached(host),
        "gdcc_unit": host.unit,
        "gdcc_feeds": list(host_feeds(estate, host)),
        "gdcc_lifecycle": str(host.lifecycle),
        "gdcc_bmc": bmc and {"address": bmc.address, "profile": str(bmc.profile), "credential": bmc.credential},
        "gdcc_exporters": list(host.exporters),
        "gdcc_networks": [_network(each, host) for each in _networks(estate, host)],
    }


def _reached(host: Host) -> Variables:
    """Where SSH finds it: its address, or its name where none is declared."""
    split = endpoint(host.address, _SSH_PORT) if host.address is not None else None
    address, port = split or (host.name, _SSH_PORT)
    return {"ansible_host": address} if port == _SSH_PORT else {"ansible_host": address, "ansible_port": port}


def _of_rack(estate: Estate, name: str) -> Variables:
    rack = estate.racks[name]
    return {
        "gdcc_site": estate.rooms[rack.room].site,
        "gdcc_room": rack.room,
        "gdcc_zone": rack.zone,
        "gdcc_rack": name,
    }


def _of_type(each: HostType) -> Variables:
    return {
        "gdcc_type": each.name,
        "gdcc_generation": each.generation,
        "gdcc_traits": sorted(each.traits),
        "gdcc_nics": [{"name": nic.name, "bond": nic.bond} for nic in each.nics],
        "gdcc_numa": [{"vcpus": cell.vcpus, "memory_mib": cell.memory_mib} for cell in each.numa],
        "gdcc_reserved_vcpus": each.reserved_vcpus,
        "gdcc_reserved_memory_mib": each.reserved_memory_mib,
        "gdcc_cpu_ratio": each.cpu_ratio,
        "gdcc_memory_ratio": each.memory_ratio,
        "gdcc_disk_ratio": each.disk_ratio,
        "gdcc_post_copy": each.post_copy,
        "gdcc_firmware": dict(each.firmware),
        "gdcc_migration_mib_s": each.migration_mib_s,
    }


def _of_clearance(estate: Estate, host: Host) -> Variables:
    return {
        "gdcc_clearance": host.clearance.name.lower(),
        "gdcc_clearance_traits": list(provider_config.clearance_traits(host)),
        "gdcc_provider_config": provider_config.text(estate, host),
    }


def _networks(estate: Estate, host: Host) -> list[HostNetwork]:
    """The networks that the host is on, in the estate's order: provider networks are on every host."""
    return [
        each
        for each in estate.host_networks.values()
        if each.use is HostNetworkUse.PROVIDER or _address(each, host) is not None
    ]


def _address(network: HostNetwork, host: Host) -> str | None:
    if network.use is not HostNetworkUse.MANAGEMENT:
        return host.networks.get(network.name)
    split = endpoint(host.address, _SSH_PORT) if host.address is not None else None
    return split[0] if split is not None and network.holds(split[0]) else None


def _network(each: HostNetwork, host: Host) -> Variables:
    return {
        "name": each.name,
        "use": str(each.use),
        "vlan": each.vlan,
        "cidr": each.cidr,
        "mtu": each.mtu,
        "address": _address(each, host),
    }
