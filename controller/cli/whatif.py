"""`gdcc whatif`: what would become of the estate if something were lost or added. Asks nobody and moves nothing."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, NoReturn

import typer
from rich.table import Table
from rich.text import Text

from controller.api.wire import to_json
from controller.cli.output import REFUSED, people, print_json, told
from controller.cli.seen import Config, Snapshot, seen
from controller.cli.steps import stepped
from controller.model.cluster import Cluster
from controller.model.policy import Policy
from controller.model.whatif import Loss, Outcome, Overload, Verdict
from controller.planner.whatif import grown, loss, outcome
from controller.planner.whatif.spare import Spare
from inventory.model import Domain

SHOWN = 20
"""Rows of a table for people; all of them are in the JSON."""

_STYLES = {Verdict.SURVIVED: "green", Verdict.HOT: "yellow", Verdict.OVERLOADED: "red", Verdict.SHORT: "bold red"}

Lose = Annotated[list[str] | None, typer.Option("--lose", metavar="KIND:NAME", help="host, rack, feed, zone, room or "
                 "site that fails; may be given more than once: all of them fail together.")]  # fmt: skip
Single = Annotated[bool, typer.Option("--all-single-failures", help="Every host, rack and feed, each on its own.")]
Hosts = Annotated[list[str] | None, typer.Option("--add-hosts", metavar="N:HOST", help="N more hosts like that one.")]
Servers = Annotated[str | None, typer.Option("--add-servers", metavar="N:AGENCY/FLAVOR",
                    help="N more servers of an agency, instead of a loss.")]  # fmt: skip
Start = Annotated[float, typer.Option("--start-seconds", min=0, help="How long one server takes to start elsewhere.")]


def whatif(
    lose: Lose = None,
    all_single_failures: Single = False,
    add_hosts: Hosts = None,
    add_servers: Servers = None,
    start_seconds: Start = 60.0,
    snapshot: Snapshot = None,
    config: Config = None,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Show what goes down, what starts where, and what is missing. Exit status 1 where something is."""
    losses, more = [_loss(word) for word in lose or ()], [_counted(word, "--add-hosts") for word in add_hosts or ()]
    if sum(map(bool, (losses, all_single_failures, add_servers))) != 1:
        raise typer.BadParameter("say one of them", param_hint="--lose, --all-single-failures, --add-servers")
    each = timedelta(seconds=start_seconds)
    with told():
        cluster, policy, now = seen(snapshot, config)
        for count, like in more:
            cluster = grown.with_hosts(cluster, like, count)
        if add_servers is not None:
            found = [_added(cluster, policy, now, add_servers, each)]
        else:
            spare = outcome.spare(cluster, policy, now)
            asked = [(one,) for one in loss.every_single(cluster)] if all_single_failures else [tuple(losses)]
            found = _looked(spare, asked, each)
    if json:
        print_json([to_json(one) for one in found] if all_single_failures else to_json(found[0]))
    elif all_single_failures:
        _show_all(found)
    else:
        _show(found[0])
    if any(one.verdict is not Verdict.SURVIVED for one in found):
        raise typer.Exit(REFUSED)


def _looked(spare: Spare, asked: Sequence[Sequence[Loss]], each: timedelta) -> list[Outcome]:
    return [outcome.lose(spare, losses, each) for losses in stepped(asked, "losing each")]


def _added(cluster: Cluster, policy: Policy, now: datetime, word: str, each: timedelta) -> Outcome:
    count, kind = _counted(word, "--add-servers")
    agency, slash, flavor = kind.partition("/")
    if not slash:
        _wrong(word, "N:AGENCY/FLAVOR", "--add-servers")
    cluster, new = grown.with_servers(cluster, agency, flavor, count)
    return outcome.add(outcome.spare(cluster, policy, now), new, each)


def _loss(word: str) -> Loss:
    kind, colon, name = word.partition(":")
    if not colon or not name or kind not in set(Domain):
        _wrong(word, f"KIND:NAME, the kind one of {', '.join(Domain)}", "--lose")
    return Loss(kind=Domain(kind), name=name)


def _counted(word: str, option: str) -> tuple[int, str]:
    found = re.fullmatch(r"([1-9]\d{0,6}):(.+)", word)
    if found is None:
        _wrong(word, "a number from 1 on, a colon and a name", option)
    return int(found[1]), found[2]


def _wrong(word: str, right: str, option: str) -> NoReturn:
    raise typer.BadParameter(f"{word!r} is not {right}", param_hint=option)


def _show(found: Outcome) -> None:
    people.print(Text(_sentence(found), style=_STYLES[found.verdict]))
    for over in found.overloads:
        people.print(Text(_overload(over)))
    for table in (_systems(found), _reasons(found), _missing(found), _starts(found)):
        if table.row_count:
            table.title_justify = "left"
            people.print(table)


