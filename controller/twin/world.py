"""The twin's world: its state, how it begins, and how time changes it.

Nothing here knows a wire. `orders` changes it as Nova would, `faults` as misfortune would.
"""

import uuid
from dataclasses import dataclass

import numpy as np

from controller.engine.synthetic import seats, traits
from controller.twin import genesis, physics, seating, topology, uplinks
from controller.twin.ailments import Ailments
from controller.twin.machines import MIB, Group, Server, Service, VmColumns
from controller.twin.nature import Nature
from inventory.model import Domain, Estate, System

SHOWN_DELETED_S = 3600.0
"""For so long Nova shows what was deleted."""

_NAMESPACE = uuid.UUID("6f1f7e1c-6a55-4c52-9c1c-4d2b3f0e7a10")


def named_id(*parts: object) -> str:
    """A uuid that is always the same for the same parts."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(str(part) for part in parts)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A Keystone project."""

    id: str
    name: str


class World:
    """Everything that is. `now` is seconds since the epoch and grows by `advance` alone.

    `churned` counts servers that came and went, so that a reader can tell whether its list is still the list.
    `churn` is how many come and go in an hour.
    """

    def __init__(self, estate: Estate, nature: Nature, now: float) -> None:
        self.estate = estate
        self.nature = nature
        self.now = self.began = now
        self.topology = topology.of(estate)
        self.random = np.random.default_rng(nature.seed)
        self.projects = {
            system.project: Project(id=uuid.UUID(named_id("project", system.project)).hex, name=system.project)
            for system in estate.systems.values()
        }
        rows = topology.rows_of(estate, self.topology)
        self.traits = traits.host_traits(estate, rows)
        self.capacity = [seats.capacity(estate.host_types[host.type]) for host in rows]
        self.services = [Service(id=named_id("service", name), updated=now) for name in self.topology.hosts]
        self.node_ids = [named_id("node", name) for name in self.topology.hosts]
        self.hosts = genesis.idle_hosts(self.topology, self.random, nature)
        self.plant = genesis.fresh_plant(self.topology, nature)
        self.ailments = Ailments()
        self.uplinks = uplinks.of(estate, self.topology, nature.copy_speed)
        self.servers: dict[str, Server] = {}
        self.deleted: dict[str, Server] = {}
        self.groups: dict[str, Group] = {}
        self.on_host: list[set[str]] = [set() for _ in self.topology.hosts]
        self.copying_threads = np.zeros(len(self.topology.hosts))
        self.copying_bytes_s = np.zeros(len(self.topology.hosts))
        self.churned = 0
        self.churn = (nature.arrivals_per_hour, nature.departures_per_hour)
        self.vms = self._populate()
        self._span(0.0, settle=True)

    def advance(self, dt: float) -> None:
        """Lets `dt` seconds pass for loads, watts, heat and batteries."""
        while dt > 0.0:
            span = min(dt, self.nature.span_seconds)
            dt -= span
            self.now += span
            self._span(span, settle=False)

    def new_server(self, vm: seating.Wanted, generation: int) -> Server:
        """A new ACTIVE server with the habits that its row draws, on no host yet."""
        row, flavor, now = self.vms.claim(), vm.flavor, self.now
        over_hosts = next((each for each in vm.spreads if each.domain is Domain.HOST), None)
        server = Server(
            id=named_id("server", self.estate.name, vm.name, generation),
            name=vm.name,
            set_key=vm.set_key,
            flavor=flavor,
            row=row,
            host=-1,
            project_id=self.projects[vm.system.project].id,
            system=vm.system.name,
            created=now,
            updated=now,
        )
        vms, draw = self.vms, self.random
        vms.servers[row] = server
        vms.vcpus[row], vms.memory_mib[row], vms.disk_gib[row] = flavor.vcpus, flavor.memory_mib, flavor.disk_gib
        vms.base[row] = vm.threads / max(flavor.vcpus, 1)
        vms.peak_at[row], vms.swing[row] = draw.normal(0.58, 0.08), draw.uniform(0.05, 0.25)
        vms.walk[row], vms.resident[row] = draw.normal(), draw.uniform(0.45, 0.75)
        vms.dirty_mib_s[row], vms.net_mib_s[row] = draw.lognormal(2.5, 0.5), draw.lognormal(0.5, 0.7)
        if over_hosts is not None and over_hosts.max_per_domain is not None:
            server.group = self._group_of(server, over_hosts.max_per_domain).id
        return server

    def seat(self, server: Server, host: int) -> None:
        """Starts a new server on a host."""
        self.servers[server.id] = server
        self.churned += 1
        self.on_host[host].add(server.id)
        server.host = host
        self.vms.host[server.row], self.vms.running[server.row] = host, True
        if server.group is not None:
            self.groups[server.group].members.append(server.id)

    def remove_server(self, server: Server) -> None:
        """Deletes a server; that it did Nova shows for a while to whoever asks what changed."""
        del self.servers[server.id]
        self._bury(server)
        self.churned += 1
        if server.host >= 0:
            self.on_host[server.host].discard(server.id)
        if server.group is not None and server.group in self.groups:
            self.groups[server.group].members.remove(server.id)
        self.vms.release(server.row)

    def _bury(self, server: Server) -> None:
        server.vm_state, server.task_state, server.updated = "deleted", None, self.now
        self.deleted[server.id] = server
        while next(iter(self.deleted.values())).updated < self.now - SHOWN_DELETED_S:
            del self.deleted[next(iter(self.deleted))]

    def place(self, server: Server, host: int) -> None:
        """Puts a server on another host at once, in a new guest process whose counters begin at zero."""
        self.on_host[server.host].discard(server.id)
        self.on_host[host].add(server.id)
        server.host = host
        vms, row = self.vms, server.row
        vms.host[row] = host
        vms.cpu_seconds[row] = vms.delay_seconds[row] = vms.rx_bytes[row] = vms.tx_bytes[row] = 0.0
        vms.stored_bytes[row] = 0.0

    def touch(self, server: Server) -> None:
        """Marks a change of the server: its `updated`, and whether it runs."""
        server.updated = self.now
        self.vms.running[server.row] = server.power_state == 1 and server.vm_state != "error"

    def servers_on(self, host: int) -> list[Server]:
        """The servers of a host, by id."""
        return [self.servers[server_id] for server_id in sorted(self.on_host[host])]

    def system_of(self, server: Server) -> System:
        """The system the server belongs to."""
        return self.estate.systems[server.system]

    @property
    def day_ratio(self) -> float:
        """How much of the day has gone, 0 to 1."""
        day, begins = self.nature.day_seconds, self.nature.begins_at_ratio
        begun = self.began / day if begins is None else begins
        return (begun + (self.now - self.began) / day) % 1.0

    def supply_target(self) -> topology.Floats:
        """What each zone's cooling would supply at its load now: warmer by up to 2 °C at full load."""
        topo, count = self.topology, len(self.topology.zones)
        peak = np.bincount(topo.host_zone, weights=topo.peak_watts, minlength=count)
        drawn = np.bincount(topo.host_zone, weights=self.hosts.watts, minlength=count)
        target: topology.Floats = self.nature.supply_celsius + 2.0 * drawn / np.maximum(peak, 1.0)
        return target + self.plant.heat_offset

    def _populate(self) -> VmColumns:
        wanted = list(genesis.wanted(self.estate, self.nature, self.topology, self.random))
        room = seating.Seats(self.estate, self.topology)
        self.vms = VmColumns(max(64, len(wanted)))
        order = sorted(wanted, key=lambda vm: (-vm.system.classification, not vm.spreads, -vm.flavor.memory_mib))
        for vm in order:
            self.seat(self.new_server(vm, 0), room.seat(vm))
        return self.vms

    def _group_of(self, server: Server, most: int) -> Group:
        """The anti-affinity group of the server's VM set."""
        group_id = named_id("group", self.estate.name, server.set_key)
        if group_id not in self.groups:
            self.groups[group_id] = Group(
                id=group_id,
                name=server.set_key,
                policy="anti-affinity",
                max_server_per_host=most,
                project_id=server.project_id,
            )
        return self.groups[group_id]

    def _span(self, dt: float, *, settle: bool) -> None:
        """One step of all physics; with `settle`, as if it had gone on for ever."""
        vms, hosts, topo, nature = self.vms, self.hosts, self.topology, self.nature
        vms.walk = physics.noise(vms.walk, self.random.normal(size=len(vms.walk)), dt, nature.noise_seconds)
        alive = vms.running & (vms.host >= 0) & hosts.powered[vms.host]
        shape = physics.daily(self.day_ratio, vms.peak_at, vms.swing)
        free = np.clip(vms.base * vms.scale * shape + nature.noise_ratio * vms.base * vms.walk, 0.005, 1.0)
        demand = np.where(alive, np.where(np.isnan(vms.pinned), free, vms.pinned) * vms.vcpus, 0.0)
        own = physics.HOST_CPU_RATIO * topo.threads + self.copying_threads
        shared = physics.contention(demand, np.maximum(vms.host, 0), topo.threads, own)
        self._spend_vms(dt, demand, shared, alive)
        self._spend_hosts(dt, shared.cpu_ratio, alive)
        self._spend_plant(dt, settle=settle)

    def _spend_vms(self, dt: float, demand: topology.Floats, shared: physics.Shared, alive: topology.Flags) -> None:
        vms = self.vms
        vms.used, vms.steal = shared.used, np.where(alive, shared.steal, 0.0)
        busy = vms.used / np.maximum(vms.vcpus, 1.0)
        vms.memory_bytes = np.where(
            alive, vms.memory_mib * MIB * np.minimum(1.0, vms.resident * (0.9 + 0.2 * busy)), 0.0
        )
        vms.dirty_bytes_s = np.where(alive, vms.dirty_mib_s * vms.used * MIB, 0.0)
        vms.net_bytes_s = np.where(alive, vms.net_mib_s * vms.used * MIB, 0.0)
        vms.storage_bytes_s = np.where(alive, physics.STORED_MIB_S * vms.used * MIB, 0.0)
        vms.cpu_seconds += vms.used * dt
        vms.delay_seconds += (demand - vms.used) * dt
        vms.rx_bytes += physics.RECEIVED * vms.net_bytes_s * dt
        vms.tx_bytes += (1.0 - physics.RECEIVED) * vms.net_bytes_s * dt
        vms.stored_bytes += vms.storage_bytes_s * dt

    def _spend_hosts(self, dt: float, cpu_ratio: topology.Floats, alive: topology.Flags) -> None:
        vms, hosts, topo = self.vms, self.hosts, self.topology
        count, rows = len(topo.hosts), np.maximum(vms.host, 0)
        held = np.bincount(rows[alive], weights=vms.memory_bytes[alive], minlength=count)
        hosts.cpu_ratio = np.where(hosts.powered, cpu_ratio, 0.0)
        hosts.memory_bytes = np.where(hosts.powered, held + physics.HOST_MEMORY_MIB * MIB, 0.0)
        net = np.bincount(rows[alive], weights=vms.net_bytes_s[alive], minlength=count)
        passing = np.where(hosts.powered, net, 0.0)
        self.uplinks.vms_in, self.uplinks.vms_out = physics.uplinks(passing, self.nature.leaves_rack_ratio, topo)
        self.uplinks.spend(dt)
        hosts.net_bytes_s = passing + np.where(hosts.powered, self.copying_bytes_s, 0.0)
        full = hosts.memory_bytes / (topo.memory_mib * MIB)
        hosts.pressure = np.clip((full - 0.93) * 5.0, 0.0, 1.0)
        hosts.watts = np.where(
            hosts.powered, physics.watts(hosts.cpu_ratio, topo.idle_watts, topo.peak_watts), _STANDBY_WATTS
        )
        hosts.cpu_seconds += hosts.cpu_ratio * topo.threads * dt
        hosts.rx_bytes += hosts.net_bytes_s * 0.5 * dt
        stored = np.bincount(rows[alive], weights=vms.storage_bytes_s[alive], minlength=count)
        hosts.stored_bytes += np.where(hosts.powered, stored, 0.0) * dt
        hosts.energy_wh += hosts.watts * dt / 3600.0
        hosts.pressure_seconds += hosts.pressure * dt

    def _spend_plant(self, dt: float, *, settle: bool) -> None:
        hosts, plant, topo, nature = self.hosts, self.plant, self.topology, self.nature
        plant.battery_minutes = np.where(
            plant.mains, nature.battery_minutes, np.maximum(0.0, plant.battery_minutes - dt / 60.0)
        )
        current = physics.electricity(hosts.watts, plant.live, topo)
        hosts.watts = np.where(current.supplied, hosts.watts, 0.0)
        self._cut(np.flatnonzero(hosts.powered & ~current.supplied))
        plant.phase_watts, plant.pdu_watts, plant.feed_watts = current.phase, current.pdu, current.feed
        plant.pdu_energy_wh += current.pdu * dt / 3600.0
        seconds = 1e-9 if settle else nature.inlet_seconds
        plant.supply = physics.inlet(
            plant.supply, self.supply_target(), np.zeros(len(topo.zones)), max(dt, 1.0), seconds
        )
        load = (hosts.watts - topo.idle_watts) / np.maximum(topo.peak_watts - topo.idle_watts, 1.0)
        rise = hosts.rise + 1.5 * np.clip(load, 0.0, 1.0)
        hosts.inlet = physics.inlet(hosts.inlet, plant.supply[topo.host_zone], rise, max(dt, 1.0), seconds)

    def _cut(self, rows: "topology.Rows | np.typing.NDArray[np.intp]") -> None:
        """Hosts that lost their last live cord stop, and their nova-compute with them."""
        for row in rows:
            self.hosts.powered[row] = False
            self.services[row].running = False


_STANDBY_WATTS = 12.0
"""What a switched-off host's BMC draws."""
