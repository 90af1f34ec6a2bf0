"""Runs one plan's own moves, wave by wave, until it is done, fails, or something more urgent wants the hosts."""

from collections.abc import Callable
from dataclasses import dataclass

from controller.engine import order
from controller.engine.migrate import Migrator, succeeded
from controller.engine.order import Order, Result
from controller.engine.sighting import Seen
from controller.model.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What became of a plan: results in order, and the sentence that says why it ended where it did."""

    plan: Plan
    results: tuple[Result, ...]
    sentence: str


Reason = Callable[[], str | None]
"""Why a plan should go no further; None as long as it may."""


async def run(plan: Plan, seen: Seen, migrator: Migrator, interrupted: Reason, yields: Reason) -> Ran:
    """Runs the plan's waves. `interrupted` is asked before each wave and each move, `yields` between waves; what either
    answers ends the plan there. Raises what the journal raises.
    """
    results: list[Result] = []
    for number, wave in enumerate(waves(plan, seen), start=1):
        reason = interrupted() or (yields() if number > 1 else None)
        if reason is not None:
            return _ran(plan, results, f"stopped before wave {number}: {reason}")
        done = await migrator.run_wave(wave, interrupted)
        results += done
        if not all(succeeded(result) for result in done):
            return _ran(plan, results, f"stopped in wave {number}: {_first_failure(done)}")
    return _ran(plan, results, f"done: {len(results)} moves")


def waves(plan: Plan, seen: Seen) -> tuple[tuple[Order, ...], ...]:
    """The plan's orders by wave, each with the flavor that its server had when it was planned."""
    flavors = {server.id: server.flavor_name for server in seen.facts.servers}
    return tuple(tuple(order.planned(plan, move, flavors) for move in wave) for wave in plan.waves)


def _ran(plan: Plan, results: list[Result], sentence: str) -> Ran:
    return Ran(plan=plan, results=tuple(results), sentence=f"plan {plan.id} {sentence}")


def _first_failure(results: tuple[Result, ...]) -> str:
    bad = next(result for result in results if not succeeded(result))
    if bad.refusal is not None:
        return f"{bad.order.server_name} was not moved ({bad.refusal.rule}): {bad.refusal.what}"
    assert bad.entry is not None
    why = bad.entry.outcome.why if bad.entry.outcome else "it has no outcome"
    return f"{bad.order.server_name} {bad.entry.state}: {why}"
