"""docs/policy.md says of every setting what its default is."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import Enum
from pathlib import Path

import yaml
from pydantic import BaseModel

from controller import config
from controller.model.policy import Mode

PAGE = Path(__file__).parents[3] / "docs" / "policy.md"
UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}


def settings(section: str, of: type[BaseModel]) -> Iterator[tuple[str, str, object]]:
    """Section, name and default of every setting."""
    for name, field in of.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from settings(name, type(field.default))
        else:
            default = field.get_default(call_default_factory=True)
            yield section, name, default


def written(value: object) -> set[str]:
    """As an operator would write it."""
    if isinstance(value, timedelta):
        unit, size = next((u, s) for u, s in UNITS.items() if value.total_seconds() % s == 0)
        return {f"`{value.total_seconds() / size:.0f}{unit}`"}
    if isinstance(value, bool):
        return {f"`{str(value).lower()}`"}
    if isinstance(value, Enum):
        return {f"`{value.name.lower()}`"}
    if isinstance(value, Mapping | tuple | frozenset):
        return {f"`{each}`" for each in value} or {"none", "always"}
    return {f"`{value}`"}


def told() -> dict[tuple[str, str], str]:
    """By section and name, what the page says is the default."""
    section, found = "", {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line[3:].partition(":")[0]
        row = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(row) == 3:
            names, defaults = re.findall(r"`(\w+)`", row[0]), row[1].split(", ")
            apart = len(names) > 1
            found |= {(section, name): defaults[n] if apart else row[1] for n, name in enumerate(names)}
    return found


def test_every_setting_stands_there_with_its_default_and_nothing_else_does():
    asked = {(section, name): default for section, name, default in settings("", config.PolicySettings)}
    page = told()
    assert set(page) == set(asked)
    wrong = {
        key: page[key]
        for key, default in asked.items()
        if not (written(default) & {page[key]} or written(default) == set(page[key].split(", ")))
    }
    assert not wrong


def test_its_example_is_a_policy():
    example = PAGE.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    made = config.PolicySettings.model_validate(yaml.safe_load(example)["policy"]).policy()
    assert made.mode is Mode.AUTO and made.scope_modes and made.windows
