"""Plans and approvals in the journal. A plan is kept whole, as JSON. Functions of a connection; `journal` commits."""

from datetime import timedelta

from pydantic import ConfigDict, TypeAdapter
from sqlalchemy import Connection, delete, insert, select

from controller.adapters.store.tables import approvals, plans
from controller.errors import RefusedError
from controller.model.ids import PlanId
from controller.model.operation import Approval
from controller.model.plan import Plan

KEPT = timedelta(days=7)
"""Plans older than this that nobody approved are dropped; their moves carry their own reasons."""

# One-element tuples, since pydantic takes a config for dataclasses only from what holds them.
_JSON = TypeAdapter(tuple[Plan], config=ConfigDict(ser_json_inf_nan="constants", ser_json_timedelta="float"))


def save_plan(connection: Connection, plan: Plan) -> None:
    approved = select(approvals.c.plan_id)
    connection.execute(delete(plans).where(plans.c.created_at < plan.created_at - KEPT, plans.c.id.not_in(approved)))
    body = _JSON.dump_json((plan,)).decode()
    connection.execute(insert(plans).values(id=plan.id, created_at=plan.created_at, body=body))


def plan(connection: Connection, plan_id: PlanId) -> Plan | None:
    body = connection.execute(select(plans.c.body).where(plans.c.id == plan_id)).scalar()
    return None if body is None else _JSON.validate_json(body)[0]


def newest_plan(connection: Connection) -> Plan | None:
    body = connection.execute(select(plans.c.body).order_by(plans.c.n.desc()).limit(1)).scalar()
    return None if body is None else _JSON.validate_json(body)[0]


def approve(connection: Connection, approval: Approval) -> None:
    """Keeps the first approval of a plan; a second says nothing new."""
    if connection.execute(select(plans.c.id).where(plans.c.id == approval.plan_id)).first() is None:
        raise RefusedError("no plan of this id is in the journal", rule="unknown-plan", where=approval.plan_id)
    if connection.execute(select(approvals).where(approvals.c.plan_id == approval.plan_id)).first() is None:
        connection.execute(insert(approvals).values(plan_id=approval.plan_id, who=approval.who, at=approval.at))


def all_approvals(connection: Connection) -> tuple[Approval, ...]:
    rows = connection.execute(select(approvals).order_by(approvals.c.at))
    return tuple(Approval(plan_id=PlanId(row.plan_id), who=row.who, at=row.at) for row in rows)
