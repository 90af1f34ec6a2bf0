"""What a twin costs: requests a second, CPU and memory, at 337 devices and 5,300 VMs (or `--vms N`).

The twin runs in a process of its own; this one asks. `--build-only` measures the world alone, for the largest sizes.
"""

import argparse
import asyncio
import multiprocessing
import os
import resource
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import aiohttp

from controller.twin import datacentre
from controller.twin.scenario import Scenario
from controller.twin.snmp import ber, pdus, usm
from controller.twin.snmp.devices import Device
from inventory import generate
from inventory.model import Estate

API, SNMP, NODE, LIBVIRT = 28774, 28161, 28100, 28177
NAMES = tuple(f"1.3.6.1.2.1.1.{n}.0" for n in (1, 2, 3, 5))


def estate_of(vms: int) -> Estate:
    """A generated estate on loopback, on ports of its own."""
    estate = generate.estate(vms, 1, loopback=True)

    def moved(address: str, port: int) -> str:
        return f"{address.partition(':')[0]}:{port}"

    hosts = {
        name: replace(
            host,
            bmc=host.bmc and replace(host.bmc, address=moved(host.bmc.address, SNMP)),
            exporters=tuple(moved(a, LIBVIRT if a.endswith("177") else NODE) for a in host.exporters),
        )
        for name, host in estate.hosts.items()
    }
    tables: dict[str, Any] = {"hosts": hosts}
    for table in ("pdus", "devices"):
        rows = getattr(estate, table).items()
        tables[table] = {n: replace(row, address=row.address and moved(row.address, SNMP)) for n, row in rows}
    return replace(estate, **tables)


def serve(vms: int, talk: Connection) -> None:
    """The twin's process: serves until told to stop, and answers how much CPU it has used."""
    began = time.perf_counter()
    centre = datacentre.build(estate_of(vms), Scenario(), API)
    built = time.perf_counter() - began

    async def run() -> None:
        async with datacentre.serving(centre, API):
            talk.send(built)
            loop = asyncio.get_running_loop()
            while (asked := await loop.run_in_executor(None, talk.recv)) != "stop":
                used = resource.getrusage(resource.RUSAGE_SELF)
                talk.send((used.ru_utime + used.ru_stime, used.ru_maxrss / 1024) if asked == "usage" else None)

    asyncio.run(run())


def get_v2c(device: Device) -> bytes:
    """A GET of four objects."""
    return ber.tlv(ber.SEQUENCE, ber.integer(1) + ber.text(device.secret.community) + request(pdus.GET))


def get_v3(device: Device, now: float) -> bytes:
    """The same, authenticated and encrypted; it stays good for as long as the engine's window."""
    return usm.sealed_message(device.engine, ber.integer(7), b"", request(pdus.GET), now)


def request(kind: int) -> bytes:
    names = b"".join(ber.tlv(ber.SEQUENCE, ber.object_id(ber.parse(name)) + b"\x05\x00") for name in NAMES)
    return ber.tlv(kind, ber.integer(1) + ber.integer(0) + ber.integer(0) + ber.tlv(ber.SEQUENCE, names))


