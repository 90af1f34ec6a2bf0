"""Which faults are news, so that the log names what cannot be read and why: once an hour, not at every look. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from controller.model.sample import Fault

AGAIN_AFTER = timedelta(hours=1)
"""A fault that goes on, or comes back, is told again after this long."""

MOST_AT_ONCE = 100
"""So many are told of one look: where a switch fails, those behind it are told over some looks."""

Key = tuple[str, str, str]
"""Source, subject and reason; what a fault says of its number makes no new one. Of a nameless subject all it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaints:
    """When each fault was told last."""

    told: Mapping[Key, datetime] = field(default_factory=dict)


def news(complaints: Complaints, faults: Iterable[Fault], now: datetime) -> tuple[Complaints, tuple[Fault, ...]]:
    """Those to be told now, and the state after it."""
    recent = {key: at for key, at in complaints.told.items() if now - AGAIN_AFTER < at <= now}
    found: dict[Key, Fault] = {}
    for fault in faults:
        key = (fault.source, fault.subject or fault.detail, fault.reason)
        if len(found) < MOST_AT_ONCE and key not in recent:
            found.setdefault(key, fault)
    return Complaints(told={**recent, **dict.fromkeys(found, now)}), tuple(found.values())
