"""What one page says: gauges that are readings as they stand, and counters that become readings with the next page.

Names and labels: node exporter 1.x, and the libvirt exporters of the AlexZzz, Tinkoff and inovex lineages. A domain's
uuid is a label of its own, or stands in `libvirt_domain_info_meta` or `libvirt_domain_openstack_info`, or is its name.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from controller.adapters.exporters.textformat import Sample
from controller.model.devices import REPEATED_DISKS, VIRTUAL_DEVICES
from controller.model.sample import Kind, Quantity

Key = tuple[Kind, Quantity, str]
"""Kind, quantity and the thing's name."""

MIB = 1 << 20
_VIRTUAL, _REPEATED = re.compile(VIRTUAL_DEVICES), re.compile(REPEATED_DISKS)
_BOND = re.compile("bond[0-9]+|team[0-9]+")
_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

_INFO = {"libvirt_domain_info_meta": "uuid", "libvirt_domain_openstack_info": "instance_id"}
_VM_COUNTERS = {
    "libvirt_domain_info_cpu_time_seconds_total": (Quantity.CPU_VCPUS, ""),
    "libvirt_domain_vcpu_delay_seconds_total": (Quantity.STEAL_RATIO, "vcpu"),
    "libvirt_domain_interface_stats_receive_bytes_total": (Quantity.NETWORK_BYTES_S, "target_device"),
    "libvirt_domain_interface_stats_transmit_bytes_total": (Quantity.NETWORK_BYTES_S, "target_device"),
    "libvirt_domain_block_stats_read_bytes_total": (Quantity.STORAGE_BYTES_S, "target_device"),
    "libvirt_domain_block_stats_write_bytes_total": (Quantity.STORAGE_BYTES_S, "target_device"),
}
_VM_GAUGES = {
    "libvirt_domain_info_memory_usage_bytes": (Quantity.MEMORY_BYTES, 1),
    "libvirt_domain_memory_stats_rss_bytes": (Quantity.MEMORY_BYTES, 1),
    "libvirt_domain_dirtyrate_megabytes_per_second": (Quantity.DIRTY_BYTES_S, MIB),
}
"""The later of two for one quantity counts: what the host really holds for a VM before what the VM was given."""

_CPU = "node_cpu_seconds_total"
_PRESSURE = "node_pressure_memory_waiting_seconds_total"
_BOOT = "node_boot_time_seconds"
_TOTAL, _AVAILABLE = "node_memory_MemTotal_bytes", "node_memory_MemAvailable_bytes"
_NETWORK = {"node_network_receive_bytes_total": "in", "node_network_transmit_bytes_total": "out"}
_DISKS = ("node_disk_read_bytes_total", "node_disk_written_bytes_total")

NAMES = frozenset({_CPU, _PRESSURE, _BOOT, _TOTAL, _AVAILABLE, *_NETWORK, *_DISKS, *_INFO, *_VM_COUNTERS, *_VM_GAUGES})
"""Every metric that is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`at`: seconds since the epoch when it was asked for; `clock`: seconds that only grow, for rates.

    `counters` are the parts that make one reading (a CPU's mode, a device's direction). Keys in `bad` have a part that
    is no number. `nameless`: domains whose uuid the page does not tell. `booted_at`: when the machine started.
    """

    at: float
    clock: float
    gauges: Mapping[Key, float]
    counters: Mapping[Key, Mapping[str, float]]
    bad: frozenset[Key] = field(default_factory=frozenset)
    nameless: frozenset[str] = field(default_factory=frozenset)
    booted_at: float | None = None

    @property
    def empty(self) -> bool:
        """Whether it says nothing about anything."""
        return not (self.gauges or self.counters or self.bad)


def page(samples: Iterable[Sample], host: str, *, at: float, clock: float) -> Page:
    """What the samples of one host's exporter say, whichever exporter it is."""
    by_name: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_name[sample.name].append(sample)
    gauges: dict[Key, float] = {}
    counters: dict[Key, dict[str, float]] = defaultdict(dict)
    _host(by_name, host, gauges, counters)
    nameless = _vms(by_name, gauges, counters)
    bad = {key for key, value in gauges.items() if not math.isfinite(value)}
    bad |= {key for key, parts in counters.items() if not all(map(math.isfinite, parts.values()))}
    return Page(
        at=at,
        clock=clock,
        gauges={key: value for key, value in gauges.items() if key not in bad},
        counters={key: parts for key, parts in counters.items() if key not in bad},
        bad=frozenset(bad),
        nameless=frozenset(nameless),
        booted_at=by_name[_BOOT][0].value if _BOOT in by_name else None,
    )


def _host(
    by_name: Mapping[str, list[Sample]], host: str, gauges: dict[Key, float], counters: dict[Key, dict[str, float]]
) -> None:
    total, available = by_name.get(_TOTAL), by_name.get(_AVAILABLE)
    if total and available:
        gauges[Kind.HOST, Quantity.MEMORY_BYTES, host] = total[0].value - available[0].value
    for sample in by_name.get(_CPU, ()):
        mode = sample.labels.get("mode", "")
        counters[Kind.HOST, Quantity.CPU_RATIO, host][f"{mode}/{sample.labels.get('cpu')}"] = sample.value
    for sample in by_name.get(_PRESSURE, ()):
        counters[Kind.HOST, Quantity.MEMORY_PRESSURE_RATIO, host][""] = sample.value
    flows = [
        (_NETWORK[s.name], s.labels.get("device", ""), s.value) for name in _NETWORK for s in by_name.get(name, ())
    ]
    counted = [flow for flow in flows if not _VIRTUAL.fullmatch(flow[1])]
    for way, device, value in counted or [flow for flow in flows if _BOND.fullmatch(flow[1])]:
        counters[Kind.HOST, Quantity.NETWORK_BYTES_S, host][f"{way}/{device}"] = value
    for sample in (sample for name in _DISKS for sample in by_name.get(name, ())):
        device = sample.labels.get("device", "")
        if not _REPEATED.fullmatch(device):
            counters[Kind.HOST, Quantity.STORAGE_BYTES_S, host][f"{sample.name}/{device}"] = sample.value


def _vms(
    by_name: Mapping[str, list[Sample]], gauges: dict[Key, float], counters: dict[Key, dict[str, float]]
) -> set[str]:
    uuids = {
        sample.labels.get("domain", ""): uuid
        for name, label in _INFO.items()
        for sample in by_name.get(name, ())
        if (uuid := sample.labels.get(label, ""))
    }
    nameless: set[str] = set()
    for name, (quantity, factor) in _VM_GAUGES.items():
        for sample in by_name.get(name, ()):
            if uuid := _uuid(sample, uuids, nameless):
                gauges[Kind.VM, quantity, uuid] = sample.value * factor
    for name, (quantity, part) in _VM_COUNTERS.items():
        for sample in by_name.get(name, ()):
            if uuid := _uuid(sample, uuids, nameless):
                counters[Kind.VM, quantity, uuid][f"{name}/{sample.labels.get(part, '')}"] = sample.value
    return nameless


def _uuid(sample: Sample, uuids: Mapping[str, str], nameless: set[str]) -> str:
    domain = sample.labels.get("domain", "")
    uuid = uuids.get(domain) or sample.labels.get("uuid") or (domain if _UUID.fullmatch(domain) else "")
    if not uuid:
        nameless.add(domain)
    return uuid