def flood(messages: list[tuple[bytes, tuple[str, int]]], seconds: float, window: int = 64) -> int:
    """Keeps `window` requests under way for some seconds; the number of answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(1.0)
        answers = sent = 0
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            while sent - answers < window:
                sock.sendto(*messages[sent % len(messages)])
                sent += 1
            try:
                sock.recv(65535)
            except TimeoutError:
                sent = answers
                continue
            answers += 1
        return answers


async def scrape(addresses: list[str], at_once: int = 16) -> int:
    """Reads every exporter once; the bytes that came."""
    gate = asyncio.Semaphore(at_once)

    async def one(session: aiohttp.ClientSession, address: str) -> int:
        async with gate, session.get(f"http://{address}/metrics") as answer:
            return len(await answer.read())

    async with aiohttp.ClientSession() as session:
        return sum(await asyncio.gather(*(one(session, address) for address in addresses)))


async def list_servers(password: str) -> int:
    """Every server in pages of 1,000, as the daemon does each turn."""
    base = f"http://127.0.0.1:{API}"
    user = {"name": "admin", "domain": {"name": "Default"}, "password": password}
    scope = {"project": {"name": "admin", "domain": {"name": "Default"}}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{base}/identity/v3/auth/tokens", json=body) as answer:
            headers = {"X-Auth-Token": answer.headers["X-Subject-Token"], "OpenStack-API-Version": "compute 2.96"}
        url, count = f"{base}/compute/v2.1/servers/detail?all_tenants=1", 0
        while url:
            async with session.get(url, headers=headers) as answer:
                rows = await answer.json()
            count += len(rows["servers"])
            url = next((link["href"] for link in rows.get("servers_links", [])), "")
        return count


class Asked:
    """The other side: what the twin's process has used."""

    def __init__(self, talk: Connection) -> None:
        self._talk = talk

    def usage(self) -> tuple[float, float]:
        """CPU seconds and MiB."""
        self._talk.send("usage")
        seconds, mib = self._talk.recv()
        return seconds, mib

    def measure(self, what: str, work: Callable[[], int], unit: str) -> None:
        """Runs the work and prints how much of it was done by the second and by the twin's CPU second."""
        before, began = self.usage()[0], time.perf_counter()
        done = work()
        wall, cpu = time.perf_counter() - began, self.usage()[0] - before
        rates = f"{done / wall:10.0f} {unit}/s  {done / max(cpu, 1e-6):10.0f} {unit}/CPU-s"
        print(f"{what:34} {rates}  twin CPU {cpu:6.2f} s of {wall:.2f} s")


def rest(seconds: float) -> int:
    time.sleep(seconds)
    return round(seconds)


def build_only(vms: int) -> None:
    began = time.perf_counter()
    estate = estate_of(vms)
    made = time.perf_counter()
    centre = datacentre.build(estate, Scenario(), API)
    built = time.perf_counter()
    for _ in range(8):
        datacentre.step(centre, 0.25)
    tick = (time.perf_counter() - built) / 8
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(estate.hosts)} hosts, {len(centre.agents.devices)} agents, {len(centre.world.servers)} VMs")
    print(f"estate {made - began:.1f} s, world {built - made:.1f} s, {mib:.0f} MiB, a step: {tick * 1000:.1f} ms")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--vms", type=int, default=5300)
    options.add_argument("--seconds", type=float, default=4.0)
    options.add_argument("--build-only", action="store_true")
    given = options.parse_args()
    if given.build_only:
        build_only(given.vms)
        return
    here = datacentre.build(estate_of(given.vms), Scenario(), API)
    talk, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(given.vms, theirs), daemon=True)
    began = time.perf_counter()
    process.start()
    built = talk.recv()
    ready, asked = time.perf_counter() - began, Asked(talk)
    estate, devices = here.world.estate, here.agents.devices
    print(f"{len(devices)} agents, {len(estate.hosts)} hosts, {len(here.world.servers)} VMs, {os.cpu_count()} CPUs")
    print(f"built in {built:.2f} s, ready {ready:.2f} s after its process began, {asked.usage()[1]:.0f} MiB")
    v2c = [(get_v2c(each), each.address) for each in devices if each.secret.community]
    v3 = [(get_v3(each, time.time()), each.address) for each in devices if each.secret.user]
    exporters = [address for host in estate.hosts.values() for address in host.exporters]
    asked.measure("nothing asked, the world goes on", lambda: rest(given.seconds), "s")
    asked.measure("SNMP v2c GET of 4 objects", lambda: flood(v2c, given.seconds), "req")
    asked.measure("SNMP v3 authPriv GET of 4 objects", lambda: flood(v3, given.seconds), "req")
    asked.measure(
        f"all {len(exporters)} exporters scraped", lambda: (asyncio.run(scrape(exporters)), len(exporters))[1], "page"
    )
    asked.measure("servers/detail, all pages", lambda: asyncio.run(list_servers(here.cloud.password)), "VM")
    print(f"memory in the end {asked.usage()[1]:.0f} MiB")
    talk.send("stop")
    process.join(5)


if __name__ == "__main__":
    main()
