"""A node exporter and a libvirt exporter of one host: counters that grow as told, and pages that go wrong as told."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class FakeNode:
    """A host of two CPUs. Call `run` for what happens between two pages."""

    cpu: dict[str, float] = field(default_factory=lambda: {"idle": 1e6, "iowait": 100.0, "user": 5e4, "system": 1e4})
    devices: dict[str, float] = field(default_factory=lambda: {"eth0": 1e12, "tap1": 5e11, "bond0": 1e12, "lo": 1e9})
    disks: dict[str, float] = field(default_factory=lambda: {"sda": 1e12, "sda1": 1e12, "dm-0": 1e12, "loop0": 1e6})
    waiting: float = 0.0
    total: float = 64e9
    available: float = 48e9
    booted_at: float = 1e9

    def run(
        self, seconds: float, *, busy: float, bytes_s: float = 0.0, pressure: float = 0.0, disk: float = 0.0
    ) -> None:
        """`busy` share of both CPUs; `bytes_s` in and as much out on each device; `disk` read and as much written."""
        self.cpu["user"] += seconds * busy
        self.cpu["idle"] += seconds * (1 - busy)
        self.waiting += seconds * pressure
        for device in self.devices:
            self.devices[device] += seconds * bytes_s
        for device in self.disks:
            self.disks[device] += seconds * disk

    def reboot(self) -> None:
        self.cpu = dict.fromkeys(self.cpu, 1.0)
        self.devices = dict.fromkeys(self.devices, 0.0)
        self.disks = dict.fromkeys(self.disks, 0.0)
        self.booted_at += 1e6

    def page(self) -> str:
        lines = [
            "# HELP node_cpu_seconds_total Seconds the CPUs spent in each mode.",
            "# TYPE node_cpu_seconds_total counter",
        ]
        lines += [
            f'node_cpu_seconds_total{{cpu="{n}",mode="{mode}"}} {value!r}'
            for n in range(2)
            for mode, value in self.cpu.items()
        ]
        for way in ("receive", "transmit"):
            lines += [f'node_network_{way}_bytes_total{{device="{d}"}} {value!r}' for d, value in self.devices.items()]
        for way in ("read", "written"):
            lines += [f'node_disk_{way}_bytes_total{{device="{d}"}} {value!r}' for d, value in self.disks.items()]
        lines += [
            f"node_memory_MemTotal_bytes {self.total!r}",
            f"node_memory_MemAvailable_bytes {self.available!r}",
            f"node_pressure_memory_waiting_seconds_total {self.waiting!r}",
            f"node_boot_time_seconds {self.booted_at!r}",
        ]
        return "\n".join(lines) + "\n"


@dataclass
class FakeDomain:
    """A VM of two vCPUs."""

    uuid: str
    cpu: float = 1000.0
    delay: float = 10.0
    traffic: float = 1e9
    stored: float | None = 1e9
    rss: float | None = 2e9
    balloon: float = 4e9
    dirty_mib_s: float | None = None

    def run(self, seconds: float, *, vcpus: float, steal: float = 0.0, bytes_s: float = 0.0, disk: float = 0.0) -> None:
        self.cpu += seconds * vcpus
        self.stored = None if self.stored is None else self.stored + seconds * disk
        self.delay += seconds * steal
        self.traffic += seconds * bytes_s

    def lines(self, domain: str) -> list[str]:
        labels = f'domain="{domain}"'
        lines = [
            f"libvirt_domain_info_cpu_time_seconds_total{{{labels}}} {self.cpu!r}",
            f"libvirt_domain_info_memory_usage_bytes{{{labels}}} {self.balloon!r}",
            *(f'libvirt_domain_vcpu_delay_seconds_total{{{labels},vcpu="{n}"}} {self.delay!r}' for n in range(2)),
            *(
                f'libvirt_domain_interface_stats_{way}_bytes_total{{{labels},target_device="tap0"}} {self.traffic!r}'
                for way in ("receive", "transmit")
            ),
        ]
        if self.stored is not None:
            lines += [
                f'libvirt_domain_block_stats_{way}_bytes_total{{{labels},target_device="{disk}"}} {self.stored!r}'
                for way in ("read", "write")
                for disk in ("vda", "vdb")
            ]
        if self.rss is not None:
            lines.append(f"libvirt_domain_memory_stats_rss_bytes{{{labels}}} {self.rss!r}")
        if self.dirty_mib_s is not None:
            lines.append(f"libvirt_domain_dirtyrate_megabytes_per_second{{{labels}}} {self.dirty_mib_s!r}")
        return lines


def libvirt_page(domains: Mapping[str, FakeDomain], *, info: str = "meta") -> str:
    """`info`: how the exporter tells the uuid: `meta` (Tinkoff), `openstack` (inovex) or `none` (kumina)."""
    told = {"meta": ("libvirt_domain_info_meta", "uuid"), "openstack": ("libvirt_domain_openstack_info", "instance_id")}
    lines = ["# TYPE libvirt_up gauge", "libvirt_up 1"]
    if info in told:
        name, label = told[info]
        lines += [f'{name}{{domain="{domain}",{label}="{vm.uuid}"}} 1' for domain, vm in domains.items()]
    for domain, vm in domains.items():
        lines += vm.lines(domain)
    return "\n".join(lines) + "\n"
