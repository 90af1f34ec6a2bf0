"""The verbs of `gdcc host`."""

from typing import Annotated

import typer

from controller.cli.host import look, verbs
from controller.cli.host.options import (
    CONFIG,
    ConfigOption,
    DirectOption,
    HostsArgument,
    JsonOption,
    SocketOption,
    YesOption,
)

app = typer.Typer(add_completion=False)


@app.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    config: ConfigOption = CONFIG,
    socket: SocketOption = None,
    direct: DirectOption = False,
    as_json: JsonOption = False,
) -> None:
    """What on-call staff do to hosts; alone, what was done in the last day and what is open."""
    if context.invoked_subcommand is None:
        from controller.cli.host import draining
        from controller.cli.host.doing import Asked

        draining.show(Asked(patterns=[], config=config, socket=socket, direct=direct, as_json=as_json))


def drain(
    hosts: HostsArgument,
    why: Annotated[str, typer.Option(help="Stands in Nova's disabled reason.")] = "maintenance",
    keep_shutoff: Annotated[bool, typer.Option("--keep-shutoff", help="SHUTOFF servers may stay.")] = False,
    yes: YesOption = False,
    config: ConfigOption = CONFIG,
    socket: SocketOption = None,
    direct: DirectOption = False,
    as_json: JsonOption = False,
) -> None:
    """Disable hosts' compute services and empty them, one after the other; enable is its pair."""
    from controller.cli.host import doing, draining

    if as_json and not yes:
        doing.wrong("--json takes hosts out of service only with --yes")
    asked = doing.Asked(patterns=hosts, config=config, socket=socket, direct=direct, as_json=as_json, yes=yes)
    draining.drain(asked, why, keep_shutoff)


def forget(
    hosts: HostsArgument, config: ConfigOption = CONFIG, socket: SocketOption = None, direct: DirectOption = False
) -> None:
    """Give up what a killed verb left open on hosts; nothing is undone."""
    from controller.cli.host import draining
    from controller.cli.host.doing import Asked

    draining.forget(Asked(patterns=hosts, config=config, socket=socket, direct=direct))


app.command("rotate-keys")(verbs.rotate_keys)
for verb in (
    verbs.prepare,
    verbs.configure,
    verbs.verify,
    drain,
    verbs.enable,
    verbs.reboot,
    verbs.patch,
    verbs.decommission,
    forget,
    look.facts,
    look.drift,
):
    app.command()(verb)
