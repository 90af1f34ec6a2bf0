"""`gdcc capacity`: how many more servers of each flavor and classification have a place, and what they run out of."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from controller.api.wire import to_json
from controller.cli.output import people, print_json, told
from controller.cli.seen import Config, Snapshot, seen
from controller.cli.steps import stepped
from controller.model.whatif import Fit
from controller.planner.whatif import capacity as counting
from controller.planner.whatif import outcome


def capacity(
    snapshot: Snapshot = None,
    config: Config = None,
    now_only: Annotated[bool, typer.Option("--now", help="Leave out what N+1 holds back; quicker.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Count how many more servers of each flavor and classification fit, now and with N+1 held for racks and feeds."""
    with told():
        spare = outcome.spare(*seen(snapshot, config))
        asked = () if now_only else counting.losses(spare.situation.cluster)
        held = [(loss, counting.after(spare, loss)) for loss in stepped(asked, "losing each")]
        fits = [counting.fit(spare, like, held) for like in stepped(counting.likes(spare), "counting")]
    if json:
        print_json([to_json(fit) for fit in fits])
        return
    people.print(_table(fits, with_kept=not now_only))
    lost = [str(loss) for loss, left in held if left is None]
    if lost:
        some = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        people.print(Text(f"N+1 is not held: without {some} servers have no place; see gdcc whatif", style="bold red"))


def _table(fits: Sequence[Fit], *, with_kept: bool) -> Table:
    """One row a flavor and classification; what runs out first, on how many hosts."""
    kept = ("with N+1 held", "held back for") if with_kept else ()
    table = Table("flavor", "classification", "servers", "more fit", *kept, "hosts", "runs out of", "in pieces")
    for column in table.columns:
        column.overflow = "fold"
    for fit in fits:
        binding = ", ".join(f"{resource} on {count}" for resource, count in fit.binding)
        held = (f"{fit.kept:,}", str(fit.kept_for or "")) if with_kept else ()
        cells = (fit.flavor, fit.classification, f"{fit.servers:,}", f"{fit.now:,}", *held, f"{fit.hosts:,}", binding)
        table.add_row(*map(Text, cells), f"{fit.in_pieces:,}", style="red" if not (fit.kept and fit.now) else "")
    return table
