"""What a run may not take away without a named exception: judged on its preview, which is what shows it.

A policy pack sees what a stack will hold, never what it loses. So `gdcc estate up` gives the JSON of its preview to
`python -m infra.policy.changes PREVIEW.json` (`-` reads standard input) before anything is touched. Exit status: 0
nothing refused, 1 refused, one line each on standard output, 2 the preview or its exceptions cannot be read.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from infra import naming
from infra.policy import exceptions, kinds
from infra.policy.declared import kind_of, resource_name
from infra.policy.rule import Violation

MOST_HOSTS_OUT = 2
"""How many hosts a run may take out of one aggregate: what two people drain and repair in a day."""

_LOSSES: Mapping[str, str] = {
    "delete": "deleted",
    "delete-replaced": "replaced",
    "create-replacement": "replaced",
    "replace": "replaced",
    "import-replacement": "replaced",
    "remove-pending-replace": "replaced",
}
"""Pulumi's operations (pkg/resource/deploy/step.go) after which what stood there is gone, as a sentence says it."""

_IMAGES = ("imageId", "imageName")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a preview: the operation, and the inputs before and after it, empty where there are none."""

    operation: str
    urn: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]


def steps(preview: Mapping[str, Any]) -> tuple[Step, ...]:
    """The steps of `pulumi preview --json`, which always has the stack's own. Raises KeyError or TypeError without."""
    if not preview["steps"]:
        raise KeyError("steps")
    return tuple(
        Step(
            operation=each["op"],
            urn=each["urn"],
            old=(each.get("oldState") or {}).get("inputs") or {},
            new=(each.get("newState") or {}).get("inputs") or {},
        )
        for each in preview["steps"]
    )


def refusals(
    preview: Mapping[str, Any], allowed: Sequence[exceptions.Named], today: date
) -> Iterator[tuple[str, Violation]]:
    """What the preview would take away without a named exception: the rule, and what breaks it."""
    made_anew = {step.urn for step in steps(preview) if step.operation == "create"}
    told: set[tuple[str, str]] = set()
    for step in steps(preview):
        if step.operation == "delete" and step.urn in made_anew:
            continue  # a refresh did not find it: it is gone already, and is made anew
        for rule, what in _broken(step):
            names = (step.urn, resource_name(step.urn))
            if (rule, step.urn) not in told and not exceptions.allows(allowed, rule, names, today):
                told.add((rule, step.urn))
                yield rule, Violation(urn=step.urn, what=what)


def _broken(step: Step) -> Iterator[tuple[str, str]]:
    kind, loss = kind_of(step.urn), _LOSSES.get(step.operation)
    if loss is not None and kind in kinds.PROTECTED:
        yield exceptions.PROTECTED, f"would be {loss}"
    if kind == kinds.INSTANCE and step.operation == "update":
        changed = [key for key in _IMAGES if step.old.get(key) != step.new.get(key)]
        if changed:
            yield exceptions.REBUILD, f"a change of {' and '.join(changed)} would rebuild the server and lose its disk"
    if kind == kinds.AGGREGATE and step.operation == "update":
        leaving = _hosts(step.old) - _hosts(step.new)
        if len(leaving) > MOST_HOSTS_OUT:
            shown = ", ".join(sorted(leaving)[:3])
            yield exceptions.HOSTS, f"{len(leaving)} hosts would leave it, more than {MOST_HOSTS_OUT}: {shown}, …"


def _hosts(inputs: Mapping[str, Any]) -> set[str]:
    hosts = inputs.get("hosts")
    return set(hosts) if isinstance(hosts, list) else set()


def main(arguments: Sequence[str]) -> int:
    """Judges the preview of the file; writes one line for each refusal."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m infra.policy.changes PREVIEW.json\n")
        return 2
    try:
        text = sys.stdin.read() if arguments[0] == "-" else Path(arguments[0]).read_text(encoding="utf-8")
        preview = json.loads(text)
        allowed = exceptions.parse(preview.get("config", {}).get(f"{naming.PROJECT}:exceptions", "[]"))
        found = list(refusals(preview, allowed, datetime.now(UTC).date()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        sys.stderr.write(f"{arguments[0]}: no preview to judge: {type(error).__name__}: {error}\n")
        return 2
    for rule, violation in found:
        name, kind = resource_name(violation.urn), kind_of(violation.urn).rpartition(":")[2]
        sys.stdout.write(f"{rule}: {kind} {name} {violation.what} (gdcc:exceptions may name it)\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
