"""Every agency of the reference estate: built against Pulumi's mocks, held to the rules, and judged by the policy pack.

Pulumi's SDK takes a millisecond of a processor for each of 100,000 resources, and what it leaves behind takes as long
to collect: so nothing is collected, and a process that has built some agencies is thrown away with all that they left.
Nor does the SDK write down there where in the source each resource was declared, which took a fifth of its time.
"""

import gc
import logging
import multiprocessing
import os
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pulumi.runtime import resource
from pulumi.runtime.proto import source_pb2

import inventory
from infra import naming
from inventory import load
from inventory.model import Estate
from tests.unit.infra.agency import rules_of_a_stack, stack
from tests.unit.infra.policy import programs

REFERENCE = Path(inventory.__file__).parent / "estates" / "gdcc"
PARTS = 12
"""How many processes, one after another on each processor: some 100 MiB and 40 agencies each."""


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


def all_held() -> list[Held]:
    """Builds and judges every agency, in processes of their own that begin with the SDK imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context, max_tasks_per_child=1) as pool:
        return list(pool.map(held, range(PARTS)))


def held(part: int, parts: int = PARTS) -> Held:
    """Builds and judges every `parts`-th agency, from number `part` on, while nobody else wants the processor."""
    os.nice(10)
    gc.disable()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    resource._get_stack_trace = source_pb2.StackTrace
    os.environ["OS_AUTH_URL"] = "https://keystone.example/v3"
    estate = load.load(REFERENCE)
    others, agencies = told(estate), list(estate.agencies.values())[part::parts]
    systems = resources = 0
    problems: list[str] = []
    for agency in agencies:
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
    return Held(agencies=len(agencies), systems=systems, resources=resources, problems=tuple(problems))
