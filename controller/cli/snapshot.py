"""`gdcc snapshot`: what the controller sees, or would see of an estate without a cloud, as one file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from controller.adapters import snapshot_file
from controller.cli.output import people, print_json, refuse, told
from controller.engine import synthetic
from controller.model.cluster import Cluster
from inventory import load

CONFIG = Path("/etc/gdcc/controller.yaml")
EPOCH = 1970


def snapshot(
    out: Annotated[Path | None, typer.Option(help="The file to write.")] = None,
    config: Annotated[Path, typer.Option(help="The daemon's configuration: look at its cloud and devices.")] = CONFIG,
    estate: Annotated[Path | None, typer.Option(help="Make one up for this estate instead, with no cloud.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="What the made-up loads and ids follow from.")] = 1,
    at: Annotated[datetime | None, typer.Option(help="The made-up snapshot's time, UTC; now without it.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the format's JSON Schema and write nothing.")] = False,
) -> None:
    """Write what the controller sees right now as one JSON file."""
    if schema:
        print_json(snapshot_file.json_schema())
        return
    if out is None:
        raise typer.BadParameter("name the file to write", param_hint="--out")
    if at is not None and at.year < EPOCH:
        raise typer.BadParameter(f"times begin in {EPOCH}", param_hint="--at")
    with told():
        now = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
        cluster = _seen(config) if estate is None else _made_up(estate, seed, now)
        snapshot_file.write(cluster, out)
    people.print(f"{out}: {len(cluster.hosts.names)} hosts, {len(cluster.vms.ids)} VMs", markup=False, soft_wrap=True)


def _seen(config: Path) -> Cluster:
    from controller.bootstrap import once

    return once.snapshot(config)


def _made_up(directory: Path, seed: int, now: datetime) -> Cluster:
    try:
        return synthetic.snapshot(load.load(directory), seed, now)
    except load.EstateError as error:
        refuse(str(error))
