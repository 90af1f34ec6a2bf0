"""How a world begins: the VMs that the estate asks for, hosts that idle, and a plant with nothing wrong."""

from collections.abc import Iterator

import numpy as np

from controller.twin import seating, topology
from controller.twin.machines import HostColumns, Plant
from controller.twin.nature import Nature
from inventory.model import Estate


def wanted(
    estate: Estate, nature: Nature, topo: topology.Topology, random: np.random.Generator
) -> Iterator[seating.Wanted]:
    """Every VM that the estate's systems ask for, with loads that come to `mean_cpu_ratio` of all threads."""
    asked = [
        (system, vm_set, n)
        for system in estate.systems.values()
        for vm_set in system.vm_sets
        for n in range(1, vm_set.count + 1)
    ]
    vcpus = np.array([estate.flavors[vm_set.flavor].vcpus for _, vm_set, _ in asked], np.float64)
    raw = random.lognormal(0.0, 0.5, len(asked))
    threads = float(topo.threads[topo.in_nova].sum())
    mean = nature.mean_cpu_ratio * threads / max(float((raw * vcpus).sum()), 1e-9)
    for (system, vm_set, n), load, count in zip(asked, np.clip(raw * mean, 0.01, 0.85), vcpus, strict=True):
        yield seating.Wanted(
            set_key=f"{system.name}-{vm_set.role}",
            name=f"{system.name}-{vm_set.role}-{n}",
            system=system,
            flavor=estate.flavors[vm_set.flavor],
            spreads=vm_set.spreads,
            threads=float(load * count),
        )


def idle_hosts(topo: topology.Topology, random: np.random.Generator, nature: Nature) -> HostColumns:
    """Hosts that have just been switched on."""
    count = len(topo.hosts)

    def zeros() -> topology.Floats:
        return np.zeros(count)

    return HostColumns(
        powered=np.ones(count, np.bool_), rise=random.uniform(0.5, 2.5, count), cpu_ratio=zeros(),
        memory_bytes=zeros(), net_bytes_s=zeros(), watts=zeros(), inlet=np.full(count, nature.supply_celsius),
        pressure=zeros(), cpu_seconds=zeros(), rx_bytes=zeros(), stored_bytes=zeros(), energy_wh=zeros(),
        pressure_seconds=zeros(),
    )  # fmt: skip


def fresh_plant(topo: topology.Topology, nature: Nature) -> Plant:
    """Power and cooling with nothing wrong."""
    feeds, zones, pdus = len(topo.feeds), len(topo.zones), len(topo.pdus)
    return Plant(
        mains=np.ones(feeds, np.bool_), battery_minutes=np.full(feeds, nature.battery_minutes),
        heat_offset=np.zeros(zones), supply=np.full(zones, nature.supply_celsius),
        phase_watts=np.zeros(len(topo.phases)), pdu_watts=np.zeros(pdus), feed_watts=np.zeros(feeds),
        pdu_energy_wh=np.zeros(pdus),
    )  # fmt: skip
