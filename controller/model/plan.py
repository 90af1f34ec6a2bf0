"""A plan: waves of moves, each with its reason, what was held back and why, and what becomes of every limit."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from controller.model.ids import HostName, PlanId, ServerId

PLAN_VERSION = 4


class Concern(StrEnum):
    """What a move is for, and a level of the objective; most urgent first, unless `Policy.objective` says otherwise."""

    BROKEN = "broken"
    HOT = "hot"
    DRAIN = "drain"
    UNEVEN = "uneven"
    CONSOLIDATION = "consolidation"


WRONG = (Concern.BROKEN, Concern.HOT, Concern.DRAIN)
"""What is wrong; the others are what could be better."""
AT_ONCE = (Concern.BROKEN, Concern.DRAIN)
"""What is acted on at once; the others when they have lasted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A limit or rule that does not hold. `key` is stable from turn to turn: `cpu:c17`, `feed:A1`, `group:web@c3`.

    `amount` and `limit` are in `unit`. `why` is one sentence.
    """

    key: str
    concern: Concern
    rule: str
    subject: str
    amount: float
    limit: float
    unit: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """The next best target, and the rule (or the lower score) that ruled it out, in words."""

    host: HostName
    ruled_out_by: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One VM from `source` to `target`. Scores are of the whole cluster, by the plan's `objective`, lower is better.

    `n` counts from 1 in the order of execution. `copy` is an estimate as well, from memory, dirty rate and link.
    `room_for`: the VM that can go to `source` once this one has left it; its breach is then this move's.
    `cold`: a SHUTOFF server, moved by cold migration (drains only). `force_complete_after`: so long after it was
    asked for Nova is asked to force it to its end, as it would not get there in time; None where it does by itself.
    """

    n: int
    wave: int
    vm: ServerId
    vm_name: str
    source: HostName
    target: HostName
    concern: Concern
    rule: str
    breach: str
    why: str
    score_before: tuple[float, ...]
    score_after: tuple[float, ...]
    copy_bytes: float
    copy: timedelta
    blackout_estimate: timedelta
    alternative: Alternative | None = None
    cold: bool = False
    room_for: ServerId | None = None
    force_complete_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Something that should have been mended and was not: which breach, which VM (if one), the rule that holds it."""

    breach: str
    vm: ServerId | None
    rule: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """A host that the plan leaves without a VM, so that it can be powered down.

    `idle_watts`: what it draws without load, at least. `copied_gib`: what moving its VMs sends, estimated as the search
    did; those that leave it for another concern are not counted.
    """

    host: HostName
    idle_watts: float
    copied_gib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitState:
    """A limit's load before and after the plan; `load` over `limit` is broken.

    `unread`: what hosts that are not read may add to either, at most.
    """

    key: str
    subject: str
    unit: str
    limit: float
    before: float
    after: float
    unread: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`sentence` says what the plan does, or why it does nothing. An empty plan is an answer.

    `objective`: the levels of every score, most urgent first; plans kept by older programs have scores of fewer.

    `takes`: by its waves, each as long as its longest copy. `takes_at_least`, `waves_at_least`: what no order of the
    same moves could undercut within the limits of moves at once. `frees`: hosts emptied for consolidation.
    """

    id: PlanId
    estate: str
    snapshot_at: datetime
    created_at: datetime
    sentence: str
    moves: tuple[Move, ...]
    holds: tuple[Hold, ...]
    objective: tuple[Concern, ...]
    breaches_before: tuple[Breach, ...]
    breaches_after: tuple[Breach, ...]
    limits: tuple[LimitState, ...]
    score_before: tuple[float, ...]
    score_after: tuple[float, ...]
    takes: timedelta = timedelta(0)
    takes_at_least: timedelta = timedelta(0)
    waves_at_least: int = 0
    frees: tuple[Freed, ...] = ()

    @property
    def waves(self) -> tuple[tuple[Move, ...], ...]:
        """The moves by wave, in order."""
        count = max((move.wave for move in self.moves), default=0)
        return tuple(tuple(m for m in self.moves if m.wave == wave) for wave in range(1, count + 1))
