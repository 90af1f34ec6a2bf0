"""Whether a move may be made now: modes, pauses, freeze, windows, the error budget, rest, and every limit. Pure.

Everything binds the controller's own moves. An operator's drain is bound by pauses, by agencies' windows and blackouts,
by what Nova refused before and by every limit on how much moves; not by mode, freeze, our own windows, the error budget
or a server's rest.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from controller.engine import calendar, slots
from controller.engine.order import Order
from controller.engine.places import Situation
from controller.engine.ports import Journal
from controller.errors import RefusedError
from controller.model.cloud import Migration
from controller.model.ids import HostName, PlanId, ServerId
from controller.model.migration import OPERATOR_ABORT, Entry, Outcome, State
from controller.model.operation import Pause
from controller.model.policy import ErrorBudget, Mode, Policy, Scope
from inventory.model import System

_RESTING = frozenset({State.SUCCEEDED, State.FAILED, State.ABORTED, State.LOST})
_NOT_OURS = frozenset({OPERATOR_ABORT, "server-deleted"})
"""Rules of failures that say nothing about the cloud's health."""
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the journal says now. `failures` are those since an operator last resumed everywhere."""

    pauses: tuple[Pause, ...]
    approved: frozenset[PlanId]
    refusals: tuple[tuple[ServerId, HostName, str, datetime], ...]
    open_entries: tuple[Entry, ...]
    recent: tuple[Entry, ...]
    failures: tuple[Outcome, ...]


def view(journal: Journal, policy: Policy, now: datetime) -> View:
    """Reads the journal as far as `refusal` needs it: no await, so it holds until the next one."""
    since = now - max(timedelta(hours=1), policy.migration.cooldown) - timedelta(hours=1)
    return View(
        pauses=journal.pauses(),
        approved=frozenset(approval.plan_id for approval in journal.approvals()),
        refusals=journal.refusals(now),
        open_entries=journal.open_entries(),
        recent=journal.entries_since(since),
        failures=journal.failures_since(journal.resumed_at() or _NEVER),
    )


def refusal(
    order: Order,
    system: System | None,
    running: Iterable[Migration],
    *,
    situation: Situation,
    policy: Policy,
    journal: View,
    now: datetime,
) -> RefusedError | None:
    """Why this move may not be made now, in one sentence with numbers; None where it may.

    `system` is the server's, `running` every migration that Nova shows.
    """
    scopes = situation.scopes(system, (order.source, order.target))
    others = tuple(e for e in journal.open_entries if e.intent.id != order.id)
    flying = slots.flights(running, others, situation)
    own = None if order.by_operator else _own_refusal(order, scopes, situation, policy, journal=journal, now=now)
    return (
        _pause_refusal(order, scopes, journal.pauses)
        or own
        or _system_window_refusal(order, system, situation, now)
        or _learned_refusal(order, journal, now)
        or slots.slot_refusal(order, system, flying, situation, policy.limits)
        or slots.hour_refusal(order, system, journal.recent, situation, policy.limits, now=now)
    )


def mode_of(policy: Policy, scopes: Iterable[Scope]) -> Mode:
    """The least of the whole's mode and those of all given scopes."""
    return min([policy.mode, *(policy.scope_modes[scope] for scope in scopes if scope in policy.scope_modes)])


def budget_spent(failures: Iterable[Outcome], budget: ErrorBudget) -> str | None:
    """How the error budget was overdrawn, in a sentence; None where it was not.

    It stays so until an operator resumes: later calm does not mend what nobody has looked at.
    """
    ends = sorted(failed.ended_at for failed in failures if failed.rule not in _NOT_OURS)
    for first, last in zip(ends, ends[budget.failures :], strict=False):
        if last - first <= budget.window:
            minutes = budget.window.total_seconds() / 60
            return (
                f"more than {budget.failures} moves failed within {minutes:g} minutes, up to {last:%Y-%m-%d %H:%M:%S} "
                "UTC; look at them, then resume"
            )
    return None


