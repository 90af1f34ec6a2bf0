"""What a campaign looks like to a person. Names are operators' own, so none is read as markup."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

_COLOURS = {"done": "green", "failed": "bold red", "under-way": "cyan", "returned": "yellow", "paused": "bold yellow"}
_SHOWN = ("failed", "under-way", "returned")
"""Hosts in these states are shown one by one."""

_MOST_HELD = 12


def campaigns(rows: list[dict[str, Any]]) -> Table:
    """All campaigns, newest first."""
    table = Table("campaign", "state", "by", "made", "work", "why")
    for row in rows:
        work = row["order"]["work"]
        table.add_row(
            *map(Text, (row["id"], row["state"], row["who"], _clock(row["created_at"]), _work(work), row["why"]))
        )
    return table


def progress(data: dict[str, Any]) -> Iterator[RenderableType]:
    """One campaign, most important first."""
    campaign, members = data["campaign"], data["members"]
    counts = Counter(member["state"] for member in members)
    order = campaign["order"]
    head = f"{campaign['id']}  {campaign['state']}  {_work(order['work'])}"
    yield Text(head, style=_COLOURS.get(campaign["state"], "bold"))
    yield Text(f"{_bar(counts['done'], len(members))} {counts['done']} of {len(members)} hosts done; " + _rest(counts))
    if campaign["why"]:
        yield Text(f"why: {campaign['why']}", style="yellow")
    if data["waits"]:
        yield Text(f"waits for: {data['waits']}", style="yellow")
    yield Text(_ahead(data))
    yield Text(_limits(order, sum(member["canary"] for member in members)))
    shown = [member for member in members if member["state"] in _SHOWN or _waits_again(member)]
    if shown:
        yield _hosts(shown, data["doing"])
    if data["held"]:
        yield _held(data["held"])


def _waits_again(member: dict[str, Any]) -> bool:
    """Whether it waits to be tried again, which is to be out of service still."""
    return bool(member["state"] == "waiting" and member["attempt"] > 1)


def _bar(done: int, total: int, width: int = 24) -> str:
    full = width * done // max(total, 1)
    return f"[{'#' * full}{'.' * (width - full)}]"


def _rest(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items()) if state != "done") or "none left"


def _ahead(data: dict[str, Any]) -> str:
    campaign = data["campaign"]
    if campaign["ended_at"] is not None:
        return f"ended {_clock(campaign['ended_at'])} UTC"
    if data["ends_at"] is None:
        return f"at least {data['waves_left']} waves left; no end can be told yet"
    steps = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in data["seconds"].items())
    where = f", out in {data['domain']}" if data["domain"] else ""
    return f"at least {data['waves_left']} waves left{where}; should end {_clock(data['ends_at'])} UTC ({steps})"


def _limits(order: dict[str, Any], canaries: int) -> str:
    limits = order["limits"]
    soak = f", which soak {order['canaries']['soak_minutes']:g} min" if canaries else ""
    return (
        f"{limits['hosts_at_once']} hosts at once in one {limits['domain']}; {canaries} canaries{soak}; "
        f"{limits['failure_budget']} hosts may fail"
    )


def _hosts(members: list[dict[str, Any]], doing: dict[str, str]) -> Table:
    table = Table("host", "domain", "state", "since", "what")
    table.columns[4].overflow = "fold"
    for member in members:
        what = doing.get(member["host"]) or member["why"]
        since = member["ended_at"] or member["began_at"]
        style = _COLOURS.get(member["state"], "")
        cells = (member["host"], member["domain"], member["state"], _clock(since), what)
        table.add_row(*map(Text, cells), style=style)
    return table


def _held(held: list[dict[str, str]]) -> Table:
    table = Table("held host", "rule", "why", title="cannot be begun now", title_justify="left")
    for one in held[:_MOST_HELD]:
        table.add_row(*(Text(one[name]) for name in ("host", "rule", "why")))
    if len(held) > _MOST_HELD:
        table.add_row(Text(f"{len(held) - _MOST_HELD} more"), Text(""), Text("see --json"))
    return table


def _work(work: dict[str, Any]) -> str:
    done = work["playbook"] or "reboot"
    return done if work["playbook"] is None else f"{done}, reboot {work['reboot']}"


def _clock(when: str | None) -> str:
    return "" if when is None else f"{datetime.fromisoformat(when):%Y-%m-%d %H:%M}"
