"""What the demonstration learns while it looks on: the daemon by its socket, the twin by its ground truth."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.api import client
from controller.errors import TransientError

Json = dict[str, Any]

RULES = ("capacity", "clearance", "group")
"""What no move may ever break, by the first word of the twin's keys."""


@dataclass(slots=True, kw_only=True)
class Story:
    """Everything seen so far. `first` and `truth`: the twin's truth before the daemon began, and now.

    `plans` by id; `breaches`: the first words of each breach the daemon ever found, by key, and `at_found` the truth at
    that look; `rules_broken`: keys of rules that did not hold at any look, though they held at the first.
    """

    first: Json
    truth: Json
    status: Json | None = None
    plans: dict[str, Json] = field(default_factory=dict)
    breaches: dict[str, Json] = field(default_factory=dict)
    at_found: dict[str, Json] = field(default_factory=dict)
    moves: list[Json] = field(default_factory=list)
    rules_broken: set[str] = field(default_factory=set)

    def add(self, truth: Json, status: Json, plan: Json | None, moves: list[Json]) -> None:
        """One look."""
        self.truth, self.status, self.moves = truth, status, moves
        news = set(truth["broken"]) - set(self.first["broken"])
        self.rules_broken |= {key for key in news if key.partition(":")[0] in RULES}
        if plan is not None and plan["moves"] and plan["id"] not in self.plans:
            self.plans[plan["id"]] = plan
            for breach in plan["breaches_before"]:
                self.breaches.setdefault(breach["key"], breach)
                self.at_found.setdefault(breach["key"], truth)

    def planned(self, move: Json) -> Json | None:
        """The plan's own words for a move of the journal."""
        plan_id, _, number = move["intent"]["id"].rpartition("-")
        plan = self.plans.get(plan_id)
        return None if plan is None else next((one for one in plan["moves"] if str(one["n"]) == number), None)


def amount(truth: Mapping[str, Any], key: str) -> tuple[float, float, str]:
    """Load, limit and unit of a breach key, by the twin's truth; NaN for what the twin does not know."""
    kind, _, subject = key.partition(":")
    if kind == "health":
        vms = [host["vms"] for host in truth["hosts"] if host["name"] == subject]
        return (float(vms[0]) if vms else float("nan")), 0.0, "VMs"
    limit = next((one for one in truth["limits"] if one["key"] == key), None)
    return (float("nan"), float("nan"), "") if limit is None else (limit["load"], limit["limit"], limit["unit"])


def truth(port: int) -> Json:
    """The twin's ground truth now. Raises TransientError."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/twin/truth")
        said: Json = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise TransientError(f"the twin's truth cannot be read: {error}", where=f"127.0.0.1:{port}") from error
    finally:
        connection.close()
    return said


def look(story: Story, socket: Path, port: int) -> None:
    """Adds one look to the story. Raises TransientError where daemon or twin do not answer."""
    status = client.call(socket, "GET", "/status")
    plan, moves = client.call(socket, "GET", "/plan"), client.call(socket, "GET", "/moves?hours=1")
    story.add(truth(port), status, plan, moves)
