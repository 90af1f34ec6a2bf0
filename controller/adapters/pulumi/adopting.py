"""Takes what lives in the cloud into a stack's state, by its id, and completes what an import cannot learn.

Of inputs that are said once, when a thing is made, and never read back, the next update would see them appear and
replace the resource for it; so they are written into the state as declared. So is what a resource depends on: without
it, a destroy would try a network before the subnet in it.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from controller.adapters.pulumi import fixed, importing
from controller.adapters.pulumi.importing import UNKNOWN, Declared
from controller.adapters.pulumi.runs import Run, Runner
from controller.adapters.pulumi.tool import Tool
from controller.errors import InputError

_FLAGS = ("--yes", "--skip-preview", "--protect=false", "--generate-code=false")
"""Protection comes back with the next update, from the program."""

CREATE_ONLY: Mapping[str, tuple[str, ...]] = {
    "openstack:networking/secGroup:SecGroup": ("deleteDefaultRules",),
    fixed.SUBNET: ("prefixLength",),
}
"""By type: the inputs that would replace (`ForceNew`) and that the provider's read does not set."""


async def adopt(
    runner: Runner,
    run: Run,
    wanted: Iterable[Declared],
    ids: Mapping[str, str],
    step: str,
    *,
    standing: Iterable[Declared] = (),
) -> int:
    """Imports those that have an id, in a step of this name, and completes all that stand in the state by then.

    `standing` did before: an import that was killed may have left it so. Gives how many lacked something.

    Raises `StepFailedError`, and `InputError`.
    """
    every = {each.urn: each for each in wanted}
    if ids:
        file = await asyncio.to_thread(write_file, run.folder / f"{step}.json", every.values(), ids)
        await runner.step(run, step, "import", "--file", str(file), *_FLAGS)
    every.update((each.urn, each) for each in standing)
    return await asyncio.to_thread(_complete, runner.tool, run.stack, every, run.folder / "state.json")


def write_file(path: Path, wanted: Iterable[Declared], ids: Mapping[str, str]) -> Path:
    """Writes what `pulumi import` reads, and gives its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(importing.import_file(wanted, ids), indent=2), encoding="utf-8")
    return path


def _complete(tool: Tool, stack: str, adopted: Mapping[str, Declared], scratch: Path) -> int:
    exported = tool.call("stack", "export", "--stack", stack)
    document = json.loads(exported)
    completed = fill(document["deployment"], adopted)
    if completed:
        scratch.parent.mkdir(parents=True, exist_ok=True)
        scratch.touch(mode=0o600)
        scratch.write_text(json.dumps(document), encoding="utf-8")
        if tool.call("stack", "export", "--stack", stack) != exported:  # no lock spans the two
            raise InputError(
                "another run changed its state while an import completed it; nothing was overwritten",
                where=stack,
                remedy="let that run end, then the same import again",
            )
        tool.call("stack", "import", "--stack", stack, "--file", str(scratch))
    return completed


def fill(deployment: dict[str, Any], adopted: Mapping[str, Declared]) -> int:
    """Completes an exported state's resources and says how many; what is there already stays.

    The order is Pulumi's law: each resource after all that it needs.
    """
    rows = deployment.get("resources") or []
    there = {row["urn"] for row in rows}
    changed = sum(_filled(row, adopted[row["urn"]], there) for row in rows if row["urn"] in adopted)
    if changed:
        deployment["resources"] = _ordered(rows)
    return changed


def _filled(row: dict[str, Any], each: Declared, there: Iterable[str]) -> bool:
    said = {key: each.inputs[key] for key in CREATE_ONLY.get(each.type, ()) if _holds(row, each, key)}
    lacking = {key: value for key, value in said.items() if key not in row.get("inputs", {})}
    needs = [urn for urn in each.needs if urn in there]
    for key in ("inputs", "outputs") if lacking else ():
        row[key] = {**row.get(key, {}), **lacking}
    if row.get("dependencies") or not needs:
        return bool(lacking)
    row["dependencies"] = needs
    row["propertyDependencies"] = {key: [urn for urn in urns if urn in there] for key, urns in each.uses.items()}
    return True


_UNSAID = frozenset({None, UNKNOWN})


def _holds(row: Mapping[str, Any], each: Declared, key: str) -> bool:
    """Whether the program says it, and nothing that was read of the living thing says otherwise."""
    value = each.inputs.get(key)
    if value in _UNSAID:
        return False
    read = row.get("outputs") or {}
    return key != "prefixLength" or ("cidr" in read and fixed.prefix_length(read) == value)


def _ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    living = {row["urn"]: row for row in rows if not row.get("delete")}
    placed: dict[int, dict[str, Any]] = {}

    def place(row: dict[str, Any]) -> None:
        needs = (row.get("parent"), (row.get("provider") or "").rpartition("::")[0], *(row.get("dependencies") or ()))
        for urn in needs:
            if urn in living and id(living[urn]) not in placed and living[urn] is not row:
                place(living[urn])
        placed.setdefault(id(row), row)

    for row in rows:
        place(row)
    return list(placed.values())
