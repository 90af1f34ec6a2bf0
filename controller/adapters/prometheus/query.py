"""What is asked: for each quantity one query for values, one for the samples' times, and the label that names.

The defaults suit node exporter 1.x and the libvirt exporters that name a domain `libvirt_domain_*{domain}` (AlexZzz,
Tinkoff, inovex and their forks). The VM's uuid comes from `libvirt_domain_info_meta{uuid}` or
`libvirt_domain_openstack_info{instance_id}`, whichever is there. While a VM migrates both hosts show it; the greater
value counts, since the incoming copy is paused. The joins drop what has left a host even while ranges still see it.
Slopes are `deriv` where no counter was reset, not `rate`: over a series younger than the window (an exporter, a
Prometheus or a VM that has just come) `rate` divides by the whole window and tells too little, and an idle CPU's too
little is a hot host.
What a VM will use is what it used in the coming hour a day and a week ago, where Prometheus goes back that far.
Few exporters show a dirty rate; `DIRTY_RATE` is libvirt's own statistic `dirtyrate.megabytes_per_second` (MiB/s).
"""

from dataclasses import dataclass
from datetime import timedelta

from controller.model.devices import REPEATED_DISKS, VIRTUAL_DEVICES
from controller.model.sample import Kind, Quantity

DIRTY_RATE = "libvirt_domain_dirtyrate_megabytes_per_second"

_IDLE = 'node_cpu_seconds_total{mode=~"idle|iowait"}'
"""The two together: after a reboot a CPU's waiting may be what it was, nothing, and look like no reset."""
_CPU_TIME = "libvirt_domain_info_cpu_time_seconds_total"

DAYS_AGO = (1, 7)
"""Which days a forecast goes by: yesterday, and the same day of the week."""


def _info(offset: str = "") -> str:
    """The uuid of each domain that is shown, now or so long ago."""
    openstack = f'label_replace(libvirt_domain_openstack_info{offset}, "uuid", "$1", "instance_id", "(.+)")'
    shown = f"(libvirt_domain_info_meta{offset} or {openstack}) and on (instance, job) (up{offset} == 1)"
    return f"group by (instance, domain, uuid) ({shown})"


_INFO = _info()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """`promql` gives one series a name, named by `label`; `age` the time of the samples behind it (epoch seconds).

    `kind` is HOST (the label is an instance, an address or a host's name) or VM (the instance uuid). `optional`: an
    empty answer is no fault.
    """

    quantity: Quantity
    kind: Kind
    promql: str
    label: str
    age: str
    optional: bool = False


def defaults(window: timedelta = timedelta(minutes=1)) -> tuple[Query, ...]:
    """The built-in queries; `window` is what slopes look back, at least twice Prometheus's scrape interval."""
    over = f"{window.total_seconds():.0f}s"
    return (*_of_hosts(over), *_of_vms(over))


def default_age(query_kind: Kind) -> str:
    """For a query that names no age of its own: the time of what the exporter of that kind always shows."""
    return _host_age("node_memory_MemAvailable_bytes") if query_kind is Kind.HOST else _vm_age(_CPU_TIME)


def _of_hosts(over: str) -> tuple[Query, ...]:
    devices = (f'{{device!~"{VIRTUAL_DEVICES}"}}', '{device=~"(bond|team)[0-9]+"}')
    flow = " or ".join(_flow(selector, over) for selector in devices)
    idle = _slopes(_IDLE, over, "instance, job, cpu")
    used = "node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes"
    pressure = "node_pressure_memory_waiting_seconds_total"
    return (
        _host(
            Quantity.CPU_RATIO, f"clamp_min(1 - avg by (instance) ({idle}), 0)", 'node_cpu_seconds_total{mode="idle"}'
        ),
        _host(Quantity.MEMORY_BYTES, f"max by (instance) ({used})", "node_memory_MemAvailable_bytes"),
        _host(Quantity.MEMORY_PRESSURE_RATIO, f"max by (instance) ({_slope(pressure, over)})", pressure, optional=True),
        _host(
            Quantity.NETWORK_BYTES_S,
            f"max by (instance) ({flow})",
            "node_network_receive_bytes_total",
        ),
        _host(
            Quantity.STORAGE_BYTES_S,
            f"max by (instance) ({_stored(over)})",
            "node_disk_read_bytes_total",
            optional=True,
        ),
    )


