"""What the estate's stacks take: previews side by side against one stack of everything, and a look at a real cloud.

    python benchmarks/estate.py                  previews; needs Pulumi's tools (tests/lab/pulumi-tools), and no cloud
    python benchmarks/estate.py --one 1 10 50    agencies in one stack; 472 is all, and takes long
    python benchmarks/estate.py --lab 50         on the lab (`lab up swift`): up, previews at 0 and 100 ms, drift
    python benchmarks/estate.py --proof          all of it: previews of 1, 10, 50 both ways, then the lab with 50

Prints Markdown. The previews are of the reference estate's first agencies, against a foundation that is made up: every
resource is new. Memory is the largest sum over all processes of a run, pages divided among those that share them. What
is projected is said to be, from the slope between the smallest and the largest size that was measured.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from benchmarks.parts import estate_lab
from benchmarks.parts.gdcc import PARALLEL, chosen, gdcc, projected
from benchmarks.parts.process import Cost, measured, row
from controller.adapters.pulumi import stack_files, tool
from infra import naming
from infra.foundation import exports
from inventory import load
from inventory.model import Classification, Estate
from tests.lab.stacks import REPOSITORY, Stacks

REFERENCE = REPOSITORY / "inventory" / "estates" / "gdcc"
NOWHERE = {
    "OS_AUTH_URL": "http://127.0.0.1:9/v3",
    "OS_USERNAME": "admin",
    "OS_PASSWORD": "none",
    "OS_PROJECT_NAME": "admin",
    "OS_USER_DOMAIN_NAME": "Default",
    "OS_PROJECT_DOMAIN_NAME": "Default",
    "OS_REGION_NAME": "RegionOne",
}
"""No cloud: a preview of what is new asks it nothing."""

ONE_STACK = """
import pulumi
from infra import config
from infra.agency import catalogue, program
from inventory import load

given, names = {given!r}, {names!r}
estate = load.load(config.ROOT / given["estate"])
shared = catalogue.Catalogue("organization/gdcc/foundation")
program.Catalogue = lambda stack: shared
for name in names:
    program.build(estate, estate.agencies[name], config.parse("agency-" + name, given, ["seed"]))
"""


def made_up_foundation(stacks: Stacks, estate: Estate) -> None:
    """A foundation's outputs, with ids that look like real ones."""

    def ids(names: Sequence[str]) -> dict[str, str]:
        return {name: f"{number:032x}" for number, name in enumerate(names, 1)}

    outputs: dict[str, Any] = {
        exports.FLAVOR_IDS: ids(list(estate.flavors)),
        exports.VOLUME_TYPE_IDS: ids(list(estate.volume_types)),
        exports.EXTERNAL_NETWORK_IDS: ids([level.name.lower() for level in Classification]),
        exports.NETWORK_IDS: ids(list(estate.networks)),
        exports.ADDRESS_SCOPE_ID: "f" * 32,
        exports.ROLE_IDS: ids(["admin", "member", "reader"]),
        exports.IMAGE_IDS: ids(list(estate.images)),
        exports.DOMAIN_IDS: {"operators": "e" * 32, "agencies": "default"},
        exports.PROJECT_IDS: {"control": "d" * 32},
        exports.GROUP_IDS: ids(list(estate.operators)),
    }
    stacks.make_foundation()
    stack = "pulumi:pulumi:Stack"
    urn = f"urn:pulumi:foundation::gdcc::{stack}::gdcc-foundation"
    state = json.loads(stacks.pulumi("stack", "export", stack="foundation"))
    state["deployment"]["resources"] = [{"urn": urn, "custom": False, "type": stack, "outputs": outputs}]
    file = stacks.root / "foundation.json"
    file.write_text(json.dumps(state))
    stacks.pulumi("stack", "import", "--file", str(file), stack="foundation")


def set_up(stacks: Stacks, agencies: Sequence[str]) -> None:
    """The stacks with their files, as the first `up` makes them: a preview would take them away again."""
    found = tool.find(stacks.root, stacks.env)
    first = stack_files.First(estate=str(stacks.estate), credentials_from=date(2026, 1, 1), roles={})
    for stack in map(naming.agency_stack, agencies):
        stack_files.create(found, stack, None)
        stack_files.configure(found, stack, first)


