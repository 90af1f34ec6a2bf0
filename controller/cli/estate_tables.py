"""What an estate looks like to a person."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from inventory.summary import FeedTotals, LevelTotals, RoomTotals, Summary

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "hosts": ("name", "type", "rack", "unit", "clearance", "cords", "lifecycle"),
    "host_types": ("name", "vcpus", "memory_mib", "disk_gib", "idle_watts", "peak_watts", "cpu_ratio", "generation"),
    "pdus": ("name", "rack", "feed", "rated_amps", "volts", "phases", "profile", "address"),
    "systems": ("name", "agency", "classification", "tier", "vm_sets"),
    "aggregates": ("name", "availability_zone", "hosts", "metadata"),
}
"""Columns of the tables that are too wide to show whole; `--json` shows all."""

_LONGEST_LIST = 4


def summary(totals: Summary) -> list[RenderableType]:
    """The whole summary."""
    counts = ", ".join(f"{table.replace('_', ' ')} {count:,}" for table, count in totals.counts.items() if count)
    return [
        Text(f"{totals.name}  {totals.vms:,} VMs  {totals.timezone}", style="bold"),
        Text(counts),
        _rooms(totals.rooms),
        _levels(totals.levels),
        _feeds(totals.feeds),
    ]


def _titled(title: str, *columns: str, numbers_from: int = 1_000) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index >= numbers_from else "left", overflow="fold")
    return table


def _rooms(rooms: Sequence[RoomTotals]) -> Table:
    levels = tuple(rooms[0].hosts_by_clearance) if rooms else ()
    table = _titled("hosts by room and clearance", "room", "racks", "hosts", *levels, "threads", "GiB", numbers_from=1)
    for room in rooms:
        cleared = (f"{count:,}" for count in room.hosts_by_clearance.values())
        amounts = (f"{room.racks:,}", f"{room.hosts:,}", *cleared, f"{room.threads:,}", f"{room.memory_gib:,}")
        table.add_row(room.room, *amounts)
    return table


def _levels(levels: Sequence[LevelTotals]) -> Table:
    table = _titled(
        "VMs by level", "level", "systems", "VMs", "their GiB", "hosts cleared for it", "GiB of those", numbers_from=1
    )
    for each in levels:
        counts = (each.systems, each.vms, each.vms_memory_gib, each.cleared_hosts, each.cleared_memory_gib)
        table.add_row(each.level, *(f"{count:,}" for count in counts))
    return table


def _feeds(feeds: Sequence[FeedTotals]) -> Table:
    columns = ("feed", "room", "partner", "limit kW", "all idle kW", "all at peak kW", "idle share")
    table = _titled("feeds, each carrying its hosts alone", *columns, numbers_from=3)
    for feed in feeds:
        watts = (feed.limit_watts, feed.idle_watts, feed.peak_watts)
        share = f"{feed.idle_watts / feed.limit_watts:.0%}"
        table.add_row(feed.feed, feed.room, feed.partner or "", *(f"{each / 1000:,.1f}" for each in watts), share)
    return table


def rows(table: str, values: Sequence[Mapping[str, object]]) -> Table:
    """The rows of one table of the estate."""
    names = _COLUMNS.get(table) or tuple(values[0] if values else ("name",))
    title = f"{len(values):,} {table.replace('_', ' ')}"
    shown = _titled(title, *names)
    for value in values:
        shown.add_row(*(Text(_cell(value.get(name))) for name in names))
    return shown


def one(value: Mapping[str, object]) -> Table:
    """Every field of one row."""
    shown = _titled("", "field", "value")
    for name, each in value.items():
        lines = [_cell(item) for item in each] if isinstance(each, list) else [_cell(each)]
        shown.add_row(name, Text("\n".join(lines)))
    return shown


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping) and "pdu" in value:
        return f"{value['pdu']}/{value['phase']}"
    if isinstance(value, Mapping) and "flavor" in value:
        return f"{value['count']} {value['role']} of {value['flavor']}{_spread(value['spread'])}"
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_cell(each)}" for key, each in value.items())
    if isinstance(value, list):
        more = f" … {len(value)} in all" if len(value) > _LONGEST_LIST else ""
        return "; ".join(_cell(each) for each in value[:_LONGEST_LIST]) + more
    return str(value)


def _spread(value: object) -> str:
    if isinstance(value, list):
        return "".join(map(_spread, value))
    if not isinstance(value, Mapping):
        return ""
    most = "" if value["max_per_domain"] is None else f", {value['max_per_domain']} a {value['domain']}"
    return most + (f", in {value['at_least']} {value['domain']}s at least" if value["at_least"] > 1 else "")
