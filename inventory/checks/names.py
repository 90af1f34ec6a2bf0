"""Names that OpenStack or Pulumi would refuse: too long, with a forbidden character, or equal but for their case."""

import re
from collections.abc import Iterable, Iterator

from inventory.checks.case import Case
from inventory.model import Problem

LONGEST_PROJECT = 64
"""Keystone's limit for the names of projects, groups and domains."""

LONGEST_AGENCY = 54
"""Leaves room for `-operators` in the name of an agency's group."""

LONGEST_IN_TAG = 200
"""Leaves room for the tag's key in 255 characters, and for `gdcc-…` before it in a name."""

_AGENCY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""What a Pulumi stack's name may hold."""


def check(case: Case) -> Iterator[Problem]:
    """Problems of names."""
    estate = case.estate
    for agency in estate.agencies:
        if not _AGENCY.fullmatch(agency) or len(agency) > LONGEST_AGENCY:
            what = f"cannot name a stack (write at most {LONGEST_AGENCY} letters, digits, '.', '_' and '-')"
            yield case.problem("agencies", agency, what, "name")
    for system in estate.systems.values():
        if len(system.project) > LONGEST_PROJECT:
            what = f"project's name has {len(system.project)} characters, Keystone takes {LONGEST_PROJECT} (shorten it)"
            yield case.problem("systems", system.name, what, "project")
        yield from _tag(case, "systems", system.name)
    yield from _former(case)
    for data_set in estate.data_sets:
        yield from _tag(case, "data_sets", data_set)
    for zone in estate.aggregates.values():
        if zone.availability_zone is not None and ":" in zone.availability_zone:
            what = f"availability zone {zone.availability_zone!r} holds ':', which Nova refuses (leave it out)"
            yield case.problem("aggregates", zone.name, what, "availability_zone")
    yield from _alike(case, "agencies", "name", [(name, name) for name in estate.agencies])
    yield from _alike(case, "operators", "name", [(name, name) for name in estate.operators])
    users = [(system.name, system.first_name) for system in estate.systems.values()]
    yield from _alike(case, "systems", "name", users)
    projects = [(system.name, system.project) for system in estate.systems.values()]
    yield from _alike(case, "systems", "project", projects)


def _former(case: Case) -> Iterator[Problem]:
    """A former name is one system's alone: with two of them, a stack would not know whose things it finds.

    It may be the system's own again, which was renamed twice.
    """
    owners: dict[str, str] = {}
    for system in case.estate.systems.values():
        for name in system.formerly:
            other = owners.setdefault(name, system.name)
            what = ""
            if name != system.name and case.declares("systems", name):
                what = f"was formerly {name!r}, which is a system still (correct it, or rename that one)"
            elif other != system.name or system.formerly.count(name) > 1:
                whose = "itself" if other == system.name else other
                what = f"was formerly {name!r}, as {whose} was already (keep one)"
            if what:
                yield case.problem("systems", system.name, what, "formerly")


def _tag(case: Case, table: str, name: str) -> Iterator[Problem]:
    if "/" in name or "," in name or len(name) > LONGEST_IN_TAG:
        what = f"cannot stand in a tag or name a container (at most {LONGEST_IN_TAG} characters, no '/' and no ',')"
        yield case.problem(table, name, what, "name")


def _alike(case: Case, table: str, field_name: str, names: Iterable[tuple[str, str]]) -> Iterator[Problem]:
    """Keystone compares names without regard to case; a name that stands twice is told elsewhere."""
    seen: dict[str, str] = {}
    for row, name in names:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            what = f"{field_name} {name!r} differs from {other!r} by case only, which Keystone takes for the same"
            yield case.problem(table, row, f"{what} (correct one of them)", field_name)
