"""The tags by which a part of a playbook can be chosen: a run with none of them would do nothing and end well."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_SPECIAL = frozenset({"all", "tagged", "untagged"})
"""Ansible's own words for some tasks; `always` and `never` stand where tasks carry them."""

_ROLE_BY = ("ansible.builtin.include_role", "ansible.builtin.import_role", "include_role", "import_role")
_FILE_BY = ("ansible.builtin.include_tasks", "ansible.builtin.import_tasks", "include_tasks", "import_tasks")
_TASKS_IN = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always")


@dataclass(frozen=True, slots=True)
class _Beside:
    """A playbook's folder, and the files that were read: one may be named more than once, and by itself."""

    folder: Path
    read: set[Path]

    def tasks(self, path: Path) -> Iterator[dict[str, Any]]:
        """The tasks of a file, the first time that it is asked for. There is none whose name only a run knows."""
        if path not in self.read and path.exists():
            self.read.add(path)
            yield from yaml.safe_load(path.read_text()) or ()


def of(playbook: Path) -> frozenset[str]:
    """Those of its plays and tasks, of the playbooks that it imports and of the roles that it names.

    Roles stand in `roles` beside the playbook. Raises `OSError` and `yaml.YAMLError` for a file that cannot be read.
    """
    return _SPECIAL | frozenset(_of_playbook(playbook, set()))


def _of_playbook(playbook: Path, read: set[Path]) -> Iterator[str]:
    beside = _Beside(playbook.parent, read)
    for play in yaml.safe_load(playbook.read_text()) or ():
        imported = play.get("ansible.builtin.import_playbook", play.get("import_playbook"))
        if imported is not None:
            yield from _of_playbook(playbook.parent / imported, read)
        yield from _of_block(play, beside)
        for role in play.get("roles") or ():
            yield from _of_role(role, beside)


def _of_block(block: dict[str, Any], beside: _Beside) -> Iterator[str]:
    """A play, a block or a task."""
    yield from _listed(block.get("tags"))
    for name in _TASKS_IN:
        for task in block.get(name) or ():
            yield from _of_block(task, beside)
    for name in _ROLE_BY:
        if isinstance(block.get(name), dict):
            yield from _listed((block[name].get("apply") or {}).get("tags"))
            yield from _of_role(block[name]["name"], beside)
    for name in _FILE_BY:
        if name in block:
            yield from _of_file(block[name], beside)


def _of_role(role: Any, beside: _Beside) -> Iterator[str]:
    name = role
    if isinstance(role, dict):
        yield from _listed(role.get("tags"))
        name = role.get("role", role.get("name"))
    for path in sorted((beside.folder / "roles" / str(name) / "tasks").rglob("*.yml")):
        for task in beside.tasks(path):
            yield from _of_block(task, beside)


def _of_file(file: Any, beside: _Beside) -> Iterator[str]:
    """Of a file beside the playbook; a role's are all read with it."""
    if isinstance(file, dict):
        yield from _listed((file.get("apply") or {}).get("tags"))
        file = file["file"]
    for task in beside.tasks(beside.folder / file):
        yield from _of_block(task, beside)


def _listed(tags: Any) -> Iterator[str]:
    """A list of tags, or several in one string with commas between."""
    for each in tags if isinstance(tags, list) else [tags]:
        if each is not None:
            yield from (word.strip() for word in str(each).split(","))
