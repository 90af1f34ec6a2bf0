"""`gdcc estate` as the benchmarks call it."""

import os
import sys
from collections.abc import Sequence

ALL = 472
PARALLEL = os.cpu_count() or 2


def gdcc(*words: str) -> list[str]:
    return [sys.executable, "-m", "controller", "estate", *words, "--json"]


def chosen(names: Sequence[str]) -> list[str]:
    return [word for name in names for word in ("--agency", name)]


def projected(how: str, seconds: dict[int, float]) -> None:
    """What all agencies would take, by the slope between the fewest and the most that were measured."""
    if len(seconds) < 2:
        return
    low, high = min(seconds), max(seconds)
    slope = (seconds[high] - seconds[low]) / (high - low)
    whole = seconds[low] + slope * (ALL - low)
    print(f"\n{how}: by the slope of {slope:.2f} s an agency, not measured: {whole / 60:.0f} min for all {ALL}.")