def _stored(over: str) -> str:
    """Bytes a second that a host reads from its disks and writes to them."""
    ways = (f'node_disk_{way}_bytes_total{{device!~"{REPEATED_DISKS}"}}' for way in ("read", "written"))
    return " + ".join(_slopes(way, over, "instance, job") for way in ways)


def _flow(selector: str, over: str) -> str:
    """Bytes a second in and out of the selected devices."""
    ways = (f"node_network_{way}_bytes_total{selector}" for way in ("receive", "transmit"))
    return " + ".join(_slopes(way, over, "instance, job") for way in ways)


def _slope(counter: str, over: str) -> str:
    """How fast a counter grows, where it was not reset."""
    return f"(deriv({counter}[{over}]) and resets({counter}[{over}]) == 0)"


def _slopes(counters: str, over: str, by: str) -> str:
    """How fast counters grow together, where none was reset: a part is never told as the whole."""
    grown, reset = (f"sum by ({by}) ({of}({counters}[{over}]))" for of in ("deriv", "resets"))
    return f"({grown} and {reset} == 0)"


def _host(quantity: Quantity, promql: str, metric: str, *, optional: bool = False) -> Query:
    age = _host_age(metric)
    return Query(quantity=quantity, kind=Kind.HOST, promql=promql, label="instance", age=age, optional=optional)


def _host_age(metric: str) -> str:
    return f"min by (instance) (timestamp({metric}) and on (instance, job) (up == 1))"


def _of_vms(over: str) -> tuple[Query, ...]:
    cpu, delay = _CPU_TIME, "libvirt_domain_vcpu_delay_seconds_total"
    rss, balloon = "libvirt_domain_memory_stats_rss_bytes", "libvirt_domain_info_memory_usage_bytes"
    received, sent = (f"libvirt_domain_interface_stats_{way}_bytes_total" for way in ("receive", "transmit"))
    read, written = (f"libvirt_domain_block_stats_{way}_bytes_total" for way in ("read", "write"))
    flow, stored = (
        " + ".join(_slopes(metric, over, "instance, job, domain") for metric in both)
        for both in ((received, sent), (read, written))
    )
    return (
        _vm(Quantity.CPU_VCPUS, _slope(cpu, over), cpu),
        _ahead(),
        _vm(Quantity.STEAL_RATIO, f"avg by (instance, domain) ({_slope(delay, over)})", delay, optional=True),
        _vm(Quantity.MEMORY_BYTES, f"({rss} or {balloon})", balloon),
        _vm(Quantity.NETWORK_BYTES_S, f"({flow})", received),
        _vm(Quantity.STORAGE_BYTES_S, f"({stored})", read, optional=True),
        _vm(Quantity.DIRTY_BYTES_S, f"{DIRTY_RATE} * 1048576", DIRTY_RATE, optional=True),
    )


def _ahead() -> Query:
    """By the CPU time at both ends of the hour: two samples a VM, where a rate would read hundreds.

    A VM that moved within the hour has no series at both ends, and one that is gone by now is left out.
    """
    each = [
        f'label_replace({_used_in_the_hour(days)}, "days_ago", "{days}", "", "")' for days in DAYS_AGO
    ]  # apart by a label, as a series cannot stand on both sides
    promql = f"max by (uuid) ({' or '.join(each)}) and on (uuid) {_INFO}"
    age = _vm_age(_CPU_TIME)
    return Query(quantity=Quantity.CPU_AHEAD_VCPUS, kind=Kind.VM, promql=promql, label="uuid", age=age, optional=True)


def _used_in_the_hour(days: int) -> str:
    """What each VM used on average in the hour that began so many days ago, wherever it then ran."""
    begin, end = f" offset {24 * days}h", f" offset {24 * days - 1}h"
    used = f"({_CPU_TIME}{end} - {_CPU_TIME}{begin}) / 3600 >= 0"
    return _by_uuid("max", used, _info(end))


def _vm(quantity: Quantity, value: str, metric: str, *, optional: bool = False) -> Query:
    promql, age = _by_uuid("max", value, _INFO), _vm_age(metric)
    return Query(quantity=quantity, kind=Kind.VM, promql=promql, label="uuid", age=age, optional=optional)


def _vm_age(metric: str) -> str:
    return _by_uuid("min", f"timestamp({metric})", _INFO)


def _by_uuid(which: str, value: str, info: str) -> str:
    """The `max` or `min` of what each VM's domains show."""
    return f"{which} by (uuid) ({which} by (instance, domain) ({value}) * on (instance, domain) group_right () {info})"
