"""What the daemon's answers look like to a person. Names are tenants' own, so none is read as markup."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from controller.api.wire import to_json
from controller.model.policy import Mode

_COLOURS = {"succeeded": "green", "failed": "red", "lost": "bold red", "aborted": "yellow", "refused": "yellow"}


def plain(value: object) -> dict[str, Any]:
    """A value as the daemon would have sent it."""
    data: dict[str, Any] = to_json(value)
    return data


def status(data: dict[str, Any]) -> list[RenderableType]:
    """The whole status, most important first."""
    mode = Mode(data["mode"]).name.lower()
    hosts, vms = data["hosts"], data["vms"]
    lines: list[RenderableType] = [
        Text(f"{data['estate']}  mode {mode}  {_age(data['turned_at'])}", style="bold"),
        Text(data["sentence"]),
        Text(
            f"{hosts['total']} hosts, {hosts['trusted']} trusted, {hosts['draining']} draining, "
            f"{len(hosts['unknown'])} unknown; {vms['total']} VMs, {vms['moving']} moving, {vms['unknown']} unknown"
        ),
        *_warnings(data),
    ]
    if data["plan"]:
        lines += [limits(data["plan"]["limits"])]
    if any(_carried(rack) for rack in data["racks"]):
        lines += [uplinks(data["racks"])]
    if data["drains"]:
        lines += [drain(one, []) for one in data["drains"]]
    if data["host_runs"]:
        lines += [host_runs(data["host_runs"])]
    if data["running"]:
        lines += [moves(data["running"])]
    return lines


def _warnings(data: dict[str, Any]) -> Iterable[Text]:
    if data["stopped"]:
        yield Text(f"STOPPED: {data['stopped']}", style="bold red")
    if data["freeze"]:
        yield Text(f"FROZEN: {data['freeze']}", style="bold yellow")
    if data["hosts"]["unknown"]:
        yield Text(f"UNKNOWN HOSTS: {', '.join(data['hosts']['unknown'])}", style="yellow")
    for pause in data["pauses"]:
        scope = pause["scope"]
        where = f"{scope['kind']}:{scope['name']}" if scope else "everything"
        yield Text(f"PAUSED: {where} by {pause['who']} {_age(pause['since'])}: {pause['why']}", style="yellow")
    if data["budget"]["exhausted"]:
        yield Text("ERROR BUDGET spent: look at the failures in gdcc moves, then gdcc resume", style="bold red")


def limits(rows: list[dict[str, Any]], most: int = 12) -> Table:
    """The limits with least room, before and after the plan."""
    tight = sorted(rows, key=lambda row: -((row["before"] + row["unread"]) / row["limit"] if row["limit"] else 0.0))
    shown = tight[:most]
    amounts = (*_AMOUNTS, "unread") if any(row["unread"] for row in shown) else _AMOUNTS
    table = Table("limit", "unit", *(_HEADS[name] for name in amounts), title="tightest limits", title_justify="left")
    for column in table.columns[2:]:
        column.justify = "right"
    for row in shown:
        style = "red" if row["before"] > row["limit"] else ""
        cells = (f"{row[name]:,.4g}" if row["unit"] == "ratio" else f"{row[name]:,.1f}" for name in amounts)
        table.add_row(*map(Text, (row["key"], row["unit"], *cells)), style=style)
    return table


_AMOUNTS = ("before", "after", "limit")
_HEADS = {"before": "before", "after": "after plan", "limit": "limit is", "unread": "hosts not read add up to"}


def uplinks(racks: list[dict[str, Any]], most: int = 6) -> Table:
    """The racks whose uplinks have the least room, of those that are read."""
    table = Table("rack", "in MiB/s", "out MiB/s", "may carry", title="fullest uplinks", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    fullest = sorted((rack for rack in racks if _carried(rack)), key=lambda rack: (-_full(rack), rack["rack"]))
    for rack in fullest[:most]:
        cells = (f"{rack[name] / 2**20:,.1f}" for name in (*_CARRIED, "uplink_bytes_s"))
        table.add_row(*map(Text, (rack["rack"], *cells)), style="red" if _full(rack) > 1.0 else "")
    return table


_CARRIED = ("uplink_in_bytes_s", "uplink_out_bytes_s")


def _carried(rack: dict[str, Any]) -> bool:
    return all(rack.get(name) is not None for name in _CARRIED)


def _full(rack: dict[str, Any]) -> float:
    carried: float = max(rack[name] for name in _CARRIED)
    return carried / rack["uplink_bytes_s"] if rack["uplink_bytes_s"] else 0.0


def moves(entries: list[dict[str, Any]]) -> Table:
    """Journal entries, oldest first: what asked for each, or what went wrong with it."""
    table = Table("when", "VM", "from → to", "state", "seconds", "for")
    table.columns[1].overflow = "fold"
    for entry in entries:
        intent, outcome = entry["intent"], entry["outcome"] or {}
        seconds = outcome.get("seconds")
        good = entry["state"] in {"succeeded", "intended", "sent", "running", "verifying"}
        table.add_row(
            Text(intent["created_at"][11:19]),
            Text(intent["server_name"]),
            Text(f"{intent['source']} → {intent['target']}"),
            Text(entry["state"], style=_COLOURS.get(entry["state"], "")),
            "" if seconds is None else f"{seconds:.1f}",
            Text(intent["rule"] if good else outcome.get("why") or intent["rule"]),
        )
    return table


def drain(data: dict[str, Any], entries: list[dict[str, Any]]) -> RenderableType:
    """One drain: its state, who must act, and its moves."""
    head = Text(f"drain of {data['host']}: {data['state']} ({data['why']}, by {data['who']})", style="bold")
    parts: list[RenderableType] = [head]
    if data["holdouts"]:
        table = Table("server", "status", "why it stays", "who must act")
        for held in data["holdouts"]:
            table.add_row(*(Text(held[name]) for name in ("server_name", "status", "why", "who_must_act")))
        parts.append(table)
    own = [entry for entry in entries if entry["intent"]["id"].startswith(f"{data['id']}-")]
    if own:
        parts.append(moves(own))
    return Group(*parts)


def host_runs(runs: list[dict[str, Any]]) -> Table:
    """What was done to hosts by playbooks; an open one that nobody works on goes on by the same verb again."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("since", "host", "verb", "by", "step", "state"):
        table.add_column(name, no_wrap=True)
    table.add_column("says", overflow="fold")
    for run in runs:
        state = Text(run["state"], style={"open": "cyan", "done": "green"}.get(run["state"], "red"))
        words = (Text(run[name]) for name in ("host", "verb", "who", "step"))
        said = Text(run["said"].removeprefix(f"{run['host']}: "))
        table.add_row(Text(run["since"][5:16].replace("T", " ")), *words, state, said)
    return table


def _age(when: str | None) -> str:
    if when is None:
        return "no turn yet"
    seconds = (datetime.now(UTC) - datetime.fromisoformat(when)).total_seconds()
    return f"{seconds:.0f} s ago"
