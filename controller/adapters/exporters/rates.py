"""Two pages of one exporter to readings. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from controller.adapters.exporters.page import Key, Page
from controller.model.sample import Fault, Quantity

SOURCE = "exporters"
_BOOT_JITTER_S = 30.0
"""Boot time is computed from the clock, and moves with it when NTP corrects that."""
_IDLE = ("idle/", "iowait/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Values by key, all taken `at` (seconds since the epoch), and what could not be used."""

    at: float
    values: Mapping[Key, float]
    faults: tuple[Fault, ...]


def read(before: Page | None, now: Page, *, longest: float) -> Read:
    """Readings of `now`; rates where `before` is not older than `longest` seconds."""
    values = dict(now.gauges)
    faults = [_fault(key, "nan", "a sample is no number") for key in sorted(now.bad)]
    if now.nameless:
        some = ", ".join(sorted(now.nameless)[:3])
        detail = f"{len(now.nameless)} domains have no instance uuid ({some}); does the exporter show Nova's metadata?"
        faults.append(Fault(source=SOURCE, subject=some, reason="malformed", detail=detail))
    elapsed = now.clock - before.clock if before is not None else 0.0
    if before is not None and _rebooted(before, now):
        host = next(iter(now.counters or now.gauges or now.bad))[2]
        faults.append(Fault(source=SOURCE, subject=host, reason="counter_reset", detail="the machine started anew"))
    elif before is not None and 0 < elapsed <= longest:
        for key, parts in now.counters.items():
            grown = _grown(before.counters.get(key, {}), parts)
            if any(growth < 0 for growth in grown.values()):
                faults.append(_fault(key, "counter_reset", "a counter went down; the next page begins anew"))
            elif (value := _rate(key[1], grown, elapsed)) is not None:
                values[key] = value
    return Read(at=now.at, values=values, faults=tuple(faults))


def _rebooted(before: Page, now: Page) -> bool:
    """Whether the machine started between two pages: then a counter that did not go down may yet be a new one."""
    if before.booted_at is None or now.booted_at is None:
        return False
    return now.booted_at - before.booted_at > _BOOT_JITTER_S


def _grown(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    """How much each part grew, of the parts that both pages have."""
    return {part: value - before[part] for part, value in now.items() if part in before}


def _rate(quantity: Quantity, grown: Mapping[str, float], elapsed: float) -> float | None:
    """The reading, None where the two pages have nothing in common or no time passed on the host's own counters."""
    total = sum(grown.values())
    if not grown:
        return None
    if quantity is Quantity.CPU_RATIO:
        idle = sum(growth for part, growth in grown.items() if part.startswith(_IDLE))
        return 1.0 - idle / total if total > 0 else None
    if quantity is Quantity.STEAL_RATIO:
        return total / len(grown) / elapsed
    return total / elapsed


def _fault(key: Key, reason: str, detail: str) -> Fault:
    return Fault(source=SOURCE, subject=key[2], reason=reason, detail=f"{key[1].value}: {detail}")
