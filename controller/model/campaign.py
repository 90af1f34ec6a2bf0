"""A campaign: one change to many hosts, as an operator asked for it and as the journal knows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from controller.model.ids import HostName
from controller.model.playbook import Variable
from inventory.model import Domain, Window

CAMPAIGN_VERSION = 1
"""Of campaign files; a file of another version is refused."""


class Reboot(StrEnum):
    """IF_REQUIRED: where the work says so (its fact `reboot_required`)."""

    NEVER = "never"
    IF_REQUIRED = "if-required"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is done to each empty host: a file of `playbooks/` (None: nothing but the reboot), within `timeout_minutes`.

    `reboot_minutes` is how long a host may take to come up again; `drain_minutes`, to become empty.
    """

    playbook: str | None = None
    reboot: Reboot = Reboot.IF_REQUIRED
    tags: tuple[str, ...] = ()
    variables: Mapping[str, Variable] = field(default_factory=dict)
    timeout_minutes: float = 60.0
    reboot_minutes: float = 30.0
    drain_minutes: float = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may be out of service together.

    `hosts_at_once` hosts, all of one fault domain of kind `domain`, failed ones among them. `failure_budget`: so many
    may fail; one more pauses the campaign.
    """

    hosts_at_once: int = 1
    domain: Domain = Domain.RACK
    failure_budget: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Canaries:
    """Who goes first: the named `hosts`, or the first `count` in order. The rest waits `soak_minutes` after them."""

    count: int | None = None
    hosts: tuple[str, ...] = ()
    soak_minutes: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What an operator asks for. `hosts` are names, or patterns of the inventory: `rack:r07`.

    A host is begun only in one of the `windows` (none: at any time) and in no blackout, on the estate's clock.
    `keep_shutoff`: SHUTOFF servers may stay on a drained host.
    """

    name: str
    hosts: tuple[str, ...]
    work: Work
    limits: Limits = Limits()
    canaries: Canaries = Canaries()
    windows: tuple[Window, ...] = ()
    blackouts: tuple[Window, ...] = ()
    keep_shutoff: bool = False


class State(StrEnum):
    """NEW until it is started; PAUSED begins no host; ABORTING brings back what is out; the last two are ends."""

    NEW = "new"
    RUNNING = "running"
    PAUSED = "paused"
    ABORTING = "aborting"
    ABORTED = "aborted"
    DONE = "done"


OPEN = frozenset({State.RUNNING, State.PAUSED, State.ABORTING})
"""One campaign at most is in one of these."""

NEXT: Mapping[State, frozenset[State]] = {
    State.NEW: frozenset({State.RUNNING, State.ABORTED}),
    State.RUNNING: frozenset({State.PAUSED, State.ABORTING, State.DONE}),
    State.PAUSED: frozenset({State.RUNNING, State.ABORTING}),
    State.ABORTING: frozenset({State.ABORTED}),
    State.ABORTED: frozenset(),
    State.DONE: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """`why` says why it is paused or was aborted. `resumed_at`: failures before it are forgiven (a start counts)."""

    id: str
    order: Order
    who: str
    created_at: datetime
    state: State = State.NEW
    why: str = ""
    started_at: datetime | None = None
    resumed_at: datetime | None = None
    ended_at: datetime | None = None


class HostState(StrEnum):
    """Where a host of a campaign is.

    UNDER_WAY from before its drain to its end; FAILED is out of service, drained and disabled by us. An abort
    leaves it UNTOUCHED where it was never changed. RETURNED is given back though its work had failed: by an abort once
    it was verified, or by an operator.
    """

    WAITING = "waiting"
    UNDER_WAY = "under-way"
    DONE = "done"
    FAILED = "failed"
    UNTOUCHED = "untouched"
    RETURNED = "returned"


OUT = frozenset({HostState.UNDER_WAY, HostState.FAILED})
"""Out of service on the campaign's account."""

UNFINISHED = OUT | {HostState.WAITING}
"""A campaign ends once no host is in one of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A host of a campaign. `domain` names its fault domain. `attempt` counts from 1; a retry begins another."""

    campaign: str
    host: HostName
    domain: str
    canary: bool = False
    state: HostState = HostState.WAITING
    attempt: int = 1
    why: str = ""
    began_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def waits_again(self) -> bool:
        """Whether it waits for another attempt: out of service since its last one, unless an operator enabled it."""
        return self.state is HostState.WAITING and self.attempt > 1


class Step(StrEnum):
    """What is done to a host, in this order; WORK and REBOOT only where the order asks for them."""

    DRAIN = "drain"
    LOOK = "look"
    WORK = "work"
    REBOOT = "reboot"
    VERIFY = "verify"
    ENABLE = "enable"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One step of one attempt, journaled before it begins and after it ended.

    `boot_id`: the host's before the work (LOOK). `reboot_required`: what the work said.
    """

    campaign: str
    host: HostName
    attempt: int
    step: Step
    began_at: datetime
    ended_at: datetime | None = None
    succeeded: bool | None = None
    said: str = ""
    boot_id: str = ""
    reboot_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Why a host is not begun now: the rule that holds it, and a sentence."""

    host: HostName
    rule: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A campaign at a glance. `waits` says what it waits for; `ends_at` is an estimate from its own measured hosts.

    `domain` is the fault domain that hosts are out in. `doing`: the step and task of each host under way. `seconds` is
    the mean of each step so far.
    """

    campaign: Campaign
    members: tuple[Member, ...]
    doing: Mapping[HostName, str]
    held: tuple[Held, ...]
    waits: str
    domain: str | None
    seconds: Mapping[Step, float]
    waves_left: int
    host_time: timedelta | None
    ends_at: datetime | None

    def count(self, *states: HostState) -> int:
        """Hosts in any of these states."""
        return sum(member.state in states for member in self.members)
