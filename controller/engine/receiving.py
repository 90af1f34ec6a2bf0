"""Whether a move may still be made, by the newest look: a wave may begin long after its plan was made. Pure.

A plan proves its waves on the look that it was made from. What has changed since is held against it once more, right
before each move: a host that lost its trusted readings, a target whose load has grown or whose supplies carry more.
Hosts that our own moves have just touched are left out of it: their readings do not count yet, and what stands on them
is what the plan reckoned with.
"""

from collections.abc import Iterable

import numpy as np

from controller.engine.order import Order
from controller.model.ids import HostName
from controller.model.migration import Entry, State
from controller.planner import canonical, copies, describe, rules
from controller.planner.load import Load
from controller.planner.situation import Situation

_UNREAD = frozenset({"untrusted", "unsure-health"})
"""What a host that a move has just touched may well be."""

_HELD = {"cpu", "memory", "network", "storage", "power", "pre-copy", "reserve"}
_HELD_AGAIN = tuple(rule for rule in (*rules.PER_VM, *rules.DYNAMIC) if rule.name in _HELD)
"""What only a look tells. The rest is Nova's, Placement's and the journal's, which are asked themselves."""


def ruled_out(
    looked: Situation, order: Order, settling: frozenset[HostName], others: Iterable[Entry]
) -> tuple[str, str] | None:
    """The rule that speaks against the move now, and a sentence; None where none does.

    `others` are moves of ours. An open one counts on its target, also where the look does not show it yet; one that
    succeeded after the look counts where it went and no more where it was.
    """
    cluster = looked.cluster
    target = canonical.row(cluster.hosts.names, order.target)
    if target is None:
        return "unknown-host", describe.RULES["unknown-host"]
    closed = str(looked.standing.closed[target])
    if closed and not (closed in _UNREAD and order.target in settling):
        return closed, describe.of_host(cluster, closed, target)
    source, vm = canonical.row(cluster.hosts.names, order.source), canonical.row(cluster.vms.ids, order.server_id)
    if vm is None or source is None or cluster.vms.host[vm] != source:
        return None
    held = "" if order.by_operator else str(looked.standing.held[source])
    if held and not (held in _UNREAD and order.source in settling):
        return held, f"of {order.source}: {describe.of_host(cluster, held, source)}"
    entries = {each.intent.id: each for each in others if each.intent.id != order.id}.values()
    moving = [each for each in entries if each.outcome is None]
    moved = [each for each in entries if _since(looked, each)]
    load, spared = _load(looked, moving, moved), _spared(looked, order, settling, moving)
    hosts = np.array([target], np.int32)
    against = (rule.name for rule in _HELD_AGAIN if rule.name not in spared and not rule.admits(load, vm, hosts)[0])
    unplanned = "pre-copy" if order.force_complete_after is None and copies.forced(load, vm, target) else None
    found = next(against, unplanned)
    return None if found is None else (found, describe.RULES[found])


def _spared(looked: Situation, order: Order, settling: frozenset[HostName], moving: Iterable[Entry]) -> frozenset[str]:
    """The rules that readings cannot tell just now: a copy under way fills links, and where disks are not shared the
    storage path too; a move changes what counts.
    """
    touched = {host for each in moving for host in (each.intent.source, each.intent.target)}
    copying = touched & {order.source, order.target}
    spared = {"network"} if copying else set()
    names, power = looked.cluster.hosts.names, looked.cluster.hosts.power
    rows = [row for host in sorted(copying) if (row := canonical.row(names, host)) is not None]
    if not looked.cluster.hosts.shared_storage[rows].all():
        spared.add("storage")
    unsettled = [row for host in sorted(settling) if (row := canonical.row(names, host)) is not None]
    its_supplies = power[canonical.row(names, order.target)]
    if np.isin(its_supplies[its_supplies >= 0], power[unsettled]).any():
        spared.add("power")
    return frozenset(spared | ({"cpu", "memory", "network", "storage"} if order.target in settling else set()))


def _since(looked: Situation, entry: Entry) -> bool:
    """Whether the move succeeded after the look was taken, which shows its server where it was."""
    outcome = entry.outcome
    return outcome is not None and outcome.state is State.SUCCEEDED and outcome.ended_at >= looked.cluster.taken_at


def _load(looked: Situation, moving: Iterable[Entry], moved: Iterable[Entry]) -> Load:
    """With the copies of moves that the look does not show yet, and with what has moved since."""
    load, cluster = Load(looked), looked.cluster
    for each in moved:
        vm, target = (
            canonical.row(cluster.vms.ids, each.intent.server_id),
            canonical.row(cluster.hosts.names, each.intent.target),
        )
        if vm is None or target is None or load.host[vm] in {-1, target}:
            continue
        if cluster.vms.target[vm] != target:
            load.begin(vm, target)
        load.finish(vm, target)
    for each in moving:
        vm, target = (
            canonical.row(cluster.vms.ids, each.intent.server_id),
            canonical.row(cluster.hosts.names, each.intent.target),
        )
        if vm is None or target is None or cluster.vms.target[vm] >= 0 or cluster.vms.host[vm] in {-1, target}:
            continue
        load.begin(vm, target)
    return load
