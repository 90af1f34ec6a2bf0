"""`gdcc plan` and `gdcc explain`: what would move, in which waves, why, and what it would make of every limit."""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.table import Table
from rich.text import Text

from controller.adapters import plan_file
from controller.api import client
from controller.cli import explained
from controller.cli.daemon import SOCKET, SocketOption
from controller.cli.output import REFUSED, errors, people, print_json, told
from controller.cli.seen import Config, Snapshot, seen
from controller.errors import InputError, InvariantError
from controller.model.cluster import Cluster
from controller.model.ids import HostName
from controller.model.plan import WRONG, LimitState, Plan
from controller.model.policy import Policy
from controller.planner import anytime, explanation, score
from controller.planner import explain as explaining
from controller.planner import plan as planning
from controller.planner.assignment import permission

WIDE = 160
TIGHTEST = 15
"""Limits shown to people; all of them are in the JSON."""
MOST_ROWS = 100
"""Rows of each other table: drawing thousands would take longer than planning them."""
Row = TypeVar("Row")

Recommended = Annotated[
    bool, typer.Option("--recommended", help="The daemon's plan with the scopes of mode recommend in it.")
]
TimeLimit = Annotated[
    float | None, typer.Option("--time-limit", min=0.1, metavar="SECONDS", help="Search on for a better plan as long.")
]
Cold = Annotated[list[str] | None, typer.Option("--cold", help="Draining host whose SHUTOFF servers move cold.")]


def plan(
    snapshot: Snapshot = None,
    config: Config = None,
    out: Annotated[Path | None, typer.Option(help="Write the whole plan to this file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the whole plan as JSON.")] = False,
    cold: Cold = None,
    recommended: Recommended = False,
    time_limit: TimeLimit = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, max=1000, help="No more searches than these: the same plan again.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=10**9, help="Of what --rounds and --time-limit leave to chance; 0 without.")
    ] = None,
    socket: SocketOption = SOCKET,
) -> None:
    """Show what would be moved, and why: the daemon's plan, or one of a snapshot. Moves nothing.

    Exit status 1 where a limit or a rule stays broken.
    """
    _of_whom(snapshot, config, recommended=recommended)
    for given, name in ((cold, "--cold"), (time_limit, "--time-limit"), (rounds, "--rounds")):
        if given and snapshot is None and config is None:
            raise typer.BadParameter("the daemon's plan is made; name a --snapshot or a --config", param_hint=name)
    _of_rounds(cold, time_limit, rounds, seed)
    with told():
        if snapshot is None and config is None:
            found = _of_daemon(socket, recommended=recommended)
        else:
            cluster, policy, now = seen(snapshot, config)
            if time_limit or rounds:
                found = _best(cluster, policy, now, time_limit, rounds, seed or 0)
            else:
                found = planning.plan(cluster, policy, now, cold=[HostName(name) for name in cold or ()])
        if out is not None:
            plan_file.write(found, out)
    if json:
        print_json(plan_file.plain(found))
    else:
        _show(found)
    if any(breach.concern in WRONG for breach in found.breaches_after):
        raise typer.Exit(REFUSED)


