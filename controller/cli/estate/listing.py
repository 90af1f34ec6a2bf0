"""`gdcc estate list`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table
from rich.text import Text

from controller.adapters.pulumi import locks, stack_files, stacks
from controller.cli.estate import proposing
from controller.cli.estate.select import Selection
from controller.cli.output import people, print_json
from inventory import names


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One stack: `known` is Pulumi's row, None where the estate has the agency and the backend no stack."""

    stack: str
    known: Mapping[str, object] | None
    declared: bool
    locks: tuple[locks.Lock, ...]

    @property
    def says(self) -> str:
        """What a reader should know of it."""
        if self.locks:
            return f"{self.locks[0]}; {locks.remedy(self.stack, self.locks[0])}"
        if not self.declared:
            return "the estate has no such agency: give it its name back, or destroy it from an estate that has it"
        if self.known is None:
            return "not deployed"
        return "an update is in progress" if self.known.get("updateInProgress") else ""


def listed(chosen: Selection) -> list[Listed]:
    """The chosen stacks, then those of the backend that the estate does not have."""
    known = stack_files.existing(chosen.tool)
    held = locks.in_files(chosen.tool.env.get("PULUMI_BACKEND_URL", ""), names.PROJECT, chosen.tool.root)
    every = {stacks.FOUNDATION, *map(stacks.agency_stack, chosen.estate.agencies)}
    strange = sorted(known.keys() - every)
    return [
        Listed(stack=stack, known=known.get(stack), declared=stack in every, locks=held.get(stack, ()))
        for stack in (*chosen.stacks, *strange)
    ]


def show(chosen: Selection, as_json: bool) -> None:
    """Tells of every stack."""
    rows, proposed = listed(chosen), proposing.sentences(chosen)
    if as_json:
        print_json({"stacks": [_row(each) for each in rows], "proposals": proposed})
    else:
        people.print(_table(rows))
        for sentence in proposed:
            people.print(sentence, markup=False, soft_wrap=True)


def _row(each: Listed) -> dict[str, object]:
    known = each.known or {}
    return {
        "stack": each.stack,
        "deployed": each.known is not None,
        "declared": each.declared,
        "resources": known.get("resourceCount", 0),
        "last_update": known.get("lastUpdate"),
        "locks": [
            {"user": lock.user, "host": lock.host, "pid": lock.pid, "since": lock.since.isoformat()}
            for lock in each.locks
        ],
        "says": each.says,
    }


def _table(rows: Sequence[Listed]) -> Table:
    there = sum(1 for each in rows if each.known is not None)
    count = f"{len(rows)} {'stack' if len(rows) == 1 else 'stacks'}"
    shown = Table(title=f"{count}, {there} deployed", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("stack", "resources", "last update"):
        shown.add_column(column, justify="right" if column == "resources" else "left", no_wrap=True)
    shown.add_column("says", overflow="fold")
    for each in rows:
        known = each.known or {}
        last = str(known.get("lastUpdate") or "")[:16].replace("T", " ")
        shown.add_row(each.stack, str(known.get("resourceCount", "")), last, Text(each.says))
    return shown
