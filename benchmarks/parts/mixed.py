"""A mixed estate: that of `perturbed`, with what makes a failure hard to outlast. Modelled.

One host in three is cleared for more than open data, and what runs there is of its level or a lower one. A quarter of
the systems keeps its servers apart on hosts or racks, some pairs must stand together. One host in a hundred carries a
server that is pinned or that none but it may start, and one in fifty a power supply that warns.
"""

from dataclasses import replace

import numpy as np

from benchmarks.parts import perturbed
from controller.model import cluster as model
from controller.model.sample import Health
from inventory.model import Domain

_LEVELS = (0.66, 0.2, 0.1, 0.04)
"""Shares of hosts cleared for open, internal, confidential and secret data at the most."""


def mixed(hosts: int, vms: int, seed: int) -> model.Cluster:
    """The same estate for the same arguments."""
    dice = np.random.default_rng([seed, hosts, vms])
    cluster = perturbed.perturbed(hosts, vms, seed)
    clearance = dice.choice(4, hosts, p=_LEVELS).astype(np.int8)
    level = np.minimum(dice.choice(4, vms, p=_LEVELS), clearance[cluster.vms.host]).astype(np.int8)
    alone = dice.choice(vms, max(hosts // 100, 1), replace=False)
    pinned, only = alone[::2], alone[1::2]
    requirement, fit_known = cluster.vms.requirement.copy(), cluster.vms.fit_known.copy()
    requirement[only], fit_known[pinned] = 1, False
    psu = cluster.hosts.psu_health.values.copy()
    psu[dice.choice(hosts, max(hosts // 50, 1), replace=False)] = Health.WARNING
    traits = [frozenset[str]()] * hosts
    for host in cluster.vms.host[only].tolist():
        traits[host] = frozenset({"CUSTOM_ONLY_HERE"})
    return replace(
        cluster,
        estate=f"mixed-{hosts}",
        hosts=replace(
            cluster.hosts,
            clearance=clearance,
            traits=tuple(traits),
            psu_health=replace(cluster.hosts.psu_health, values=psu),
        ),
        vms=replace(cluster.vms, classification=level, requirement=requirement, fit_known=fit_known),
        requirements=(*cluster.requirements, model.Requirement(required_traits=frozenset({"CUSTOM_ONLY_HERE"}))),
        groups=_groups(cluster, dice),
    )


def _groups(cluster: model.Cluster, dice: np.random.Generator) -> tuple[model.Group, ...]:
    """Of every fourth system those that stand apart already, of every tenth two that share a host."""
    system, host = cluster.vms.system, cluster.vms.host
    of_system = np.argsort(system, kind="stable")
    starts = np.searchsorted(system[of_system], np.arange(len(cluster.systems.names) + 1))
    found = []
    for row, name in enumerate(cluster.systems.names):
        members = of_system[starts[row] : starts[row + 1]]
        if row % 4 == 0:
            domain, place = (Domain.RACK, cluster.hosts.rack[host]) if dice.random() < 0.5 else (Domain.HOST, host)
            _, first = np.unique(place[members], return_index=True)
            found.append((f"{name}-apart", model.GroupKind.ANTI_AFFINITY, domain, members[first]))
        elif row % 10 == 1:
            values, count = np.unique(host[members], return_counts=True)
            shared = members[host[members] == values[np.argmax(count)]]
            found.append((f"{name}-together", model.GroupKind.AFFINITY, Domain.HOST, shared))
    return tuple(
        model.Group(name=name, kind=kind, domain=domain, max_per_domain=1, members=np.sort(members).astype(np.int32))
        for name, kind, domain, members in found
        if len(members) > 1
    )