def explain(
    subject: Annotated[str, typer.Argument(help="A VM's id or name, a host's name, a move's number, a breach's key.")],
    snapshot: Snapshot = None,
    config: Config = None,
    plan: Annotated[Path | None, typer.Option(help="The plan made from that snapshot; made anew without it.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    recommended: Recommended = False,
    socket: SocketOption = SOCKET,
) -> None:
    """Say in one sentence and in numbers why something moves, stays, receives or does not.

    Of the daemon's plan without a snapshot; with one, also each term that a move changes, what would undo it, what
    hosts carry, and a minimal set of rules that leaves no target.
    """
    _of_whom(snapshot, config, recommended=recommended)
    with told():
        if snapshot is None and config is None:
            told_of = plan_file.read(plan) if plan else _of_daemon(socket, recommended=recommended)
            answer = explanation.from_plan(told_of, subject)
        else:
            cluster, policy, now = seen(snapshot, config)
            made = plan_file.read(plan) if plan else planning.plan(cluster, policy, now)
            answer = explaining.explain(cluster, policy, made, subject)
    if json:
        print_json(asdict(answer))
        return
    explained.show(answer)


def _of_rounds(cold: list[str] | None, time_limit: float | None, rounds: int | None, seed: int | None) -> None:
    if time_limit is not None and not math.isfinite(time_limit):
        raise typer.BadParameter("must be a number of seconds", param_hint="--time-limit")
    several = bool(time_limit or rounds)
    if seed is not None and not several:
        what = "one search leaves nothing to chance; add --rounds or --time-limit"
        raise typer.BadParameter(what, param_hint="--seed")
    if cold and several:
        raise typer.BadParameter("a drain displaces nobody, so no time makes its plan better", param_hint="--cold")


def _of_whom(snapshot: Path | None, config: Path | None, *, recommended: bool) -> None:
    if recommended and (snapshot is not None or config is not None):
        what = "the daemon recommends by the modes of its scopes; a snapshot has none"
        raise typer.BadParameter(what, param_hint="--recommended")


def _best(
    cluster: Cluster, policy: Policy, now: datetime, time_limit: float | None, rounds: int | None, seed: int
) -> Plan:
    """The best plan that the time or the rounds allow, each better one told as it is found; Ctrl-C takes the last."""
    began, not_counted, best = time.monotonic(), 0.0, None
    limit = math.inf if time_limit is None else time_limit

    def gone() -> float:
        return time.monotonic() - began - not_counted

    try:
        for found in anytime.plans(cluster, policy, now, lambda: gone() / limit, rounds=rounds, seed=seed):
            first, best = best is None, found
            errors.print(f"after {gone():.1f} s: {found.sentence}", markup=False)
            if first and rounds != 1 and score.unmended(found) and gone() < limit:
                not_counted = _make_ready()
    except KeyboardInterrupt:
        if best is None:
            raise
        errors.print("stopped; the best plan so far follows", markup=False)
    if best is None:
        raise InvariantError("no plan was made", where="anytime")
    return best


def _make_ready() -> float:
    """What later searches run is made on this machine once. The seconds that it took, which no time limit counts."""
    if not permission.granted():
        errors.print(permission.WITHOUT, markup=False)
        return 0.0
    from controller.planner import assigned
    from controller.planner.assignment import search

    began, before = time.monotonic(), search.compiled_before()
    if not before:
        errors.print("making the search's machine code, once on this machine: most of a minute", markup=False)
    assigned.make_ready()
    if not before:
        errors.print(f"made in {time.monotonic() - began:.0f} s, and kept where a disk can be written", markup=False)
    return time.monotonic() - began


def _of_daemon(socket: Path, *, recommended: bool) -> Plan:
    """The plan on the daemon's table: the one that runs, or that `gdcc approve` is asked for."""
    answer = client.call(socket, "GET", "/plan?recommended" if recommended else "/plan")
    if answer is None and recommended:
        raise InputError("no scope is in mode recommend beside others that act", where=str(socket),
                         remedy="gdcc plan shows the daemon's plan")  # fmt: skip
    if answer is None:
        raise InputError("the daemon has made no plan yet", where=str(socket), remedy="wait for its first turn")
    return plan_file.told(answer)


def _show(found: Plan) -> None:
    people.print(f"plan {found.id} of {found.estate}, snapshot {found.snapshot_at:%Y-%m-%d %H:%M:%S %Z}", markup=False)
    people.print(found.sentence, style="bold", markup=False)
    if found.moves:
        people.print(_lasts(found), markup=False)
        people.print(_moves(found))
    if found.frees:
        people.print(_frees(found))
    if found.breaches_before:
        people.print(_breaches(found))
    people.print(_limits(found))
    if found.holds:
        people.print(_holds(found))


def _lasts(found: Plan) -> str:
    """How long it takes by its own estimates, beside what the limits of moves at once leave no way under."""
    took, least = (f"{each.total_seconds() / 60:.1f} min" for each in (found.takes, found.takes_at_least))
    waves = f"{len(found.waves)} waves; the limits allow no less than {least} and {found.waves_at_least}"
    return f"about {took} of copying in {waves}"


def _moves(found: Plan) -> Table:
    """The moves by wave; the reasons only where the screen has room for sentences (`gdcc explain` tells each)."""
    wide = people.width >= WIDE
    columns = ("wave", "n", "VM", "from → to", "for", "copy", *(["why"] if wide else []))
    table = Table(*columns, title="moves", title_justify="left")
    table.columns[2].overflow = "fold"
    last = 0
    for move in _first(found.moves, table):
        first = str(move.wave) if move.wave != last else ""
        last = move.wave
        seconds = f"{move.copy.total_seconds():.0f} s" + (" cold" if move.cold else "")
        where = f"{move.source} → {move.target}"
        why = (move.why,) if wide else ()
        table.add_row(*map(Text, (first, str(move.n), move.vm_name, where, move.breach, seconds, *why)))
    return table


def _first(rows: Sequence[Row], table: Table) -> Sequence[Row]:
    """As many as a person looks through; how many more there are is said below the table."""
    if len(rows) > MOST_ROWS:
        table.caption = f"and {len(rows) - MOST_ROWS:,} more: --out FILE or --json gives all of them"
    return rows[:MOST_ROWS]


def _frees(found: Plan) -> Table:
    table = Table("host", "idle, saved", "copied", title="hosts freed", title_justify="left")
    for freed in _first(found.frees, table):
        table.add_row(Text(freed.host), f"{freed.idle_watts:.0f} W", f"{freed.copied_gib:.0f} GiB")
    return table


def _breaches(found: Plan) -> Table:
    left = {breach.key for breach in found.breaches_after}
    table = Table("what is wrong", "concern", "after", title="breaches", title_justify="left")
    for breach in _first(sorted(found.breaches_before, key=lambda breach: breach.key not in left), table):
        after = Text("left", "red") if breach.key in left else Text("mended", "green")
        table.add_row(Text(breach.why), breach.concern, after)
    return table


def _limits(found: Plan) -> Table:
    table = Table("limit", "before", "after", "may be", title=f"the {TIGHTEST} tightest limits", title_justify="left")
    for state in sorted(found.limits, key=lambda s: (-_fullest(s), s.key))[:TIGHTEST]:
        before, after = (
            Text(_with_unread(state, load), "red" if load > state.limit else "") for load in (state.before, state.after)
        )
        table.add_row(Text(state.key), before, after, _amount(state, state.limit))
    return table


def _fullest(state: LimitState) -> float:
    return (max(state.before, state.after) + state.unread) / max(state.limit, 1e-9)


def _with_unread(state: LimitState, load: float) -> str:
    """The load, and what hosts that are not read may add."""
    return _amount(state, load) + (f" + up to {_amount(state, state.unread)} not read" if state.unread else "")


def _amount(state: LimitState, load: float) -> str:
    return f"{load:.1%}" if state.unit == "ratio" else f"{load:.0f} {state.unit}"


def _holds(found: Plan) -> Table:
    table = Table("breach", "rule", "why", title="held", title_justify="left")
    for hold in _first(found.holds, table):
        table.add_row(*map(Text, (hold.breach, hold.rule, hold.why)))
    return table
