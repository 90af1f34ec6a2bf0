"""The facts read again right before a move, and what in them bars it. Reading is an effect, judging is not."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from controller.engine import receiving
from controller.engine.assemble import specs
from controller.engine.order import Order
from controller.engine.places import GroupRule, Situation
from controller.engine.ports import CloudReader
from controller.errors import RefusedError
from controller.model.cloud import LIVE_STATUSES, Migration, Server, Service
from controller.model.ids import HostName, ServerId
from controller.model.migration import Entry
from controller.planner import groups, numa

TARGET_RULES = frozenset(
    {"target-unknown", "target-down", "target-disabled", "clearance", "numa", "group", "placement"}
)
"""Rules of `bar` that speak against this target alone, and do not pass with the next look: another target may do."""


SIDE_BY_SIDE = 16
"""Servers that are read at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The cloud's word on one order. `server` is None where it was deleted, and then nothing else was read.

    `running` are all migrations that have not ended. `last_migration_id` is the server's newest record, 0 for none.
    `placement` is why Placement does not admit it on the target, None where it does. `members` is where the other
    members of its groups stand.
    """

    server: Server | None
    source: Service | None = None
    target: Service | None = None
    running: tuple[Migration, ...] = ()
    last_migration_id: int = 0
    placement: str | None = None
    members: Mapping[ServerId, HostName | None]


async def read(cloud: CloudReader, order: Order, rules: Sequence[GroupRule]) -> Facts:
    """Reads what `bar` and the guard need. Migrations are read before members, so that none is missed in between; the
    server is read again last, since all that may take long: one that its owner has started meanwhile is not moved cold.

    `rules`: those whose domain the move leaves for another; of the others no member need be known.
    """
    server = await cloud.server(order.server_id)
    if server is None:
        return Facts(server=None, members={})
    (source, target, running, records), guest = await asyncio.gather(
        asyncio.gather(
            cloud.service(order.source),
            cloud.service(order.target),
            cloud.running_migrations(),
            cloud.migrations_of(order.server_id),
        ),
        cloud.guest(server),
    )
    others = sorted({member for rule in rules for member in rule.members} - {order.server_id})
    admitted = cloud.admits(replace(server, guest=guest), order.target)
    placement, found = await asyncio.gather(admitted, _servers(cloud, others))
    server = await cloud.server(order.server_id)
    if server is None:
        return Facts(server=None, members={})
    return Facts(
        server=replace(server, guest=guest),
        source=source,
        target=target,
        running=running,
        last_migration_id=max((record.id for record in records), default=0),
        placement=placement,
        members={key: member.host for key, member in zip(others, found, strict=True) if member is not None},
    )


async def _servers(cloud: CloudReader, keys: Sequence[ServerId]) -> list[Server | None]:
    """Each of them, `SIDE_BY_SIDE` at once: a room group may have thousands."""
    found: list[Server | None] = []
    for first in range(0, len(keys), SIDE_BY_SIDE):
        found += await asyncio.gather(*map(cloud.server, keys[first : first + SIDE_BY_SIDE]))
    return found


def bar(
    order: Order, facts: Facts, situation: Situation, open_entries: tuple[Entry, ...], recent: tuple[Entry, ...] = ()
) -> RefusedError | None:
    """The first fact that bars the move, None where none does; `rule` is a metric's label.

    `recent` entries tell what has moved since the newest look.
    """
    server = facts.server
    if server is None:
        return _no(order, "server-gone", f"{order.server_name} was deleted")
    return (
        _server_bar(order, server)
        or _guest_bar(order, server)
        or _numa_bar(order, server, situation)
        or _service_bar(order, facts)
        or _reading_bar(order, situation, (*open_entries, *recent))
        or _clearance_bar(order, server, situation)
        or _group_bar(order, facts, situation, open_entries)
        or (None if facts.placement is None else _no(order, "placement", facts.placement))
    )


def _server_bar(order: Order, server: Server) -> RefusedError | None:
    statuses, way = ({"SHUTOFF"}, "cold") if order.cold else (LIVE_STATUSES, "live")
    flavor = order.flavor_name or server.flavor_name
    name, moved, changed = server.name, server.host != order.source, server.flavor_name != flavor
    checks = (
        (moved, "server-moved", f"{name} is on {server.host}, not on {order.source} any more"),
        (order.target == order.source, "same-host", f"{name} is on {order.target} already"),
        (server.task_state is not None, "task-under-way", f"{name} has the task {server.task_state} under way"),
        (server.status not in statuses, "status", f"{name} is {server.status}: Nova makes no {way} migration of it"),
        (server.locked and not order.by_operator, "locked", f"{name} is locked, so it moves in a drain only"),
        (changed, "flavor-changed", f"{name} is now of flavor {server.flavor_name}, it was planned as {flavor}"),
    )
    return next((_no(order, rule, why) for holds, rule, why in checks if holds), None)


def _guest_bar(order: Order, server: Server) -> RefusedError | None:
    """What only calls of its own tell of it: a guest whose fit cannot be shown moves on an operator's word."""
    guest = server.guest
    if order.by_operator or guest is None or specs.fits(guest):
        return None
    pinning = specs.pinning(guest)
    if guest.numa is None:
        why = "Nova does not tell its NUMA topology"
    elif guest.numa:
        why = f"it has {numa.described(guest.numa)}"
    elif pinning is None:
        why = "what its image asks of a host cannot be read"
    else:
        why = f"its image asks for {', '.join(pinning)}"
    what = f"{why}: its fit on {order.target} cannot be shown, so {server.name} moves in a drain only"
    return _no(order, "fit-unknown", what)


