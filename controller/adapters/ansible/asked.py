"""Whether what is asked of a run exists: its playbook, its hosts, its variables."""

import re
from collections.abc import Iterator
from pathlib import Path

from controller.adapters.ansible.inventory import Listing
from controller.errors import InputError
from controller.model.playbook import PlaybookRun

_PLAYBOOK = re.compile(r"[a-z0-9][a-z0-9_-]*\.yml")
_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")


def check(run: PlaybookRun, playbooks: Path, listing: Listing) -> None:
    """Raises `InputError` for an unknown playbook, host or variable."""
    if not _PLAYBOOK.fullmatch(run.playbook) or not (playbooks / run.playbook).is_file():
        raise InputError(f"there is no playbook {run.playbook!r}", where=str(playbooks))
    if not run.hosts:
        raise InputError("a run needs a host", where=run.playbook)
    unknown = [host for host in run.hosts if host not in listing.hosts]
    if unknown:
        raise InputError(f"has no {', '.join(unknown)}", where=listing.where)
    strange = sorted(set(run.variables) - _words(playbooks)) if run.variables else []
    if strange:
        raise InputError(f"no playbook or role has {', '.join(strange)}", where=str(playbooks))


def _words(playbooks: Path) -> frozenset[str]:
    """Every name that stands in the playbooks and roles: a variable that is none of them is mistyped."""
    return frozenset(word.decode() for path in _files(playbooks) for word in _WORD.findall(path.read_bytes()))


def _files(playbooks: Path) -> Iterator[Path]:
    yield from playbooks.glob("*.yml")
    for folder in ("roles", "group_vars"):
        yield from (playbooks / folder).rglob("*.yml")
