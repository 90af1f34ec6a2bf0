"""Named exceptions: which rule may be broken by which resource, why, and until when. They stand in the stack's file.

```yaml
gdcc:exceptions:
- {rule: protected-kinds, resource: tax-return, reason: moved to agency revenue, until: "2026-03-01"}
```
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

RULES = PROTECTED, HOSTS, REBUILD = ("protected-kinds", "hosts-in-aggregates", "no-rebuild")
"""The rules that know exceptions; those of the pack know none."""

UNQUOTED = " 00:00:00 +0000 UTC"
"""What Pulumi adds to a date that stands in a stack's file without quotes."""

FIELDS = ("rule", "resource", "reason", "until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One exception, through the day `until` in UTC. `resource` is a URN, or the name that the program gives."""

    rule: str
    resource: str
    reason: str
    until: date


def parse(text: str) -> tuple[Named, ...]:
    """The exceptions of `gdcc:exceptions`, as Pulumi hands objects over (JSON). Raises ValueError with all problems."""
    try:
        entries = json.loads(text)
    except ValueError:
        raise ValueError("is no list of mappings") from None
    if not isinstance(entries, list):
        raise ValueError("is no list of mappings")
    problems = [problem for number, entry in enumerate(entries, 1) for problem in _problems(number, entry)]
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(Named(**{**entry, "until": _date(entry["until"])}) for entry in entries)


def allows(exceptions: Iterable[Named], rule: str, names: Iterable[str], today: date) -> bool:
    """Whether an exception that has not expired lets the resource (any of its names) break the rule."""
    wanted = set(names)
    return any(each.rule == rule and each.resource in wanted and today <= each.until for each in exceptions)


def _problems(number: int, entry: object) -> Iterable[str]:
    if not isinstance(entry, dict):
        yield f"entry {number} is no mapping"
        return
    if unknown := sorted(entry.keys() - set(FIELDS)):
        yield f"entry {number} has unknown {', '.join(unknown)} (known: {', '.join(FIELDS)})"
    for field in FIELDS:
        if not isinstance(entry.get(field), str) or not entry[field].strip():
            yield f"entry {number} lacks {field}"
    if isinstance(entry.get("rule"), str) and entry["rule"] not in RULES:
        yield f"entry {number} names rule {entry['rule']!r} (known: {', '.join(RULES)})"
    if isinstance(entry.get("until"), str) and _date(entry["until"]) is None:
        yield f"entry {number} ends {entry['until']!r} (write a date such as 2026-01-31)"


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text.removesuffix(UNQUOTED))
    except ValueError:
        return None
