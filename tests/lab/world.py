"""The lab's physics: what its guests and hosts do, from the guests that nova-compute runs and from loads.json.

$LAB/loads.json, all keys optional; guests by display name or uuid, amounts that are not given from `default`:
    {"default": {"busy_vcpus": 0.4, "memory_share": 0.5, "dirty_mib_s": 20, "network_mib_s": 1, "steal_ratio": 0},
     "guests":  {"eec-oss-app-1": {"busy_vcpus": 4}},
     "hosts":   {"cmp1": {"inlet_celsius": 29, "memory_health": "warning", "extra_vcpus": 12}},
     "feeds":   {"feed-a": {"on_battery": true, "battery_minutes": 7}}}
A host's watts are its idle watts plus a slope for each busy thread; health words are ok, warning and failed. Standard
library only: the lab runs this with Debian's Python as well.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

THREADS = 64
MEMORY_MIB = 262_144
IDLE_WATTS = 150.0
WATTS_PER_THREAD = 5.0
RACK_BASE_WATTS = 100.0
SYSTEM_VCPUS = 0.5
SYSTEM_MIB = 4096
HOSTS = ("cmp1", "cmp2", "cmp3", "cmp4", "cmp5", "cmp6")
RACKS = {"rack-1": ("cmp1", "cmp2"), "rack-2": ("cmp3", "cmp4"), "rack-3": ("cmp5", "cmp6")}
DEFAULT = {"busy_vcpus": 0.4, "memory_share": 0.5, "dirty_mib_s": 20.0, "network_mib_s": 1.0, "steal_ratio": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A guest on one host, and what it does now; one that is shut off does nothing."""

    uuid: str
    domain: str
    display_name: str
    running: bool
    vcpus: int
    memory_mib: int
    busy_vcpus: float
    used_mib: float
    dirty_mib_s: float
    network_mib_s: float
    steal_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A host, and what it does now."""

    name: str
    guests: tuple[Guest, ...]
    busy_threads: float
    used_mib: float
    network_mib_s: float
    inlet_celsius: float
    memory_health: str

    @property
    def watts(self) -> float:
        return IDLE_WATTS + WATTS_PER_THREAD * self.busy_threads


def read(file: Path) -> dict[str, Any]:
    """A JSON file of the lab, empty where it is not there."""
    try:
        content: dict[str, Any] = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    return content


def guests_on(lab: Path, host: str, loads: Mapping[str, Any]) -> tuple[Guest, ...]:
    """The guests that a host's nova-compute runs, by uuid."""
    found = []
    for file in sorted((lab / "run" / host / "guests").glob("*-*")):
        try:
            kept = json.loads(file.read_text())
        except FileNotFoundError:  # it left between the two
            continue
        found.append(_guest(file.name, kept, loads))
    return tuple(found)


def _guest(uuid: str, kept: Mapping[str, Any], loads: Mapping[str, Any]) -> Guest:
    guests, name = loads.get("guests", {}), kept["display_name"]
    load = {**DEFAULT, **loads.get("default", {}), **(guests.get(uuid) or guests.get(name) or {})}
    running = kept["state"] == 1
    vcpus, memory_mib, _ = kept["claim"]
    return Guest(
        uuid=uuid,
        domain=kept["name"],
        display_name=name,
        running=running,
        vcpus=vcpus,
        memory_mib=memory_mib,
        busy_vcpus=min(vcpus, load["busy_vcpus"]) if running else 0.0,
        used_mib=memory_mib * load["memory_share"] if running else 0.0,
        dirty_mib_s=load["dirty_mib_s"] if running else 0.0,
        network_mib_s=load["network_mib_s"] if running else 0.0,
        steal_ratio=load["steal_ratio"] if running else 0.0,
    )


def machine(lab: Path, host: str) -> Machine:
    """One host as it is now."""
    loads = read(lab / "loads.json")
    own = loads.get("hosts", {}).get(host, {})
    guests = guests_on(lab, host, loads)
    busy = SYSTEM_VCPUS + own.get("extra_vcpus", 0.0) + sum(guest.busy_vcpus for guest in guests)
    return Machine(
        name=host,
        guests=guests,
        busy_threads=min(float(THREADS), busy),
        used_mib=min(float(MEMORY_MIB), SYSTEM_MIB + sum(guest.used_mib for guest in guests)),
        network_mib_s=sum(guest.network_mib_s for guest in guests),
        inlet_celsius=own.get("inlet_celsius", 22.0),
        memory_health=own.get("memory_health", "ok"),
    )


def rack_watts(lab: Path, rack: str) -> float:
    """What a rack draws on both its feeds together."""
    return RACK_BASE_WATTS + sum(machine(lab, host).watts for host in RACKS[rack])


def feed_watts(lab: Path) -> float:
    """What one feed carries while both do: half of everything."""
    return sum(rack_watts(lab, rack) for rack in RACKS) / 2
