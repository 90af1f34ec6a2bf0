"""Moves and drains: what came of them, what they cost, what is under way."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import Metric

from controller.adapters.exposition.family import counted, counters, gauge, gauges, histograms
from controller.engine.status import Status
from controller.model.migration import OPEN_STATES, State
from controller.model.operation import DrainState

_ORIGINS = ("plan", "drain")
_OUTCOMES = [state for state in State if state not in OPEN_STATES]


def families(status: Status) -> Iterator[Metric]:
    """Ended moves, running moves, drains."""
    yield from _ended(status)
    refused = (((each.origin, each.rule), float(each.count)) for each in status.refusals)
    text = "Orders that a rule stood against right before the move, so that nothing was journaled or sent."
    yield counters("gdcc_moves_refused", text, ("origin", "rule"), refused)
    running = {state.value: 0 for state in State if state in OPEN_STATES}
    running |= Counter(entry.state.value for entry in status.running)
    yield counted("gdcc_moves_running", "Our moves without an outcome, by state.", "state", running)
    others = float(status.others)
    yield gauge("gdcc_foreign_migrations_running", "Migrations in Nova that the controller did not begin.", others)
    yield from _drains(status)


def _ended(status: Status) -> Iterator[Metric]:
    moves = status.moves
    by_outcome = {(origin, state.value): 0 for origin in _ORIGINS for state in _OUTCOMES}
    by_rule: Counter[tuple[str, str]] = Counter()
    by_reason: Counter[tuple[str, str]] = Counter()
    for each in moves.counts:
        if each.reason:
            by_reason[each.reason, each.state] += each.count
        by_outcome[each.origin, each.state] = by_outcome.get((each.origin, each.state), 0) + each.count
        by_rule[each.rule, each.state] += each.count
    rows = ((key, float(count)) for key, count in sorted(by_outcome.items()))
    yield counters("gdcc_moves", "Moves that ended, by who asked and what came of them.", ("origin", "outcome"), rows)
    rows = ((key, float(count)) for key, count in sorted(by_rule.items()))
    yield counters("gdcc_moves_by_rule", "Moves that ended, by the rule they served.", ("rule", "outcome"), rows)
    rows = ((key, float(count)) for key, count in sorted(by_reason.items()))
    text = "Moves that did not succeed, by what they failed or were refused by."
    yield counters("gdcc_moves_by_reason", text, ("reason", "outcome"), rows)
    text = "From asking Nova to the outcome, of moves that succeeded."
    yield histograms("gdcc_migration_duration_seconds", text, None, {"": moves.seconds})
    text = "How long the guest stood still, estimated from the last memory_remaining and the link."
    yield histograms("gdcc_migration_blackout_estimate_seconds", text, None, {"": moves.blackout})
    copied = [((), float(moves.copied_bytes))]
    yield counters("gdcc_migration_copied_bytes", "Memory that Nova reports copied.", (), copied)


def _drains(status: Status) -> Iterator[Metric]:
    states = {state.value: 0 for state in DrainState if state is not DrainState.ENDED}
    states |= Counter(drain.state.value for drain in status.drains)
    yield counted("gdcc_drains", "Drains that no one has ended, by state.", "state", states)
    rows = [((drain.host, drain.state.value), drain.since.timestamp()) for drain in status.drains]
    yield gauges("gdcc_drain_started_timestamp_seconds", "When a host's drain began.", ("host", "state"), rows)
    held = [((drain.host,), float(len(drain.holdouts))) for drain in status.drains]
    yield gauges("gdcc_drain_holdouts", "Servers on a draining host that somebody else must act on.", ("host",), held)
