"""Agencies and their systems as tables, with what moved in the last hour and whether their window is open."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from controller.engine import calendar
from controller.engine.assemble.places import rows_of
from controller.model import cluster as model
from controller.model.cloud import Project
from controller.model.ids import ProjectId
from controller.model.migration import Entry
from controller.model.policy import MigrationPolicy
from controller.model.sample import IntColumn
from inventory.model import Budget, Estate, System


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """The tables, and the system row of each project the inventory knows."""

    systems: model.Systems
    agencies: model.Agencies
    system_of_project: Mapping[ProjectId, int]
    system_rows: Mapping[str, int]


def owners(
    estate: Estate, projects: Sequence[Project], moved: Sequence[Entry], now: datetime, policy: MigrationPolicy
) -> Owners:
    """`moved` are the moves started in the last hour."""
    agencies, systems = sorted(estate.agencies), sorted(estate.systems)
    agency_rows, system_rows = rows_of(agencies), rows_of(systems)
    whole = [estate.systems[name] for name in systems]
    moved_systems = Counter(entry.intent.system for entry in moved)
    moved_agencies = Counter(entry.intent.agency for entry in moved)
    return Owners(
        systems=model.Systems(
            names=tuple(systems),
            agency=np.array([agency_rows[system.agency] for system in whole], np.int32),
            classification=np.array([system.classification for system in whole], np.int8),
            tier=np.array([system.tier for system in whole], np.int8),
            at_once=_at_once([system.budget for system in whole]),
            per_hour=_per_hour([system.budget for system in whole]),
            moved_last_hour=np.array([moved_systems[name] for name in systems], np.int32),
            open=_open(estate, systems, now),
            withheld=np.zeros(len(systems), np.bool_),
            pause_s=np.array([_pause_s(system, now, estate.timezone, policy) for system in whole], np.float64),
        ),
        agencies=model.Agencies(
            names=tuple(agencies),
            at_once=_at_once([estate.agencies[name].budget for name in agencies]),
            per_hour=_per_hour([estate.agencies[name].budget for name in agencies]),
            moved_last_hour=np.array([moved_agencies[name] for name in agencies], np.int32),
        ),
        system_of_project={
            project: system_rows[system.name] for project, system in systems_of_projects(estate, projects).items()
        },
        system_rows=system_rows,
    )


def _open(estate: Estate, systems: list[str], now: datetime) -> model.BoolColumn:
    allowed = [
        calendar.allows(estate.systems[name].windows, estate.systems[name].blackouts, now, estate.timezone)
        for name in systems
    ]
    return np.array(allowed, np.bool_)


def _pause_s(system: System, now: datetime, timezone: str, policy: MigrationPolicy) -> float:
    """For how long its agency lets a server be paused by a copy that begins now; 0 where it could end too late."""
    if system.pause is None:
        return 0.0
    most = timedelta(seconds=system.pause.seconds)
    bears = calendar.bears_pause(system, now, policy.force_complete_after + most, timezone)
    return most.total_seconds() if bears else 0.0


def systems_of_projects(estate: Estate, projects: Sequence[Project]) -> dict[ProjectId, System]:
    """Each project's system, of those that have one.

    Keystone's project names are unique in a domain only: a name that stands twice belongs to nobody we know. Otherwise
    who may create projects in another domain could name one like a system of lower classification.
    """
    times = Counter(project.name for project in projects)
    by_project = {system.project: system for system in estate.systems.values()}
    return {
        project.id: by_project[project.name]
        for project in projects
        if project.name in by_project and times[project.name] == 1
    }


def _at_once(budgets: Sequence[Budget | None]) -> IntColumn:
    return np.array([-1 if budget is None else budget.at_once for budget in budgets], np.int32)


def _per_hour(budgets: Sequence[Budget | None]) -> IntColumn:
    return np.array([-1 if budget is None else budget.per_hour for budget in budgets], np.int32)
