"""The twin's exporters and SNMP agents without HTTP and UDP: `ports.Collector` with the readings that they would give.

Rates look back one step of load, 15 s, the exporters' interval; power, air and health are as of the last step, rounded
as devices round. `tests/contract/test_replay_contract.py` holds it to the real collectors.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from benchmarks.replay.load import STEP_S, Floats
from benchmarks.replay.site import Site
from controller.engine.ports import Clock
from controller.model.sample import Batch, Fault, Kind, Quantity

_HEALTH = (Quantity.MEMORY_HEALTH, Quantity.PSU_HEALTH, Quantity.FAN_HEALTH, Quantity.DISK_HEALTH)


class SiteSensors:
    """Reads the site at the end of every step, and gives out what it read last."""

    name = "replay"

    def __init__(self, site: Site, clock: Clock) -> None:
        self._site, self._clock = site, clock
        world = site.world
        servers = sorted(world.servers.values(), key=lambda server: server.id)
        self._ids = tuple(server.id for server in servers)
        self._rows = np.array([server.row for server in servers], np.int32)
        self._hosts = np.array(site.hosts_in_nova(), np.int32)
        self._names = tuple(world.topology.hosts[row] for row in self._hosts)
        self._batches: tuple[Batch, ...] = ()
        self._remember()
        site.stepped.append(self._read)

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def collect(self, deadline: timedelta) -> tuple[Sequence[Batch], Sequence[Fault]]:
        self._site.until(self._clock.now())
        return self._batches, ()

    def _remember(self) -> None:
        """The counters, for the rates of the next step."""
        vms, hosts = self._site.world.vms, self._site.world.hosts
        self._was_on = vms.host[self._rows].copy()
        self._cpu, self._delay = vms.cpu_seconds[self._rows], vms.delay_seconds[self._rows]
        self._net = vms.rx_bytes[self._rows] + vms.tx_bytes[self._rows]
        self._stored, self._stored_by_hosts = vms.stored_bytes[self._rows], hosts.stored_bytes.copy()
        self._busy, self._received = hosts.cpu_seconds.copy(), hosts.rx_bytes.copy()

    def _read(self) -> None:
        self._batches = (*self._of_vms(), *self._of_hosts(), *self._of_power())
        self._remember()

    def _of_vms(self) -> Iterable[Batch]:
        """A VM that came within the step has no rate yet: its counters began anew."""
        vms, rows = self._site.world.vms, self._rows
        stayed = np.equal(vms.host[rows], self._was_on)
        cpu, delay = vms.cpu_seconds[rows] - self._cpu, vms.delay_seconds[rows] - self._delay
        net = vms.rx_bytes[rows] + vms.tx_bytes[rows] - self._net
        stored = vms.stored_bytes[rows] - self._stored
        ids = tuple(name for name, stays in zip(self._ids, stayed.tolist(), strict=True) if stays)
        yield self._batch(Kind.VM, Quantity.CPU_VCPUS, ids, cpu[stayed] / STEP_S)
        yield self._batch(Kind.VM, Quantity.STEAL_RATIO, ids, (delay / vms.vcpus[rows])[stayed] / STEP_S)
        yield self._batch(Kind.VM, Quantity.NETWORK_BYTES_S, ids, net[stayed] / STEP_S)
        yield self._batch(Kind.VM, Quantity.STORAGE_BYTES_S, ids, stored[stayed] / STEP_S)
        yield self._batch(Kind.VM, Quantity.MEMORY_BYTES, self._ids, vms.memory_bytes[rows])
        yield self._batch(Kind.VM, Quantity.DIRTY_BYTES_S, self._ids, vms.dirty_bytes_s[rows])

    def _of_hosts(self) -> Iterable[Batch]:
        world, rows = self._site.world, self._hosts
        hosts, threads = world.hosts, world.topology.threads[rows]
        busy = (hosts.cpu_seconds - self._busy)[rows] / threads / STEP_S
        received = (hosts.rx_bytes - self._received)[rows] / STEP_S
        calm = np.zeros(len(rows))
        found = {
            Quantity.CPU_RATIO: busy,
            Quantity.MEMORY_BYTES: hosts.memory_bytes[rows],
            Quantity.MEMORY_PRESSURE_RATIO: hosts.pressure[rows],
            Quantity.NETWORK_BYTES_S: 2.0 * received,
            Quantity.STORAGE_BYTES_S: (hosts.stored_bytes - self._stored_by_hosts)[rows] / STEP_S,
            Quantity.POWER_WATTS: np.round(hosts.watts[rows]),
            Quantity.INLET_CELSIUS: np.round(hosts.inlet[rows]),
            **dict.fromkeys(_HEALTH, calm),
        }
        for quantity, values in found.items():
            yield self._batch(Kind.HOST, quantity, self._names, values)

    def _of_power(self) -> Iterable[Batch]:
        topo, plant = self._site.world.topology, self._site.world.plant
        for kind, names, watts in (
            (Kind.FEED, topo.feeds, plant.feed_watts),
            (Kind.PDU, topo.pdus, plant.pdu_watts),
            (Kind.PHASE, topo.phases, plant.phase_watts),
        ):
            yield self._batch(kind, Quantity.POWER_WATTS, names, np.round(watts))
        yield self._batch(Kind.FEED, Quantity.ON_BATTERY, topo.feeds, np.zeros(len(topo.feeds)))
        yield self._batch(Kind.FEED, Quantity.BATTERY_MINUTES, topo.feeds, np.round(plant.battery_minutes))

    def _batch(self, kind: Kind, quantity: Quantity, names: tuple[str, ...], values: Floats) -> Batch:
        at: NDArray[np.float64] = np.full(len(names), self._site.world.now)
        return Batch(kind=kind, quantity=quantity, source=self.name, names=names, values=values.copy(), at=at)
