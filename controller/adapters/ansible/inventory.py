"""What Ansible's inventory holds: its hosts, its groups, and what an operator's pattern means in it."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from controller.adapters.ansible import private, vault
from controller.adapters.ansible.site import Site
from controller.errors import GdccError, InputError, TransientError
from controller.model.ids import HostName
from inventory import groups

EVERY_HOST = "all"
_LONGEST_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """`groups` holds for each group all its hosts, those of its children too."""

    where: str
    hosts: tuple[HostName, ...]
    groups: Mapping[str, frozenset[str]]

    def meant(self, patterns: Sequence[str]) -> tuple[HostName, ...]:
        """The hosts that these names and patterns mean, each once, by name.

        Raises `InputError` that tells everything that is not known, all at once.
        """
        meant = {pattern: self._of(pattern) for pattern in patterns}
        flaws = [pattern for pattern, hosts in meant.items() if hosts is None]
        told = [f"has no {', '.join(flaws)}"] if flaws else []
        told += [f"has no host in {pattern}" for pattern, hosts in meant.items() if hosts is not None and not hosts]
        if told:
            remedy = f"name hosts, {EVERY_HOST}, or {', '.join(f'{each}:NAME' for each in groups.DIMENSIONS)}"
            raise InputError("; ".join(told), where=self.where, remedy=remedy)
        found = frozenset[str]().union(*(hosts for hosts in meant.values() if hosts is not None))
        return tuple(host for host in self.hosts if host in found)

    def by_rack(self, hosts: Sequence[HostName]) -> tuple[HostName, ...]:
        """The same hosts, those of a rack together; those of none last."""
        racks = sorted(name for name in self.groups if name.startswith(groups.group_name("rack", "")))
        rack_of = {host: rack for rack in racks for host in self.groups[rack]}
        return tuple(sorted(hosts, key=lambda host: (host not in rack_of, rack_of.get(host, ""), host)))

    def of(self, dimension: str, name: str) -> frozenset[str] | None:
        """The hosts of `rack` `r07`; None where the inventory has no such group."""
        return self.groups.get(groups.group_name(dimension, name))

    def _of(self, pattern: str) -> frozenset[str] | None:
        if pattern in self.hosts:
            return frozenset({pattern})
        if pattern == EVERY_HOST:
            return frozenset(self.hosts)
        dimension, _, name = pattern.partition(":")
        return self.of(dimension, name) if dimension in groups.DIMENSIONS else None


class Inventory:
    """A site's inventory, listed anew only when a file of it has changed; many threads may ask for it.

    One of them lists it, by `listed`, and what comes of that answers all that have waited for it, a failure too.
    """

    def __init__(self, site: Site, listed: Callable[[Site], Listing] | None = None) -> None:
        self._site = site
        self._listed = listed or from_ansible
        self._lock = threading.Lock()
        self._made = 0
        """Listings that ended, well or not."""
        self._seen: tuple[object, Listing | GdccError] | None = None

    def listing(self) -> Listing:
        """What it holds now. Raises `InputError` where Ansible cannot read it, `TransientError` where it takes long."""
        before = self._made
        with self._lock:
            state = _state(self._site.home)
            if self._seen is None or not self._answers(*self._seen, state, self._made > before):
                self._seen = state, self._tried()
                self._made += 1
            answer = self._seen[1]
        if isinstance(answer, GdccError):
            raise answer
        return answer

    def _answers(self, of: object, answer: Listing | GdccError, state: object, waited_for: bool) -> bool:
        """A failure answers those alone that have waited for it: whoever comes later has it tried again."""
        return of == state and (waited_for or isinstance(answer, Listing))

    def _tried(self) -> Listing | GdccError:
        try:
            return self._listed(self._site)
        except GdccError as error:
            return error


def from_ansible(site: Site) -> Listing:
    """As `ansible-inventory` lists it. Raises what `Inventory.listing` raises."""
    if not site.inventory.exists():
        raise InputError("there is no such inventory", where=str(site.inventory), remedy="see ansible.inventory")
    password = None if site.vault is None else site.vault()
    run = f"inventory-{os.getpid()}"
    with private.folder(run) as folder, vault.handed_over(folder, password) as pipe:
        command = [sys.executable, "-m", "ansible", "inventory", "-i", str(site.inventory), "--list"]
        if pipe is not None:
            command += ["--vault-password-file", str(pipe)]
        try:
            answer = subprocess.run(  # noqa: S603 - words of its own alone
                command,
                cwd=site.root,
                env=dict(site.environ(folder, run)),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_LONGEST_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            what = f"Ansible did not list it within {_LONGEST_S:.0f} s"
            raise TransientError(what, where=str(site.inventory)) from error
    if answer.returncode:
        said = " ".join(answer.stderr.split()) or "no word why"
        raise InputError(f"Ansible cannot read it: {said}", where=str(site.inventory))
    return _listing(json.loads(answer.stdout), str(site.inventory))


def _listing(data: Mapping[str, Mapping[str, list[str]]], where: str) -> Listing:
    found: dict[str, frozenset[str]] = {}

    def members(name: str) -> frozenset[str]:
        if name not in found:
            group = data.get(name, {})
            below = (members(child) for child in group.get("children", ()))
            found[name] = frozenset(group.get("hosts", ())).union(*below)
        return found[name]

    for name in data:
        members(name)
    return Listing(where=where, hosts=tuple(map(HostName, sorted(members(EVERY_HOST)))), groups=found)


def _state(home: Path) -> tuple[object, ...]:
    """Changes with every file beside and below the inventory."""
    files = [found for found in sorted(home.rglob("*")) if found.is_file()]
    return tuple((str(file), (stat := file.stat()).st_mtime_ns, stat.st_size) for file in files)
