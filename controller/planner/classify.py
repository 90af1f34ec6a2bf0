"""What is wrong with a cluster, most urgent first: each breach with its key, its amount against its limit, a sentence.

A breach that is HOT or UNEVEN, or of a VM that stands where Nova would not put it, starts moves only when it has lasted
(`policy.sustained`); others do at once.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from controller.model import cluster as model
from controller.model.plan import AT_ONCE, Breach, Concern
from controller.model.policy import ADMISSION_RULES
from controller.model.sample import Health
from controller.planner import amounts, groups, rules, score, supplies
from controller.planner.load import Load, misplaced
from inventory.model import Classification

RESOURCES = (("vCPUs", 1.0), ("GiB of memory", 1024.0), ("GiB of disk", 1.0))
"""What Placement counts, and by what its unit is divided for people."""

EMPTYING = ("health", "inlet", "drain")
"""Rules of breaches that last until no VM is left on the host."""

RESERVE = "reserve"
"""The rule of breaches of what hosts keep free for others that may be lost (`failover`)."""

MISFITTING = "misfits"
"""The rule of breaches of many VMs that stand where Nova would not put them, and are not moved for it."""

OF_VM = ("clearance", "admission")
"""Rules of breaches of one VM, which stands on a host that it may not be on."""


def breaches(load: Load) -> tuple[Breach, ...]:
    """Everything that does not hold now, by concern and key."""
    found = (*_broken(load), *_hot(load), *_drains(load), *_uneven(load))
    rank = load.situation.policy.rank
    return tuple(sorted(found, key=lambda breach: (rank(breach.concern), breach.key)))


def lasting(load: Load, breach: Breach) -> bool:
    """Whether it holds for long enough to be acted on."""
    since = load.situation.cluster.breach_since
    if at_once(breach) or since is None:
        return True
    began = since.get(breach.key)
    return began is not None and load.situation.now_s - began >= load.situation.policy.sustained.total_seconds()


def at_once(breach: Breach) -> bool:
    """Whether it is acted on however short it lasts; what Nova would admit may be read while somebody changes it."""
    return breach.concern in AT_ONCE and breach.rule != "admission"


def _broken(load: Load) -> Iterator[Breach]:
    yield from _down(load)
    yield from _failing(load)
    yield from _over_capacity(load)
    yield from _misplaced(load)
    yield from _misfitting(load)
    yield from _misfitting_untouched(load)
    yield from _ungrouped(load)
    yield from _facility(load)


def _hot(load: Load) -> Iterator[Breach]:
    yield from _hot_hosts(load)
    yield from _hot_power(load)
    yield from _short_of_reserve(load)


def _down(load: Load) -> Iterator[Breach]:
    hosts = load.situation.cluster.hosts
    for host in _rows(~hosts.up & (load.vms_on > 0)):
        yield _exposed(load, "down", host, "has no compute service that runs, nothing can be moved off it, and it has")


def _drains(load: Load) -> Iterator[Breach]:
    for host in _rows(load.situation.cluster.hosts.draining & (load.vms_on > 0)):
        yield _exposed(load, "drain", host, "is being drained and still has")


def _failing(load: Load) -> Iterator[Breach]:
    judged = load.situation.standing
    for host in _rows(judged.sick & (load.vms_on > 0)):
        yield _exposed(load, "health", host, f"reports failing {_failing_parts(load, host)} and still has")
    for host in _rows(judged.overheated & (load.vms_on > 0)):
        celsius = load.situation.cluster.hosts.inlet_celsius.values[host]
        yield _exposed(load, "inlet", host, f"breathes air of {celsius:.1f} °C, above critical, and still has")


def _exposed(load: Load, rule: str, host: int, what: str) -> Breach:
    name, count = load.situation.cluster.hosts.names[host], int(load.vms_on[host])
    concern = Concern.DRAIN if rule == "drain" else Concern.BROKEN
    return Breach(
        key=f"{rule}:{name}", concern=concern, rule=rule, subject=name, amount=count, limit=0, unit="VMs",
        why=f"{name} {what} {count} VM{'s' if count != 1 else ''}",
    )  # fmt: skip


def _failing_parts(load: Load, host: int) -> str:
    hosts = load.situation.cluster.hosts
    parts = (
        ("memory", hosts.memory_health, Health.WARNING),
        ("power supply", hosts.psu_health, Health.FAILED),
        ("fan", hosts.fan_health, Health.FAILED),
        ("disk", hosts.disk_health, Health.FAILED),
    )
    return ", ".join(name for name, read, least in parts if read.fresh[host] and read.values[host] >= least)


def _over_capacity(load: Load) -> Iterator[Breach]:
    """One a host, of the resource furthest over what Placement admits, as a share of that."""
    over = over_capacity(load)
    for host in _rows(over.any(axis=0)):
        admitted = load.situation.capacity[:, host]
        share = load.asked[:, host] / np.maximum(admitted, 1.0)
        worst = int(np.argmax(np.where(over[:, host], share, -1.0)))
        unit, divisor = RESOURCES[worst]
        name = load.situation.cluster.hosts.names[host]
        placed = f"{load.asked[worst, host] / divisor:.0f} {unit} placed on it"
        yield Breach(
            key=f"capacity:{name}", concern=Concern.BROKEN, rule="capacity", subject=name, amount=float(share[worst]),
            limit=1.0, unit="ratio", why=f"{name} has {placed}, and may have {admitted[worst] / divisor:.0f}",
        )  # fmt: skip


def over_capacity(load: Load) -> model.BoolColumn:
    """For each resource and host whether more is placed than Placement would admit (3, H)."""
    return ~rules.within(load.asked, load.situation.bounds.capacity)


def _misplaced(load: Load) -> Iterator[Breach]:
    cluster = load.situation.cluster
    for vm in _rows(misplaced(load)):
        level, host = int(cluster.vms.classification[vm]), int(load.host[vm])
        cleared = int(cluster.hosts.clearance[host])
        named = f"{cluster.vms.names[vm]} is {_level(level)}"
        yield Breach(
            key=f"clearance:{cluster.vms.ids[vm]}", concern=Concern.BROKEN, rule="clearance",
            subject=cluster.vms.ids[vm], amount=level, limit=cleared, unit="level",
            why=f"{named} and stands on {cluster.hosts.names[host]}, cleared for {_level(cleared)}",
        )  # fmt: skip


def _misfitting(load: Load) -> Iterator[Breach]:
    cluster = load.situation.cluster
    for vm in _rows(load.misfit):
        against, host = misfits(load, vm), cluster.hosts.names[int(load.host[vm])]
        yield Breach(
            key=f"admission:{cluster.vms.ids[vm]}", concern=Concern.BROKEN, rule="admission",
            subject=cluster.vms.ids[vm], amount=len(against), limit=0, unit="rules",
            why=f"{cluster.vms.names[vm]} stands on {host}, where Nova would not put it: "
            + "; ".join(MISFITS[rule] for rule in against),
        )  # fmt: skip


def _misfitting_untouched(load: Load) -> Iterator[Breach]:
    """One for the VMs that the same rules are against, with the first few of them."""
    facts, cluster = load.situation, load.situation.cluster
    left = np.where(np.equal(load.host, load.origin) & ~facts.misfit, facts.against, np.int8(0))
    for bits in np.unique(left[left != 0]).tolist():
        vms, against = _rows(left == bits), [rule for bit, rule in enumerate(ADMISSION_RULES) if bits >> bit & 1]
        named = [f"{cluster.vms.names[vm]} on {cluster.hosts.names[int(load.host[vm])]}" for vm in vms[:FEW]]
        more = [f"{len(vms) - FEW} more"] if len(vms) > FEW else []
        yield Breach(
            key=f"{MISFITTING}:{'+'.join(against)}", concern=Concern.BROKEN, rule=MISFITTING,
            subject="+".join(against), amount=len(vms), limit=0, unit="VMs",
            why=f"{len(vms)} VM{'s' if len(vms) != 1 else ''} would not be put by Nova where "
            f"{'they stand' if len(vms) != 1 else 'it stands'} ({', '.join(named + more)}): "
            + "; ".join(MISFITS[rule] for rule in against),
        )  # fmt: skip


FEW = 3
"""VMs that a sentence can name."""

MISFITS: Mapping[str, str] = {
    "traits": "its traits are not those the flavor asks for",
    "availability-zone": "it is in another availability zone",
    "aggregate": "its aggregates do not meet the flavor's extra specs",
    "tenant-isolation": "it is reserved for other projects",
}


def misfits(load: Load, vm: int) -> tuple[str, ...]:
    """The rules that speak against the host that the VM stands on."""
    facts = load.situation
    found = facts.admission.misfits(int(facts.cluster.vms.requirement[vm]))
    return tuple(rule for rule, hosts in found.items() if hosts[load.host[vm]])


def _level(level: int) -> str:
    return Classification(level).name.lower()


def _ungrouped(load: Load) -> Iterator[Breach]:
    for number in np.flatnonzero(load.excess_of).tolist():
        bond, members = load.situation.bonds[number], load.members[number]
        yield _worst(bond, members) if any(bond.excess(*each) for each in members.items()) else _too_near(bond, members)


def _worst(bond: groups.Bond, members: Mapping[int, int]) -> Breach:
    """One breach a group: its fullest domain, or for affinity how many are away from the others."""
    counts = [count for domain, count in members.items() if bond.excess(domain, count)]
    group = bond.group
    apart = group.kind in groups.APART
    amount = max(counts) if apart else sum(counts)
    rule = f"at most {group.max_per_domain} in one {group.domain}" if apart else f"all in one {group.domain}"
    what = f"{amount} stand in one" if apart else f"{amount} stand away from the others"
    too_near = f"; {_few_domains(bond, members)}" if bond.missing(members) else ""
    return Breach(
        key=f"group:{group.name}", concern=Concern.BROKEN, rule="group", subject=group.name, amount=amount,
        limit=group.max_per_domain if apart else 0, unit="VMs",
        why=f"group {group.name} wants {rule}, and {what}{too_near}",
    )  # fmt: skip


def _too_near(bond: groups.Bond, members: Mapping[int, int]) -> Breach:
    """Of a group of which only too few domains hold a member: how many more should."""
    name = bond.group.name
    return Breach(
        key=f"group:{name}", concern=Concern.BROKEN, rule="group", subject=name, amount=bond.missing(members),
        limit=0, unit="domains", why=f"group {name}: {_few_domains(bond, members)}",
    )  # fmt: skip


def _few_domains(bond: groups.Bond, members: Mapping[int, int]) -> str:
    held, group = sum(count > 0 for count in members.values()), bond.group
    domains = f"{held} {group.domain}{'s' if held > 1 else ''}"
    return f"its members stand in {domains}, and it wants at least {group.min_domains}"


def _facility(load: Load) -> Iterator[Breach]:
    zones, judged = load.situation.cluster.zones, load.situation.standing
    limit = load.situation.policy.thresholds.facility_share
    for zone in _rows(judged.facility_zones):
        share, name = float(judged.warm_share[zone]), zones.names[zone]
        yield Breach(
            key=f"zone:{name}", concern=Concern.BROKEN, rule="facility", subject=name, amount=share, limit=limit,
            unit="share", why=f"{share:.0%} of the hosts of zone {name} are above {zones.warning_celsius[zone]:.0f} °C "
            "together: a facility event, for its engineers and not for moves",
        )  # fmt: skip


def _hot_hosts(load: Load) -> Iterator[Breach]:
    hosts = load.situation.cluster.hosts
    whole = amounts.whole(hosts)
    words = ("of its threads are busy", "of its memory is in use", "of its link is in use",
             "of its storage path is in use")  # fmt: skip
    over = ~rules.within(load.used, load.situation.bounds.limit)
    for quantity, rule in enumerate(amounts.MEASURED):
        for host in _rows(over[quantity] & hosts.trusted):
            ratio = float(load.used[quantity, host] / max(whole[quantity, host], 1e-9))
            limit = float(load.situation.limit[quantity, host] / max(whole[quantity, host], 1e-9))
            yield Breach(
                key=f"{rule}:{hosts.names[host]}", concern=Concern.HOT, rule=rule, subject=hosts.names[host],
                amount=ratio, limit=limit, unit="ratio",
                why=f"{hosts.names[host]} is hot: {ratio:.1%} {words[quantity]}, limit {limit:.0%}",
            )  # fmt: skip


def _hot_power(load: Load) -> Iterator[Breach]:
    power = load.situation.cluster.power
    for row in _rows(~rules.fits(load.least, power.limit_watts)):
        key = supplies.key(power, row)
        kind = key.partition(":")[0]
        amount, limit = float(load.least[row]), float(power.limit_watts[row])
        yield Breach(
            key=key, concern=Concern.HOT, rule=kind, subject=power.names[row],
            amount=amount, limit=limit, unit="W",
            why=f"{kind} {power.names[row]} would carry {amount:.0f} W if its partner failed, limit {limit:.0f} W",
        )  # fmt: skip


def _short_of_reserve(load: Load) -> Iterator[Breach]:
    """One a pool, of the resource of which most is missing."""
    failover = load.failover
    if failover is None:
        return
    shares, spare = failover.shares, load.situation.policy.thresholds.reserve_hosts
    for pool in _rows(shares.any(axis=1)):
        worst = int(np.argmax(shares[pool]))
        unit, divisor = RESOURCES[worst]
        needed, free = (float(table[pool, worst]) / divisor for table in (failover.needed, failover.free))
        hosts, name = int(np.count_nonzero(failover.pools.hosts[pool])), failover.pools.names[pool]
        lost = "any of them" if spare == 1 else f"any {spare} of them"
        yield Breach(
            key=f"{RESERVE}:{name}", concern=Concern.HOT, rule=RESERVE, subject=name, amount=needed, limit=free,
            unit=unit, why=f"{name} keep {free:.0f} {unit} free, and need {needed:.0f} for servers that can stand only "
            f"there to start again if {lost} were lost" if hosts > 1 else
            f"{name} has servers that can stand on no other host, and would be down with it",
        )  # fmt: skip


def _uneven(load: Load) -> Iterator[Breach]:
    hosts = load.situation.cluster.hosts
    over = np.flatnonzero(score.unevenness(load) > score.DUST).astype(np.int32)
    columns = (score.busy_ratio(load, over), score.even_ratio(load, over), score.rack_means(load, over))
    balance = load.situation.balance
    busy = "of its threads busy" if balance.alone else f"in use by the weights of {balance.what}"
    for host, ratio, even, mean in zip(over, *columns, strict=True):
        name = hosts.names[host]
        yield Breach(
            key=f"uneven:{name}", concern=Concern.UNEVEN, rule="uneven", subject=name, amount=float(ratio),
            limit=float(even), unit="ratio",
            why=f"{name} has {ratio:.1%} {busy}, its rack {mean:.1%} on the mean",
        )  # fmt: skip


def _rows(mask: model.BoolColumn | np.bool_) -> list[int]:
    rows: list[int] = np.flatnonzero(mask).tolist()
    return rows