def _numa_bar(order: Order, server: Server, situation: Situation) -> RefusedError | None:
    """In a drain too: Nova is sure to refuse it there."""
    cells, guest = situation.cells(order.target), server.guest.numa if server.guest else None
    if guest is None or numa.could_hold(cells, guest):
        return None
    what = f"{server.name} has {numa.described(guest)}, and {order.target} only {numa.described(cells)}"
    return _no(order, "numa", what)


def _service_bar(order: Order, facts: Facts) -> RefusedError | None:
    source, target = facts.source, facts.target
    if source is None or not source.up or source.forced_down:
        return _no(order, "source-down", f"nova-compute on {order.source} is down, so nothing can leave it")
    if target is None:
        return _no(order, "target-unknown", f"Nova has no compute service on {order.target}")
    if not target.up or target.forced_down:
        return _no(order, "target-down", f"nova-compute on {order.target} is down")
    if not target.enabled:
        return _no(
            order, "target-disabled", f"{order.target} is disabled: {target.disabled_reason or 'no reason given'}"
        )
    return None


def _reading_bar(order: Order, situation: Situation, entries: tuple[Entry, ...]) -> RefusedError | None:
    """What was read since the plan was made."""
    looked, settling = situation.looked, situation.settling
    against = None if looked is None else receiving.ruled_out(looked, order, settling, entries)
    if against is not None:
        return _no(order, against[0], f"{order.target} does not receive {order.server_name} now: {against[1]}")
    if order.rule in {"uneven", "free"} and order.source in situation.on_battery:
        what = "for balance" if order.rule == "uneven" else "to free it"
        return _no(order, "on-battery", f"a feed of {order.source} runs on battery: nothing leaves it {what}")
    return None


def _clearance_bar(order: Order, server: Server, situation: Situation) -> RefusedError | None:
    system, source, target = (
        situation.system(server.project_id),
        situation.host(order.source),
        situation.host(order.target),
    )
    if target is None:
        return _no(order, "host-unknown", f"the inventory does not know {order.target}, so it receives nothing")
    if not order.by_operator and source is None:
        return _no(order, "host-unknown", f"the inventory does not know {order.source}, so it sheds on a drain only")
    if not order.by_operator and system is None:
        what = f"the inventory does not know {server.name}'s project {server.project_id}, so it moves in a drain only"
        return _no(order, "project-unknown", what)
    level = situation.level(system)
    if target.clearance < level:
        what = f"{server.name} needs a host cleared for {level.name.lower()}, {order.target} is for "
        return _no(order, "clearance", what + target.clearance.name.lower())
    return None


