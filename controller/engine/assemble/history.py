"""What the journal remembers that a snapshot must show: rest after moves, moves in the hour, refusals, drains."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from controller.engine.watts import Slope
from controller.model.ids import HostName, ServerId
from controller.model.migration import OPEN_STATES, Entry, State
from controller.model.policy import MigrationPolicy

HOUR = timedelta(hours=1)
_NOTHING_HAPPENED = frozenset({State.INTENDED, State.NOT_SENT, State.REFUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """`entries` are the journal's of at least the last hour, the cooldown and the settle time, whichever is longest.

    `draining`: hosts with a drain not yet undone. `refusals`: as `Journal.refusals` gives them. `breach_since`: see
    `Cluster`. `slopes`: by host type; a type without one falls back to its nameplate.
    """

    entries: tuple[Entry, ...] = ()
    draining: frozenset[HostName] = frozenset()
    refusals: tuple[tuple[ServerId, HostName, str, datetime], ...] = ()
    breach_since: Mapping[str, float] | None = None
    slopes: Mapping[str, Slope] = field(default_factory=dict)


def started_since(entries: Iterable[Entry], since: datetime) -> tuple[Entry, ...]:
    """Moves that Nova was asked for since then."""
    return tuple(e for e in entries if e.state not in _NOTHING_HAPPENED and e.intent.created_at > since)


def cooldown_until(entries: Iterable[Entry], policy: MigrationPolicy) -> dict[ServerId, float]:
    """Until when each VM rests: after any move that Nova took, a failed one too (its cause is still there)."""
    rest: dict[ServerId, float] = {}
    for entry in entries:
        if entry.state not in _NOTHING_HAPPENED:
            until = (entry.changed_at + policy.cooldown).timestamp()
            rest[entry.intent.server_id] = max(until, rest.get(entry.intent.server_id, 0.0))
    return rest


def settled_at(entries: Iterable[Entry], policy: MigrationPolicy) -> tuple[dict[str, float], dict[str, float]]:
    """From when on readings of hosts and of VMs count again: `settle` after the last move that touched them ended.

    A rate over the last minute still shows what stood on a host before the move.
    """
    hosts: dict[str, float] = {}
    vms: dict[str, float] = {}
    for entry in entries:
        if entry.state in _NOTHING_HAPPENED or entry.state in OPEN_STATES:
            continue
        when = (entry.changed_at + policy.settle).timestamp()
        for host in (entry.intent.source, entry.intent.target):
            hosts[host] = max(when, hosts.get(host, when))
        vms[entry.intent.server_id] = max(when, vms.get(entry.intent.server_id, when))
    return hosts, vms
