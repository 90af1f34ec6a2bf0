"""Plans as files: one JSON document with a version, read strictly; its schema is docs/plan.schema.json."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from controller.errors import InputError
from controller.model.plan import PLAN_VERSION, Plan

_REMEDY = "make the plan again with gdcc plan --out"


class PlanFile(BaseModel):
    """A plan with the version of its format. Times and durations are ISO 8601."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, title="Plan")

    version: Annotated[Literal[4], Field(description="The format's version.")]
    plan: Plan


def read(path: Path) -> Plan:
    """The plan in a file; raises `InputError` with the file and the place in it of everything that is wrong."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if not text.strip():
        raise InputError("is empty", where=str(path), remedy=_REMEDY)
    try:
        return PlanFile.model_validate_json(text).plan
    except ValidationError as error:
        flaws = [f"{_place(flaw['loc'])}: {flaw['msg']}" for flaw in error.errors(include_url=False)[:20]]
        raise InputError(
            "; ".join(flaws), where=str(path), remedy="make the plan again with gdcc plan --out"
        ) from error


def told(data: Any) -> Plan:
    """The plan that a daemon's answer holds; raises `InputError` where this program cannot read it."""
    try:
        return PlanFile.model_validate({"version": PLAN_VERSION, "plan": data}).plan
    except ValidationError as error:
        raise InputError(
            f"the daemon's plan cannot be read: {error.errors(include_url=False)[0]['msg']}",
            remedy="run the daemon and gdcc of one version",
        ) from error


def write(plan: Plan, path: Path) -> None:
    """Puts the whole file in its place in one step; raises `InputError` where it cannot be written."""
    if not path.name:
        raise InputError("cannot be written: it names no file", where=str(path))
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(PlanFile(version=PLAN_VERSION, plan=plan).model_dump_json(indent=1) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from error


def plain(plan: Plan) -> dict[str, Any]:
    """What `write` would write, as plain data."""
    return PlanFile(version=PLAN_VERSION, plan=plan).model_dump(mode="json")


def json_schema() -> dict[str, Any]:
    """The format's JSON Schema."""
    return PlanFile.model_json_schema(mode="validation")


def _place(steps: tuple[int | str, ...]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