def resources(said: str) -> int:
    """Resources that `gdcc estate preview --json` would create."""
    rows = json.loads(said[said.index("{") : said.rindex("}") + 1])["stacks"]
    return sum(row["changes"].get("create", 0) for row in rows)


def side_by_side(stacks: Stacks, names: Sequence[str]) -> tuple[Cost, int]:
    """A preview of agencies, a stack each, without the policy pack. The stacks are there already."""
    command = gdcc("preview", *chosen(names), "--no-policy", "--parallel", str(PARALLEL))
    cost = measured(command, stacks.root, stacks.env)
    return cost, resources(cost.said)


def in_one_stack(stacks: Stacks, names: Sequence[str], folder: Path) -> tuple[Cost, int]:
    """A preview of the same agencies by one program, in a project of its own on the same backend."""
    folder.mkdir()
    project = {"name": "gdcc-one", "runtime": {"name": "python", "options": {"virtualenv": str(REPOSITORY / ".venv")}}}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    given = {"estate": str(stacks.estate), "seed": "5a" * 32, "credentialsFrom": "2026-01-01"}
    (folder / "__main__.py").write_text(ONE_STACK.format(given=given, names=list(names)))
    pulumi = ["pulumi", "--non-interactive"]
    measured([*pulumi, "stack", "init", f"one-{len(names)}"], folder, stacks.env)
    command = [*pulumi, "preview", "--json", "--stack", f"one-{len(names)}"]
    cost = measured(command, folder, stacks.env)
    summary = json.JSONDecoder().raw_decode(cost.said[cost.said.index("{") :])[0]["changeSummary"]
    return cost, int(summary["create"])


def previews(sizes: Sequence[int], ones: Sequence[int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        stacks = Stacks(
            Path(name) / "stacks", NOWHERE, {"admin": "1" * 32, "member": "2" * 32, "reader": "3" * 32}, REFERENCE
        )
        estate = load.load(stacks.estate)
        agencies = list(estate.agencies)
        made_up_foundation(stacks, estate)
        set_up(stacks, agencies[: max(sizes)])
        measured(gdcc("preview", *chosen(agencies[:1]), "--no-policy"), stacks.root, stacks.env)
        print(f"\nPreviews of new agencies, {PARALLEL} stacks side by side:\n")
        row("agencies", "how", "resources", "seconds", "CPU s", "resources a second", "MiB")
        row(*["---"] * 7)
        rates: dict[int, float] = {}
        seconds: dict[int, float] = {}
        alone: dict[int, float] = {}
        for size in sizes:
            cost, count = side_by_side(stacks, agencies[:size])
            rates[size], seconds[size] = count / cost.seconds, cost.seconds
            row(
                size,
                "a stack each",
                count,
                f"{cost.seconds:.1f}",
                f"{cost.cpu_s:.1f}",
                f"{rates[size]:.0f}",
                f"{cost.mib:.0f}",
            )
        for size in ones:
            cost, count = in_one_stack(stacks, agencies[:size], Path(name) / f"one-{size}")
            rate, alone[size] = count / cost.seconds, cost.seconds
            row(size, "one stack", count, f"{cost.seconds:.1f}", f"{cost.cpu_s:.1f}", f"{rate:.0f}", f"{cost.mib:.0f}")
            beside = rates.get(size, rates[max(sizes)]) / rate
            print(f"<!-- a stack each is {beside:.1f} times as quick per resource -->", flush=True)
        projected("a stack each", seconds)
        projected("one stack", alone)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 10, 50])
    parser.add_argument("--one", type=int, nargs="*", default=[1, 10, 50])
    parser.add_argument("--lab", type=int, metavar="AGENCIES")
    parser.add_argument("--proof", action="store_true")
    given = parser.parse_args()
    lab = given.lab or (max(given.sizes) if given.proof else 0)
    if lab and "OS_AUTH_URL" not in os.environ:
        parser.error('needs the lab\'s variables: eval "$(tests/lab/lab env)"')
    if given.proof or not given.lab:
        previews(given.sizes, given.one)
    if lab:
        estate_lab.told(lab)


if __name__ == "__main__":
    main()
