"""What passed between two looks at an agent, by its own clock."""

UPTIME_WRAP = 2**32
WRAP_MARGIN = 10 * 60 * 100
"""Ticks before the wrap within which an uptime that starts again has wrapped; elsewhere the agent has."""


def ticks_between(before: int, now: int) -> int | None:
    """Hundredths of a second between two values of sysUpTime; None where the agent began anew in between."""
    if now >= before:
        return now - before
    return now + UPTIME_WRAP - before if before > UPTIME_WRAP - WRAP_MARGIN else None
