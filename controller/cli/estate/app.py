"""The verbs of `gdcc estate`."""

import typer

from controller.cli.estate import deploy, look

app = typer.Typer(no_args_is_help=True, help="The cloud's definitions, by Pulumi.")
app.command("list")(look.list_stacks)
app.command("import")(deploy.import_)
app.command("provider-config")(look.provider_config)
for verb in (deploy.preview, deploy.up, deploy.refresh, deploy.destroy, look.drift, look.graph):
    app.command()(verb)
