"""What the operators decided: thresholds, limits, modes. Frozen; read from configuration by `config`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum, StrEnum

from controller.model.plan import WRONG, Concern
from controller.model.sample import Quantity
from inventory.model import Tier, Window


class Mode(IntEnum):
    """How far the controller goes on its own, least first. Scopes combine to the least."""

    OBSERVE = 0
    RECOMMEND = 1
    APPROVE = 2
    AUTO = 3


class ScopeKind(StrEnum):
    HOST = "host"
    RACK = "rack"
    ZONE = "zone"
    ROOM = "room"
    AGENCY = "agency"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A part of the estate that a mode or a pause binds; a move is in a scope when its VM, source or target is."""

    kind: ScopeKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Above these a host is hot. Ratios of its threads, its physical memory, its migration link, its storage path."""

    cpu_ratio: float = 0.80
    memory_ratio: float = 0.92
    network_ratio: float = 0.70
    storage_ratio: float = 0.80
    facility_share: float = 0.30
    """When more than this share of a zone's hosts is above warning together, it is a facility event."""
    uneven_ratio: float = 0.25
    """A host above its rack's mean by more than this is uneven: its CPU, or what `balance_weights` make of all."""
    reserve_hosts: int = 0
    """Servers of any so many hosts that are lost together must have room on others (N+1); 0 asks for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceWeights:
    """What each resource counts where hosts are evened out, in comparison with the others; not all of them 0."""

    cpu: float = 1.0
    memory: float = 0.0
    network: float = 0.0
    storage: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much moves at once (waves and guard), how much in an hour, and what a move must earn."""

    at_once: int = 8
    out_of_host: int = 1
    into_host: int = 1
    across_rack: int = 4
    """Moves at once whose copy crosses this rack's uplink, in or out."""
    per_agency: int = 2
    per_system: int = 1
    per_hour: int = 120
    max_moves: int = 10_000
    """Moves in one plan."""
    gain_per_gib: float = 0.0005
    """A move of concern "uneven" must better the score by this for each GiB it copies."""
    max_copy: timedelta = timedelta(minutes=10)
    """A VM whose estimated copy takes longer (or never converges) is not moved on the controller's own account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consolidation:
    """Whether whole hosts are emptied so that they can be powered down, and what that must leave and earn."""

    enabled: bool = False
    fill_ratio: float = 0.85
    """What moves to free a host may fill their targets to: this share of what Placement admits, and of each threshold
    above which a host is hot."""
    spare_hosts: int = 1
    """Of each kind of host, the hosts in use keep free what so many of the largest of them may hold (N+1)."""
    watts_per_gib: float = 0.5
    """A freed host saves at least so many idle watts for each GiB that is copied to free it."""
    max_hosts: int = 10
    """Hosts freed by one plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """How far back loads count when a host is filled: no host is filled so that what it and what arrives use at their
    high quantiles would be over a limit. What is hot goes by the readings of now alone.
    """

    window: timedelta = timedelta(minutes=15)
    """How far back; 0 for not at all. Nothing counts that was seen for less than half of it."""
    quantile: float = 0.95
    forecast: bool = True
    """Whether what a VM used in the coming hour yesterday and a week ago counts too, where Prometheus tells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """When a reading counts, and when too few count."""

    max_age: Mapping[Quantity, timedelta] = field(default_factory=dict)
    default_max_age: timedelta = timedelta(seconds=90)
    required_of_hosts: frozenset[Quantity] = frozenset({Quantity.CPU_RATIO, Quantity.MEMORY_BYTES})
    health_required: bool = True
    """Whether a host whose BMC should tell its health, and has not, receives nothing. False where nobody reads BMCs."""
    freeze_untrusted_share: float = 0.25
    """More of the hosts without trusted readings than this freezes the loop."""
    freeze_shrink_share: float = 0.10
    """Fewer hosts or VMs than the most of `freeze_shrink_window`, by more than this share, freezes the loop."""
    freeze_shrink_window: timedelta = timedelta(hours=1)
    """How far back good looks are compared with; it stands still while the loop is frozen for what shrank."""
    max_future: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationPolicy:
    """How one migration is watched."""

    intent_deadline: timedelta = timedelta(seconds=10)
    """An intent older than this is never sent."""
    request_timeout: timedelta = timedelta(seconds=30)
    poll: timedelta = timedelta(seconds=1)
    stall_after: timedelta = timedelta(seconds=30)
    """No progress of the copy for this long is a stall; what progress is: `engine.copying`."""
    give_up_after: timedelta = timedelta(minutes=15)
    force_complete_tiers: frozenset[Tier] = frozenset()
    """Tiers whose stalled migration is forced to complete (this may pause the guest) instead of aborted."""
    post_copy: bool = False
    """Whether hosts whose type says `post_copy` are configured so by now. Else a forced copy pauses its guest."""
    force_complete_after: timedelta = timedelta(minutes=2)
    """When a copy is forced that was planned so, as it would not converge: on a source that permits post-copy, or of
    one of `force_complete_tiers`.
    """
    max_pause: timedelta = timedelta(seconds=30)
    """No copy is planned to be forced that could pause its guest for longer."""
    verify_timeout: timedelta = timedelta(seconds=60)
    refusal_memory: timedelta = timedelta(hours=1)
    recheck_memory: timedelta = timedelta(minutes=5)
    """A server is not planned to a target for this long after the facts, read again, barred it from there."""
    cooldown: timedelta = timedelta(hours=1)
    """A VM rests so long after a move, so that with the default none moves twice within an hour."""
    settle: timedelta = timedelta(seconds=60)
    """A host's readings count again this long after the last move from or to it ended (rates look back that far)."""

    def patience(self, *, cold: bool) -> timedelta:
        """How long Nova may leave a migration unended; a cold one copies disks and gets longer."""
        return self.give_up_after * (8 if cold else 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBudget:
    """More failed moves than this in the window stop the controller's own moves until an operator resumes."""

    failures: int = 3
    window: timedelta = timedelta(minutes=30)


ADMISSION_RULES = ("traits", "availability-zone", "aggregate", "tenant-isolation")
"""What may speak against the host that a VM stands on, in Nova's scheduler as it is usually configured or may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionPolicy:
    """What moves a VM that stands where Nova, by what is known, would not put it. What does not is told only."""

    moves: frozenset[str] = frozenset({"traits"})
    """Of `ADMISSION_RULES`, those that move VMs. Placement always goes by traits; not every Nova runs filters for the
    others."""
    most_share: float = 0.02
    """Where more of the VMs than this share misfit at once, what is known of hosts is doubted: none moves for it."""
    at_least: int = 5
    """So many may misfit at once however few VMs there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    mode: Mode = Mode.RECOMMEND
    scope_modes: Mapping[Scope, Mode] = field(default_factory=dict)
    thresholds: Thresholds = Thresholds()
    limits: Limits = Limits()
    recent: Recent = Recent()
    trust: TrustPolicy = TrustPolicy()
    migration: MigrationPolicy = MigrationPolicy()
    admission: AdmissionPolicy = AdmissionPolicy()
    error_budget: ErrorBudget = ErrorBudget()
    sustained: timedelta = timedelta(minutes=3)
    windows: tuple[Window, ...] = ()
    blackouts: tuple[Window, ...] = ()
    objective: tuple[Concern, ...] = tuple(Concern)
    """What counts more than what: a gain at one level pays for any loss at a later one."""
    balance: bool = True
    """Whether uneven load is worth moves at all."""
    balance_weights: BalanceWeights = BalanceWeights()
    consolidation: Consolidation = Consolidation()
    search_rounds: int = 1
    """Searches for one plan in mode auto, while the best so far leaves anything unmended; each takes as long as the
    first. A proposal that a person is to approve is of one search: it stays the same while the readings do.
    """

    def rank(self, concern: Concern) -> int:
        """How urgent a concern is: 0 is the most."""
        return self.objective.index(concern)


def objective_flaw(objective: Sequence[Concern]) -> str:
    """Why this order cannot be policy's, "" where it can: each level once, what is wrong before all else."""
    if sorted(objective) != sorted(Concern):
        return f"must name each of {', '.join(Concern)} once"
    if set(objective[: len(WRONG)]) != set(WRONG):
        return f"must begin with {', '.join(WRONG)}, in any order: nothing that is wrong waits for what could be better"
    return ""
