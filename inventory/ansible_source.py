"""What the plugin gives Ansible of an estate, as plain values that its cache can keep."""

import hashlib
from pathlib import Path
from typing import TypedDict

from inventory import groups, hostvars, nodes
from inventory.groups import Group
from inventory.model import Estate


class GroupContent(TypedDict):
    """A group by name, with the names of the hosts and groups directly in it."""

    name: str
    hosts: list[str]
    children: list[str]


class Content(TypedDict):
    """Groups, parents before children; variables by host; sentences for the people who run a playbook."""

    groups: list[GroupContent]
    hosts: dict[str, hostvars.Variables]
    warnings: list[str]


def content(estate: Estate) -> Content:
    """All of a valid estate."""
    return {
        "groups": [_group(each) for each in groups.of(estate)],
        "hosts": hostvars.of(estate),
        "warnings": [_alike(dimension, name) for dimension, name in groups.hosts_named_alike(estate)],
    }


def digest(directory: Path) -> str:
    """Changes with any file of the estate, and with the program that reads it."""
    found = hashlib.sha256()
    for path in (*sorted(Path(__file__).parent.rglob("*.py")), *nodes.paths(directory)):
        text = path.read_bytes()
        found.update(f"{path}\0{len(text)}\0".encode())
        found.update(text)
    return found.hexdigest()


def _group(each: Group) -> GroupContent:
    return {"name": each.name, "hosts": list(each.hosts), "children": list(each.children)}


def _alike(dimension: str, name: str) -> str:
    group = groups.group_name(dimension, name)
    return f"{dimension} {name} has the name of a host: --limit {dimension}:{name} selects that host (write {group})"
