"""The files of systemd-networkd that declare a host's links, and what must be run when they change."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha1
from pathlib import PurePosixPath
from typing import Any

FOLDER = "/etc/systemd/network"
PREFIX = "05-gdcc-"
"""Before what an installer writes: networkd takes the first file that matches a link."""
SETTLE = "/usr/local/sbin/gdcc-network-settle"


def network_files(links: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Path to content: a `.network` for each link and a `.netdev` for each bond and VLAN."""
    files = {path(link["name"], "network"): text(network(link)) for link in links}
    return files | {path(link["name"], "netdev"): text(netdev(link)) for link in links if link["kind"] != "nic"}


def path(link: str, kind: str) -> str:
    return f"{FOLDER}/{PREFIX}{link}.{kind}"


def text(lines: Iterable[str]) -> str:
    return "# Written by Ansible.\n" + "\n".join(lines) + "\n"


def netdev(link: Mapping[str, Any]) -> Iterable[str]:
    yield from ("[NetDev]", f"Name={link['name']}", f"Kind={link['kind']}", f"MTUBytes={link['mtu']}")
    if link["kind"] == "vlan":
        yield from ("[VLAN]", f"Id={link['vlan']}")
        return
    settings = link["settings"]
    yield from ("[Bond]", f"Mode={settings['mode']}", f"MIIMonitorSec={settings['mii_monitor_ms']}ms")
    if settings["mode"] == "802.3ad":
        yield f"LACPTransmitRate={settings['lacp_rate']}"
    if settings["mode"] in {"802.3ad", "balance-xor"}:
        yield f"TransmitHashPolicy={settings['hash_policy']}"


def network(link: Mapping[str, Any]) -> Iterable[str]:
    yield from ("[Match]", f"Name={link['name']}", "[Link]", f"MTUBytes={link['mtu']}")
    yield from ("[Network]", "DHCP=no", "IPv6AcceptRA=no")
    if not link["addresses"]:
        yield "LinkLocalAddressing=no"
    else:
        yield from ("ConfigureWithoutCarrier=yes", "IgnoreCarrierLoss=yes")
    if link["bond"]:
        yield f"Bond={link['bond']}"
    yield from (f"VLAN={vlan}" for vlan in link["vlans"])
    yield from (f"Address={address}" for address in link["addresses"])
    for route in link["routes"]:
        yield "[Route]"
        if route["destination"] != "default":
            yield f"Destination={route['destination']}"
        if route.get("gateway"):
            yield f"Gateway={route['gateway']}"


def network_change(
    files: Mapping[str, str], found: Sequence[Mapping[str, Any]], links: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """What a change comes to: which `files` differ, which are `absent`, and what to run to `apply` and to `restore`.

    `found` are the files with our prefix, each `path` and `checksum` (SHA-1). networkd does not change a netdev that
    exists: one whose file changes, or goes, is deleted first. Either way ends when the links are configured and their
    neighbours know of it.
    """
    had = {each["path"]: each["checksum"] for each in found}
    differing = sorted(each for each, content in files.items() if had.get(each) != sha1(content.encode()).hexdigest())  # noqa: S324
    absent = sorted(set(had) - set(files))
    reload = ["/usr/bin/networkctl reload"]
    again = [f"/usr/bin/networkctl reconfigure {link['name']}" for link in links]
    settle = " ".join((SETTLE, *(link["name"] for link in links)))
    return {
        "files": differing,
        "absent": absent,
        "apply": [*deletions(differing + absent), *reload, *again, settle],
        "restore": [*deletions(differing), *reload, *(f"-{command}" for command in again), f"-{settle}"],
    }


def deletions(paths: Iterable[str]) -> list[str]:
    netdevs = (PurePosixPath(each) for each in paths if each.endswith(".netdev"))
    return [f"-/usr/bin/networkctl delete {each.stem.removeprefix(PREFIX)}" for each in netdevs]


class FilterModule:
    def filters(self) -> Mapping[str, Any]:
        return {"network_files": network_files, "network_change": network_change}
