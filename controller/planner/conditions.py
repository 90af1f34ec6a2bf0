"""What would have to be otherwise for a breach not to hold: in the snapshot, in its limit, or in how long it lasts.

A breach is an amount over its limit, so that it is gone

    in the snapshot   where the amount is its limit:  used + arriving <= limit,   load <= limit,   members <= allowed
    in the limit      where the limit is the amount:  limit >= used + arriving,   limit >= load

An uneven host of a rack of `T` threads, of which `B` are busy, stands no further above the mean than is tolerated where

    used / t - (B - b + used) / T <= tolerated,   so   used <= (tolerated + (B - b) / T) / (1 / t - 1 / T)

with its `t` threads, `b` of them busy now; where not CPU alone is balanced, no one reading is named. What arrives by
migrations under way counts as it will.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from controller.model.ids import HostName, ServerId
from controller.model.plan import Breach
from controller.model.sample import Health
from controller.planner import amounts, classify, groups, supplies
from controller.planner.load import Load
from inventory.model import Classification

PARTS = (
    ("memory_health", "memory", Health.WARNING),
    ("psu_health", "power supply", Health.FAILED),
    ("fan_health", "fan", Health.FAILED),
    ("disk_health", "disk", Health.FAILED),
)
"""Of each part the reading, its name, and from what on it fails."""

SUPPLIES = frozenset(supplies.KINDS.values())
"""Rules of breaches of power."""

PER_UNIT = (1.0, amounts.GIB, amounts.MIB, amounts.MIB)
UNITS = ("threads", "GiB of memory", "MiB/s", "MiB/s of storage")
"""What people count CPU, memory, the link and the storage path in, and by what that is divided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One thing that would have to be otherwise: `what` of `subject` at `at`, where it is `now`; both in `unit`.

    A supply is named with its kind (`feed:A1`).
    """

    what: str
    subject: str
    unit: str
    now: float
    at: float
    words: str


def in_snapshot(load: Load, breach: Breach) -> tuple[Condition, ...]:
    """What together ends the breach, the limits as they are; none where nothing that can be said does."""
    return tuple(_ENDS[breach.rule](load, breach)) if breach.rule in _ENDS else ()


def in_limit(load: Load, breach: Breach) -> tuple[Condition, ...]:
    """The limit that would bear the breach's amount; none where it has no limit of its own."""
    if breach.rule in {*amounts.MEASURED, "uneven"}:
        return tuple(_higher_threshold(load, breach))
    if breach.rule in SUPPLIES:
        words = f"{_named(breach)} might carry at least {math.ceil(breach.amount)} W (it may {breach.limit:.0f} W)"
        return (_of("limit_watts", breach, "W", now=breach.limit, at=breach.amount, words=words),)
    return ()


def in_time(load: Load, breach: Breach) -> tuple[Condition, ...]:
    """A longer wait than the breach has lasted; none where breaches are acted on at once."""
    situation = load.situation
    since = situation.cluster.breach_since
    if classify.at_once(breach) or since is None or breach.key not in since:
        return ()
    lasted, wait = situation.now_s - since[breach.key], situation.policy.sustained.total_seconds()
    words = f"breaches had to last longer than {lasted / 60:.1f} min (policy.sustained, {wait / 60:.1f} min)"
    return (_of("sustained", breach, "s", now=wait, at=lasted, words=words),)


def _of(what: str, breach: Breach, unit: str, *, now: float, at: float, words: str) -> Condition:
    subject = breach.key if breach.rule in SUPPLIES else breach.subject
    return Condition(what=what, subject=subject, unit=unit, now=now, at=at, words=words)


def _less_used(load: Load, breach: Breach) -> Iterator[Condition]:
    """The host's own reading at which it, with what arrives, is at its limit."""
    situation, host = load.situation, _host(load, breach)
    row = amounts.MEASURED.index(breach.rule) if breach.rule in amounts.MEASURED else amounts.CPU
    limit = _tolerated(load, host) if breach.rule == "uneven" else float(situation.limit[row, host])
    now = float(situation.used[row, host])
    at = limit - (float(load.used[row, host]) - now)
    if not (math.isfinite(at) and at >= 0):
        return
    unit, per = UNITS[row], PER_UNIT[row]
    whole = float(amounts.whole(situation.cluster.hosts)[row, host])
    used = f"{breach.subject} used at most {_down(at / per)} of its {whole / per:.0f} {unit} (it uses {now / per:.1f})"
    yield _of(amounts.MEASURED[row], breach, unit, now=now / per, at=at / per, words=used)


def _tolerated(load: Load, host: int) -> float:
    """The busy threads at which an uneven host is at what is tolerated; NaN where it alone is its rack's mean, or more
    than CPU is balanced.
    """
    hosts = load.situation.cluster.hosts
    rack, threads = int(hosts.rack[host]), float(hosts.threads[host])
    whole, others = float(load.rack_threads[rack]), float(load.rack_busy[rack] - load.used[amounts.CPU, host])
    share = 1.0 / threads - 1.0 / whole
    if share <= 0 or not load.situation.balance.alone:
        return math.nan
    return (load.situation.policy.thresholds.uneven_ratio + others / whole) / share


