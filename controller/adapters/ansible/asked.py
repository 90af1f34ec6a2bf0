"""Whether what is asked of a run exists: its playbook, hosts, tags and variables; and which of these are secret."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import yaml

from controller.adapters.ansible import tags
from controller.adapters.ansible.inventory import Listing
from controller.errors import InputError
from controller.model.playbook import PlaybookRun

_PLAYBOOK = re.compile(r"[a-z0-9][a-z0-9_-]*\.yml")
_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")


def check(run: PlaybookRun, playbooks: Path, listing: Listing) -> None:
    """Raises `InputError` for an unknown playbook, host, tag or variable."""
    if not _PLAYBOOK.fullmatch(run.playbook) or not (playbooks / run.playbook).is_file():
        raise InputError(f"there is no playbook {run.playbook!r}", where=str(playbooks))
    if not run.hosts:
        raise InputError("a run needs a host", where=run.playbook)
    unknown = [host for host in run.hosts if host not in listing.hosts]
    if unknown:
        raise InputError(f"has no {', '.join(unknown)}", where=listing.where)
    untagged = sorted(set(run.tags) - tags.of(playbooks / run.playbook)) if run.tags else []
    if untagged:
        raise InputError(f"nothing in it is tagged {', '.join(untagged)}", where=run.playbook)
    strange = sorted(set(run.variables) - words(playbooks)) if run.variables else []
    if strange:
        raise InputError(f"no playbook or role has {', '.join(strange)}", where=str(playbooks))


def completed(run: PlaybookRun, playbooks: Path) -> PlaybookRun:
    """The run with those of its variables that are only for playbooks that know them."""
    if not run.where_known:
        return run
    known = words(playbooks)
    more = {name: value for name, value in run.where_known.items() if name in known}
    return replace(run, variables={**more, **run.variables})


def marked(run: PlaybookRun, playbooks: Path) -> PlaybookRun:
    """The run with those variables named secret that a role's argument specs keep out of logs."""
    if not run.variables:
        return run
    return replace(run, secrets=run.secrets | (frozenset(run.variables) & unlogged(playbooks)))


def secret_values(run: PlaybookRun) -> frozenset[str]:
    """What is to be shown nowhere."""
    values = [run.variables[name] for name in run.secrets if name in run.variables]
    return frozenset(str(each) for value in values for each in (value if isinstance(value, tuple) else (value,)))


def unlogged(playbooks: Path) -> frozenset[str]:
    """The variables that a role's argument specs keep out of logs."""
    specs = [yaml.safe_load(path.read_text()) for path in playbooks.glob("roles/*/meta/argument_specs.yml")]
    entries = [entry for spec in specs for entry in spec["argument_specs"].values()]
    options = [option for entry in entries for option in (entry.get("options") or {}).items()]
    return frozenset(name for name, option in options if option.get("no_log"))


def words(playbooks: Path) -> frozenset[str]:
    """Every name that stands in the playbooks and roles: a variable that is none of them is mistyped."""
    return frozenset(word.decode() for path in _files(playbooks) for word in _WORD.findall(path.read_bytes()))


def _files(playbooks: Path) -> Iterator[Path]:
    yield from playbooks.glob("*.yml")
    for folder in ("roles", "group_vars"):
        yield from (playbooks / folder).rglob("*.yml")
