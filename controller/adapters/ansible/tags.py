"""The tags by which a part of a playbook can be chosen: a run with none of them would do nothing and end well."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_SPECIAL = frozenset({"all", "tagged", "untagged"})
"""Ansible's own words for some tasks; `always` and `never` stand where tasks carry them."""

_ROLE_BY = ("ansible.builtin.include_role", "ansible.builtin.import_role", "include_role", "import_role")
_TASKS_IN = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always")


@dataclass(frozen=True, slots=True)
class _Roles:
    """Where roles stand, and those that were read: one may include itself or be named more than once."""

    folder: Path
    read: set[str] = field(default_factory=set)


def of(playbook: Path) -> frozenset[str]:
    """Those of its plays and tasks, of the playbooks that it imports and of the roles that it names.

    Roles stand in `roles` beside the playbook. Raises `OSError` and `yaml.YAMLError` for a file that cannot be read.
    """
    return _SPECIAL | frozenset(_of_playbook(playbook, _Roles(playbook.parent / "roles")))


def _of_playbook(playbook: Path, roles: _Roles) -> Iterator[str]:
    for play in yaml.safe_load(playbook.read_text()) or ():
        imported = play.get("ansible.builtin.import_playbook", play.get("import_playbook"))
        if imported is not None:
            yield from _of_playbook(playbook.parent / imported, roles)
        yield from _of_block(play, roles)
        for role in play.get("roles") or ():
            yield from _of_role(role, roles)


def _of_block(block: dict[str, Any], roles: _Roles) -> Iterator[str]:
    """A play, a block or a task."""
    yield from _listed(block.get("tags"))
    for name in _TASKS_IN:
        for task in block.get(name) or ():
            yield from _of_block(task, roles)
    for name in _ROLE_BY:
        if isinstance(block.get(name), dict):
            yield from _listed((block[name].get("apply") or {}).get("tags"))
            yield from _of_role(block[name]["name"], roles)


def _of_role(role: Any, roles: _Roles) -> Iterator[str]:
    name = role
    if isinstance(role, dict):
        yield from _listed(role.get("tags"))
        name = role.get("role", role.get("name"))
    if name in roles.read:
        return
    roles.read.add(name)
    for path in sorted((roles.folder / str(name)).glob("tasks/*.yml")):
        for task in yaml.safe_load(path.read_text()) or ():
            yield from _of_block(task, roles)


def _listed(tags: Any) -> Iterator[str]:
    """A list of tags, or several in one string with commas between."""
    for each in tags if isinstance(tags, list) else [tags]:
        if each is not None:
            yield from (word.strip() for word in str(each).split(","))
