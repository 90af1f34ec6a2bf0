"""The Prometheus exporters of every host: node_exporter and a libvirt exporter, on one port each for all of them.

The address that was asked tells the host. Names and labels follow node_exporter 1.8 and Tinkoff/libvirt-exporter (with
inovex's `libvirt_domain_openstack_info` beside it); `libvirt_domain_dirtyrate_megabytes_per_second` is libvirt's own
statistic `dirtyrate.megabytes_per_second`, which few exporters pass on.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping

from aiohttp import web

from controller.twin import physics
from controller.twin.machines import MIB, Server
from controller.twin.world import World

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SHARES = {"user": 0.8, "system": 0.2}
_UPTIME_S = 864_000.0
"""How long each host had been up when the twin began."""


def addresses(world: World) -> Mapping[tuple[str, int], tuple[int, str]]:
    """Host row and kind (`node`, `libvirt`) of each exporter's address and port. A port ending in 177 is libvirt's."""
    found = {}
    for row, name in enumerate(world.topology.hosts):
        for address in world.estate.hosts[name].exporters:
            ip, _, port = address.rpartition(":")
            found[ip, int(port)] = (row, "libvirt" if port.endswith("177") else "node")
    return found


class Exporters:
    """One application for every exporter's port."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._where = addresses(world)
        self._cpu_lines: dict[int, list[str]] = {}
        self._pages: Mapping[str, Callable[[int], Iterator[str]]] = {"node": self._node, "libvirt": self._libvirt}

    @property
    def ports(self) -> tuple[int, ...]:
        """Every port that an exporter listens on."""
        return tuple(sorted({port for _, port in self._where}))

    def application(self) -> web.Application:
        """The application, for each port."""
        app = web.Application()
        app.add_routes([web.get("/metrics", self.metrics)])
        return app

    async def metrics(self, request: web.Request) -> web.Response:
        """The page of the exporter at the address that was asked."""
        assert request.transport is not None
        ip, port = request.transport.get_extra_info("sockname")[:2]
        row, kind = self._where.get((ip, port), (-1, ""))
        if row < 0:
            raise web.HTTPNotFound(text=f"no exporter of the estate is at {ip}:{port}\n")
        name, ailments = self._world.topology.hosts[row], self._world.ailments
        if name in ailments.mute_exporters or not self._world.hosts.powered[row]:
            request.transport.abort()
            raise ConnectionResetError(f"the exporters of {name} are dead")
        await asyncio.sleep(ailments.slow_exporters.get(name, 0.0))
        return web.Response(body="".join(self._pages[kind](row)).encode(), headers={"Content-Type": _CONTENT_TYPE})

    def _node(self, row: int) -> Iterator[str]:
        world, hosts = self._world, self._world.hosts
        yield from self._cpu(row)
        total, held = float(world.topology.memory_mib[row]) * MIB, float(hosts.memory_bytes[row])
        cores = 0.01 * float(hosts.cpu_ratio[row])
        received = float(hosts.rx_bytes[row])
        plain: list[tuple[str, str, str, float]] = [
            ("node_memory_MemTotal_bytes", "gauge", "", total),
            ("node_memory_MemAvailable_bytes", "gauge", "", total - held),
            ("node_memory_MemFree_bytes", "gauge", "", (total - held) * 0.7),
            ("node_pressure_memory_waiting_seconds_total", "counter", "", float(hosts.pressure_seconds[row])),
            ("node_pressure_memory_stalled_seconds_total", "counter", "", 0.5 * float(hosts.pressure_seconds[row])),
            ("node_network_receive_bytes_total", "counter", '{device="bond0"}', received),
            ("node_network_transmit_bytes_total", "counter", '{device="bond0"}', received),
            ("node_load1", "gauge", "", cores * 100.0 * float(world.topology.threads[row])),
            ("node_boot_time_seconds", "gauge", "", world.began - _UPTIME_S),
            ("node_time_seconds", "gauge", "", world.now),
            ("node_uname_info", "gauge", f'{{nodename="{world.topology.hosts[row]}",sysname="Linux"}}', 1.0),
        ]
        for name, kind, labels, value in plain:
            yield f"# TYPE {name} {kind}\n{name}{labels} {value:.17g}\n"
        yield from _disks(float(hosts.stored_bytes[row]))

    def _cpu(self, row: int) -> Iterator[str]:
        """`node_cpu_seconds_total`, the host's busy time spread evenly over its CPUs."""
        threads = int(self._world.topology.threads[row])
        busy = float(self._world.hosts.cpu_seconds[row]) / threads
        up = self._world.now - self._world.began
        spent = {mode: busy * share for mode, share in _SHARES.items()}
        spent |= {"idle": _UPTIME_S + up - busy, "iowait": 0.002 * up, "steal": 0.0}
        if row not in self._cpu_lines:
            self._cpu_lines[row] = [f'node_cpu_seconds_total{{cpu="{n}",mode="' for n in range(threads)]
        yield "# TYPE node_cpu_seconds_total counter\n"
        for mode, seconds in spent.items():
            end = f'{mode}"}} {seconds:.17g}\n'
            yield end.join(self._cpu_lines[row]) + end

    def _libvirt(self, row: int) -> Iterator[str]:
        running = [s for s in self._world.servers_on(row) if self._world.vms.running[s.row] or s.vm_state == "paused"]
        labels = {server.id: _domain(server) for server in running}
        yield f"# TYPE libvirt_up gauge\nlibvirt_up 1\n# TYPE libvirt_domains gauge\nlibvirt_domains {len(running)}\n"
        yield "# TYPE libvirt_domain_info_meta gauge\n"
        yield from (f"libvirt_domain_info_meta{{{self._meta(server)}}} 1\n" for server in running)
        yield "# TYPE libvirt_domain_openstack_info gauge\n"
        yield from (f"libvirt_domain_openstack_info{{{self._openstack(server)}}} 1\n" for server in running)
        for name, kind, extra, value in self._families():
            yield f"# TYPE {name} {kind}\n"
            yield from (f"{name}{{{labels[s.id]}{extra}}} {value(s):.17g}\n" for s in running)
        yield from self._vcpus(running, labels)

    def _families(self) -> list[tuple[str, str, str, Callable[[Server], float]]]:
        vms = self._world.vms
        port = ',source_bridge="br-int",target_device="tap0"'
        disk = ',bus="virtio",cache="none",disk_type="block",driver_type="raw",target_device="vda"'
        return [
            ("libvirt_domain_info_virtual_cpus", "gauge", "", lambda s: s.flavor.vcpus),
            ("libvirt_domain_info_maximum_memory_bytes", "gauge", "", lambda s: s.flavor.memory_mib * MIB),
            ("libvirt_domain_info_memory_usage_bytes", "gauge", "", lambda s: s.flavor.memory_mib * MIB),
            ("libvirt_domain_info_cpu_time_seconds_total", "counter", "", lambda s: float(vms.cpu_seconds[s.row])),
            ("libvirt_domain_memory_stats_rss_bytes", "gauge", "", lambda s: float(vms.memory_bytes[s.row])),
            ("libvirt_domain_memory_stats_available_bytes", "gauge", "", lambda s: s.flavor.memory_mib * MIB),
            ("libvirt_domain_memory_stats_usable_bytes", "gauge", "",
             lambda s: s.flavor.memory_mib * MIB - float(vms.memory_bytes[s.row])),
            ("libvirt_domain_interface_stats_receive_bytes_total", "counter", port,
             lambda s: float(vms.rx_bytes[s.row])),
            ("libvirt_domain_interface_stats_transmit_bytes_total", "counter", port,
             lambda s: float(vms.tx_bytes[s.row])),
            ("libvirt_domain_block_stats_read_bytes_total", "counter", disk,
             lambda s: physics.READ * float(vms.stored_bytes[s.row])),
            ("libvirt_domain_block_stats_write_bytes_total", "counter", disk,
             lambda s: (1.0 - physics.READ) * float(vms.stored_bytes[s.row])),
            ("libvirt_domain_dirtyrate_megabytes_per_second", "gauge", "",
             lambda s: float(vms.dirty_bytes_s[s.row]) / MIB),
        ]  # fmt: skip

    def _vcpus(self, running: list[Server], labels: Mapping[str, str]) -> Iterator[str]:
        vms = self._world.vms
        for name, column in (("time", vms.cpu_seconds), ("delay", vms.delay_seconds)):
            full = f"libvirt_domain_vcpu_{name}_seconds_total"
            yield f"# TYPE {full} counter\n"
            for server in running:
                each = f"{float(column[server.row]) / max(server.flavor.vcpus, 1):.17g}"
                for n in range(server.flavor.vcpus):
                    yield f'{full}{{{labels[server.id]},vcpu="{n}"}} {each}\n'

    def _meta(self, server: Server) -> str:
        project = self._world.system_of(server).project
        return (
            f'{_domain(server)},uuid="{server.id}",instance_name="{server.name}",flavor="{server.flavor.name}",'
            f'user_name="admin",user_uuid="",project_name="{project}",project_uuid="{server.project_id}",'
            f'root_type="image",root_uuid=""'
        )

    def _openstack(self, server: Server) -> str:
        project = self._world.system_of(server).project
        return (
            f'{_domain(server)},instance_name="{server.name}",instance_id="{server.id}",'
            f'flavor_name="{server.flavor.name}",user_name="admin",user_id="",project_name="{project}",'
            f'project_id="{server.project_id}"'
        )


def _disks(stored: float) -> Iterator[str]:
    """A disk, and the mapping on it by which the host uses it: each shows all that is read and written."""
    for way, part in (("read", physics.READ), ("written", 1.0 - physics.READ)):
        name = f"node_disk_{way}_bytes_total"
        yield f"# TYPE {name} counter\n"
        yield from (f'{name}{{device="{device}"}} {part * stored:.17g}\n' for device in ("dm-0", "sda"))


def _domain(server: Server) -> str:
    return f'domain="instance-{server.row + 1:08x}"'
