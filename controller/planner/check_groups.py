"""The checker's count of groups: how many members each fault domain holds at the worst instant of each wave, and how
few domains hold one at the worst.

A move of a wave may have been made, or not, whatever the others do. So a member that stays holds its domain, and one
that moves, or was migrating when the plan began, holds one of two; of all these outcomes the one counts that leaves the
fewest domains.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from controller.model import cluster as model
from controller.model.plan import Plan
from controller.planner.check_rows import Rows
from inventory.model import Domain

Place = tuple[object, ...]
"""What the hosts of one fault domain have in common."""


def problems(cluster: model.Cluster, plan: Plan, rows: Rows) -> Iterator[str]:
    """Each wave that could break a hard group: members count where they are, and at worst where they are and go."""
    vms, hosts = rows.vms, rows.hosts
    moving = np.zeros(len(cluster.vms.ids), np.bool_)
    moving[[vms[move.vm] for move in plan.moves]] = True
    for group in cluster.groups:
        if moving[group.members].any() and group.kind in {model.GroupKind.AFFINITY, model.GroupKind.ANTI_AFFINITY}:
            members = set(group.members.tolist())
            places = {vm: {int(cluster.vms.host[vm]), int(cluster.vms.target[vm])} - {-1} for vm in members}
            start = {vm: {domain_of(cluster, group.domain, host) for host in at} for vm, at in places.items()}
            yield from _group(cluster, group, start, [
                [(vms[move.vm], domain_of(cluster, group.domain, hosts[move.target])) for move in wave
                 if vms[move.vm] in members] for wave in plan.waves
            ])  # fmt: skip


def _group(
    cluster: model.Cluster,
    group: model.Group,
    start: dict[int, set[Place]],
    waves: list[list[tuple[int, Place]]],
) -> Iterator[str]:
    began = _counted(start)
    anchor_size = max(began.values(), default=0)
    apart = group.kind is model.GroupKind.ANTI_AFFINITY
    wants_several = apart and group.min_domains > 1
    now = start
    for number, wave in enumerate(waves, start=1):
        worst = {vm: set(at) for vm, at in now.items()}
        for vm, domain in wave:
            worst[vm].add(domain)
        reached = _counted(worst)
        for vm, domain in wave:
            if domain in now[vm]:
                continue
            if group.kind is model.GroupKind.AFFINITY:
                if sum(began.values()) > 1 and began[domain] < anchor_size:
                    yield f"wave {number}: {cluster.vms.names[vm]} leaves the others of group {group.name}"
            elif reached[domain] > max(group.max_per_domain, began[domain]):
                yield f"wave {number}: {reached[domain]} of group {group.name} could be in one {group.domain}"
        least = _fewest(now, {}, group.min_domains) if wave and wants_several else 0
        if least and (left := _fewest(now, dict(wave), least)) < least:
            yield f"wave {number}: group {group.name} could be in {left} of at least {least} domains ({group.domain})"
        now = {**now, **{vm: {domain} for vm, domain in wave}}


def _fewest(now: Mapping[int, set[Place]], going: Mapping[int, Place], enough: int) -> int:
    """In how few domains members could be while those go; `enough` stands for that many and more."""
    may_be = [{*at, going[vm]} if vm in going else at for vm, at in now.items()]
    sure = {domain for at in may_be if len(at) == 1 for domain in at}
    open_ = [at for at in may_be if len(at) > 1]
    return _least(sure - {()}, [each for each in open_ if () not in each], enough)


def _least(held: set[Place], either: Sequence[set[Place]], enough: int) -> int:
    """How few domains are held, where of each of `either` at least one is."""
    unheld = sorted((each for each in either if not each & held), key=sorted)
    if len(held) >= enough or not unheld:
        return min(len(held), enough)
    separate: list[set[Place]] = []
    for each in unheld:
        if all(not each & other for other in separate):
            separate.append(each)
    if len(held) + len(separate) >= enough:
        return enough
    for domain in sorted(unheld[0]):
        enough = min(enough, _least(held | {domain}, unheld[1:], enough))
    return enough


def _counted(places: dict[int, set[Place]]) -> Counter[Place]:
    return Counter(domain for at in places.values() for domain in at if domain)


def domain_of(cluster: model.Cluster, domain: Domain, host: int) -> Place:
    """What two hosts of one fault domain have in common; empty where it is not known."""
    rack = int(cluster.hosts.rack[host])
    if domain is Domain.HOST:
        return ("host", host)
    if domain is Domain.FEED:
        rows = {int(row) for row in cluster.hosts.power[host] if row >= 0}
        feeds = sorted(row for row in rows if cluster.power.kind[row] == model.PowerKind.FEED)
        return ("feeds", *feeds) if feeds else ()
    if domain is Domain.RACK or rack < 0:
        return ("rack", rack) if rack >= 0 else ()
    row = int((cluster.racks.zone if domain is Domain.ZONE else cluster.racks.room)[rack])
    if domain is Domain.SITE and row >= 0:
        return ("site", cluster.rooms.site[row]) if cluster.rooms.site[row] else ()
    return (str(domain), row) if row >= 0 else ()
