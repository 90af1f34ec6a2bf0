"""Puts the verbs together."""

import typer

from controller.cli import daemon, inventory, plan, snapshot, twin
from controller.cli.estate import app as estate

app = typer.Typer(
    name="gdcc",
    help="Keeps a large OpenStack cloud's hosts, racks and feeds inside their limits.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(inventory.app, name="inventory", help="The estate as data.")
app.add_typer(estate.app, name="estate", help="The cloud's definitions, by Pulumi.")
app.command()(snapshot.snapshot)
app.command()(plan.plan)
app.command()(plan.explain)
app.command()(twin.twin)
for verb in (
    daemon.run,
    daemon.status,
    daemon.moves,
    daemon.approve,
    daemon.pause,
    daemon.resume,
    daemon.drain,
    daemon.enable,
):
    app.command()(verb)


def main() -> None:
    """The entry point of `gdcc`."""
    app()
