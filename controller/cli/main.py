"""Puts the verbs together."""

from collections.abc import Mapping
from typing import ClassVar

import typer

from controller.cli import verbs


class _Gdcc(verbs.Verbs):
    places: ClassVar[Mapping[str, str]] = {
        "inventory": "controller.cli.inventory:app",
        "estate": "controller.cli.estate.app:app",
        "host": "controller.cli.host.app:app",
        "snapshot": "controller.cli.snapshot:snapshot",
        "plan": "controller.cli.plan:plan",
        "explain": "controller.cli.plan:explain",
        "whatif": "controller.cli.whatif:whatif",
        "capacity": "controller.cli.capacity:capacity",
        "twin": "controller.cli.twin:twin",
        "run": "controller.cli.daemon:run",
        "status": "controller.cli.daemon:status",
        "moves": "controller.cli.daemon:moves",
        "approve": "controller.cli.daemon:approve",
        "pause": "controller.cli.daemon:pause",
        "resume": "controller.cli.daemon:resume",
        "drain": "controller.cli.daemon:drain",
        "enable": "controller.cli.daemon:enable",
        "campaign": "controller.cli.campaign.app:app",
    }


app = typer.Typer(
    name="gdcc",
    help="Keeps a large OpenStack cloud's hosts, racks and feeds inside their limits.",
    cls=_Gdcc,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def gdcc() -> None:
    """Keeps a large OpenStack cloud's hosts, racks and feeds inside their limits."""


def main() -> None:
    """The entry point of `gdcc`."""
    app()
