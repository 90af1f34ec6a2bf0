"""What an explanation holds, and what a plan alone can say of its moves and holds."""

from dataclasses import dataclass, replace

from controller import errors
from controller.model.plan import Alternative, Move, Plan
from controller.planner import amounts, counterfactual, figures
from controller.planner.conflict import Conflict
from controller.planner.counterfactual import Counterfactual
from controller.planner.holds import Left
from controller.planner.terms import Term


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`kind` is move, vm, host, breach, or hold where only a plan is asked.

    `terms` are those that the move changes and `paid_by` the key of the one that pays; `unless` is what would undo it.
    `ruled_out` counts hosts by the first rule against each, `conflict` is why a VM has no target, `left` why breaches
    stay: those of a host and of its supplies.
    """

    subject: str
    kind: str
    sentence: str
    numbers: figures.Figures = ()
    terms: tuple[Term, ...] = ()
    paid_by: str = ""
    unless: tuple[Counterfactual, ...] = ()
    alternative: Alternative | None = None
    ruled_out: tuple[tuple[str, int], ...] = ()
    conflict: Conflict | None = None
    left: tuple[Left, ...] = ()


def from_plan(plan: Plan, subject: str) -> Explanation:
    """What a plan alone says: a move, by its number or its VM, or what holds a VM or a host.

    `InputError` where the plan says nothing of it, or moves several VMs of that name.
    """
    moves = moves_of(plan, subject)
    if len(moves) > 1:
        raise errors.InputError(
            f"plan {plan.id} moves {len(moves)} VMs named {subject!r}", remedy="give the number of a move, or an id"
        )
    if moves:
        return _alone(plan, moves[0])
    held = [hold for hold in plan.holds if subject in {hold.vm, hold.breach, hold.breach.partition(":")[2]}]
    if not held:
        what = f"plan {plan.id} neither moves nor holds {subject}"
        raise errors.InputError(what, remedy="name a move's number, a VM or a host of the plan, or a --snapshot")
    return Explanation(
        subject=subject,
        kind="hold",
        sentence=held[0].why,
        numbers=tuple((hold.breach, f"{hold.why} ({hold.rule})") for hold in held),
    )


def moves_of(plan: Plan, subject: str) -> tuple[Move, ...]:
    """The move of that number; where there is none that of the VM of that id, else those of VMs of that name."""
    called = [(str(move.n), move.vm, move.vm_name) for move in plan.moves]
    best = min((names.index(subject) for names in called if subject in names), default=0)
    return tuple(move for move, names in zip(plan.moves, called, strict=True) if names[best] == subject)


def of_move(plan: Plan, move: Move) -> Explanation:
    """What a plan itself says of a move."""
    scores = zip(plan.objective, move.score_before, move.score_after, strict=False)
    numbers = (
        *((name, f"{before:g} → {after:g}") for name, before, after in scores),
        ("wave", f"{move.wave} of {len(plan.waves)}"),
        ("copy", f"{move.copy_bytes / amounts.GIB:.1f} GiB in {move.copy.total_seconds():.0f} s (estimate)"),
        ("blackout", f"{move.blackout_estimate.total_seconds():.2f} s (estimate)"),
    )
    return Explanation(
        subject=f"move {move.n}", kind="move", sentence=move.why, numbers=numbers, alternative=move.alternative
    )


def _alone(plan: Plan, move: Move) -> Explanation:
    """The same with the concern that pays and with what asks for it: all that the plan knows of either."""
    told = of_move(plan, move)
    scores = zip(plan.objective, move.score_before, move.score_after, strict=False)
    fell = next((f"; paid for by {name} {was:g} → {is_:g}" for name, was, is_ in scores if is_ < was), "")
    asked = [counterfactual.of_breach(breach) for breach in plan.breaches_before if breach.key == move.breach]
    unless = tuple(
        Counterfactual(stops="breaches", breaches=(move.breach,), conditions=(), sentence=said) for said in asked
    )
    return replace(told, sentence=told.sentence + fell, unless=unless)
