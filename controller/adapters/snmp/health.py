"""From parts' states to a host's health: what is lost, and what only lacks its spare."""

from collections.abc import Iterable, Mapping

from controller.model.sample import Health

DEGRADED_FANS = 2
"""So many fans out of order are a failure; one is what the spare is for."""


def translated(states: Iterable[int], meaning: Mapping[int, Health]) -> tuple[Health, ...]:
    """The parts' health; states without a meaning (other, unknown, absent) are left out."""
    return tuple(meaning[state] for state in states if state in meaning)


def worst(parts: Iterable[Health]) -> Health | None:
    """As bad as the worst part; None without parts."""
    return max(parts, default=None)


def redundant(parts: Iterable[Health]) -> Health | None:
    """Parts that stand in for each other (power supplies): a warning while one is well."""
    known = tuple(parts)
    found = worst(known)
    return Health.WARNING if found is Health.FAILED and Health.OK in known else found


def fans(parts: Iterable[Health]) -> Health | None:
    """One fan out of order is a warning."""
    known = tuple(parts)
    failed = sum(part is Health.FAILED for part in known)
    return Health.WARNING if 0 < failed < DEGRADED_FANS and len(known) > 1 else worst(known)


def disks(arrays: Iterable[Health], members: Iterable[Health]) -> Health | None:
    """Arrays say whether data is at risk; a failed member of an array that still stands is a warning."""
    whole, parts = worst(arrays), worst(members)
    if whole is None or parts is None:
        return parts if whole is None else whole
    return max(whole, min(parts, Health.WARNING))
