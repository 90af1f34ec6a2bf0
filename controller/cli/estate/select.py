"""From options to the stacks meant: the repository's root, its tool, the estate and the names."""

import gc
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import typer

from controller.adapters.pulumi import sidecars, stack_files, stacks, tool
from controller.errors import InputError
from inventory import load, provider_config
from inventory.model import Estate

DEFAULT_ESTATE = "inventory/estates/gdcc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a verb works on. `estate_path` is the inventory's folder as stack files name it."""

    tool: tool.Tool
    estate: Estate
    estate_path: str
    stacks: tuple[str, ...]


def provider_config_of(root: Path | None, estate: Path | None, host: str) -> str:
    """The text of a host's provider.yaml. Raises `InputError` where the estate has no such host; needs no Pulumi."""
    home = root.resolve() if root is not None else _above(Path.cwd())
    loaded = _loaded(home / _estate_path(home, estate))
    if host not in loaded.hosts:
        raise InputError(f"has no host {host!r}", where=loaded.name, remedy="see gdcc inventory show --table hosts")
    return provider_config.text(loaded, loaded.hosts[host])


def selection(root: Path | None, estate: Path | None, agencies: list[str], foundation: bool) -> Selection:
    """What was asked for. Raises `InputError` where it cannot be meant."""
    found = tool.find(root.resolve() if root is not None else _above(Path.cwd()), os.environ)
    for file in sidecars.take_away_broken(found):
        typer.echo(f"{file}: a killed run left it empty, so it was deleted; Pulumi needs nothing of it", err=True)
    with ThreadPoolExecutor(1) as beside:
        checked = beside.submit(tool.check_version, found)
        path = _estate_path(found.root, estate)
        loaded = _loaded(found.root / path)
        checked.result()
    chosen = stacks.chosen(loaded, agencies, foundation)
    return Selection(tool=found, estate=loaded, estate_path=path, stacks=chosen)


def _loaded(folder: Path) -> Estate:
    """The estate; without the garbage collector, which would take a third of the time to find nothing."""
    gc.disable()
    try:
        return load.load(folder)
    except load.EstateError as error:
        raise InputError(str(error)) from error
    finally:
        gc.enable()


def _above(start: Path) -> Path:
    return next((each for each in (start, *start.parents) if (each / "Pulumi.yaml").is_file()), start)


def _estate_path(root: Path, given: Path | None) -> str:
    if given is not None:
        path = given.resolve()
        return str(path.relative_to(root) if path.is_relative_to(root) else path)
    return stack_files.setting(root, stacks.FOUNDATION, "gdcc:estate") or DEFAULT_ESTATE
