"""`gdcc estate graph`: a stack's resources and what they need, as text and SVG."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from controller.adapters.pulumi import graph, stack_files, svg
from controller.adapters.pulumi.runs import State
from controller.adapters.pulumi.stacks import Verb
from controller.cli.estate import deploying, running
from controller.cli.estate.select import Selection
from controller.cli.output import people, print_json, refuse
from controller.errors import InputError


def draw(chosen: Selection, out: Path | None, as_json: bool) -> None:
    """Draws the one chosen stack: as it stands, or as a preview declares it where nothing stands yet."""
    (stack,) = chosen.stacks
    nodes = graph.nodes(_standing(chosen, stack) or _declared(chosen, stack, as_json))
    if out is not None:
        try:
            out.write_text(svg.drawing(f"stack {stack}", graph.boxes(nodes)), encoding="utf-8")
        except OSError as error:
            raise InputError(f"cannot be written: {error.strerror}", where=str(out)) from error
    if as_json:
        rows = [{"urn": node.urn, "type": node.type, "parent": node.parent, "needs": node.needs} for node in nodes]
        print_json({"stack": stack, "resources": rows})
    else:
        people.print(graph.text(nodes), markup=False, soft_wrap=True)


def _standing(chosen: Selection, stack: str) -> list[Mapping[str, Any]]:
    if stack not in stack_files.existing(chosen.tool):
        return []
    document = json.loads(chosen.tool.call("stack", "export", "--stack", stack))
    resources = (document.get("deployment") or {}).get("resources") or []
    return [row for row in resources if not row.get("delete")]


def _declared(chosen: Selection, stack: str, as_json: bool) -> Iterable[Mapping[str, Any]]:
    orders = deploying.orders(chosen, policy=False)
    (run,) = running.run(Verb.PREVIEW, [stack], orders, parallel=1, as_json=as_json)
    if run.state is not State.DONE:
        refuse(f"{stack}: {run.said}")
    preview = json.loads(run.output("preview").read_text(encoding="utf-8"))
    return [step["newState"] for step in preview["steps"] if step.get("newState")]
