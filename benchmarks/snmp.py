"""CPU of polling hardware by SNMP, at 48 and at 1,000 devices, against the twin's agents in another process.

    python benchmarks/snmp.py [DEVICES ...]

Prints for the first poll (engine discovery and whole tables) and for those after (by name): devices a second with 32 in
flight, CPU of this process for one device, and what that is of a core at a poll each 30 s.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice, zip_longest

from controller.adapters.clock import SystemClock
from controller.adapters.snmp.credentials import Community, Credential, User
from controller.adapters.snmp.device import Device
from controller.adapters.snmp.target import Target, targets
from controller.adapters.snmp.wire import Wire
from controller.twin.credentials import SnmpSecret, snmp_secrets
from controller.twin.nature import Nature
from controller.twin.snmp.agent import Agents
from controller.twin.world import World
from inventory import generate
from inventory.model import Estate

SEED = 1
SIZES = (48, 1000)
IN_FLIGHT = 32
ROUNDS = 3
INTERVAL_S = 30.0
VMS = 30_000
PORT = 26171


def estate() -> Estate:
    """An estate on loopback, on a port that no demonstration uses."""
    made = generate.estate(VMS, SEED, loopback=True)
    hosts = {n: replace(h, bmc=replace(h.bmc, address=moved(h.bmc.address))) for n, h in made.hosts.items() if h.bmc}
    pdus = {n: replace(pdu, address=moved(pdu.address)) for n, pdu in made.pdus.items() if pdu.address}
    devices = {n: replace(device, address=moved(device.address)) for n, device in made.devices.items()}
    return replace(made, hosts=hosts, pdus=pdus, devices=devices)


def moved(address: str) -> str:
    return f"{address.partition(':')[0]}:{PORT}"


async def serve() -> None:
    """The other process: every agent of the estate."""
    site = estate()
    agents = Agents(World(site, Nature(), time.time()), snmp_secrets(site, SEED))
    agents.open()
    print("ready", flush=True)
    await asyncio.Event().wait()


def credential(secret: SnmpSecret) -> Credential:
    if secret.community:
        return Community(community=secret.community)
    return User(name=secret.user, auth=secret.auth, priv=secret.priv)


def chosen(site: Estate, count: int) -> Iterator[Target]:
    """Devices of every profile in turn."""
    by_profile: dict[str, list[Target]] = {}
    for target in targets(site):
        by_profile.setdefault(target.profile, []).append(target)
    turns = zip_longest(*by_profile.values())
    return islice((target for turn in turns for target in turn if target is not None), count)


async def measured(devices: list[Device]) -> tuple[float, float, int]:
    """Devices a second, CPU milliseconds a device, failures, of one round of polls."""
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def one(device: Device) -> bool:
        async with gate:
            return (await device.poll()).answered

    cpu, began = time.process_time(), time.perf_counter()
    answered = await asyncio.gather(*(one(device) for device in devices))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - began
    return len(devices) / wall, 1000 * cpu / len(devices), answered.count(False)


async def compare(sizes: list[int]) -> None:
    site = estate()
    secrets = {name: credential(secret) for name, secret in snmp_secrets(site, SEED).items()}
    print(f"{'devices':>8} {'poll':>7} {'devices/s':>10} {'CPU ms each':>12} {'of a core':>10} {'failed':>7}")
    for size in sizes:
        wire = Wire()
        devices = [
            Device(target, secrets[target.credential], wire, SystemClock(), first_wait=5.0, limit=timedelta(minutes=1))
            for target in chosen(site, size)
        ]
        for label in ("first", *("later",) * ROUNDS):
            rate, cpu_ms, failed = await measured(devices)
            share = cpu_ms / 1000 * size / INTERVAL_S
            print(f"{len(devices):>8} {label:>7} {rate:>10.0f} {cpu_ms:>12.2f} {share:>10.1%} {failed:>7}")
        wire.close()


def main() -> None:
    if sys.argv[1:] == ["--serve"]:
        asyncio.run(serve())
        return
    agents = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert agents.stdout is not None
        if not agents.stdout.readline():
            sys.exit("the agents did not start")
        asyncio.run(compare([int(text) for text in sys.argv[1:]] or list(SIZES)))
    finally:
        agents.terminate()
        agents.wait()


if __name__ == "__main__":
    main()
