"""How much is moving now and moved in the last hour, counted over everybody's migrations, and what that leaves."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller.engine.order import Order
from controller.engine.places import Situation
from controller.errors import RefusedError
from controller.model.cloud import Migration
from controller.model.ids import HostName, ServerId
from controller.model.migration import Entry, State
from controller.model.policy import Limits
from inventory.model import Agency, Budget, System

SLOT_RULES = frozenset({"at-once", "out-of-host", "into-host", "across-rack", "per-agency", "per-system"})
"""Rules that give way by themselves as soon as some migration ends."""

_NEVER_BEGAN = frozenset({State.REFUSED, State.NOT_SENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """A server between two hosts. `target` is None where Nova has not chosen one yet."""

    server_id: ServerId
    source: HostName
    target: HostName | None
    system: str | None
    agency: str | None


def flights(running: Iterable[Migration], open_entries: Iterable[Entry], situation: Situation) -> tuple[Flight, ...]:
    """Everything in flight, each server once: what Nova shows, and what of ours it does not show yet.

    A cold migration that waits for its owner's confirmation copies nothing and does not count.
    """
    found: dict[ServerId, Flight] = {}
    for record in running:
        if record.status != "finished":
            system = situation.system_of(record.server_id)
            found[record.server_id] = _flight(record.server_id, record.source, record.target, system)
    for entry in open_entries:
        intent = entry.intent
        found[intent.server_id] = Flight(
            server_id=intent.server_id,
            source=intent.source,
            target=intent.target,
            system=intent.system,
            agency=intent.agency,
        )
    return tuple(found.values())


def slot_refusal(
    order: Order, system: System | None, flying: tuple[Flight, ...], situation: Situation, limits: Limits
) -> RefusedError | None:
    """Which limit on moves at once leaves no room for this one."""
    checks = [
        ("at-once", "in all", len(flying), limits.at_once),
        ("out-of-host", f"out of {order.source}", sum(f.source == order.source for f in flying), limits.out_of_host),
        ("into-host", f"into {order.target}", sum(f.target == order.target for f in flying), limits.into_host),
    ]
    crossed = _racks_crossed(order.source, order.target, situation)
    crossing = Counter(rack for f in flying for rack in _racks_crossed(f.source, f.target, situation))
    checks += [("across-rack", f"across {rack}", crossing[rack], limits.across_rack) for rack in sorted(crossed)]
    if system is not None:
        agency = situation.agency(system)
        in_agency = sum(f.agency == system.agency for f in flying)
        in_system = sum(f.system == system.name for f in flying)
        checks += [
            ("per-agency", f"of agency {system.agency}", in_agency, _at_once(agency, limits.per_agency)),
            ("per-system", f"of system {system.name}", in_system, _at_once(system, limits.per_system)),
        ]
    for rule, where, count, limit in checks:
        if count + 1 > limit:
            return _no(order, rule, f"{count} of at most {limit} moves at once {where} are under way")
    return None


def hour_refusal(
    order: Order,
    system: System | None,
    recent: Iterable[Entry],
    situation: Situation,
    limits: Limits,
    *,
    now: datetime,
) -> RefusedError | None:
    """Which limit on moves in an hour leaves no room for this one; counted from the journal."""
    began = [e for e in recent if e.intent.created_at > now - timedelta(hours=1) and e.state not in _NEVER_BEGAN]
    checks = [("per-hour", "in all", len(began), limits.per_hour)]
    if system is not None:
        agency = situation.agency(system)
        budgets: list[tuple[str, str, int, Budget | None]] = [
            (
                "agency-per-hour",
                f"of agency {system.agency}",
                sum(e.intent.agency == system.agency for e in began),
                agency.budget if agency is not None else None,
            ),
            (
                "system-per-hour",
                f"of system {system.name}",
                sum(e.intent.system == system.name for e in began),
                system.budget,
            ),
        ]
        checks += [(rule, where, count, b.per_hour) for rule, where, count, b in budgets if b is not None]
    for rule, where, count, limit in checks:
        if count + 1 > limit:
            return _no(order, rule, f"{count} of at most {limit} moves {where} were started in the last hour")
    return None


def _flight(server_id: ServerId, source: HostName, target: HostName | None, system: System | None) -> Flight:
    return Flight(
        server_id=server_id,
        source=source,
        target=target,
        system=None if system is None else system.name,
        agency=None if system is None else system.agency,
    )


def _racks_crossed(source: HostName, target: HostName | None, situation: Situation) -> frozenset[str]:
    """The racks whose uplink the copy crosses: both where they differ; none known where a host is unknown."""
    racks = {situation.rack(host) for host in (source, target) if host is not None}
    return frozenset(rack for rack in racks if rack is not None) if len(racks) > 1 else frozenset()


def _at_once(owner: Agency | System | None, limit: int) -> int:
    return limit if owner is None or owner.budget is None else min(limit, owner.budget.at_once)


def _no(order: Order, rule: str, why: str) -> RefusedError:
    return RefusedError(why, rule=rule, where=order.id)
