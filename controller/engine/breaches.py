"""Since when each breach holds, so that a plan acts on what lasts and not on a spike. Pure.

A breach that one look misses and the next sees again is the same one: a load that hovers at its limit does not start
anew each time it dips. Gone at two looks in a row, it is over. Looks that are too far apart, or of a clock that went
back, prove nothing about the time between them: then every breach starts anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """`since`: when it began. `seen`: whether the newest look saw it."""

    since: datetime
    seen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Spells:
    """The state between looks, by breach key; `at` is the newest look's time, None before the first."""

    at: datetime | None = None
    by_key: Mapping[str, Spell] = field(default_factory=dict)

    def since(self) -> dict[str, float]:
        """Of each breach that holds now, when it began: `Cluster.breach_since`."""
        return {key: spell.since.timestamp() for key, spell in self.by_key.items() if spell.seen}


def looked(spells: Spells, keys: Iterable[str], now: datetime, *, longest_gap: timedelta) -> Spells:
    """The state after a look at `now` that saw exactly these breaches."""
    linked = spells.at is not None and spells.at <= now <= spells.at + longest_gap
    before = spells.by_key if linked else {}
    seen = {key: Spell(since=before[key].since if key in before else now, seen=True) for key in sorted(set(keys))}
    missed = {key: Spell(since=old.since, seen=False) for key, old in before.items() if old.seen and key not in seen}
    return Spells(at=now, by_key={**seen, **missed})
