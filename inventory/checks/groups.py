"""Names by which Ansible would select the wrong hosts: groups of one name, hosts called like a group or a pattern."""

import re
from collections.abc import Iterator

from inventory import groups
from inventory.checks.case import Case
from inventory.model import Problem

_PATTERN = re.compile(r"[\s,:*?\[\]/\\]|^[!&~@-]")
"""What Ansible's host patterns read as more than a name."""

_TABLES = {
    "site": "sites",
    "room": "rooms",
    "zone": "zones",
    "rack": "racks",
    "feed": "feeds",
    "type": "host_types",
}


def check(case: Case) -> Iterator[Problem]:
    """Problems of names in Ansible's inventory."""
    values = groups.values(case.estate)
    owners: dict[str, str] = {}
    for dimension, name in values:
        group = groups.group_name(dimension, name)
        other = owners.setdefault(group, name)
        if other != name:
            what = f"its group in Ansible is {group}, as is that of {dimension} {other!r} (rename one)"
            yield from _told(case, dimension, name, what)
    reserved = groups.RESERVED.union(owners)
    for host in case.estate.hosts:
        if host in reserved:
            what = "has the name of a group in Ansible's inventory (rename the host)"
            yield case.problem("hosts", host, what, "name")
        elif _PATTERN.search(host):
            what = "cannot be selected in Ansible, to which its name is a pattern (write letters, digits, '.' and '-')"
            yield case.problem("hosts", host, what, "name")


def _told(case: Case, dimension: str, name: str, what: str) -> Iterator[Problem]:
    if dimension in _TABLES:
        yield case.problem(_TABLES[dimension], name, what, "name")
    else:
        for each in case.estate.host_types.values():
            if each.generation == name:
                yield case.problem("host_types", each.name, what, dimension)
