"""Why no plan of the controller's own is started now, whatever it says. Reads the journal, changes nothing."""

from datetime import datetime
from zoneinfo import ZoneInfo

from controller.engine import calendar, guard
from controller.engine.ports import Journal
from controller.model.policy import Mode, Policy


def held_back(journal: Journal, policy: Policy, timezone: str, now: datetime) -> str | None:
    """One sentence on the mode, a pause of everything, our own windows or the error budget; None where none holds."""
    if policy.mode < Mode.APPROVE:
        return f"Mode {policy.mode.name.lower()}: nothing is moved."
    for pause in journal.pauses():
        if pause.scope is None:
            return f"Paused by {pause.who} at {pause.since:%Y-%m-%d %H:%M} UTC: {pause.why or 'no reason given'}."
    if not calendar.allows(policy.windows, policy.blackouts, now, timezone):
        local = now.astimezone(ZoneInfo(timezone))
        return f"It is {local:%a %H:%M} in {timezone}, outside the windows of the controller's own moves."
    spent = guard.budget_spent(guard.view(journal, policy, now).failures, policy.error_budget)
    return None if spent is None else f"The error budget is spent: {spent}."
