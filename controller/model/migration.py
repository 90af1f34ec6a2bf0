"""The life of one intended move, as the journal keeps it.

    INTENDED ──► SENT ──► RUNNING ──► VERIFYING ──► SUCCEEDED
        │          │         │            │
        │          │         ├──► FAILED, ABORTED (the VM is where it was)
        │          └─────────┴──► LOST (nobody can say; a person must look)
        └──► NOT_SENT (its deadline passed, or it was refused before Nova was asked), REFUSED (Nova said no)

`INTENDED` is committed before Nova is asked, `SENT` after Nova answered 202. A crash between the two leaves
`INTENDED`, which is adopted or closed as `NOT_SENT` by `engine.adopt`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from controller.model.ids import HostName, MoveId, ServerId


class State(StrEnum):
    INTENDED = "intended"
    SENT = "sent"
    RUNNING = "running"
    VERIFYING = "verifying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"
    REFUSED = "refused"
    NOT_SENT = "not-sent"
    LOST = "lost"


OPEN_STATES = frozenset({State.INTENDED, State.SENT, State.RUNNING, State.VERIFYING})

NEXT = {
    State.INTENDED: frozenset({State.SENT, State.RUNNING, State.VERIFYING, State.REFUSED, State.NOT_SENT, State.LOST}),
    State.SENT: frozenset({State.RUNNING, State.VERIFYING, State.FAILED, State.ABORTED, State.LOST}),
    State.RUNNING: frozenset({State.VERIFYING, State.FAILED, State.ABORTED, State.LOST}),
    State.VERIFYING: frozenset({State.SUCCEEDED, State.FAILED, State.ABORTED, State.LOST}),
}
"""Which state may follow which; the journal refuses any other step."""


OPERATOR_ABORT = "operator-abort"
"""The rule of an abort that an operator asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What was decided, before anything is done: sent to Nova not later than `deadline`, or never.

    `origin` is `plan` or `drain`; `epoch` is the leader's. `last_migration_id` is the server's newest migration record
    in Nova when it was decided (0: none): a record of this move has a greater id, whatever the clocks say.
    `force_complete_after`: when after `created_at` its copy is to be forced to its end, None for never.
    """

    id: MoveId
    origin: str
    server_id: ServerId
    server_name: str
    source: HostName
    target: HostName
    cold: bool
    rule: str
    why: str
    system: str | None
    agency: str | None
    created_at: datetime
    deadline: datetime
    epoch: int
    last_migration_id: int = 0
    force_complete_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What it came to and what it cost. `blackout_estimate`: by link, dirty rate and last memory_remaining.

    `rule` names what it failed or was refused by, empty for a success: one of a short fixed list (a metric's label).
    """

    state: State
    why: str
    ended_at: datetime
    seconds: float | None = None
    copied_bytes: int | None = None
    blackout_estimate: timedelta | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row of the journal: the intent, where it stands, and Nova's own record of it where there is one.

    `abort_rule`: why it is to be aborted, from before Nova is asked for that; empty where it is not.
    """

    intent: Intent
    state: State
    changed_at: datetime
    migration_id: int | None = None
    request_id: str | None = None
    abort_rule: str = ""
    outcome: Outcome | None = None
