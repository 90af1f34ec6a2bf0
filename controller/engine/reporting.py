"""Keeps the status true: what of it follows from a look, and what from the journal."""

from dataclasses import replace
from datetime import datetime

from controller.engine import banks, census, guard
from controller.engine import status as words
from controller.engine.ports import Journal
from controller.engine.sighting import Seen
from controller.engine.status import Status
from controller.model.migration import Entry
from controller.model.policy import Policy


def with_seen(status: Status, seen: Seen, policy: Policy) -> Status:
    """The status with what a look showed."""
    return replace(
        status,
        freeze=seen.cluster.freeze,
        hosts=census.hosts(seen.cluster),
        vms=census.vms(seen.cluster),
        readings=seen.report.readings,
        racks=census.racks(seen.cluster),
        banks=banks.loads(seen.look.readings, policy.trust, seen.look.at),
    )


def with_journal(status: Status, journal: Journal, policy: Policy, seen: Seen | None, now: datetime) -> Status:
    """The status with what the journal says now; moves that ended since the last turn are counted."""
    view = guard.view(journal, policy, now)
    spent = guard.budget_spent(view.failures, policy.error_budget)
    ours = {entry.intent.server_id for entry in view.open_entries}
    migrations = seen.facts.migrations if seen else ()
    moves = status.moves
    for entry in _ended(status, journal):
        moves = moves.add(entry)
    return replace(
        status,
        moves=moves,
        pauses=view.pauses,
        drains=journal.drains(),
        running=view.open_entries,
        others=sum(migration.server_id not in ours for migration in migrations),
        budget=words.Budget(
            failures=guard.recent_failures(view.failures, policy.error_budget, now),
            allowed=policy.error_budget.failures,
            exhausted=spent is not None,
        ),
    )


def _ended(status: Status, journal: Journal) -> tuple[Entry, ...]:
    """What was open, or did not exist, when the status was made, and has an outcome now."""
    before = status.turned_at or status.started_at
    begun = {entry.intent.id: entry for entry in journal.entries_since(before)}
    were_open = (journal.entry(entry.intent.id) for entry in status.running)
    found = begun | {entry.intent.id: entry for entry in were_open if entry is not None}
    return tuple(entry for entry in found.values() if entry.outcome is not None)
