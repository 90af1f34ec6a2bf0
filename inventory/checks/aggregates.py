"""Host aggregates that follow from sites and hardware generations: a name for each, and none that Nova refuses."""

from collections.abc import Iterator

from inventory import aggregates
from inventory.checks.case import Case
from inventory.model import Problem


def check(case: Case) -> Iterator[Problem]:
    """Problems of derived aggregates and availability zones."""
    zones = aggregates.derives_zones(case.estate)
    owners: dict[str, str] = {}
    for site in case.estate.sites:
        name = aggregates.derived_name("site", site)
        other = owners.setdefault(name, site)
        if other != site:
            what = f"its host aggregate is {name}, as is that of {other} (rename one of them)"
            yield case.problem("sites", site, what, "name")
        if zones and ":" in name:
            what = f"its availability zone {name!r} holds ':', which Nova refuses (rename it, or list the zones)"
            yield case.problem("sites", site, what, "name")
    yield from _generations(case)


def _generations(case: Case) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for each in case.estate.host_types.values():
        if not each.generation:
            continue
        name = aggregates.derived_name("generation", each.generation)
        other = owners.setdefault(name, each.generation)
        if other != each.generation:
            what = f"the host aggregate of its generation is {name}, as is that of {other!r} (rename one of them)"
            yield case.problem("host_types", each.name, what, "generation")