def _group_bar(
    order: Order, facts: Facts, situation: Situation, open_entries: tuple[Entry, ...]
) -> RefusedError | None:
    standing = _standing(facts, open_entries)
    for rule in situation.groups.get(order.server_id, ()):
        why = _broken(rule, order, situation, standing)
        if why is not None:
            return _no(order, "group", why)
    return None


def _standing(facts: Facts, open_entries: tuple[Entry, ...]) -> Mapping[ServerId, frozenset[HostName]]:
    """Every host that each other member counts on: where it is, and where it is going."""
    found = {key: {host} if host is not None else set() for key, host in facts.members.items()}
    going = [(record.server_id, record.target) for record in facts.running]
    for server_id, target in [*going, *((entry.intent.server_id, entry.intent.target) for entry in open_entries)]:
        if server_id in found and target is not None:
            found[server_id].add(target)
    return {key: frozenset(hosts) for key, hosts in found.items()}


def concerns(rule: GroupRule, order: Order, situation: Situation) -> bool:
    """Whether the move leaves a domain of the rule for another, so that the rule is held against its other members."""
    left, entered = (situation.domains(host, rule.domain) for host in (order.source, order.target))
    return bool(entered - left) or (_wants_several(rule) and entered != left)


def _wants_several(rule: GroupRule) -> bool:
    return rule.min_domains > 1 and not rule.together


def _broken(
    rule: GroupRule, order: Order, situation: Situation, standing: Mapping[ServerId, frozenset[HostName]]
) -> str | None:
    left, entered = (situation.domains(host, rule.domain) for host in (order.source, order.target))
    others = [standing[member] for member in rule.members if member != order.server_id and standing.get(member)]

    def count(names: frozenset[str]) -> int:
        return max((sum(_in(hosts, name, rule, situation) for hosts in others) for name in names), default=0)

    fresh = entered - left
    if _wants_several(rule) and entered != left:
        why = _too_few(rule, left, entered, [_domains_of(hosts, rule, situation) for hosts in others])
        if why is not None:
            return why
    if not fresh:
        return None
    if rule.together:
        if len(others) > count(fresh) <= count(left):
            return f"{rule.name} keeps its servers in one {rule.domain}, and {len(others) - count(fresh)} are elsewhere"
        return None
    if count(fresh) + 1 > rule.max_per_domain:
        names = ", ".join(sorted(fresh))
        return f"{rule.name} allows {rule.max_per_domain} in one {rule.domain}, and {names} has {count(fresh)} already"
    return None


def _domains_of(hosts: frozenset[HostName], rule: GroupRule, situation: Situation) -> frozenset[frozenset[str]]:
    """The domains that a member counts in, the feeds of a host as one; none where one of them is not known."""
    found = frozenset(situation.domains(host, rule.domain) for host in hosts)
    return frozenset() if frozenset() in found else found


def _too_few(
    rule: GroupRule, left: frozenset[str], entered: frozenset[str], others: Sequence[frozenset[frozenset[str]]]
) -> str | None:
    """Why the move would leave servers in fewer domains than the rule wants and than now, whatever becomes of others
    that are on their way; None where it would not.
    """
    sure = frozenset(domain for at in others if len(at) == 1 for domain in at)
    moving = [(first, second) for at in others if len(at) > 1 for first, second in [sorted(at, key=sorted)[:2]]]
    now, then = (frozenset({*sure, own} - {frozenset()}) for own in (left, entered))
    if groups.surely(then, moving, groups.certain(now, moving, rule.min_domains)):
        return None
    wants = f"{rule.name} wants its servers in at least {rule.min_domains} {rule.domain}s"
    return f"{wants}, and {' and '.join(sorted(left))} holds no other of them"


def _in(hosts: frozenset[HostName], name: str, rule: GroupRule, situation: Situation) -> bool:
    return any(name in situation.domains(host, rule.domain) for host in hosts)


def _no(order: Order, rule: str, why: str) -> RefusedError:
    return RefusedError(why, rule=rule, where=order.id)
