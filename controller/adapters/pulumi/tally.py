"""What a run has done so far, from the engine's events."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.adapters.pulumi import urns
from controller.adapters.pulumi.child import DEBUG

if TYPE_CHECKING:
    from pulumi.automation import events

QUIET = frozenset({"same", "read", "read-replacement", "discard", "discard-replaced", "remove-pending-replace"})
"""Operations that change nothing."""

_WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A policy that does not hold. A `mandatory` one stops the run."""

    policy: str
    urn: str
    message: str
    mandatory: bool


@dataclass(slots=True, kw_only=True)
class Tally:
    """The counts and words of one run; `under_way` are the operations begun and not yet ended, by URN.

    `outputs_changed` says that the stack will export something else (a secret output compares as equal: it changes with
    a resource only), `state_changed` that only the state will: a resource's protection or name, of which the cloud
    knows nothing. `waits` are the stack's own sentences about what waits for another stack's first `up`, and
    `warnings` the first lines of what else it was warned of, each once.
    """

    begun: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    under_way: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    summary: dict[str, int] | None = None
    seconds: int = 0
    outputs_changed: bool = False
    state_changed: bool = False
    waits: tuple[str, ...] = ()
    _warned: dict[str, None] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(each for each in self._warned if each not in self.waits)

    @property
    def changes(self) -> dict[str, int]:
        """How many resources each operation changed or would change."""
        counts = self.summary if self.summary is not None else dict(self.ended)
        return {op: count for op, count in sorted(counts.items()) if op not in QUIET and count}

    @property
    def seen(self) -> int:
        """How many resources have been looked at or worked on."""
        return self.ended.total()

    def take(self, line: bytes) -> None:
        """Counts one line of the event log; the SDK's own debug lines are most of them and say nothing here."""
        if DEBUG in line or not line.strip():
            return
        from pulumi.automation import events  # noqa: PLC0415 - a third of a second, while the first child runs

        try:
            event = events.EngineEvent.from_json(json.loads(line))
        except ValueError:  # an operation that this SDK does not know yet; the summary still counts it
            return
        if event.resource_pre_event is not None:
            self._begin(event.resource_pre_event.metadata)
        elif event.res_outputs_event is not None:
            self._end(event.res_outputs_event.metadata)
        elif event.res_op_failed_event is not None:
            self._fail(event.res_op_failed_event.metadata)
        elif event.diagnostic_event is not None:
            self._hear(event.diagnostic_event)
        elif event.policy_event is not None:
            self._judge(event.policy_event)
        elif event.summary_event is not None:
            self.summary = {str(op): count for op, count in event.summary_event.resource_changes.items()}
            self.seconds = event.summary_event.duration_seconds

    def _begin(self, step: "events.StepEventMetadata") -> None:
        self.begun[_op(step)] += 1
        state = step.new or step.old
        if _op(step) not in QUIET and state is not None and state.custom:
            self.under_way[step.urn] = _op(step)

    def _end(self, step: "events.StepEventMetadata") -> None:
        self.ended[_op(step)] += 1
        self.under_way.pop(step.urn, None)
        if step.old is not None and step.new is not None and _kept(step.old) != _kept(step.new):
            self.state_changed = True
        if step.type == urns.STACK and step.new is not None:
            self.waits = tuple((step.new.outputs or {}).get(_WAITING) or ())
            self.outputs_changed = step.old is None or (step.old.outputs or {}) != (step.new.outputs or {})

    def _fail(self, step: "events.StepEventMetadata") -> None:
        self.under_way.pop(step.urn, None)
        self.failed.append(step.urn)

    def _hear(self, said: "events.DiagnosticEvent") -> None:
        message = said.message.strip()
        if said.severity == "error":
            about = f"{urns.name_of(said.urn)}: " if said.urn else ""
            self.errors.append(f"{about}{message}")
        elif said.severity == "warning":
            self._warned[message.partition("\n")[0]] = None

    def _judge(self, said: "events.PolicyEvent") -> None:
        self.violations.append(
            Violation(
                policy=said.policy_name,
                urn=said.resource_urn or "",
                message=said.message.strip(),
                mandatory=said.enforcement_level == "mandatory",
            )
        )


def _kept(state: "events.StepEventStateMetadata") -> tuple[str, str, bool]:
    """What Pulumi alone keeps of a resource."""
    return state.urn, state.parent, bool(state.protect)


def _op(step: "events.StepEventMetadata") -> str:
    return str(getattr(step.op, "value", step.op))
