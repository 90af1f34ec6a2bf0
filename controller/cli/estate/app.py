"""The verbs of `gdcc estate`."""

import typer

from controller.cli.estate import deploy

app = typer.Typer(no_args_is_help=True)
for verb in (deploy.preview, deploy.up, deploy.refresh, deploy.destroy):
    app.command()(verb)
