"""Agencies and systems whose VMs add up to exactly the number asked for. Modelled but for the named ones.

Most systems are small and a few are large (a Pareto law); levels are dealt out so that each level's share of VMs stays
near its share of hosts.
"""

import ipaddress
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from inventory.model import Agency, Budget, Classification, DataSet, Domain, Spread, Storage, System, Tier, VmSet
from inventory.modelled import named
from inventory.modelled.catalogue import flavor_name
from inventory.modelled.named import Named, Part
from inventory.modelled.sizes import Sizes
from inventory.windows import window

DomainCount = Callable[[Domain, Classification], int]
"""How many fault domains of a kind have hosts cleared for a level."""

_SHARES = {
    Classification.OPEN: 0.30,
    Classification.INTERNAL: 0.47,
    Classification.CONFIDENTIAL: 0.17,
    Classification.SECRET: 0.06,
}
_TIERS = (Tier.CRITICAL, Tier.STANDARD, Tier.BASIC)
_TIER_WEIGHTS = (0.1, 0.5, 0.4)
_NIGHT_SHARE = 0.05
_NIGHTS = (window("Mon-Sun 22:00-05:00"),)
_DATABASE_GIB = 200
"""Fast block storage of each database VM."""

_WIDEST_PREFIX, _USUAL_PREFIX = 16, 26
_POOLS = ipaddress.IPv4Network("10.128.0.0/9")
_SHAPES_OF = {
    "web": (("1c2g", "2c4g", "4c8g", "4c16g"), (1, 2, 3, 2)),
    "app": (("2c8g", "4c16g", "8c16g", "8c32g"), (3, 4, 1, 2)),
    "db": (("4c16g", "8c32g", "16c64g"), (2, 4, 2)),
    "batch": (("4c8g", "8c16g", "8c32g"), (2, 1, 1)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenants:
    agencies: tuple[Agency, ...]
    systems: tuple[System, ...]
    data_sets: tuple[DataSet, ...]


def tenants(sizes: Sizes, domains: DomainCount, rng: random.Random) -> Tenants:
    """Agencies, systems and data sets; the named ones come first, as many as `Sizes.named_share` has room for."""
    chosen = _chosen(sizes)
    agencies = _agencies(sizes, chosen)
    systems = [_named_system(each, {one.name for one in chosen}, domains) for each in chosen]
    rest = sizes.vms - sum(each.vms for each in chosen)
    names = [agency.name for agency in agencies]
    counts = _counts(max(sizes.systems - len(chosen), 1), rest, rng) if rest else []
    levels = _levels(counts, rng)
    for index, (count, level) in enumerate(zip(counts, levels, strict=True)):
        owner = names[index % len(names)] if index < len(names) else rng.choice(names)
        systems.append(_system((f"{owner}-s{index + 1:04d}", owner), level, count, domains, rng))
    owned = {system.name for system in systems}
    readers_known = set(names)
    data_sets = tuple(
        each for each in named.data_sets() if each.system in owned and readers_known.issuperset(each.readers)
    )
    return Tenants(agencies=agencies, systems=tuple(systems), data_sets=data_sets)


def _chosen(sizes: Sizes) -> tuple[Named, ...]:
    chosen: list[Named] = []
    for each in named.SYSTEMS:
        owners = {one.agency for one in chosen} | {each.agency}
        total = sum(one.vms for one in chosen) + each.vms
        if total <= sizes.vms * sizes.named_share and len(chosen) < sizes.systems and len(owners) <= sizes.agencies:
            chosen.append(each)
    return tuple(chosen)


def _agencies(sizes: Sizes, chosen: Sequence[Named]) -> tuple[Agency, ...]:
    pools = _POOLS.subnets(new_prefix=20)
    owners = dict.fromkeys(each.agency for each in chosen)
    agencies = [
        Agency(name=name, title=named.OWNERS[name], budget=Budget(at_once=2, per_hour=24), pool=str(next(pools)))
        for name in owners
    ]
    for number in range(len(agencies) + 1, sizes.agencies + 1):
        title = f"Agency {number} (modelled)"
        agencies.append(Agency(name=f"agency-{number:03d}", title=title, pool=str(next(pools))))
    return tuple(agencies)


def _counts(systems: int, vms: int, rng: random.Random) -> list[int]:
    """`systems` whole numbers of at least one that add up to `vms`, by Pareto weights and largest remainders."""
    systems = min(systems, vms)
    weights = [min(rng.paretovariate(1.3), 60.0) for _ in range(systems)]
    spare, total = vms - systems, sum(weights)
    exact = [spare * weight / total for weight in weights]
    counts = [int(each) for each in exact]
    by_remainder = sorted(range(systems), key=lambda n: (counts[n] - exact[n], n))
    for n in by_remainder[: spare - sum(counts)]:
        counts[n] += 1
    return [1 + count for count in counts]


def _levels(counts: Sequence[int], rng: random.Random) -> list[Classification]:
    """A level for each system, the largest first to the level that is furthest below its share."""
    given = dict.fromkeys(_SHARES, 0.0)
    total = sum(counts)
    levels = [Classification.OPEN] * len(counts)
    order = sorted(range(len(counts)), key=lambda n: (-counts[n], rng.random()))
    for n in order:
        level = max(given, key=lambda each: (_SHARES[each] * total - given[each], -each))
        levels[n] = level
        given[level] += counts[n]
    return levels


def _named_system(each: Named, known: Collection[str], domains: DomainCount) -> System:
    return System(
        name=each.name,
        agency=each.agency,
        project=each.name,
        classification=each.level,
        tier=each.tier,
        title=each.title,
        budget=each.budget,
        vm_sets=tuple(_vm_set(part, each.level, domains) for part in each.parts),
        windows=each.windows,
        blackouts=each.blackouts,
        storage=_storage(each.parts, each.level),
        quota=each.quota,
        subnet_prefix=_subnet_prefix(each.vms),
        share_network_with=tuple(name for name in each.share_network_with if name in known),
    )


def _system(
    named_and_owned: tuple[str, str], level: Classification, count: int, domains: DomainCount, rng: random.Random
) -> System:
    name, owner = named_and_owned
    tier = rng.choices(_TIERS, _TIER_WEIGHTS)[0]
    parts = _parts(count, tier, rng)
    return System(
        name=name,
        agency=owner,
        project=name,
        classification=level,
        tier=tier,
        budget=Budget(at_once=1, per_hour=6) if tier is Tier.CRITICAL else None,
        vm_sets=tuple(_vm_set(part, level, domains) for part in parts),
        windows=_NIGHTS if rng.random() < _NIGHT_SHARE else (),
        storage=_storage(parts, level),
        subnet_prefix=_subnet_prefix(count),
    )


def _storage(parts: Sequence[Part], level: Classification) -> tuple[Storage, ...]:
    databases = sum(part.count for part in parts if part.role == "db")
    size_gib = databases * _DATABASE_GIB
    return (Storage(volume_type=f"{level.name.lower()}-fast", size_gib=size_gib),) if databases else ()


def _subnet_prefix(vms: int) -> int:
    """The usual one, or the narrowest that has room for twice the VMs."""
    wide = (prefix for prefix in range(_USUAL_PREFIX, _WIDEST_PREFIX, -1) if 2 ** (32 - prefix) >= 2 * vms + 8)
    return next(wide, _WIDEST_PREFIX)


def _parts(count: int, tier: Tier, rng: random.Random) -> list[Part]:
    if count < 3:
        roles = {"app": 1, "db": count - 1}
    else:
        front, database = max(1, round(0.3 * count)), max(1, min(6, count // 6))
        back = "batch" if tier is Tier.BASIC and count > 8 else "app"
        roles = {"web": front, back: count - front - database, "db": database}
    parts = []
    for role, number in roles.items():
        if number:
            names, weights = _SHAPES_OF[role]
            shape = rng.choices(names, weights)[0]
            parts.append(Part(role=role, shape=shape, count=number, domain=_domain(role, tier)))
    return parts


def _domain(role: str, tier: Tier) -> Domain | None:
    if tier is Tier.CRITICAL and role == "web":
        return Domain.RACK
    return Domain.HOST if role == "db" and tier is not Tier.BASIC else None


def _vm_set(part: Part, level: Classification, domains: DomainCount) -> VmSet:
    spreads: tuple[Spread, ...] = ()
    if part.domain is not None and part.count > 1:
        available = max(1, domains(part.domain, level))
        spreads = (Spread(domain=part.domain, max_per_domain=-(-part.count // available)),)
    return VmSet(role=part.role, flavor=flavor_name(level, part.shape), count=part.count, spreads=spreads)
