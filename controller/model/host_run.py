"""A verb of `gdcc host` on one host, as the journal keeps it: written before each step is begun and after its end."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from controller.model.ids import HostName

HostRunId = NewType("HostRunId", str)

LONGEST_SAID = 2000
"""Characters of what a run said that are kept."""


class HostVerb(StrEnum):
    """What an operator does to a host by a playbook. Draining and enabling have records of their own."""

    PREPARE = "prepare"
    CONFIGURE = "configure"
    VERIFY = "verify"
    REBOOT = "reboot"
    PATCH = "patch"
    ROTATE_KEYS = "rotate-keys"
    DECOMMISSION = "decommission"


class HostStep(StrEnum):
    """In this order, each verb with those it needs.

    LOOK reads the boot id, which tells after a crash whether a reboot happened.
    """

    DRAIN = "drain"
    PLAY = "play"
    LOOK = "look"
    REBOOT = "reboot"
    VERIFY = "verify"
    ENABLE = "enable"


class HostRunState(StrEnum):
    """OPEN until the verb ended, DONE or FAILED; one that is OPEN with nobody at work was killed, or lost its host."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRun:
    """`step` was begun; what came before it has ended well.

    `drained`: this verb found the host in service, or took up a drain of its own kind, and so gives it back. `boot_id`
    is the host's before its reboot, empty before LOOK. `said` is the outcome, or what the host waits for, in a
    sentence; `artifacts` the newest playbook's folder.
    """

    id: HostRunId
    host: HostName
    verb: HostVerb
    who: str
    since: datetime
    step: HostStep
    state: HostRunState
    changed_at: datetime
    drained: bool = False
    boot_id: str = ""
    said: str = ""
    artifacts: str = ""


def shortened(said: str) -> str:
    """What is kept of it."""
    return said if len(said) <= LONGEST_SAID else f"{said[: LONGEST_SAID - 1]}…"
