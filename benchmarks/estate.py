"""What the estate's stacks take: previews side by side against one stack of everything, and a look at a real cloud.

    python benchmarks/estate.py                  previews; needs Pulumi's tools (tests/lab/pulumi-tools), and no cloud
    python benchmarks/estate.py --one 1 10 50    agencies in one stack; 472 is all, and takes long
    python benchmarks/estate.py --lab 50         on the lab (`lab up swift`): up, previews at 0 and 100 ms, drift
    python benchmarks/estate.py --proof          all of it: previews of 1, 10, 50 both ways, then the lab with 50

Prints Markdown. The previews are of the reference estate's first agencies, against a foundation that is made up: every
resource is new. Memory is the largest sum over all processes of a run, shared pages counted once in each. What is
projected is said to be, from the slope between the smallest and the largest size that was measured.
"""

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.foundation import exports
from inventory import load
from inventory.model import Classification, Estate
from tests.lab.stacks import AGENCIES, REPOSITORY, Stacks

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

SAMPLE_S = 0.2
LATENCY_S = 0.1
TARGET_S, TARGET_SLOW_S = 5.0, 15.0
ALL = 472
PARALLEL = os.cpu_count() or 2

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a command took: wall-clock and CPU seconds, MiB resident over all its processes; and what it printed."""

    seconds: float
    cpu_s: float
    mib: float
    said: str


def measured(command: Sequence[str], cwd: Path, env: dict[str, str], ok: Sequence[int] = (0,)) -> Cost:
    began, worked, peak = time.monotonic(), cpu_s(), 0.0
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        ended = threading.Event()
        threading.Thread(target=lambda: (process.wait(), ended.set()), daemon=True).start()
        while not ended.wait(SAMPLE_S):
            peak = max(peak, resident_mib(process.pid))
        seconds = time.monotonic() - began
        out.seek(0)
        said = out.read()
    if process.returncode not in ok:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}: {said[-3000:]}")
    return Cost(seconds=seconds, cpu_s=cpu_s() - worked, mib=peak, said=said)


def cpu_s() -> float:
    """CPU seconds of all processes that have ended below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def resident_mib(root: int) -> float:
    """Resident memory of a process and all below it; those in sessions of their own are below it, too."""
    parents: dict[int, int] = {}
    pages: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                pages[int(entry.name)] = int((entry / "statm").read_text().split()[1])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(pages.get(pid, 0) for pid in family) * os.sysconf("SC_PAGE_SIZE") / 2**20


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


def gdcc(*words: str) -> list[str]:
    return [sys.executable, "-m", "controller", "estate", *words, "--json"]


def chosen(names: Sequence[str]) -> list[str]:
    return [word for name in names for word in ("--agency", name)]


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


def row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def previews(sizes: Sequence[int], ones: Sequence[int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        stacks = Stacks(
            Path(name) / "stacks", NOWHERE, {"admin": "1" * 32, "member": "2" * 32, "reader": "3" * 32}, REFERENCE
        )
        estate = load.load(stacks.estate)
        agencies = list(estate.agencies)
        made_up_foundation(stacks, estate)
        measured(gdcc("preview", *chosen(agencies[: max(sizes)]), "--no-policy"), stacks.root, stacks.env)
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


def projected(how: str, seconds: dict[int, float]) -> None:
    """What all agencies would take, by the slope between the fewest and the most that were measured."""
    if len(seconds) < 2:
        return
    low, high = min(seconds), max(seconds)
    slope = (seconds[high] - seconds[low]) / (high - low)
    whole = seconds[low] + slope * (ALL - low)
    print(f"\n{how}: by the slope of {slope:.2f} s an agency, not measured: {whole / 60:.0f} min for all {ALL}.")


def lab_estate(folder: Path, agencies: int) -> Path:
    """The lab's cloud with so many agencies, each with one open system."""
    folder.mkdir()
    for name in ("estate.yaml", "cloud.yaml", "hosts.yaml", "racks.yaml"):
        (folder / name).write_text((AGENCIES / name).read_text())
    numbers = range(1, agencies + 1)
    rows = [{"name": f"agency-{n:03d}", "pool": f"10.{160 + n // 256}.{n % 256}.0/24"} for n in numbers]
    (folder / "agencies.yaml").write_text(yaml.safe_dump({"version": 1, "agencies": rows}))
    systems = [
        {
            "name": f"system-{n:03d}",
            "agency": f"agency-{n:03d}",
            "project": f"system-{n:03d}",
            "classification": "open",
            "tier": "basic",
            "vm_sets": [{"role": role, "flavor": "small.open", "count": 1} for role in ("web", "app", "db")],
        }
        for n in numbers
    ]
    (folder / "systems.yaml").write_text(yaml.safe_dump({"version": 1, "systems": systems}))
    return folder


@contextlib.contextmanager
def wire(delay_s: float) -> Iterator[dict[str, str]]:
    """The variables of the same cloud, each request so much later."""
    command = [sys.executable, "-m", "tests.lab.wire", "--delay", str(delay_s)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield {"OS_AUTH_URL": "http://127.0.0.2:5000/v3"}
        process.terminate()


def on_the_lab(agencies: int) -> None:
    import openstack  # noqa: PLC0415 - the lab alone needs it

    connection = openstack.connect()
    standing = {each.name for each in connection.compute.flavors(is_public=None)}
    taken = sorted(standing & load.load(AGENCIES).flavors.keys())
    if taken:
        sys.exit(
            f"the lab holds flavors that the estate declares ({', '.join(taken)}): start a new one (lab down, lab up)"
        )
    roles = {role.name: role.id for role in connection.identity.roles() if role.name in {"admin", "member", "reader"}}
    cloud = {key: value for key, value in os.environ.items() if key.startswith("OS_")}
    with tempfile.TemporaryDirectory() as name:
        stacks = Stacks(Path(name) / "stacks", cloud, roles, lab_estate(Path(name) / "estate", agencies))
        stacks.make_foundation()
        print(f"\nOn the lab, {agencies} agencies, {PARALLEL} stacks side by side:\n")
        row("what", "seconds", "CPU s", "MiB")
        row(*["---"] * 4)
        try:
            tell("up of the foundation", stacks, gdcc("up", "--foundation"))
            tell("up of one agency", stacks, gdcc("up", *chosen(["agency-001"])))
            plain = gdcc("preview", *chosen(["agency-001"]))
            asked = gdcc("preview", "--refresh", *chosen(["agency-001"]))
            tell(f"preview of one agency (target {TARGET_S:.0f} s)", stacks, plain)
            tell("the same, the cloud asked first", stacks, asked)
            with wire(LATENCY_S) as slow:
                tell(f"preview at 100 ms a request (target {TARGET_SLOW_S:.0f} s)", stacks, plain, slow)
                tell("the same, the cloud asked first", stacks, asked, slow)
            one = tell("drift of 1", stacks, gdcc("drift", *chosen(["agency-001"])))
            if agencies > 1:
                tell(f"up of {agencies - 1} more", stacks, gdcc("up"))
                many = tell(f"drift of {agencies} and the foundation", stacks, gdcc("drift"))
                projected("drift", {1: one.seconds, agencies: many.seconds})
        finally:
            stacks.destroy()


def tell(what: str, stacks: Stacks, command: Sequence[str], more: dict[str, str] | None = None) -> Cost:
    cost = measured(command, stacks.root, {**stacks.env, **(more or {})})
    row(what, f"{cost.seconds:.1f}", f"{cost.cpu_s:.1f}", f"{cost.mib:.0f}")
    return cost


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
        on_the_lab(lab)


if __name__ == "__main__":
    main()