def _higher_threshold(load: Load, breach: Breach) -> Iterator[Condition]:
    thresholds = load.situation.policy.thresholds
    name = f"{breach.rule}_ratio"
    now = float(getattr(thresholds, name))
    at = breach.amount - (breach.limit - now)
    if at <= 1.0:
        words = f"thresholds.{name} were at least {_up(at)} (it is {now:g})"
        yield _of(f"thresholds.{name}", breach, "ratio", now=now, at=at, words=words)


def _less_carried(load: Load, breach: Breach) -> Iterator[Condition]:
    now, limit = breach.amount, breach.limit
    words = f"{_named(breach)} carried at most {math.floor(limit)} W alone (it would carry {now:.0f} W)"
    yield _of("least_watts", breach, "W", now=now, at=limit, words=words)


def _more_admitted(load: Load, breach: Breach) -> Iterator[Condition]:
    host = _host(load, breach)
    over = classify.over_capacity(load)[:, host].tolist()
    for row, column in enumerate(("vcpus", "memory_mib", "disk_gib")):
        unit, per = classify.RESOURCES[row]
        now, at = float(load.situation.capacity[row, host]) / per, float(load.asked[row, host]) / per
        if over[row]:
            words = f"Placement admitted at least {math.ceil(at)} {unit} on {breach.subject} (it admits {now:.0f})"
            yield _of(column, breach, unit, now=now, at=at, words=words)


def _well(load: Load, breach: Breach) -> Iterator[Condition]:
    hosts, host = load.situation.cluster.hosts, _host(load, breach)
    for column, name, least in PARTS:
        reading = getattr(hosts, column)
        now = float(reading.values[host])
        if reading.fresh[host] and now >= least:
            words = f"{breach.subject} reported no failing {name}"
            yield _of(column, breach, "", now=now, at=float(Health.OK), words=words)


def _cooler(load: Load, breach: Breach) -> Iterator[Condition]:
    cluster, host = load.situation.cluster, _host(load, breach)
    zone = int(cluster.racks.zone[cluster.hosts.rack[host]])
    now, at = float(cluster.hosts.inlet_celsius.values[host]), float(cluster.zones.critical_celsius[zone])
    words = f"{breach.subject} breathed air of at most {_down(at)} °C (it is {now:.1f} °C)"
    yield _of("inlet_celsius", breach, "°C", now=now, at=at, words=words)


def _cleared(load: Load, breach: Breach) -> Iterator[Condition]:
    cluster = load.situation.cluster
    host = cluster.hosts.names[int(load.host[cluster.vms.ids.index(ServerId(breach.subject))])]
    now, at = Classification(int(breach.limit)), Classification(int(breach.amount))
    words = f"{host} were cleared for {at.name.lower()} (it is for {now.name.lower()})"
    yield Condition(what="clearance", subject=host, unit="level", now=now, at=at, words=words)


def _fitting(load: Load, breach: Breach) -> Iterator[Condition]:
    vm = load.situation.cluster.vms.ids.index(ServerId(breach.subject))
    rules, host = classify.misfits(load, vm), load.situation.cluster.hosts.names[int(load.host[vm])]
    words = f"{host} met what {load.situation.cluster.vms.names[vm]} asks by {' and '.join(rules)}"
    yield _of("admission", breach, "rules", now=len(rules), at=0.0, words=words)


def _allowed(load: Load, breach: Breach) -> Iterator[Condition]:
    """More in one domain and fewer domains, or for affinity a preference in place of a rule; of each broken group of
    that name.
    """
    for number, bond in enumerate(load.situation.bonds):
        if bond.group.name != breach.subject or not bond.excesses(load.members[number]):
            continue
        counts = [n for domain, n in load.members[number].items() if bond.excess(domain, n)]
        if bond.missing(load.members[number]):
            now, at = bond.group.min_domains, sum(n > 0 for n in load.members[number].values())
            words = f"group {breach.subject} wanted at least {at} {bond.group.domain} (it wants {now})"
            yield _of("min_domains", breach, "domains", now=now, at=at, words=words)
        if bond.group.kind in groups.APART and counts:
            now, at = bond.group.max_per_domain, max(counts)
            words = f"group {breach.subject} allowed {at} in one {bond.group.domain} (it allows {now})"
            yield _of("max_per_domain", breach, "VMs", now=now, at=at, words=words)
        elif counts:
            words = f"group {breach.subject} were a preference (soft-affinity)"
            yield _of("soft", breach, "", now=0.0, at=1.0, words=words)


def _undrained(load: Load, breach: Breach) -> Iterator[Condition]:
    yield _of("drain", breach, "", now=1.0, at=0.0, words=f"the drain of {breach.subject} were lifted")


def _host(load: Load, breach: Breach) -> int:
    return load.situation.cluster.hosts.names.index(HostName(breach.subject))


def _named(breach: Breach) -> str:
    return f"{breach.rule} {breach.subject}"


def _down(value: float) -> str:
    """Rounded down, so that what is shown is enough."""
    return f"{math.floor(value * 10 + 1e-9) / 10:.1f}"


def _up(value: float) -> str:
    return f"{math.ceil(value * 1000 - 1e-9) / 1000:.3f}"


_ENDS: Mapping[str, Callable[[Load, Breach], Iterator[Condition]]] = {
    **dict.fromkeys((*amounts.MEASURED, "uneven"), _less_used),
    **dict.fromkeys(SUPPLIES, _less_carried),
    "capacity": _more_admitted,
    "health": _well,
    "inlet": _cooler,
    "clearance": _cleared,
    "admission": _fitting,
    "group": _allowed,
    "drain": _undrained,
}
