"""What one turn of the loop leaves for others to see: operators by `gdcc status`, machines by `/metrics`.

The loop makes one `Status` a turn and hands out the newest; nothing in it changes afterwards. `summary` and its
neighbours compute the parts that follow from a snapshot or a plan.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from controller.engine.tally import Faults, Moves, RefusalCount, Turns
from controller.model.cluster import Cluster
from controller.model.host_run import HostRun
from controller.model.migration import Entry
from controller.model.operation import Drain, Pause
from controller.model.plan import LimitState, Plan
from controller.model.policy import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCounts:
    """Hosts of the cloud. `trusted` have every fresh reading that policy asks of a host; `unknown` are in no estate."""

    total: int = 0
    trusted: int = 0
    enabled: int = 0
    up: int = 0
    draining: int = 0
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VmCounts:
    """Servers of the cloud. `unknown`: their project is in no estate, so only an operator moves them."""

    total: int = 0
    moving: int = 0
    resting: int = 0
    locked: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingCount:
    """One quantity of one kind of thing: how many are what to the trust gate; ages of the fresh ones in seconds.

    `age` is the median's and `oldest` the oldest's; None where none is fresh.
    """

    kind: str
    quantity: str
    fresh: int
    stale: int
    implausible: int
    absent: int
    age: float | None
    oldest: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RackRoom:
    """What the hosts of one rack that may receive VMs admit, and what is placed on them; what its uplinks carry.

    Both copies of a moving VM count. `uplink_in_bytes_s` and `uplink_out_bytes_s`: None where the reading is not fresh.
    """

    rack: str
    hosts: int
    vcpus: float
    vcpus_placed: float
    memory_bytes: float
    memory_placed_bytes: float
    uplink_bytes_s: float
    uplink_in_bytes_s: float | None
    uplink_out_bytes_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BankLoad:
    """A breaker of a PDU, `{pdu}/bank{n}`. `watts`: None where the reading is not fresh; `age` in seconds."""

    name: str
    watts: float | None
    age: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummary:
    """The newest plan. `breaches` and `holds` count by rule, `moves` by concern; scores: lower is better.

    While it, or a drain, is under way `breaches` and what `limits` bear are of a newer look (`going_on`).
    `watts_saved`: what the hosts that it frees draw idle, at least.
    """

    id: str
    created_at: datetime
    sentence: str
    waves: int
    moves: Mapping[str, int] = field(default_factory=dict)
    breaches: Mapping[str, int] = field(default_factory=dict)
    breaches_after: Mapping[str, int] = field(default_factory=dict)
    holds: Mapping[str, int] = field(default_factory=dict)
    score_before: Mapping[str, float] = field(default_factory=dict)
    score_after: Mapping[str, float] = field(default_factory=dict)
    hosts_freed: int = 0
    watts_saved: float = 0.0
    limits: tuple[LimitState, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The error budget: failed moves in the window against those allowed. Exhausted, the loop makes no move."""

    failures: int = 0
    allowed: int = 0
    exhausted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """`sentence` says what the last turn did; `seconds` how long each of its phases took.

    `turned_at`: when the last turn ended, None before the first. `freeze`: why the controller makes no moves of its
    own. `drain_steps`: how often drains have been stepped, counted as a step begins. `stopped`: why the loop stopped
    altogether (a journal that cannot be written). `running` are our moves without an outcome; `others` counts
    migrations that Nova shows and that are not ours.
    """

    version: str
    estate: str
    mode: Mode
    started_at: datetime
    interval: timedelta
    turned_at: datetime | None = None
    sentence: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    freeze: str | None = None
    stopped: str | None = None
    pauses: tuple[Pause, ...] = ()
    drains: tuple[Drain, ...] = ()
    host_runs: tuple[HostRun, ...] = ()
    budget: Budget = Budget()
    hosts: HostCounts = HostCounts()
    vms: VmCounts = VmCounts()
    readings: tuple[ReadingCount, ...] = ()
    racks: tuple[RackRoom, ...] = ()
    banks: tuple[BankLoad, ...] = ()
    plan: PlanSummary | None = None
    running: tuple[Entry, ...] = ()
    others: int = 0
    moves: Moves = field(default_factory=Moves)
    refusals: tuple[RefusalCount, ...] = ()
    faults: Faults = field(default_factory=Faults)
    turns: Turns = field(default_factory=Turns)
    drain_steps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A status and the snapshot it was made from, so that both are of one moment."""

    status: Status
    cluster: Cluster | None = None


def plan_summary(plan: Plan) -> PlanSummary:
    """What a status says of a plan."""
    return PlanSummary(
        id=plan.id,
        created_at=plan.created_at,
        sentence=plan.sentence,
        waves=len(plan.waves),
        moves=Counter(move.concern.value for move in plan.moves),
        breaches=Counter(breach.rule for breach in plan.breaches_before),
        breaches_after=Counter(breach.rule for breach in plan.breaches_after),
        holds=Counter(hold.rule for hold in plan.holds),
        score_before=dict(zip(plan.objective, plan.score_before, strict=False)),
        score_after=dict(zip(plan.objective, plan.score_after, strict=False)),
        hosts_freed=len(plan.frees),
        watts_saved=sum(freed.idle_watts for freed in plan.frees),
        limits=plan.limits,
    )


def going_on(summary: PlanSummary | None, watched: PlanSummary | None) -> PlanSummary | None:
    """A plan under way, with the limits and breaches of a newer look; what it makes of each limit stays its own."""
    if summary is None or watched is None:
        return watched or summary
    after = {limit.key: limit.after for limit in summary.limits}
    limits = tuple(replace(limit, after=after.get(limit.key, limit.after)) for limit in watched.limits)
    return replace(summary, breaches=watched.breaches, limits=limits)