def recent_failures(failures: Iterable[Outcome], budget: ErrorBudget, now: datetime) -> int:
    """How many of them count in the error budget's window that ends now."""
    return sum(failed.rule not in _NOT_OURS and failed.ended_at > now - budget.window for failed in failures)


def _own_refusal(
    order: Order, scopes: frozenset[Scope], situation: Situation, policy: Policy, *, journal: View, now: datetime
) -> RefusedError | None:
    mode = mode_of(policy, scopes)
    if mode < Mode.APPROVE:
        return _no(order, "mode", f"the mode here is {mode.name.lower()}, in which nothing moves")
    if mode is Mode.APPROVE and order.plan_id not in journal.approved:
        return _no(order, "approval", f"the mode here is approve, and nobody has approved plan {order.plan_id}")
    if situation.freeze is not None:
        return _no(order, "freeze", f"the controller is frozen: {situation.freeze}")
    spent = budget_spent(journal.failures, policy.error_budget)
    if spent is not None:
        return _no(order, "error-budget", spent)
    return _window_refusal(order, policy, situation, now) or _rest_refusal(order, policy, journal, now)


def _pause_refusal(order: Order, scopes: frozenset[Scope], pauses: Iterable[Pause]) -> RefusedError | None:
    for pause in pauses:
        if pause.scope is None or pause.scope in scopes:
            where = "everything" if pause.scope is None else str(pause.scope)
            what = f"{pause.who} paused {where} at {pause.since:%Y-%m-%d %H:%M} UTC: {pause.why}"
            return _no(order, "pause", what)
    return None


def _window_refusal(order: Order, policy: Policy, situation: Situation, now: datetime) -> RefusedError | None:
    zone = situation.estate.timezone
    local = f"it is {now.astimezone(ZoneInfo(zone)):%a %H:%M} in {zone}"
    if not calendar.allows((), policy.blackouts, now, zone):
        return _no(order, "blackout", f"{local}, in a blackout of the controller's own moves")
    if not calendar.allows(policy.windows, (), now, zone):
        return _no(order, "window", f"{local}, outside the windows of the controller's own moves")
    return None


def _system_window_refusal(
    order: Order, system: System | None, situation: Situation, now: datetime
) -> RefusedError | None:
    if system is None:
        return None
    zone = situation.estate.timezone
    local = f"it is {now.astimezone(ZoneInfo(zone)):%a %H:%M} in {zone}"
    if not calendar.allows((), system.blackouts, now, zone):
        return _no(order, "system-blackout", f"{local}, in a blackout of system {system.name}")
    if not calendar.allows(system.windows, (), now, zone):
        return _no(order, "system-window", f"{local}, outside the windows of system {system.name}")
    return None


def _rest_refusal(order: Order, policy: Policy, journal: View, now: datetime) -> RefusedError | None:
    rest = policy.migration.cooldown
    for entry in journal.recent:
        ended = entry.outcome.ended_at if entry.outcome is not None else None
        if entry.intent.server_id == order.server_id and entry.state in _RESTING and ended is not None:
            left = ended + rest - now
            if left > timedelta(0):
                what = f"{order.server_name} was moved {_minutes(now - ended)} ago ({entry.state}) and rests "
                return _no(order, "cooldown", what + f"{_minutes(left)} more")
    return None


def _learned_refusal(order: Order, journal: View, now: datetime) -> RefusedError | None:
    for server_id, target, rule, until in journal.refusals:
        if (server_id, target) == (order.server_id, order.target) and until > now:
            what = f"{order.server_name} on {order.target} ended with {rule} before; not again for "
            return _no(order, "learned", what + _minutes(until - now))
    return None


def _minutes(length: timedelta) -> str:
    return f"{length.total_seconds() / 60:.0f} min"


def _no(order: Order, rule: str, why: str) -> RefusedError:
    return RefusedError(why, rule=rule, where=order.id)
