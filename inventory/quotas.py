"""What a system's project is held to: what its VM sets and storage ask for, and headroom to replace VMs with.

Every field is a number: the provider's quota resources take a field that is not given for 0.
"""

import math
from dataclasses import dataclass, fields

from inventory import neighbours
from inventory.model import Estate, System

_HEADROOM_RATIO = 0.2
_KEY_PAIRS = 100
_SPARE_GROUPS = 5
_RULES_PER_GROUP = 20
_RULES_PER_RANGE = 5
"""Of a group, those that name one range of neighbours, at most."""
_VOLUMES_PER_VM = 2
_PORTS_PER_VM = 2
_PORTS_OF_NETWORK = 10
_WEB_ROLE = "web"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A complete quota: the fields of `model.Quota`, each a number. Memory is in MiB, volumes and backups in GiB."""

    instances: int
    cores: int
    memory_mib: int
    key_pairs: int
    server_groups: int
    server_group_members: int
    volumes: int
    volume_gib: int
    snapshots: int
    backups: int
    backup_gib: int
    volume_groups: int
    networks: int
    subnets: int
    routers: int
    ports: int
    floating_ips: int
    security_groups: int
    security_group_rules: int


def limits(estate: Estate, system: System) -> Limits:
    """The system's quota: what it asks for with headroom, and what `System.quota` says instead."""
    derived = _derived(estate, system)
    if system.quota is None:
        return derived
    said = {each.name: getattr(system.quota, each.name) for each in fields(Limits)}
    return Limits(**{name: getattr(derived, name) if value is None else value for name, value in said.items()})


def _derived(estate: Estate, system: System) -> Limits:
    asked = [(each.count, estate.flavors[each.flavor]) for each in system.vm_sets]
    instances = _with_headroom([(count, 1) for count, _ in asked])
    groups = len(system.vm_sets) + _SPARE_GROUPS
    volume_gib = sum(each.size_gib for each in system.storage)
    volumes = _VOLUMES_PER_VM * instances if volume_gib else 0
    return Limits(
        instances=instances,
        cores=_with_headroom([(count, flavor.vcpus) for count, flavor in asked]),
        memory_mib=_with_headroom([(count, flavor.memory_mib) for count, flavor in asked]),
        key_pairs=_KEY_PAIRS,
        server_groups=groups,
        server_group_members=max(10, instances),
        volumes=volumes,
        volume_gib=volume_gib,
        snapshots=volumes,
        backups=volumes,
        backup_gib=volume_gib,
        volume_groups=groups if volume_gib else 0,
        networks=2,
        subnets=2,
        routers=1,
        ports=_PORTS_PER_VM * instances + _PORTS_OF_NETWORK,
        floating_ips=sum(each.count for each in system.vm_sets if each.role == _WEB_ROLE),
        security_groups=groups + 1,
        security_group_rules=_RULES_PER_GROUP * (groups + 1) + _more_rules(estate, system),
    )


def _more_rules(estate: Estate, system: System) -> int:
    """Those by which the system names more ranges than one: each neighbour's subnet where levels are mixed."""
    near = neighbours.of(estate.agencies[system.agency], system, estate.systems.values())
    return _RULES_PER_RANGE * len(system.vm_sets) * max(0, near.ranges - 1)


def _with_headroom(asked: list[tuple[int, int]]) -> int:
    """The sum of count times size, and a fifth of it or one of the largest more; 0 where nothing is asked for."""
    total = sum(count * size for count, size in asked)
    return total + max([math.ceil(total * _HEADROOM_RATIO), *(size for _, size in asked)]) if total else 0