def _sentence(found: Outcome) -> str:
    """What goes down, how much of it starts elsewhere, and how long that takes."""
    servers, placed = len(found.restarts), sum(each.target is not None for each in found.restarts)
    if found.losses:
        lost = " and ".join(map(str, found.losses))
        begin = f"Without {lost}, {_count(len(found.hosts), 'host')} and {_count(servers, 'server')} go down"
    else:
        begin = f"{_count(servers, 'server')} more"
    if not servers:
        return f"{begin}: {found.verdict}."
    where = "all start" if placed == servers else f"{placed} start, {servers - placed} have no place"
    hot = sum(each.hot for each in found.restarts)
    heat = f", {hot} of them on hosts or supplies that are then over a safety limit" if hot else ""
    return f"{begin}: {where}{heat}; {_count(found.rounds, 'round')}, about {_span(found.recovery)}: {found.verdict}."


def _systems(found: Outcome) -> Table:
    table = Table("system", "agency", "tier", "down", "of", "no place", "rule that is broken", title="systems")
    for each in found.systems[:SHOWN]:
        cells = (each.system, each.agency, each.tier, each.down, each.servers, each.unplaced, ", ".join(each.rules))
        table.add_row(*map(Text, map(str, cells)), style="red" if each.unplaced else "")
    table.caption = _rest(found.systems)
    return table


def _reasons(found: Outcome) -> Table:
    table = Table("servers", "such as", "why", title="no place")
    nowhere = [each for each in found.restarts if each.target is None]
    for why, count in Counter(each.why for each in nowhere).most_common(SHOWN):
        table.add_row(str(count), Text(next(each.name for each in nowhere if each.why == why)), Text(why))
    return table


def _missing(found: Outcome) -> Table:
    table = Table("classification", "servers", "vCPUs", "memory GiB", "disk GiB", title="what is missing")
    for each in found.missing:
        amounts = (each.vcpus, each.memory_mib / 1024, each.disk_gib)
        table.add_row(each.classification, str(each.servers), *(f"{amount:,.0f}" for amount in amounts))
    return table


def _starts(found: Outcome) -> Table:
    table = Table("server", "system", "from", "starts on", title="what starts where")
    placed = [each for each in found.restarts if each.target is not None]
    for each in placed[:SHOWN]:
        target = f"{each.target} (over a limit)" if each.hot else str(each.target)
        table.add_row(*map(Text, (each.name, each.system or "?", each.source or "", target)))
    table.caption = _rest(placed)
    return table


def _show_all(found: Sequence[Outcome]) -> None:
    """How many of each kind are survived, and every one that is not."""
    kinds = Table("what fails", *Verdict, "most servers down", "longest recovery")
    for kind in loss.SINGLE:
        of_kind = [each for each in found if each.losses[0].kind is kind]
        verdicts = Counter(each.verdict for each in of_kind)
        most = max((len(each.restarts) for each in of_kind), default=0)
        longest = max((each.recovery for each in of_kind), default=timedelta(0))
        kinds.add_row(f"each {kind}", *(f"{verdicts[each]:,}" for each in Verdict), f"{most:,}", _span(longest))
    people.print(kinds)
    bad = sorted((each for each in found if each.verdict is not Verdict.SURVIVED), key=_worst)
    if not bad:
        people.print("Every host, rack and feed can be lost.", style="green")
        return
    table = Table("cannot be lost", "", "servers down", "no place", "why")
    for each in bad[:SHOWN]:
        nowhere = [one for one in each.restarts if one.target is None]
        why = nowhere[0].why if nowhere else _why_not(each)
        cells = (str(each.losses[0]), each.verdict, f"{len(each.restarts):,}", f"{len(nowhere):,}", why)
        table.add_row(*map(Text, cells), style=_STYLES[each.verdict])
    table.caption = _rest(bad)
    people.print(table)


def _worst(found: Outcome) -> tuple[int, int]:
    return -list(Verdict).index(found.verdict), -sum(each.target is None for each in found.restarts)


def _why_not(found: Outcome) -> str:
    if found.overloads:
        return _overload(found.overloads[0])
    return f"{sum(each.hot for each in found.restarts)} servers start over a safety limit"


def _rest(rows: Sequence[object]) -> str | None:
    return f"{len(rows) - SHOWN} more in --json" if len(rows) > SHOWN else None


def _overload(over: Overload) -> str:
    return f"feed {over.feed} carries {over.watts:,.0f} of {over.limit_watts:,.0f} W then"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _span(time: timedelta) -> str:
    minutes, seconds = divmod(round(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
