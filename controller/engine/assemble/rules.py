"""Groups that bind VMs: Nova's server groups, the inventory's spread rules and room groups; aggregates by row."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from controller.engine.assemble.owners import Owners
from controller.engine.assemble.places import rows_of
from controller.model import cluster as model
from controller.model.cloud import Aggregate, ServerGroup
from inventory.model import Domain, Estate, Spread


def groups(
    estate: Estate, server_groups: Iterable[ServerGroup], vms: model.Vms, owners: Owners
) -> tuple[model.Group, ...]:
    """All groups of two members or more, sorted by name, each name once. A server group's name that stands twice (or is
    a VM set's) is told apart by its id.
    """
    declared = [*_spread_groups(estate, vms, owners), *_room_groups(estate, vms, owners)]
    shown = sorted(server_groups, key=lambda group: group.id)
    times = Counter([group.name for group in shown] + [group.name for group in declared])
    rows = rows_of(vms.ids)
    of_nova = [_of_nova(group, f"{group.name} {group.id}" if times[group.name] > 1 else group.name, rows)
               for group in shown if group.policy in set(model.GroupKind)]  # fmt: skip
    binding = [group for group in (*of_nova, *declared) if len(group.members) > 1]
    return tuple(sorted(binding, key=lambda group: group.name))


def _of_nova(group: ServerGroup, name: str, rows: Mapping[str, int]) -> model.Group:
    members = sorted({rows[member] for member in group.members if member in rows})
    return model.Group(
        name=name,
        kind=model.GroupKind(group.policy),
        domain=Domain.HOST,
        max_per_domain=max(1, group.max_server_per_host),
        members=np.array(members, np.int32),
    )


def _spread_groups(estate: Estate, vms: model.Vms, owners: Owners) -> list[model.Group]:
    """A VM belongs to a set when its project is the system's and its name is `{system}-{role}-{n}`. Of a set with
    several spread rules the first is named like the set, the others `{system}-{role} by {domain}`.

    VMs keep their names when their system is renamed: it may be one that the system bore before.
    """
    rules: dict[tuple[int, str], tuple[Spread, ...]] = {}
    heads: dict[tuple[int, str], tuple[int, str]] = {}
    for system in estate.systems.values():
        for vm_set in system.vm_sets:
            if vm_set.spreads:
                row = owners.system_rows[system.name]
                key = row, f"{system.name}-{vm_set.role}"
                rules[key] = vm_set.spreads
                heads.update({(row, f"{name}-{vm_set.role}"): key for name in system.names})
    members: dict[tuple[int, str], list[int]] = {key: [] for key in rules}
    for row, (name, system_row) in enumerate(zip(vms.names, vms.system.tolist(), strict=True)):
        head, _, number = name.rpartition("-")
        if number.isdecimal() and (system_row, head) in heads:
            members[heads[system_row, head]].append(row)
    return [
        _spread_group(f"{key[1]} by {spread.domain}" if n else key[1], spread, rows)
        for key, rows in members.items()
        for n, spread in enumerate(rules[key])
    ]


def _spread_group(name: str, spread: Spread, rows: list[int]) -> model.Group:
    return model.Group(
        name=name,
        kind=model.GroupKind.ANTI_AFFINITY,
        domain=spread.domain,
        max_per_domain=max(1, len(rows)) if spread.max_per_domain is None else spread.max_per_domain,
        min_domains=spread.at_least,
        members=np.array(rows, np.int32),
    )


def _room_groups(estate: Estate, vms: model.Vms, owners: Owners) -> list[model.Group]:
    """All VMs of the systems of each room group, in one room."""
    systems: dict[str, list[int]] = {}
    for system in estate.systems.values():
        if system.room_group is not None:
            systems.setdefault(system.room_group, []).append(owners.system_rows[system.name])
    return [
        model.Group(
            name=f"room group {name}",
            kind=model.GroupKind.AFFINITY,
            domain=Domain.ROOM,
            max_per_domain=1,
            members=np.flatnonzero(np.isin(vms.system, rows)).astype(np.int32),
        )
        for name, rows in systems.items()
    ]


def aggregates(shown: Iterable[Aggregate], host_rows: Mapping[str, int]) -> tuple[model.Aggregate, ...]:
    """Nova's aggregates, sorted by name, their hosts as rows."""
    return tuple(
        model.Aggregate(
            name=aggregate.name,
            hosts=np.array(sorted({host_rows[host] for host in aggregate.hosts if host in host_rows}), np.int32),
            metadata=aggregate.metadata,
        )
        for aggregate in sorted(shown, key=lambda aggregate: aggregate.name)
    )
