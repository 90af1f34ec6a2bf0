"""What `gdcc whatif` found, for people: a sentence, and tables of what has no place, what is missing, what moves."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from rich.table import Table
from rich.text import Text

from controller.cli.output import people
from controller.model.whatif import Outcome, Overload, SystemLoss, Verdict
from controller.planner.whatif import loss

SHOWN = 20
"""Rows of a table for people; all of them are in the JSON."""

_NAMED = 4

_STYLES = {Verdict.SURVIVED: "green", Verdict.HOT: "yellow", Verdict.OVERLOADED: "red", Verdict.SHORT: "bold red"}


def show(found: Outcome) -> None:
    people.print(Text(_sentence(found), style=_STYLES[found.verdict]))
    for over in found.overloads[:SHOWN]:
        people.print(Text(_overload(over)))
    if more := _rest(found.overloads):
        people.print(more)
    for table in (_systems(found), _reasons(found), _missing(found), _starts(found)):
        if table.row_count:
            table.title_justify = "left"
            people.print(table)


def _sentence(found: Outcome) -> str:
    """What goes down or moves, how much of it has a place elsewhere, and how long that takes."""
    verdict = "possible" if found.emptied and found.verdict is Verdict.SURVIVED else found.verdict
    servers, placed = len(found.restarts), sum(each.target is not None for each in found.restarts)
    if not servers:
        return f"{_begin(found)}: {verdict}."
    does = "have a place" if found.emptied else "start"
    where = f"all {does}" if placed == servers else f"{placed:,} {does}, {servers - placed:,} have no place"
    hot = sum(each.hot for each in found.restarts)
    heat = f", {hot:,} of them on hosts or supplies that are then over a safety limit" if hot else ""
    time = f"{_count(found.rounds, 'round')}, about {span(found.recovery)}"
    return f"{_begin(found)}: {where}{heat}; {time}: {verdict}."


def _begin(found: Outcome) -> str:
    new = sum(each.source is None for each in found.restarts)
    old = _count(len(found.restarts) - new, "server")
    if found.emptied:
        return f"To empty {_named(found.emptied)}, {old} must move"
    parts = []
    if found.losses:
        lost = " and ".join(map(str, found.losses))
        parts.append(f"Without {lost}, {_count(len(found.hosts), 'host')} and {old} go down")
    if new:
        parts.append(f"{_count(new, 'server')} more")
    return " and ".join(parts)


def _named(hosts: Sequence[str]) -> str:
    more = len(hosts) - _NAMED
    return ", ".join(hosts[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _systems(found: Outcome) -> Table:
    """Systems that lose servers, or have some without a place; where hosts are emptied nobody loses any."""
    down = "moves" if found.emptied else "down"
    table = Table("system", "agency", "tier", down, "of", "no place", "rules that are broken", title="systems")
    told = [each for each in found.systems if each.unplaced or (each.down and not found.emptied)]
    for each in told[:SHOWN]:
        cells = (each.system, each.agency, each.tier, each.down, each.servers, each.unplaced, _rules(each))
        table.add_row(*map(Text, map(str, cells)), style="red" if each.unplaced else "")
    table.caption = _rest(told)
    return table


def _rules(system: SystemLoss) -> str:
    """`web: broken before, all of it down at once`; what keeps a server from every place first."""
    said = [f"{rule}: leaves no place" for rule in system.rules]
    for each in system.broken:
        ended = "broken before and after" if each.after else "broken before"
        when = [ended] if each.before else ["broken where it starts"] if each.after else []
        said.append(f"{each.rule}: {', '.join([*when, *(['all of it down at once'] if each.down else [])])}")
    return "; ".join(said)


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
    goes, title = ("goes to", "what goes where") if found.emptied else ("starts on", "what starts where")
    table = Table("server", "system", "from", goes, title=title)
    placed = [each for each in found.restarts if each.target is not None]
    for each in placed[:SHOWN]:
        target = f"{each.target} (over a limit)" if each.hot else str(each.target)
        table.add_row(*map(Text, (each.name, each.system or "?", each.source or "", target)))
    table.caption = _rest(placed)
    return table


def show_all(found: Sequence[Outcome]) -> None:
    """How many of each kind are survived, and every one that is not."""
    kinds = Table("what fails", *Verdict, "most servers down", "longest recovery")
    for kind in loss.SINGLE:
        of_kind = [each for each in found if each.losses[0].kind is kind]
        verdicts = Counter(each.verdict for each in of_kind)
        most = max((len(each.restarts) for each in of_kind), default=0)
        longest = max((each.recovery for each in of_kind), default=timedelta(0))
        kinds.add_row(f"each {kind}", *(f"{verdicts[each]:,}" for each in Verdict), f"{most:,}", span(longest))
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
    return f"{over.supply} carries {over.watts:,.0f} of {over.limit_watts:,.0f} W then"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def span(time: timedelta) -> str:
    minutes, seconds = divmod(round(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
