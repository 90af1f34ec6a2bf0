#!/usr/bin/python3
"""Waits until systemd-networkd has configured this host's links, and announces the addresses that they have now.

    gdcc-network-settle [LINK…]    status 1 where one of these could not be configured, also when asked for once more

A link whose carrier comes and goes while networkd configures it may end as `failed`, and is then left alone for good:
it is asked for once more here. Neighbours keep an address's old hardware address for minutes when it moves to a bond,
and reach nobody there; a gratuitous ARP request (RFC 5227, section 3), and for IPv6 an unsolicited neighbour
advertisement (RFC 4861, section 7.2.6), tells them the new one.
"""

import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

NETWORKCTL, IP = "/usr/bin/networkctl", "/usr/sbin/ip"
PATIENCE_S = 10.0
"""For links that are still being configured: one without a carrier stays so, and is no failure here."""
ANNOUNCEMENTS = 3
ETHERNET, BROADCAST, ARP, REQUEST = 1, b"\xff" * 6, 0x0806, 1
ALL_NODES, ADVERTISEMENT, OVERRIDE, TARGET_LINK_ADDRESS = "ff02::1", 136, 0x20000000, 2


def setups(listed: str) -> Mapping[str, str]:
    """Each link's setup state as `networkctl list --no-legend` prints it: index, link, type, operational, setup."""
    rows = (line.split() for line in listed.splitlines())
    return {row[1]: row[4] for row in rows if len(row) >= 5}


def settled(links: Collection[str]) -> Collection[str]:
    """Waits while any of the links is being configured; those that failed and failed again when asked for once more."""
    failed = awaited(links)
    for link in sorted(failed):
        subprocess.run([NETWORKCTL, "reconfigure", link], check=False, capture_output=True)
    if not failed:
        return failed
    time.sleep(1)
    return awaited(failed)


def awaited(links: Collection[str]) -> Collection[str]:
    """Those of the links that failed, once none is being configured any more, or patience ends."""
    end = time.monotonic() + PATIENCE_S
    while True:
        listed = subprocess.run([NETWORKCTL, "list", "--no-legend", "--no-pager"], check=True, capture_output=True,
                                text=True).stdout  # fmt: skip
        states = {link: state for link, state in setups(listed).items() if link in links}
        if not {"pending", "configuring", "initialized"} & set(states.values()) or time.monotonic() > end:
            return {link for link, state in states.items() if state == "failed"}
        time.sleep(0.5)


def announced(links: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, bytes, str]]:
    """Link, hardware address and address: each global one of a link that is up, from what `ip -json address` says."""
    for link in links:
        if link.get("link_type") != "ether" or "LOWER_UP" not in link["flags"]:
            continue
        for each in link.get("addr_info", ()):
            if each.get("scope") == "global":
                yield link["ifname"], bytes.fromhex(link["address"].replace(":", "")), each["local"]


def frame(mac: bytes, address: bytes) -> bytes:
    """An ARP request of an address for itself (RFC 826), to everybody."""
    head = BROADCAST + mac + struct.pack("!H", ARP)
    return head + struct.pack("!HHBBH", ETHERNET, 0x0800, 6, 4, REQUEST) + mac + address + bytes(6) + address


def announce() -> None:
    """Sends each frame; a link that has just gone is none of our business."""
    said = subprocess.run([IP, "-json", "address", "show"], check=True, capture_output=True, text=True).stdout
    for link, mac, address in announced(json.loads(said)):
        try:
            (advertise if ":" in address else ask_for_itself)(link, mac, address)
        except OSError:
            continue


def ask_for_itself(link: str, mac: bytes, address: str) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((link, 0))
        wire.send(frame(mac, socket.inet_aton(address)))


def advertise(link: str, mac: bytes, address: str) -> None:
    """The kernel adds the IPv6 header and the checksum."""
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as wire:
        index = socket.if_nametoindex(link)
        wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        wire.bind((address, 0, 0, 0))
        wire.sendto(advertisement(mac, socket.inet_pton(socket.AF_INET6, address)), (ALL_NODES, 0, 0, index))


def advertisement(mac: bytes, address: bytes) -> bytes:
    """RFC 4861, section 4.4: what was known of the address is overridden."""
    return struct.pack("!BBHI", ADVERTISEMENT, 0, 0, OVERRIDE) + address + bytes([TARGET_LINK_ADDRESS, 1]) + mac


def main(links: Sequence[str]) -> str | None:
    failed = settled(links)
    for _ in range(ANNOUNCEMENTS):
        announce()
        time.sleep(1)
    names = ", ".join(sorted(failed))
    return f"systemd-networkd could not configure {names}: journalctl -u systemd-networkd" if failed else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
