"""`gdcc campaign`: its verbs, each one request to the daemon."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from controller.api import client
from controller.api.wire import to_json
from controller.cli.campaign import asking, screen
from controller.cli.daemon import SOCKET, JsonOption, SocketOption
from controller.cli.output import people, print_json, refuse, told
from controller.model.campaign import Order
from inventory.model import Domain

app = typer.Typer(no_args_is_help=True, help="One change to many hosts.")

IdArgument = Annotated[str, typer.Argument(help="The campaign's name.")]
WhyOption = Annotated[str, typer.Option(help="For those who come after you.")]


@app.command()
def new(
    file: Annotated[Path | None, typer.Argument(help="A campaign file; or give --verb and --hosts.")] = None,
    verb: Annotated[str | None, typer.Option(help=f"One of {', '.join(asking.VERBS)}.")] = None,
    hosts: Annotated[str, typer.Option(help="Names or dimension:name, with commas: rack:r07,c17.")] = "",
    name: Annotated[str | None, typer.Option(help="Its name; made of the verb and the time without it.")] = None,
    at_once: Annotated[int, typer.Option(min=1, max=1000, help="Hosts at once.")] = 1,
    domain: Annotated[Domain, typer.Option(help="Hosts that are out together share one of these.")] = Domain.RACK,
    failure_budget: Annotated[int, typer.Option(min=0, help="Hosts that may fail, of those at once.")] = 0,
    canaries: Annotated[str, typer.Option(help="How many hosts go first, or which.")] = "",
    soak_minutes: Annotated[float, typer.Option(min=0, help="The rest waits so long after the canaries.")] = 0.0,
    window: Annotated[list[str] | None, typer.Option(help="'Sat,Sun 00:00-24:00'; may be given again.")] = None,
    blackout: Annotated[list[str] | None, typer.Option(help="Times in which no host is begun.")] = None,
    keep_shutoff: Annotated[bool, typer.Option("--keep-shutoff", help="SHUTOFF servers may stay.")] = False,
    socket: SocketOption = SOCKET,
) -> None:
    """Make a campaign, which waits to be started."""
    if (file is None) == (verb is None):
        raise typer.BadParameter("give either a file or --verb")
    with told():
        if verb is None:
            order = _read(file)
        else:
            asked = asking.Asked(
                verb=verb,
                hosts=hosts,
                name=name,
                at_once=at_once,
                domain=domain,
                failure_budget=failure_budget,
                canaries=canaries,
                soak_minutes=soak_minutes,
                windows=tuple(window or ()),
                blackouts=tuple(blackout or ()),
                keep_shutoff=keep_shutoff,
            )
            order = asking.order(asked, datetime.now(UTC))
        people.print(client.call(socket, "POST", "/campaigns", to_json(order))["said"], markup=False, soft_wrap=True)


@app.command()
def show(
    campaign: Annotated[str | None, typer.Argument(help="Its name; the one that goes on without it.")] = None,
    every: Annotated[bool, typer.Option("--all", help="A line for each campaign there ever was.")] = False,
    socket: SocketOption = SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Show how far a campaign is, what it waits for, and when it should end."""
    with told():
        at = "/campaigns" if every else client.path("campaigns", campaign or "newest")
        data = client.call(socket, "GET", at)
    if as_json:
        print_json(data)
    elif every:
        people.print(screen.campaigns(data))
    elif data is None:
        refuse("there is no campaign (gdcc campaign new makes one)")
    else:
        people.print(*screen.progress(data), sep="\n")


@app.command()
def start(campaign: IdArgument, socket: SocketOption = SOCKET) -> None:
    """Let a new campaign begin."""
    _ask(socket, campaign, "start", {})


@app.command()
def pause(campaign: IdArgument, why: WhyOption = "", socket: SocketOption = SOCKET) -> None:
    """Begin no further host; those under way are finished and given back."""
    _ask(socket, campaign, "pause", {"why": why})


@app.command()
def resume(
    campaign: IdArgument,
    retry: Annotated[bool, typer.Option("--retry", help="Try the failed hosts again first.")] = False,
    socket: SocketOption = SOCKET,
) -> None:
    """Go on, earlier failures forgiven."""
    _ask(socket, campaign, "resume", {"retry": retry})


@app.command()
def abort(campaign: IdArgument, why: WhyOption = "", socket: SocketOption = SOCKET) -> None:
    """End it: hosts not begun stay untouched, those that are out come back once they are verified."""
    _ask(socket, campaign, "abort", {"why": why})


def _read(file: Path | None) -> Order:
    from controller.adapters import campaign_file

    assert file is not None
    return campaign_file.read(file)


def _ask(socket: Path, campaign: str, verb: str, asked: dict[str, object]) -> None:
    with told():
        said = client.call(socket, "POST", client.path("campaigns", campaign, verb), asked)["said"]
    people.print(said, markup=False, soft_wrap=True)
