"""What the cloud cannot tell of what it has: inputs that are said once, when a thing is made, and never read back.

An import leaves them out, and the next update would see them appear and replace the resource for it. So they are
written into the state as declared; nothing in the cloud depends on them any more.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from controller.adapters.pulumi.importing import UNKNOWN, Declared
from controller.adapters.pulumi.tool import Tool

INPUTS: Mapping[str, tuple[str, ...]] = {
    "openstack:networking/secGroup:SecGroup": ("deleteDefaultRules",),
    "openstack:networking/subnet:Subnet": ("prefixLength",),
}
"""By type: the inputs that would replace (`ForceNew`) and that the provider's read does not set."""


def complete(tool: Tool, stack: str, imported: Iterable[Declared], scratch: Path) -> int:
    """Writes what is declared of these inputs into the stack's state; says for how many resources."""
    missing = {each.urn: said for each in imported if (said := declared(each))}
    if not missing:
        return 0
    document = json.loads(tool.call("stack", "export", "--stack", stack))
    changed = fill(document, missing)
    if changed:
        scratch.touch(mode=0o600)
        scratch.write_text(json.dumps(document), encoding="utf-8")
        tool.call("stack", "import", "--stack", stack, "--file", str(scratch))
    return changed


def declared(each: Declared) -> dict[str, Any]:
    """The inputs of the kind that this resource gives."""
    return {key: each.inputs[key] for key in INPUTS.get(each.type, ()) if each.inputs.get(key) not in {None, UNKNOWN}}


def fill(document: dict[str, Any], missing: Mapping[str, Mapping[str, Any]]) -> int:
    """Puts the values where the exported state has none; a value that was read stays."""
    changed = 0
    for row in document["deployment"]["resources"]:
        lacking = {key: value for key, value in missing.get(row["urn"], {}).items() if key not in row["inputs"]}
        if lacking:
            row["inputs"].update(lacking)
            row["outputs"].update(lacking)
            changed += 1
    return changed
