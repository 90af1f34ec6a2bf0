"""Cords, PDUs and feeds: what hangs on what, and whether it could carry it alone while every host idles."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from inventory.checks.case import Case
from inventory.facility import Pdu
from inventory.model import Estate, Host, Lifecycle, Problem

_UNPOWERED = frozenset({Lifecycle.PLANNED, Lifecycle.DECOMMISSIONED})


def check(case: Case) -> Iterator[Problem]:
    """Problems of power."""
    yield from _partners(case)
    yield from _cords(case)
    if case.whole:
        yield from _idle_pdus(case)
        yield from _overdrawn(case)


def _partners(case: Case) -> Iterator[Problem]:
    feeds = case.estate.feeds
    for feed in feeds.values():
        if feed.partner == feed.name:
            yield case.problem("feeds", feed.name, "is its own partner (name the other feed)", "partner")
            continue
        partner = feeds.get(feed.partner) if feed.partner else None
        if partner is not None and partner.partner != feed.name:
            what = (
                f"names {partner.name} as partner, which names {partner.partner or 'none'} (partners name each other)"
            )
            yield case.problem("feeds", feed.name, what, "partner")


def _cords(case: Case) -> Iterator[Problem]:
    for host in case.estate.hosts.values():
        if not host.cords and host.lifecycle not in _UNPOWERED:
            yield case.problem("hosts", host.name, "has no power cord (name its PDUs under cords)", "cords")
        for cord in host.cords:
            pdu = case.estate.pdus.get(cord.pdu)
            if pdu is not None:
                yield from _cord(case, host, pdu, cord.phase)
        yield from _redundancy(case, host)


def _cord(case: Case, host: Host, pdu: Pdu, phase: int) -> Iterator[Problem]:
    if pdu.rack != host.rack:
        what = f"stands in rack {host.rack}, its cord goes to PDU {pdu.name} of rack {pdu.rack} (correct one of them)"
        yield case.problem("hosts", host.name, what, "cords")
    if phase > pdu.phases:
        what = f"a cord is on phase {phase} of PDU {pdu.name}, which has {pdu.phases} (correct the phase)"
        yield case.problem("hosts", host.name, what, "cords")


def _redundancy(case: Case, host: Host) -> Iterator[Problem]:
    estate = case.estate
    pdus = [estate.pdus.get(cord.pdu) for cord in host.cords]
    if len(pdus) < 2:
        return
    feeds = sorted({pdu.feed for pdu in pdus if pdu is not None})
    if None in pdus or not estate.feeds.keys() >= set(feeds):
        return
    if len(feeds) == 1:
        what = f"all its cords hang on feed {feeds[0]} (move one to the partner, or list one cord if that is meant)"
        yield case.problem("hosts", host.name, what, "cords")
    if len(feeds) == 2 and estate.feeds[feeds[0]].partner != feeds[1]:
        what = f"its cords hang on feeds {feeds[0]} and {feeds[1]}, which are not partners (partners carry each other)"
        yield case.problem("hosts", host.name, what, "cords")


def _idle_pdus(case: Case) -> Iterator[Problem]:
    used = {cord.pdu for host in case.estate.hosts.values() for cord in host.cords}
    for name in case.estate.pdus:
        if name not in used:
            yield case.problem(
                "pdus", name, "feeds nothing: no host has a cord on it (add the cord, or remove the PDU)"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one feed, PDU or phase carries when its partner has failed, in watts."""

    table: str
    row: str
    subject: str
    limit_watts: float
    base_watts: float
    idle_watts: float
    peak_watts: float


def loads(estate: Estate) -> tuple[Load, ...]:
    """Every feed's, PDU's and phase's limit and load, in that order; references must be known.

    All watts of every host with a cord on it count once, and the whole base of each of its racks.
    """
    base = _base_watts(estate)
    idle: defaultdict[tuple[str, str], float] = defaultdict(float)
    peak: defaultdict[tuple[str, str], float] = defaultdict(float)
    for host in estate.hosts.values():
        if host.lifecycle in _UNPOWERED:
            continue
        host_type = estate.host_types[host.type]
        for key in _hung_on(estate, host):
            idle[key] += host_type.idle_watts
            peak[key] += host_type.peak_watts
    return tuple(
        Load(
            table=table,
            row=row,
            subject=subject,
            limit_watts=limit,
            base_watts=base[(table, subject)],
            idle_watts=idle[(table, subject)] + base[(table, subject)],
            peak_watts=peak[(table, subject)] + base[(table, subject)],
        )
        for table, row, subject, limit in _limits(estate)
    )


def _hung_on(estate: Estate, host: Host) -> set[tuple[str, str]]:
    keys: set[tuple[str, str]] = set()
    for cord in host.cords:
        keys |= {("feeds", estate.pdus[cord.pdu].feed), ("pdus", cord.pdu), ("pdus", f"{cord.pdu}/{cord.phase}")}
    return keys


def _limits(estate: Estate) -> Iterator[tuple[str, str, str, float]]:
    for feed in estate.feeds.values():
        yield "feeds", feed.name, feed.name, feed.rated_watts * feed.derating_ratio
    for pdu in estate.pdus.values():
        yield "pdus", pdu.name, pdu.name, phase_limit_watts(pdu) * pdu.phases
    for pdu in estate.pdus.values():
        for phase in range(1, pdu.phases + 1):
            yield "pdus", pdu.name, f"{pdu.name}/{phase}", phase_limit_watts(pdu)


def phase_limit_watts(pdu: Pdu) -> float:
    """What one phase may carry: amperes times phase-to-neutral volts, derated."""
    return pdu.rated_amps * pdu.volts * pdu.derating_ratio


def _base_watts(estate: Estate) -> defaultdict[tuple[str, str], float]:
    on_feed: defaultdict[tuple[str, str], list[Pdu]] = defaultdict(list)
    for pdu in estate.pdus.values():
        on_feed[(pdu.rack, pdu.feed)].append(pdu)
    base: defaultdict[tuple[str, str], float] = defaultdict(float)
    for (rack, feed), pdus in on_feed.items():
        watts = estate.racks[rack].base_watts
        base[("feeds", feed)] += watts
        for pdu in pdus:
            share = watts / len(pdus)
            base[("pdus", pdu.name)] += share
            for phase in range(1, pdu.phases + 1):
                base[("pdus", f"{pdu.name}/{phase}")] += share / pdu.phases
    return base


def _overdrawn(case: Case) -> Iterator[Problem]:
    for load in loads(case.estate):
        if load.idle_watts > load.limit_watts:
            kind = "feed" if load.table == "feeds" else "phase" if load.subject != load.row else "PDU"
            what = (
                f"{kind} {load.subject} may carry {load.limit_watts:.0f} W alone, its hosts draw "
                f"{load.idle_watts:.0f} W idle when the partner has failed (move hosts or cords, or correct the rating)"
            )
            yield case.problem(load.table, load.row, what)
