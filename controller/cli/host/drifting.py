"""`gdcc host drift`: what `site.yml` would change, by host and task."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from controller.adapters import drift_textfile
from controller.cli.host.doing import Asked, ready, wrong
from controller.cli.host.finding import looked, why
from controller.cli.output import drift_status, people, print_json
from controller.errors import GdccError
from controller.model.ids import HostName
from controller.model.playbook import Change, PlaybookResult

PLAYBOOK = "site.yml"
_MOST_LINES = 12


def drift(asked: Asked, tags: tuple[str, ...], to: Path | None) -> None:
    """Tells what differs, and ends with 0 (nothing), 1 (drift) or 2 (a host could not be looked at)."""
    began = time.monotonic()
    found = ready(asked)
    try:
        result = looked(found, PLAYBOOK, quiet=asked.as_json, check=True, tags=tags)
        changes = {host: each.changes if each.succeeded else None for host, each in result.hosts.items()}
        unread = {host: why(result, each) for host, each in result.hosts.items() if not each.succeeded}
        if to is not None:
            drifted = {str(host): len(each) for host, each in changes.items() if each is not None}
            seconds = time.monotonic() - began
            seen = drift_textfile.Look(drifted=drifted, unread=unread, at=result.ended_at, seconds=seconds)
            drift_textfile.write(to, drift_textfile.HOSTS, seen)
    except GdccError as error:
        wrong(str(error))
    if asked.as_json:
        print_json({"at": datetime.now(UTC).isoformat(), "hosts": [_row(result, host) for host in result.hosts]})
    else:
        _tell(changes, unread)
    raise typer.Exit(drift_status(changes.values()))


def shown(diff: str) -> str:
    """The lines of a diff that say what goes and what comes, the first of them."""
    lines = [line for line in diff.splitlines() if line[:1] in {"+", "-"} and line[:3] not in {"+++", "---"}]
    more = [f"and {len(lines) - _MOST_LINES} lines more"] if len(lines) > _MOST_LINES else []
    return "\n".join(lines[:_MOST_LINES] + more)


def _row(result: PlaybookResult, host: HostName) -> dict[str, object]:
    each = result.hosts[host]
    differences = [{"task": one.task, "diff": one.diff} for one in each.changes]
    says = "as declared" if not each.changes else f"{len(each.changes)} tasks would change it"
    return {
        "host": host,
        "looked": each.succeeded,
        "says": says if each.succeeded else why(result, each),
        "differences": differences,
    }


def _tell(changes: Mapping[HostName, tuple[Change, ...] | None], unread: Mapping[HostName, str]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("host", "would change", "from - to +"):
        table.add_column(column, overflow="fold")
    drifted = {host: each for host, each in changes.items() if each}
    for host, each in drifted.items():
        for one in each:
            table.add_row(Text(host), Text(one.task), Text(shown(one.diff)))
    if drifted:
        people.print(table)
    for host, said in unread.items():
        people.print(f"{host}: could not look: {said}", markup=False, soft_wrap=True)
    count = f"{len(changes)} {'host' if len(changes) == 1 else 'hosts'}"
    told = f"{count}: {len(changes) - len(drifted) - len(unread)} as declared, {len(drifted)} drifted"
    people.print(told + (f", {len(unread)} could not be looked at" if unread else ""))
