"""Cross-checks of a whole estate: pure, every problem at once."""

import dataclasses

from inventory.checks import (
    addresses,
    aggregates,
    capacity,
    catalogue,
    derived,
    groups,
    names,
    places,
    power,
    projects,
    references,
    tenants,
    uplinks,
    wiring,
)
from inventory.checks.case import Case, Where, nowhere
from inventory.model import Estate, Gap, Problem

_CHECKS = (
    names.check,
    places.check,
    power.check,
    addresses.check,
    uplinks.check,
    wiring.check,
    groups.check,
    catalogue.check,
    aggregates.check,
    derived.check,
    tenants.check,
    projects.check,
    capacity.check,
)

_WANTED = {
    "rack": "the name of the rack it stands in",
    "unit": "the rack unit it stands in, 1 at the bottom",
    "cords": "the PDU and phase of each power cord",
    "bmc": "address, profile and credential of its BMC, or null",
    "classification": "open, internal, confidential or secret",
    "clearance": "the highest classification it is cleared for",
    "idle_watts": "what it draws idle, in watts",
    "peak_watts": "what it draws at full load, in watts",
    "agency": "the agency that owns it",
    "tier": "critical, standard or basic",
    "backend": "the name of the storage backend",
    "cidr": "its range of addresses, such as 10.8.0.0/16",
}


def problems(
    estate: Estate, where: Where = nowhere, broken: frozenset[tuple[str, str]] = frozenset()
) -> tuple[Problem, ...]:
    """All that is wrong with an estate. `broken`: rows that are declared but could not be read, by table and name."""
    case = Case(estate=estate, where=where, broken=broken)
    unknown = list(references.check(case))
    case = dataclasses.replace(case, whole=not broken and not unknown)
    found = [*(_gap(case, gap) for gap in estate.gaps), *unknown]
    for check in _CHECKS:
        found.extend(check(case))
    return tuple(found)


def _gap(case: Case, gap: Gap) -> Problem:
    wanted = _WANTED.get(gap.field, "its value")
    return case.problem(gap.table, gap.name, f"{gap.field} is a gap (replace !gap by {wanted})", gap.field)
