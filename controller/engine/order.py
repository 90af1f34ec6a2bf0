"""An order: one move that somebody wants, before it is checked and becomes an intent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from controller.errors import RefusedError
from controller.model.ids import HostName, MoveId, PlanId, ServerId
from controller.model.migration import Entry
from controller.model.plan import Move, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """`by_operator`: part of an operator's drain, which freeze, mode and windows of our own do not bind.

    `plan_id` is the plan it is from, for approvals. `flavor_name` is what the server's flavor was when it was planned;
    None where the plan did not say. `force_complete_after`: the plan's, None where the copy ends by itself.
    """

    id: MoveId
    by_operator: bool
    plan_id: PlanId | None
    server_id: ServerId
    server_name: str
    source: HostName
    target: HostName
    cold: bool
    rule: str
    why: str
    flavor_name: str | None = None
    force_complete_after: timedelta | None = None

    @property
    def origin(self) -> str:
        """`drain` or `plan`, as the journal keeps it."""
        return "drain" if self.by_operator else "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of an order: an ended journal entry, or a refusal before anything was written."""

    order: Order
    entry: Entry | None = None
    refusal: RefusedError | None = None


def planned(plan: Plan, move: Move, flavors: Mapping[ServerId, str]) -> Order:
    """The order for a plan's move on the controller's own account."""
    return _order(MoveId(f"{plan.id}-{move.n}"), plan, move, flavors, by_operator=False)


def drained(drain_id: str, number: int, plan: Plan, move: Move, flavors: Mapping[ServerId, str]) -> Order:
    """The order for a plan's move off a draining host, the drain's `number`-th."""
    return _order(MoveId(f"{drain_id}-{number}"), plan, move, flavors, by_operator=True)


def _order(move_id: MoveId, plan: Plan, move: Move, flavors: Mapping[ServerId, str], *, by_operator: bool) -> Order:
    return Order(
        id=move_id,
        by_operator=by_operator,
        plan_id=plan.id,
        server_id=move.vm,
        server_name=move.vm_name,
        source=move.source,
        target=move.target,
        cold=move.cold,
        rule=move.rule,
        why=move.why,
        flavor_name=flavors.get(move.vm),
        force_complete_after=move.force_complete_after,
    )
