"""Stacks of a real cloud: up, previews near and far, drift."""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import openstack
import yaml

from benchmarks.parts.gdcc import PARALLEL, chosen, gdcc, projected
from benchmarks.parts.process import Cost, measured, row
from inventory import load
from tests.lab import wire
from tests.lab.stacks import AGENCIES, Stacks

LATENCY_S = 0.1
TARGET_S, TARGET_SLOW_S = 5.0, 15.0


def lab_estate(folder: Path, agencies: int) -> Path:
    """The lab's cloud with so many agencies, but no fewer than two, each with one open system."""
    folder.mkdir()
    for name in ("estate.yaml", "cloud.yaml", "hosts.yaml", "racks.yaml"):
        (folder / name).write_text((AGENCIES / name).read_text())
    numbers = range(1, max(agencies, 2) + 1)
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


def told(agencies: int) -> None:
    """Measures all of it on the lab, whose cloud must be new, and takes it away again."""
    connection = openstack.connect()
    standing = {each.name for each in connection.compute.flavors(is_public=None)}
    taken = sorted(standing & load.load(AGENCIES).flavors.keys())
    if taken or next(connection.compute.servers(all_projects=True), None):
        sys.exit(f"the lab is in use (flavors of the estate: {', '.join(taken) or 'none'}): lab down, lab up swift")
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
            near_and_far(stacks)
            one = tell("drift of 1", stacks, gdcc("drift", *chosen(["agency-001"])))
            if agencies > 1:
                tell(f"up of {agencies - 1} more", stacks, gdcc("up"))
                many = tell(f"drift of {agencies} and the foundation", stacks, gdcc("drift"))
                projected("drift", {1: one.seconds, agencies: many.seconds})
        finally:
            stacks.destroy()


def near_and_far(stacks: Stacks) -> None:
    """An agency whose cloud is near, and one whose stack knows the cloud at the end of a long wire alone."""
    plain, asked = gdcc("preview", *chosen(["agency-001"])), gdcc("preview", "--refresh", *chosen(["agency-001"]))
    tell("up of one agency", stacks, gdcc("up", *chosen(["agency-001"])))
    tell(f"preview of one agency (target {TARGET_S:.0f} s)", stacks, plain)
    tell("the same, the cloud asked first", stacks, asked)
    with wire.laid("--delay", str(LATENCY_S)) as slow:
        there = chosen(["agency-002"])
        tell("up of one agency at 100 ms a request", stacks, gdcc("up", *there), slow)
        tell(f"preview at 100 ms a request (target {TARGET_SLOW_S:.0f} s)", stacks, gdcc("preview", *there), slow)
        tell("the same, the cloud asked first", stacks, gdcc("preview", "--refresh", *there), slow)
        stacks.gdcc("destroy", *there, "--yes-destroy", "agency-agency-002", **slow)


def tell(what: str, stacks: Stacks, command: Sequence[str], more: dict[str, str] | None = None) -> Cost:
    cost = measured(command, stacks.root, {**stacks.env, **(more or {})})
    row(what, f"{cost.seconds:.1f}", f"{cost.cpu_s:.1f}", f"{cost.mib:.0f}")
    return cost
