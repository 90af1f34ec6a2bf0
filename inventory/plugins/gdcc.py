"""Ansible's inventory plugin `gdcc`: the hosts of an estate, their groups and variables."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.template import trust_as_template

from inventory import ansible_source, garbage, load

DOCUMENTATION = r"""
name: gdcc
short_description: The hosts of an estate
author:
  - GDCC Control
description:
  - Gives every host of an estate, its groups and its variables. The estate's own checks run first, and an estate with
    a problem gives no host at all.
  - There is a group for each site, room, zone, rack, feed, generation, type, clearance and lifecycle, named by both,
    such as C(rack_r07). Characters other than letters, digits and C(_) are C(_) in it. Sites hold their rooms, rooms
    their zones, zones their racks; generations hold their types.
  - C(--limit rack:r07), which Ansible reads as C(rack) and C(r07) together, means rack r07. C(rack) is an empty group,
    and below C(rack_r07) there is a group C(r07), unless something else in the estate is called r07.
  - Variables are C(ansible_host) and those that begin with C(gdcc_). They are the same at C(--host) and in a play. A
    BMC's C(credential) is the name of one, never a secret.
notes:
  - The source's name ends in C(gdcc.yml) or C(gdcc.yaml). C(group_vars) beside it hold the landscape's settings.
options:
  plugin:
    description: Says that the file is a source of this plugin.
    type: str
    required: true
    choices: [gdcc]
  estate:
    description: The estate's directory, from the source's own. Default is the directory of the source.
    type: str
    default: .
extends_documentation_fragment:
  - constructed
  - inventory_cache
"""

EXAMPLES = r"""
# inventory/estates/demo/gdcc.yml: the estate that it stands in
plugin: gdcc

# An estate elsewhere, its content kept in a file. It is read anew when a file of the estate changed.
plugin: gdcc
estate: ../estates/gdcc
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: /var/cache/gdcc/inventory

# A group of one's own: the hosts that may hold confidential data.
plugin: gdcc
strict: true
groups:
  confidential_or_higher: "'CUSTOM_CLEARANCE_CONFIDENTIAL' in gdcc_clearance_traits"
"""

_ENDINGS = ("gdcc.yml", "gdcc.yaml")


class _Plain:
    """Values whose text Ansible may show as it is: what cannot be a template is trusted, what could stays data.

    Ansible writes text that it does not trust as `{"__ansible_unsafe": …}` into `--list`. Values that hosts have in
    common are made once and stay so.
    """

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._shared: dict[int, tuple[Any, Any]] = {}

    def of(self, value: Any) -> Any:
        """The same value; a list or mapping is a new one."""
        if isinstance(value, str):
            if value not in self._texts:
                self._texts[value] = value if "{" in value else trust_as_template(value)
            return self._texts[value]
        if not isinstance(value, list | dict):
            return value
        if id(value) not in self._shared:
            made = [self.of(each) for each in value] if isinstance(value, list) else self.mapping(value)
            self._shared[id(value)] = (value, made)
        return self._shared[id(value)][1]

    def mapping(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return {key: self.of(each) for key, each in value.items()}


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]
    """Reads the source, then the estate; knows nothing of what a host or a rack is."""

    NAME = "gdcc"

    def verify_file(self, path: str) -> bool:
        """Whether a file's name says that it is a source of this plugin."""
        return bool(super().verify_file(path)) and path.endswith(_ENDINGS)

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Adds the estate's groups and hosts. Raises `AnsibleParserError` with every problem of the estate."""
        super().parse(inventory, loader, path, cache)
        config = self._read_config_data(path)
        unknown = sorted(set(config).difference(self._options))
        if unknown:
            known = ", ".join(sorted(self._options))
            raise AnsibleParserError(f"{path}: unknown option {', '.join(unknown)} (known options: {known})")
        with garbage.uncollected():
            content = self._content(path, use_cache=cache)
            self._add_hosts(content["hosts"])
            self._add_groups(content["groups"])
            self._add_constructed(content["hosts"])
            gc.freeze()  # the inventory stays to the end: nothing in it for the collector, nor for the forks to copy
        for warning in content["warnings"]:
            self.display.warning(warning)

    def _content(self, path: str, *, use_cache: bool) -> Mapping[str, Any]:
        """The groups and variables, from the cache where it holds those of the estate's files as they are now."""
        directory = Path(path).parent / self.get_option("estate")
        kept = self.get_option("cache")
        key = self.get_cache_key(path)
        digest = ansible_source.digest(directory) if kept else ""
        if kept and use_cache and key in self._cache and self._cache[key]["digest"] == digest:
            return dict(self._cache[key])
        try:
            content = {"digest": digest, **ansible_source.content(load.load(directory))}
        except load.EstateError as error:
            count = len(error.problems)
            said = f"the estate in {directory} has {count} problem{'s' if count > 1 else ''}:\n{error}"
            raise AnsibleParserError(said) from error
        if kept:
            self._cache[key] = content
        return content

    def _add_hosts(self, hosts: Mapping[str, Mapping[str, Any]]) -> None:
        plain = _Plain()
        for name, variables in hosts.items():
            self.inventory.add_host(name)
            self.inventory.hosts[name].vars.update(plain.mapping(variables))

    def _add_groups(self, groups: list[dict[str, Any]]) -> None:
        """Hosts first, while no group has one above it: Ansible walks to the top for every host that it adds."""
        hosts = self.inventory.hosts
        for each in groups:
            group = self.inventory.groups[self.inventory.add_group(each["name"])]
            for name in each["hosts"]:
                group.add_host(hosts[name])
        for each in groups:
            for child in each["children"]:
                self.inventory.add_child(each["name"], child)

    def _add_constructed(self, hosts: Mapping[str, Mapping[str, Any]]) -> None:
        """The variables and groups that the source itself makes of the estate's."""
        compose, groups, keyed = (self.get_option(name) for name in ("compose", "groups", "keyed_groups"))
        if not (compose or groups or keyed):
            return
        strict = self.get_option("strict")
        for name, variables in hosts.items():
            self._set_composite_vars(compose, variables, name, strict=strict)
            self._add_host_to_composed_groups(groups, variables, name, strict=strict)
            self._add_host_to_keyed_groups(keyed, variables, name, strict=strict)
