"""What links a host should have, from its declared NICs, bonds, networks and routes; and how those that run differ."""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_interface, ip_network
from typing import Any

from ansible.errors import AnsibleFilterError

Link = dict[str, Any]
DEFAULT_MTU = 1500
LONGEST_NAME = 15
"""Characters that the kernel takes for a link's name; networkd leaves a longer one out without a word."""


def network_links(
    nics: Sequence[Mapping[str, Any]],
    networks: Sequence[Mapping[str, Any]],
    *,
    bond: Mapping[str, Any],
    bonds: Mapping[str, Mapping[str, Any]],
    parents: Mapping[str, str],
    routes: Sequence[Mapping[str, Any]],
    host: str,
) -> list[Link]:
    """NICs, bonds and VLANs, each with `name`, `kind`, `mtu`, `bond`, `vlans`, `addresses` and `routes`.

    `bond` holds for each bond, `bonds` for one. A network stands on the link that `parents` names; else on the only
    bond or, where there is no bond, the only NIC.
    """
    links = {nic["name"]: link(nic["name"], "nic", bond=nic.get("bond")) for nic in nics}
    for name in sorted({nic["bond"] for nic in nics if nic.get("bond")}):
        links[name] = link(name, "bond", settings={**bond, **bonds.get(name, {})})
    for network in networks:
        parent = links[parent_of(network["name"], links, parents, host)]
        parent["mtu"] = max(parent["mtu"], network.get("mtu") or DEFAULT_MTU)
        place(network, parent, links, [route for route in routes if route["network"] == network["name"]])
    if long := [name for name in links if len(name) > LONGEST_NAME]:
        raise AnsibleFilterError(f"{host}: {listed(long)}: a link's name has {LONGEST_NAME} characters at most")
    for each in links.values():
        each["mtu"] = links[each["bond"] or each["name"]]["mtu"] or DEFAULT_MTU
    if unknown := {route["network"] for route in routes} - {network["name"] for network in networks}:
        raise AnsibleFilterError(f"{host}: routes through {listed(unknown)}, which is no network of this host")
    return list(links.values())


def link(name: str, kind: str, **more: Any) -> Link:
    blank: Link = {"bond": None, "settings": {}, "vlan": None, "parent": None}
    return {"name": name, "kind": kind, "mtu": 0, "vlans": [], "addresses": [], "routes": [], **blank, **more}


def parent_of(network: str, links: Mapping[str, Link], parents: Mapping[str, str], host: str) -> str:
    if network in parents:
        if parents[network] not in links:
            raise AnsibleFilterError(f"{host}: network {network} stands on {parents[network]}, which is no link of it")
        if bond := links[parents[network]]["bond"]:
            raise AnsibleFilterError(
                f"{host}: network {network} stands on {parents[network]}, which is a member of {bond}: name that"
            )
        return parents[network]
    bonds = [each["name"] for each in links.values() if each["kind"] == "bond"]
    free = bonds or [each["name"] for each in links.values() if each["kind"] == "nic" and not each["bond"]]
    if len(free) != 1:
        raise AnsibleFilterError(
            f"{host}: network {network} may stand on {listed(free) or 'no link'}; say which in network_parents"
        )
    return free[0]


def place(network: Mapping[str, Any], parent: Link, links: dict[str, Link], routes: list[Mapping[str, Any]]) -> None:
    """The network's address and routes on its VLAN, or on the link itself where it is untagged.

    Two networks may have one VLAN, as of IPv4 and of IPv6.
    """
    carrier = parent
    if network.get("vlan") is not None:
        name = f"{parent['name']}.{network['vlan']}"
        if name not in links:
            links[name] = link(name, "vlan", vlan=network["vlan"], parent=parent["name"])
            parent["vlans"].append(name)
        carrier = links[name]
        carrier["mtu"] = max(carrier["mtu"], network.get("mtu") or DEFAULT_MTU)
    if network.get("address"):
        carrier["addresses"].append(f"{network['address']}/{ip_network(network['cidr']).prefixlen}")
    carrier["routes"] += routes


def network_problems(
    links: Sequence[Link], found: Sequence[Mapping[str, Any]], routes: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Sentences on what runs otherwise than declared; `found` and `routes` are of `ip -json -details`."""
    running = {each["ifname"]: each for each in found}
    by_index = {each["ifindex"]: each["ifname"] for each in found}
    problems: list[str] = []
    for declared in links:
        if (actual := running.get(declared["name"])) is None:
            problems.append(f"{declared['kind']} {declared['name']} is declared, and there is none")
            continue
        problems += [
            f"{declared['name']}: {what} {wanted} is declared, found {had}"
            for what, wanted, had in facts(declared, actual, by_index)
            if str(wanted) != str(had)
        ]
        problems += address_problems(declared, actual)
        problems += route_problems(declared, routes)
    return problems


def facts(declared: Link, actual: Mapping[str, Any], names: Mapping[int, str]) -> Iterable[tuple[str, Any, Any]]:
    """What is compared of one link: its name, what is declared, what was found."""
    info = actual.get("linkinfo", {})
    yield "MTU", declared["mtu"], actual["mtu"]
    yield "state", "up", "up" if "UP" in actual["flags"] and "LOWER_UP" in actual["flags"] else "down"
    if declared["kind"] == "nic":
        yield "bond", declared["bond"] or "none", actual.get("master", "none")
        if declared["bond"]:
            yield "state in its bond", "UP", info.get("info_slave_data", {}).get("mii_status", "absent")
    if declared["kind"] == "vlan":
        yield "VLAN", declared["vlan"], info.get("info_data", {}).get("id", "none")
        yield "parent", declared["parent"], actual.get("link") or names.get(actual.get("link_index", 0), "none")
    if declared["kind"] == "bond" and declared["settings"].get("mode"):
        yield "bond mode", declared["settings"]["mode"], info.get("info_data", {}).get("mode", "none")


def address_problems(declared: Link, actual: Mapping[str, Any]) -> Iterable[str]:
    had = {
        str(ip_interface(f"{each['local']}/{each['prefixlen']}"))
        for each in actual.get("addr_info", [])
        if each.get("scope") == "global"
    }
    wanted = {str(ip_interface(each)) for each in declared["addresses"]}
    if had != wanted:
        yield f"{declared['name']}: addresses {listed(wanted) or 'none'} are declared, found {listed(had) or 'none'}"


def route_problems(declared: Link, routes: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """Routes that the kernel made for the link's own addresses are not declared, and none of these."""
    had = {
        said(each["dst"], each.get("gateway"))
        for each in routes
        if each.get("dev") == declared["name"] and each.get("protocol") not in {"kernel", "ra"}
    }
    wanted = {said(each["destination"], each.get("gateway")) for each in declared["routes"]}
    for missing in sorted(wanted - had):
        yield f"{declared['name']}: the route {missing} is declared, and there is none"
    for extra in sorted(had - wanted):
        yield f"{declared['name']}: the route {extra} is found, and not declared"


def said(destination: str, gateway: str | None) -> str:
    where = ip_network(everywhere(gateway) if destination == "default" else destination)
    return f"to {where} via {gateway}" if gateway else f"to {where}"


def everywhere(gateway: str | None) -> str:
    return "::/0" if gateway and ":" in gateway else "0.0.0.0/0"


def listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


class FilterModule:
    def filters(self) -> Mapping[str, Any]:
        return {"network_links": network_links, "network_problems": network_problems}
