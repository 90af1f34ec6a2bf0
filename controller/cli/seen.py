"""What the verbs that plan look at: a snapshot file, or the living cloud."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from controller.adapters import snapshot_file
from controller.model.cluster import Cluster
from controller.model.policy import Policy

Snapshot = Annotated[Path | None, typer.Option(help="Look at this snapshot file; needs no cloud.")]
Config = Annotated[Path | None, typer.Option(help="The daemon's configuration: its policy, and its cloud.")]


def seen(snapshot: Path | None, config: Path | None) -> tuple[Cluster, Policy, datetime]:
    """A snapshot from a file is planned as of its own time, the living cloud as of now."""
    from controller.bootstrap.policy import of_config

    policy = of_config(config)
    if snapshot is not None:
        cluster = snapshot_file.read(snapshot)
        return cluster, policy, cluster.taken_at
    if config is None:
        raise typer.BadParameter("name a snapshot file, or the configuration that names a cloud",
                                 param_hint="--snapshot or --config")  # fmt: skip
    from controller.bootstrap import once

    return once.snapshot(config), policy, datetime.now(UTC)
