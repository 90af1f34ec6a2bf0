"""Declared flows with their sources found, what they would cut off, and how the loaded rules differ from them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from ansible.errors import AnsibleFilterError

Flow = dict[str, Any]
EVERYWHERE = ("0.0.0.0/0", "::/0")


def firewall_flows(flows: Sequence[Mapping[str, Any]], networks: Mapping[str, Sequence[str] | str]) -> list[Flow]:
    """Each flow with `v4` and `v6`, the CIDRs that it comes from; one from no network opens nothing and is left out."""
    found = []
    for flow in flows:
        sources = [ip_network(cidr) for each in flow["from"] for cidr in cidrs(each, networks, flow["name"])]
        if sources:
            v4, v6 = ([str(each) for each in sources if each.version == version] for version in (4, 6))
            ports = [str(port) for port in flow["ports"]]
            found.append({"name": flow["name"], "proto": flow["proto"], "ports": ports, "v4": v4, "v6": v6})
    return found


def cidrs(source: str, networks: Mapping[str, Sequence[str] | str], flow: str) -> Iterable[str]:
    if source == "any":
        return EVERYWHERE
    if source in networks:
        known = networks[source]
        return [known] if isinstance(known, str) else known
    try:
        ip_network(source)
    except ValueError:
        known = ", ".join(sorted(networks)) or "none"
        raise AnsibleFilterError(
            f"the flow {flow} comes from {source!r}, which is neither a CIDR nor a network known here ({known})"
        ) from None
    return [source]


def firewall_refusals(
    flows: Sequence[Flow], management: Sequence[str], *, connection: str, ssh_port: int
) -> Iterable[str]:
    """Why these flows may not be loaded. `connection` is sshd's SSH_CONNECTION, empty where there is none."""
    if connection:
        client, _, _, port = connection.split()
        if not any(opens(flow, client, int(port)) for flow in flows):
            yield f"the connection this play runs over, from {client} to port {port}, would be dropped"
    for cidr in management:
        network = ip_network(cidr)
        if not all(any(opens(flow, str(end), ssh_port) for flow in flows) for end in (network[0], network[-1])):
            yield f"SSH (tcp {ssh_port}) from the management network {cidr} would be dropped"


def opens(flow: Flow, client: str, port: int) -> bool:
    address = ip_address(client)
    near = any(address in ip_network(cidr) for cidr in (*flow["v4"], *flow["v6"]))
    return near and flow["proto"] == "tcp" and any(holds(ports, port) for ports in flow["ports"])


def holds(ports: str, port: int) -> bool:
    first, _, last = ports.partition("-")
    return int(first) <= port <= int(last or first)


def firewall_problems(found: Mapping[str, Any], declared: Mapping[str, Any], table: str) -> list[str]:
    """How the loaded table differs from the one that the flows give; both of `nft -json list`."""
    had, wanted = objects(found, table), objects(declared, table)
    if not had:
        return [f"the table inet {table} is declared, and it is not loaded"]
    missing = [each for each in wanted if each not in had]
    extra = [each for each in had if each not in wanted]
    if not missing and not extra and had != wanted:
        return ["the declared rules are loaded, in another order or more than once"]
    both = {short(each) for each in missing} & {short(each) for each in extra}
    return [
        *(f"{told(each, both)} is declared, and it is not loaded" for each in missing),
        *(f"{told(each, both)} is loaded, and it is not declared" for each in extra),
    ]


def objects(listing: Mapping[str, Any], table: str) -> list[tuple[str, Any]]:
    """What of a listing is of the table, without what differs from load to load."""
    each = [next(iter(one.items())) for one in listing["nftables"]]
    return [
        (kind, lasting(value))
        for kind, value in each
        if value.get("family") == "inet" and table in {value.get("table"), value.get("name") if kind == "table" else ""}
    ]


def lasting(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: None if key == "counter" else lasting(each) for key, each in value.items() if key != "handle"}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [lasting(each) for each in value]
    return value


def told(each: tuple[str, Any], ambiguous: Iterable[str]) -> str:
    kind, value = each
    body = json.dumps(value.get("expr", value), separators=(",", ":"))
    unclear = short(each) in ambiguous or (kind == "rule" and "comment" not in value)
    return f"{short(each)} {body}" if unclear else short(each)


def short(each: tuple[str, Any]) -> str:
    kind, value = each
    return f"the rule {value.get('comment', 'without a name')!r}" if kind == "rule" else f"the {kind} {value['name']}"


class FilterModule:
    def filters(self) -> Mapping[str, Any]:
        return {
            "firewall_flows": firewall_flows,
            "firewall_problems": firewall_problems,
            "firewall_refusals": lambda *given, **named: list(firewall_refusals(*given, **named)),
        }
