"""The Prometheus exporters of the lab's hosts: node exporter's and a libvirt exporter's names, each host an address.

Counters grow by what `world` says, once a second, and begin at zero on the host that a guest arrives at. Run as
`exporter.py LAB`; listens on 127.21.RACK.UNIT, ports 29100 (node) and 29177 (libvirt). Standard library only.
"""

import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import world

MIB = 1 << 20
ADDRESSES = {name: f"127.21.{n // 2 + 1}.{1 + n % 2 * 2}" for n, name in enumerate(world.HOSTS)}


class Meter:
    """One host's counters, by name and by guest."""

    def __init__(self, lab: Path, host: str) -> None:
        self._lab, self._host = lab, host
        self._lock = threading.Lock()
        self._began = self._at = time.time()
        self._sums: dict[tuple[str, str], float] = defaultdict(float)
        self._now = world.machine(lab, host)

    def tick(self) -> None:
        """Adds what was done since the last tick."""
        found, now = world.machine(self._lab, self._host), time.time()
        with self._lock:
            passed, self._at, self._now = now - self._at, now, found
            self._sums["cpu", ""] += found.busy_threads * passed
            self._sums["network", ""] += found.network_mib_s * MIB * passed
            here = {guest.uuid for guest in found.guests}
            for key in [key for key in self._sums if key[1] and key[1] not in here]:
                del self._sums[key]
            for guest in found.guests:
                self._sums["cpu", guest.uuid] += guest.busy_vcpus * passed
                self._sums["network", guest.uuid] += guest.network_mib_s * MIB * passed
                self._sums["delay", guest.uuid] += guest.steal_ratio * passed

    def node(self) -> str:
        """The page of the node exporter."""
        with self._lock:
            return "".join(self._node())

    def libvirt(self) -> str:
        """The page of the libvirt exporter."""
        with self._lock:
            return "".join(self._libvirt())

    def _node(self) -> Iterator[str]:
        up, busy = self._at - self._began, self._sums["cpu", ""] / world.THREADS
        yield "# TYPE node_cpu_seconds_total counter\n"
        for cpu in range(world.THREADS):
            yield f'node_cpu_seconds_total{{cpu="{cpu}",mode="user"}} {busy}\n'
            yield f'node_cpu_seconds_total{{cpu="{cpu}",mode="idle"}} {max(0.0, up - busy)}\n'
        half = self._sums["network", ""] / 2
        for name, kind, labels, value in (
            ("node_memory_MemTotal_bytes", "gauge", "", world.MEMORY_MIB * MIB),
            ("node_memory_MemAvailable_bytes", "gauge", "", (world.MEMORY_MIB - self._now.used_mib) * MIB),
            ("node_pressure_memory_waiting_seconds_total", "counter", "", 0),
            ("node_network_receive_bytes_total", "counter", '{device="eth0"}', half),
            ("node_network_transmit_bytes_total", "counter", '{device="eth0"}', half),
            ("node_boot_time_seconds", "gauge", "", self._began),
            ("node_time_seconds", "gauge", "", self._at),
            ("node_uname_info", "gauge", f'{{nodename="{self._host}",sysname="Linux"}}', 1),
        ):
            yield f"# TYPE {name} {kind}\n{name}{labels} {value}\n"

    def _libvirt(self) -> Iterator[str]:
        guests = [guest for guest in self._now.guests if guest.running]
        families: list[tuple[str, str, str, Callable[[world.Guest], float]]] = [
            ("info_virtual_cpus", "gauge", "", lambda g: g.vcpus),
            ("info_maximum_memory_bytes", "gauge", "", lambda g: g.memory_mib * MIB),
            ("info_memory_usage_bytes", "gauge", "", lambda g: g.memory_mib * MIB),
            ("info_cpu_time_seconds_total", "counter", "", lambda g: self._sums["cpu", g.uuid]),
            ("memory_stats_rss_bytes", "gauge", "", lambda g: g.used_mib * MIB),
            ("interface_stats_receive_bytes_total", "counter", ',target_device="tap0"',
             lambda g: self._sums["network", g.uuid] / 2),
            ("interface_stats_transmit_bytes_total", "counter", ',target_device="tap0"',
             lambda g: self._sums["network", g.uuid] / 2),
            ("vcpu_delay_seconds_total", "counter", ',vcpu="0"', lambda g: self._sums["delay", g.uuid]),
            ("dirtyrate_megabytes_per_second", "gauge", "", lambda g: g.dirty_mib_s),
        ]  # fmt: skip
        yield "# TYPE libvirt_up gauge\nlibvirt_up 1\n# TYPE libvirt_domain_info_meta gauge\n"
        for guest in guests:
            names = f'domain="{guest.domain}",uuid="{guest.uuid}",instance_name="{guest.display_name}"'
            yield f"libvirt_domain_info_meta{{{names}}} 1\n"
        for name, kind, labels, value in families:
            yield f"# TYPE libvirt_domain_{name} {kind}\n"
            yield from (f'libvirt_domain_{name}{{domain="{g.domain}"{labels}}} {value(g)}\n' for g in guests)


def serve(address: str, port: int, page: Callable[[], str]) -> None:
    """Answers GET /metrics at one address, in a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((address, port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main() -> None:
    lab = Path(sys.argv[1])
    meters = {name: Meter(lab, name) for name in world.HOSTS}
    for name, meter in meters.items():
        serve(ADDRESSES[name], 29100, meter.node)
        serve(ADDRESSES[name], 29177, meter.libvirt)
    while True:
        time.sleep(1.0)
        for meter in meters.values():
            meter.tick()


if __name__ == "__main__":
    main()
