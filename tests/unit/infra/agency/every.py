"""Every agency of the reference estate: built against Pulumi's mocks, held to the rules, and judged by the policy pack.

Pulumi's SDK takes more than a millisecond of a processor for each of 100,000 resources: so some agencies a process, and
a garbage collector that does not look through all of the estate for the few resources of one agency.
"""

import gc
import logging
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import inventory
from infra import naming
from inventory import load
from inventory.model import Estate
from tests.unit.infra.agency import rules_of_a_stack, stack
from tests.unit.infra.policy import programs

REFERENCE = Path(inventory.__file__).parent / "estates" / "gdcc"
_COLLECTED_EVERY = 20
"""Agencies after which what they left behind is thrown away: some 50 MiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What was built and found lawful; `problems` say what was not."""

    agencies: int
    systems: int
    resources: int
    problems: tuple[str, ...]


def told(estate: Estate) -> dict[str, dict[str, dict[str, str]]]:
    """What every agency's stack tells the others once it is up."""
    projects: dict[str, dict[str, str]] = {agency: {} for agency in estate.agencies}
    for system in estate.systems.values():
        projects[system.agency][system.name] = f"id of Project {system.name}"
    return {
        f"organization/{naming.PROJECT}/{naming.agency_stack(agency)}": {"project_ids": ids}
        for agency, ids in projects.items()
    }


def held(part: int, parts: int) -> Held:
    """Builds and judges every `parts`-th agency, from number `part` on. Runs in a process of its own."""
    gc.disable()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    os.environ["OS_AUTH_URL"] = "https://keystone.example/v3"
    estate = load.load(REFERENCE)
    others, agencies = told(estate), list(estate.agencies.values())[part::parts]
    gc.freeze()
    systems = resources = 0
    problems: list[str] = []
    for number, agency in enumerate(agencies, 1):
        cloud = stack.Cloud(estate=estate, stacks=others)
        monitor = programs.Monitor(naming.agency_stack(agency.name), cloud)
        stack.run(cloud, agency.name, monitor)
        try:
            rules_of_a_stack.hold(cloud, agency)
        except AssertionError as error:
            problems.append(f"{agency.name}: {error}")
        problems.extend(f"{agency.name}: {said}" for said in programs.reports(monitor.registered))
        systems += len(cloud.outputs["project_ids"])
        resources += len(cloud.of_the_cloud())
        if number % _COLLECTED_EVERY == 0:
            gc.collect()
    return Held(agencies=len(agencies), systems=systems, resources=resources, problems=tuple(problems))
