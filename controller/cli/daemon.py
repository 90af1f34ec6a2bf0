"""`gdcc run`, and the verbs that talk to it over its socket."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.live import Live

from controller.api import client
from controller.cli import tables
from controller.cli.output import DONE, REFUSED, people, print_json, refuse, told
from controller.model.ids import HostName
from controller.model.policy import ScopeKind

SocketOption = Annotated[
    Path, typer.Option("--socket", envvar="GDCC_SOCKET", readable=False, help="The daemon's socket.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For machines.")]
ConfigOption = Annotated[Path, typer.Option("--config", help="The daemon's configuration.")]


def _scope(text: str | None) -> str | None:
    """Refuses what cannot be a scope as wrong use; whether there is such a thing, the daemon knows."""
    kind, _, name = (text or "").partition(":")
    if text is not None and (kind not in set(ScopeKind) or not name):
        raise typer.BadParameter(f"{text!r} is not a scope: one of {', '.join(ScopeKind)} and a name, as rack:r07")
    return text


ScopeOption = Annotated[
    str | None, typer.Option(callback=_scope, help="kind:name, as rack:r07; everywhere without it.")
]
SOCKET = Path("/run/gdcc/gdcc.sock")
CONFIG = Path("/etc/gdcc/controller.yaml")


def run(config: ConfigOption = CONFIG) -> None:
    """Run the daemon: observe, plan, and move what policy allows."""
    from controller.bootstrap import daemon

    with told():
        daemon.run(config)


def status(socket: SocketOption = SOCKET, as_json: JsonOption = False) -> None:
    """What the daemon sees and does, and what holds it back."""
    with told():
        data = client.call(socket, "GET", "/status")
    if as_json:
        print_json(data)
    else:
        people.print(*tables.status(data), sep="\n")


def moves(
    socket: SocketOption = SOCKET,
    as_json: JsonOption = False,
    hours: Annotated[float, typer.Option(min=0.0, max=24 * 366, help="How far back.")] = 24.0,
) -> None:
    """Moves of the last hours: each with its state, its reason and what it cost."""
    with told():
        data = client.call(socket, "GET", f"/moves?hours={hours}")
    if as_json:
        print_json(data)
    else:
        people.print(tables.moves(data))


def approve(plan: Annotated[str, typer.Argument(help="The plan's id.")], socket: SocketOption = SOCKET) -> None:
    """Allow the newest plan to run where the mode is "approve"."""
    with told():
        people.print(client.call(socket, "POST", client.path("plans", plan, "approve"), {})["said"], markup=False)


def pause(
    socket: SocketOption = SOCKET,
    scope: ScopeOption = None,
    why: Annotated[str, typer.Option(help="For those who come after you.")] = "",
    abort: Annotated[bool, typer.Option("--abort", help="Abort running moves of ours too.")] = False,
) -> None:
    """Stop new moves of every kind, drains too."""
    with told():
        asked: dict[str, object] = {"scope": scope, "why": why, "abort": abort}
        people.print(client.call(socket, "POST", "/pause", asked)["said"], markup=False)


def resume(socket: SocketOption = SOCKET, scope: ScopeOption = None) -> None:
    """End a pause of exactly that scope; everywhere, also forgive the error budget and accept what shrank."""
    with told():
        people.print(client.call(socket, "POST", "/resume", {"scope": scope})["said"], markup=False)


def drain(
    host: str,
    socket: SocketOption = SOCKET,
    config: ConfigOption = CONFIG,
    why: Annotated[str, typer.Option(help="Stands in Nova's disabled reason.")] = "maintenance",
    keep_shutoff: Annotated[bool, typer.Option("--keep-shutoff", help="SHUTOFF servers may stay.")] = False,
    direct: Annotated[bool, typer.Option("--direct", help="With no daemon, holding the journal's lock.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[bool, typer.Option(help="Follow it to its end.")] = True,
) -> None:
    """Disable a host's compute service and empty it by live migrations."""
    if direct:
        from controller.bootstrap import direct as without_daemon

        with told():
            asked = without_daemon.Asked(
                host=HostName(host), why=why, keep_shutoff=keep_shutoff, confirm=lambda u: _sure(host, u, yes)
            )
            drained = without_daemon.drain(config, asked)
        _ended(tables.plain(drained), shown=False)
    with told():
        unknowns = client.call(socket, "POST", client.path("hosts", host, "drain"), {})["unknowns"]
        _sure(host, unknowns, yes)
        wanted = {"why": why, "keep_shutoff": keep_shutoff, "confirmed": True}
        begun = client.call(socket, "POST", client.path("hosts", host, "drain"), wanted)["drain"]
        done = _follow(socket, begun) if wait else begun
    _ended(done, shown=wait and people.is_terminal)


def enable(
    host: str,
    socket: SocketOption = SOCKET,
    force: Annotated[bool, typer.Option("--force", help="Also undo a disable that is not ours.")] = False,
) -> None:
    """End a drain and enable the host's compute service."""
    with told():
        people.print(
            client.call(socket, "POST", client.path("hosts", host, "enable"), {"force": force})["said"], markup=False
        )


def _sure(host: str, unknowns: list[str] | tuple[str, ...], yes: bool) -> None:
    for unknown in unknowns:
        people.print(f"  not known: {unknown}", markup=False)
    if not yes and not typer.confirm(f"Drain {host}?"):
        refuse("nothing was done")


def _follow(socket: Path, drain: dict[str, Any]) -> dict[str, Any]:
    """Shows the drain until it is empty or ended, or stuck and has moved nothing in two steps of drains."""
    quiet: tuple[int, int] | None = None
    with Live(console=people, refresh_per_second=4) as live:
        while True:
            found = next((d for d in client.call(socket, "GET", "/drains") if d["id"] == drain["id"]), None)
            if found is None:
                return drain | {"state": "ended"}
            moves = [
                m
                for m in client.call(socket, "GET", "/moves?hours=24")
                if m["intent"]["id"].startswith(f"{drain['id']}-")
            ]
            live.update(tables.drain(found, moves))
            status = client.call(socket, "GET", "/status")
            steps = client.drain_steps(status)
            quiet = quiet_since(quiet, found, moves, steps)
            if found["state"] == "empty" or steps > quiet[1] + 2:
                return dict(found)
            time.sleep(1)


def quiet_since(
    before: tuple[int, int] | None, drain: dict[str, Any], moves: list[dict[str, Any]], steps: int
) -> tuple[int, int]:
    """How many moves the drain has made, and the step since which it has made no other; None before the first look."""
    busy = drain["state"] == "emptying" or any(move["outcome"] is None for move in moves)
    if before is None or busy or len(moves) != before[0]:
        return len(moves), steps
    return before


def _ended(drain: dict[str, Any], *, shown: bool) -> None:
    if not shown:
        people.print(tables.drain(drain, []))
    raise typer.Exit(REFUSED if drain["state"] == "stuck" else DONE)
