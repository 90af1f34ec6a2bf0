"""Whether the demonstration shows what it promises: by truth, the daemon's breaches and its journal. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from controller.cli.demo.problems import Problem
from controller.cli.demo.watch import Json, Story, amount

OPEN = frozenset({"intended", "sent", "running", "verifying"})
HOT_RULES = frozenset({"health", "cpu", "memory", "network", "storage", "feed", "pdu", "phase", "capacity",
                       "clearance", "group", "reserve"})  # fmt: skip
"""Rules of the daemon whose breaches are broken or hot; uneven load is neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One problem when it was found and now: by the twin's truth, and in the daemon's own words and numbers.

    `moves` were made for it. `found_as` is None where the daemon never found it. `daemon_well`: its newest plan knows
    of no breach of that kind any more.
    """

    problem: Problem
    limit: float
    unit: str
    before: float
    after: float
    found_as: str | None
    daemon_before: float | None
    daemon_after: float | None
    daemon_well: bool
    moves: int

    @property
    def cured(self) -> bool:
        if self.found_as is None or self.daemon_after is None or not self.daemon_well:
            return False
        return max(self.after, self.daemon_after) <= self.limit < self.before


def rows(story: Story, problems: Sequence[Problem]) -> tuple[Row, ...]:
    """The table of before and after."""
    return tuple(_row(story, problem) for problem in problems)


def _row(story: Story, problem: Problem) -> Row:
    before, limit, unit = amount(story.at_found.get(problem.key, story.first), problem.key)
    breach = story.breaches.get(problem.key)
    return Row(
        problem=problem,
        limit=limit,
        unit=unit,
        before=before,
        after=amount(story.truth, problem.key)[0],
        found_as=None if breach is None else breach["why"],
        daemon_before=None if breach is None else breach["amount"],
        daemon_after=daemon_amount(story, problem),
        daemon_well=_daemon_well(story, problem.kind),
        moves=sum(1 for move in story.moves if _for(story, move) == problem.key),
    )


def _for(story: Story, move: Json) -> str | None:
    planned = story.planned(move)
    return None if planned is None else str(planned["breach"])


def _daemon_well(story: Story, *rules: str) -> bool:
    plan = (story.status or {}).get("plan")
    return plan is not None and not any(plan["breaches"].get(rule) for rule in rules)


def daemon_amount(story: Story, problem: Problem) -> float | None:
    """What the daemon's newest plan reckons; None where it names no amount, or where not all of it is read."""
    plan = (story.status or {}).get("plan")
    if plan is None:
        return None
    if problem.kind == "health":
        return None if plan["breaches"].get("health") else 0.0
    limit = next((limit for limit in plan["limits"] if limit["key"] == problem.key), None)
    return None if limit is None or limit["unread"] else float(limit["before"])


def cured(story: Story, problems: Sequence[Problem]) -> bool:
    """Whether nothing is left to do, now: by the truth and by the daemon's newest plan, with no move under way."""
    status = story.status
    if status is None or status["plan"] is None or status["running"] or not problems:
        return False
    quiet = not any(move["state"] in OPEN for move in story.moves)
    return (
        quiet
        and _daemon_well(story, *HOT_RULES)
        and not story.truth["broken"]
        and all(row.cured for row in rows(story, problems))
    )


def missing(story: Story, problems: Sequence[Problem]) -> tuple[str, ...]:
    """What keeps it from being true that all was found and cured and nothing went wrong, a sentence each."""
    found = [] if problems else ["the scenario holds no problem to cure"]
    for row in rows(story, problems):
        found += _short_of(row)
    found += [f"broken at the end by the twin's truth: {key}" for key in story.truth["broken"]]
    found += [f"broken on the way by the twin's truth: {key}" for key in sorted(story.rules_broken)]
    found += [_told(move) for move in story.moves if move["state"] != "succeeded"]
    found += [] if story.moves else ["no VM was moved"]
    return tuple(found)


def _short_of(row: Row) -> list[str]:
    found = []
    if not row.before > row.limit:
        found.append(f"{row.problem.title}: not so by the twin's truth when it was to be found")
    if row.found_as is None:
        found.append(f"{row.problem.title}: the daemon did not find it")
    if not row.after <= row.limit:
        found.append(f"{row.problem.title}: not cured by the twin's truth")
    if not row.daemon_well:
        found.append(f"{row.problem.title}: not cured by the daemon's newest plan")
    return found


def _told(move: Json) -> str:
    why = (move["outcome"] or {}).get("why") or "it has no outcome yet"
    return f"the move of {move['intent']['server_name']} is {move['state']}: {why}"
