"""Snapshot in, plan out: every YAML file here is a small cluster and what its plan must be.

`racks`, `supplies`, `systems`, `hosts`, `vms`, `groups`, `aggregates` are words of `tests.builders`; a list of names
stands for things that are as usual. `policy` has `limits`, `thresholds`, `balance`, `consolidation`. Of `expect`:
`moves` maps a VM to its target (or to any of a list), and no other VM may move; `holds` maps a VM or a breach to the
rule that holds it; `left` are the breaches after, unevenness aside; `waves` is how many; `says` stands in the plan's
sentence.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.model.cluster import Cluster, GroupKind, PowerKind, Requirement, VmState
from controller.model.plan import Concern, Plan
from controller.model.policy import Consolidation, Limits, Policy, Thresholds
from controller.planner import plan
from inventory.model import Classification, Domain
from tests import builders

FILES = sorted(Path(__file__).parent.glob("*.yaml"))
WORDS = {
    "classification": lambda word: Classification[word.upper()],
    "clearance": lambda word: Classification[word.upper()],
    "state": lambda word: VmState[word.upper()],
    "kind": lambda word: PowerKind[word.upper()] if word.upper() in PowerKind.__members__ else GroupKind(word),
    "domain": Domain,
    "requirement": lambda asked: Requirement(
        **{key: frozenset(value) if key.endswith("traits") else value for key, value in asked.items()}
    ),
    "traits": frozenset,
    "supplies": tuple,
    "members": tuple,
    "max_copy": lambda seconds: timedelta(seconds=seconds),
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_plan_is_the_expected_one(path: Path) -> None:
    scenario = yaml.safe_load(path.read_text(encoding="utf-8"))
    made = plan.plan(_cluster(scenario), _policy(scenario.get("policy", {})), builders.NOW, **scenario.get("ask", {}))
    _compare(made, scenario["expect"])


def _compare(made: Plan, expected: dict[str, Any]) -> None:
    targets = {vm: _listed(target) for vm, target in expected.get("moves", {}).items()}
    moved = {move.vm_name: move.target for move in made.moves}
    assert set(moved) == set(targets), made.holds
    assert {vm: host for vm, host in moved.items() if host not in targets[vm]} == {}
    left = {breach.key for breach in made.breaches_after if breach.concern is not Concern.UNEVEN}
    assert left == set(expected.get("left", []))
    held = {hold.vm or hold.breach: hold.rule for hold in made.holds}
    assert {subject: held.get(subject) for subject in expected.get("holds", {})} == expected.get("holds", {})
    assert len(made.waves) == expected.get("waves", len(made.waves))
    assert expected.get("says", "") in made.sentence
    assert all(move.alternative is None or move.alternative.host != move.target for move in made.moves)


def _listed(target: str | list[str]) -> list[str]:
    return [target] if isinstance(target, str) else target


def _cluster(scenario: dict[str, Any]) -> Cluster:
    kinds = {"hosts": builders.Host, "vms": builders.Vm, "racks": builders.Rack, "supplies": builders.Supply,
             "systems": builders.System, "groups": builders.Group, "aggregates": builders.Aggregate}  # fmt: skip
    tables = {name: [_made(kinds[name], row) for row in scenario[name]] for name in kinds if name in scenario}
    more = {
        name: scenario[name] for name in ("refusals", "breach_since", "moved_last_hour", "freeze") if name in scenario
    }
    return builders.cluster(**tables, **more)


def _made(kind: type, row: str | dict[str, Any]) -> Any:
    words = {"name": row} if isinstance(row, str) else row
    return kind(**{key: WORDS[key](value) if key in WORDS else value for key, value in words.items()})


def _policy(words: dict[str, Any]) -> Policy:
    limits = {key: WORDS[key](value) if key in WORDS else value for key, value in words.get("limits", {}).items()}
    return Policy(
        limits=Limits(**limits),
        thresholds=Thresholds(**words.get("thresholds", {})),
        balance=words.get("balance", True),
        consolidation=Consolidation(**words.get("consolidation", {})),
    )
