"""What a loss comes to, put into words and numbers.

A round starts at most `limits.at_once` servers, and at most `limits.into_host` on one host:

    rounds = max(ceil(servers / at_once), max over hosts of ceil(servers on it / into_host))

and where hosts are emptied also over these of ceil(servers off it / out_of_host),

which can always be kept: with the servers in the order of their hosts, number i goes into round i mod rounds.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypedDict

import numpy as np

from controller.model import cluster as model
from controller.model.ids import HostName, ServerId
from controller.model.policy import Limits, Policy
from controller.model.whatif import Loss, Missing, Outcome, Overload, Restart, SystemLoss, Verdict
from controller.planner import situation
from controller.planner.whatif import broken, emptying, timing
from controller.planner.whatif import loss as losing
from controller.planner.whatif import overloads as over
from controller.planner.whatif.reasons import Reasons
from controller.planner.whatif.restart import NOWHERE, Placed, restart
from controller.planner.whatif.spare import Spare
from inventory.model import Classification


def spare(cluster: model.Cluster, policy: Policy, now: datetime) -> Spare:
    """What any number of what-ifs of this snapshot are asked of."""
    return Spare(situation.of_cluster(cluster, policy, now))


def lose(spare: Spare, losses: Sequence[Loss], each: timedelta, new: Collection[ServerId] = ()) -> Outcome:
    """What becomes of the estate without these, and of `new` servers that stand nowhere yet; a start takes `each`.

    `InputError` for an unknown name.
    """
    down = losing.hosts_down(spare.situation, losses)
    more = frozenset(new)
    rows = [row for row, vm in enumerate(spare.situation.cluster.vms.ids) if vm in more] if more else []
    servers = [*spare.servers_on(down), *rows]
    placed = restart(spare, down, servers)
    overloads = over.of_losses(spare.situation.cluster, losses, placed.left)
    rounds = _rounds(spare.situation.policy.limits, [host for host in placed.target.values() if host != NOWHERE])
    return Outcome(
        losses=tuple(losses),
        hosts=_names(spare, down),
        overloads=overloads,
        verdict=_verdict(placed, overloads),
        rounds=rounds,
        recovery=rounds * each,
        **_told(spare, placed, servers, {}),
    )


def empty(cluster: model.Cluster, policy: Policy, now: datetime, hosts: Collection[HostName]) -> Outcome:
    """Where the servers of these hosts would move, and how long that takes at the configured limits.

    `InputError` for an unknown name.
    """
    asked = emptying.windows_open(emptying.draining(cluster, hosts))
    spare = Spare(situation.of_cluster(asked, policy, now, cold=frozenset(hosts)))
    leaving = emptying.rows(spare.situation.cluster, hosts)
    servers = spare.servers_on(leaving)
    barred = emptying.barred(spare, servers)
    placed = restart(spare, leaving, [vm for vm in servers if vm not in barred], running=True)
    placed = replace(placed, target=placed.target | dict.fromkeys(barred, NOWHERE))
    copies = [timing.copy(spare, vm, host) for vm, host in placed.target.items() if host != NOWHERE]
    schedule = timing.starts(spare.situation, copies)
    return Outcome(
        losses=(),
        emptied=_names(spare, leaving),
        hosts=(),
        overloads=(),
        verdict=_verdict(placed, ()),
        rounds=_rounds(policy.limits, [each.target for each in copies], [each.source for each in copies]),
        recovery=timing.length(schedule),
        **_told(spare, placed, servers, barred),
    )


def _names(spare: Spare, hosts: model.BoolColumn) -> tuple[HostName, ...]:
    return tuple(spare.situation.cluster.hosts.names[host] for host in np.flatnonzero(hosts))


class _Told(TypedDict):
    restarts: tuple[Restart, ...]
    systems: tuple[SystemLoss, ...]
    missing: tuple[Missing, ...]


def _told(spare: Spare, placed: Placed, servers: Sequence[int], barred: Mapping[int, str]) -> _Told:
    reasons = Reasons(spare, placed, barred)
    return _Told(
        restarts=tuple(_restart(spare, placed, reasons, vm) for vm in servers),
        systems=_systems(spare, placed, reasons),
        missing=_missing(spare, placed.unplaced),
    )


def _verdict(placed: Placed, overloads: Sequence[Overload]) -> Verdict:
    if placed.unplaced:
        return Verdict.SHORT
    if overloads:
        return Verdict.OVERLOADED
    return Verdict.HOT if placed.hot else Verdict.SURVIVED


def _rounds(limits: Limits, targets: Sequence[int], sources: Sequence[int] = ()) -> int:
    into, out_of = (max(Counter(rows).values(), default=0) for rows in (targets, sources))
    counts = ((len(targets), limits.at_once), (into, limits.into_host), (out_of, limits.out_of_host))
    return max(-(-count // max(most, 1)) for count, most in counts)


def _restart(spare: Spare, placed: Placed, reasons: Reasons, vm: int) -> Restart:
    cluster = spare.situation.cluster
    source, target, system = int(cluster.vms.host[vm]), placed.target[vm], int(cluster.vms.system[vm])
    return Restart(
        vm=cluster.vms.ids[vm],
        name=cluster.vms.names[vm],
        system=cluster.systems.names[system] if system >= 0 else None,
        source=cluster.hosts.names[source] if source >= 0 else None,
        target=cluster.hosts.names[target] if target != NOWHERE else None,
        hot=vm in placed.hot,
        why="" if target != NOWHERE else reasons.why(vm),
    )


def _systems(spare: Spare, placed: Placed, reasons: Reasons) -> tuple[SystemLoss, ...]:
    """Systems with servers down: those with servers that have no place first, then those that lose the largest part."""
    cluster = spare.situation.cluster
    hit: dict[int, list[int]] = {}
    rules = broken.of_systems(spare.situation, placed)
    for vm in placed.target:
        if cluster.vms.system[vm] >= 0:
            hit.setdefault(int(cluster.vms.system[vm]), []).append(vm)
    made = []
    for system, servers in hit.items():
        nowhere = [vm for vm in servers if placed.target[vm] == NOWHERE]
        bound = [vm for vm in nowhere if reasons.bound_by_groups(vm)]
        made.append(
            SystemLoss(
                system=cluster.systems.names[system],
                agency=cluster.agencies.names[int(cluster.systems.agency[system])],
                tier=int(cluster.systems.tier[system]),
                down=sum(int(cluster.vms.host[vm]) >= 0 for vm in servers),
                servers=int(spare.servers_of_system[system]),
                unplaced=len(nowhere),
                rules=tuple(sorted({name for vm in bound for name in placed.members.names(vm)})),
                broken=rules.get(system, ()),
            )
        )
    return tuple(sorted(made, key=lambda each: (-each.unplaced, each.tier, -each.down / each.servers, each.system)))


def _missing(spare: Spare, unplaced: Sequence[int]) -> tuple[Missing, ...]:
    levels = spare.situation.cluster.vms.classification
    made = []
    for level in sorted({int(levels[vm]) for vm in unplaced}):
        servers = [vm for vm in unplaced if levels[vm] == level]
        vcpus, memory, disk = spare.situation.asked[:, servers].sum(axis=1).tolist()
        made.append(
            Missing(
                classification=Classification(level).name.lower(),
                servers=len(servers),
                vcpus=vcpus,
                memory_mib=memory,
                disk_gib=disk,
            )
        )
    return tuple(made)
