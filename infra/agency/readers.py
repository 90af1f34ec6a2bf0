"""Projects of other agencies, which stand in other stacks: who may read a data set or share a network.

Two agencies may read each other's data, so neither stack can wait for the other. What is not there yet is left out
and told; the next `up` grants it. Only an unknown stack, or one without projects, counts as not there: any other
failure to read it fails the update, because leaving a reader out would take its access away.

The other stack's outputs are read, not referenced: a StackReference would write all of them, secrets too, into this
stack's state.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pulumi

from infra import naming
from inventory.model import DataSet, Estate, System

PROJECT_IDS = "project_ids"
"""The output of an agency's stack: Keystone's id of each of its systems' projects, by the system's name."""

PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0)
"""A file backend writes a checkpoint in place: another stack that is being updated may be read half written."""
_HALF_WRITTEN = ("failed to load checkpoint: EOF", "unexpected end of JSON input", "unexpected EOF")

_READ = "pulumi:pulumi:readStackOutputs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The projects that exist by now, ids by system, and a sentence for each system that has none yet."""

    project_ids: Mapping[str, pulumi.Input[str]]
    waiting: tuple[str, ...]


class Projects:
    """Ids of projects: of the agency's own systems, and of other agencies', each stack read once and when asked for."""

    def __init__(self, own: Mapping[str, pulumi.Output[str]]) -> None:
        self._own = own
        self._others: dict[str, Mapping[str, str]] = {}

    def known(self, what: str, systems: Iterable[System]) -> Known:
        """Who of `systems` has a project; `what` begins the sentence about an agency whose projects are not there."""
        ids: dict[str, pulumi.Input[str]] = {}
        missing: dict[str, list[str]] = {}
        for system in systems:
            found = self._own.get(system.name) or self._of_other(system)
            if found is None:
                missing.setdefault(system.agency, []).append(system.name)
            else:
                ids[system.name] = found
        waiting = tuple(
            f"{what}: {', '.join(names)} must wait for the first `up` of {naming.agency_stack(agency)}"
            for agency, names in missing.items()
        )
        return Known(project_ids=ids, waiting=waiting)

    @property
    def of_others(self) -> Mapping[str, str]:
        """What other agencies' stacks told so far: project ids by system."""
        return {system: id_ for told in self._others.values() for system, id_ in told.items()}

    def _of_other(self, system: System) -> str | None:
        """As its own agency's stack called it at its last `up`, which may have been before it was renamed."""
        told = self._of(system.agency)
        return next((told[name] for name in system.names if name in told), None)

    def _of(self, agency: str) -> Mapping[str, str]:
        if agency not in self._others:
            stack = naming.agency_stack(agency)
            self._others[agency] = _read(f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}")
        return self._others[agency]


def systems_reading(estate: Estate, data_set: DataSet) -> tuple[System, ...]:
    """The readers' systems whose own level may hold the data: a lower one's project would carry it down."""
    return tuple(
        system
        for system in estate.systems.values()
        if system.agency in data_set.readers and system.classification >= data_set.classification
    )


def _read(stack: str) -> Mapping[str, str]:
    for pause_s in (*PAUSES_S, None):
        try:
            answer = pulumi.runtime.invoke(_READ, {"name": stack}).value
        except Exception as error:
            # The SDK raises nothing narrower, and the engine tells cases by their text (backend.go, GetStackOutputs).
            if f'unknown stack "{stack}"' in str(error):
                return {}
            if pause_s is None or not any(half in str(error) for half in _HALF_WRITTEN):
                raise
            time.sleep(pause_s)
        else:
            found: Mapping[str, str] = answer["outputs"].get(PROJECT_IDS) or {}
            return found
    raise AssertionError("the last pause is none")
