"""`gdcc capacity`: how many more servers of each flavor and classification have a place, and what they run out of."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from controller.api.wire import to_json
from controller.cli.output import people, print_json, told
from controller.cli.seen import Config, Snapshot, seen
from controller.cli.steps import stepped
from controller.cli.whatif_tables import span
from controller.model.whatif import Binding, Defragmented, Fit, Loss
from controller.planner.whatif import capacity as counting
from controller.planner.whatif import defragment, emptying, outcome
from controller.planner.whatif.spare import Left, Spare

Flavor = Annotated[list[str] | None, typer.Option("--flavor", help="Only this one; may be given more than once.")]
Moves = Annotated[int, typer.Option("--moves", min=0, max=10_000, help="So many moves at most to make room for more of "
                  "a flavor; 0 leaves it out.")]  # fmt: skip

MOVES = 100
_NAMED = 3


def capacity(
    snapshot: Snapshot = None,
    config: Config = None,
    flavor: Flavor = None,
    now_only: Annotated[bool, typer.Option("--now", help="Leave out what N+1 holds back; quicker.")] = False,
    moves: Moves = MOVES,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Count how many more servers of each flavor and classification fit, now and with N+1 held for racks and feeds."""
    with told():
        cluster, policy, now = seen(snapshot, config)
        cluster, declared = counting.with_catalog(emptying.windows_open(cluster), flavor)
        spare = outcome.spare(cluster, policy, now)
        likes = counting.likes(spare, declared, flavor)
        asked = () if now_only or not likes else counting.losses(spare.situation.cluster)
        held = [(loss, counting.after(spare, loss)) for loss in stepped(asked, "losing each")]
        fits = [_fit(spare, like, held, moves) for like in stepped(likes, "counting")]
    if json:
        print_json([to_json(fit) for fit in fits])
        return
    people.print(_table(fits, with_kept=not now_only, with_moves=moves > 0))
    lost = [str(loss) for loss, left in held if left is None]
    if lost:
        some = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        people.print(Text(f"N+1 is not held: without {some} servers have no place; see gdcc whatif", style="bold red"))


def _fit(spare: Spare, like: counting.Like, held: Sequence[tuple[Loss, Left | None]], moves: int) -> Fit:
    found = counting.fit(spare, like, held)
    return replace(found, freed=defragment.plan(spare, like, moves)) if moves else found


def _table(fits: Sequence[Fit], *, with_kept: bool, with_moves: bool) -> Table:
    """One row a flavor and classification; what runs out first, on how many hosts and where."""
    kept = ("with N+1 held", "held back for") if with_kept else ()
    freed = ("moves would free",) if with_moves else ()
    table = Table("flavor", "classification", "servers", "more fit", *kept, "hosts", "runs out of", "in pieces", *freed)
    for column in table.columns:
        column.overflow = "fold"
    for fit in fits:
        binding = "; ".join(f"{each.resource} on {each.hosts:,}{_where(each)}" for each in fit.where)
        held = (f"{fit.kept:,}", str(fit.kept_for or "")) if with_kept else ()
        cells = (fit.flavor, fit.classification, f"{fit.servers:,}", f"{fit.now:,}", *held, f"{fit.hosts:,}", binding)
        moves = (_freed(fit.freed),) if fit.freed else ()
        table.add_row(
            *map(Text, (*cells, f"{fit.in_pieces:,}", *moves)), style="red" if not (fit.kept and fit.now) else ""
        )
    return table


def _where(binding: Binding) -> str:
    """` (r1, r2)`; where these are many racks, in which rooms most are."""
    places = binding.racks if len(binding.racks) <= _NAMED else binding.rooms
    if not places:
        return ""
    named = ", ".join(f"{name} {count:,}" if len(places) > 1 else name for name, count in places[:_NAMED])
    return f" ({named}{f' and {len(places) - _NAMED} more' if len(places) > _NAMED else ''})"


def _freed(found: Defragmented) -> str:
    """`5 by 3 moves, about 2 min`"""
    moves = len(found.moves)
    return f"{found.more:,} by {moves:,} move{'' if moves == 1 else 's'}, {span(found.takes)}" if moves else "none"
