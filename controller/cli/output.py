"""How every verb speaks: tables for people, JSON for machines, errors as one line each, and the exit status."""

import json
import sys
import traceback
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from rich.console import Console

from controller.errors import GdccError

DONE, REFUSED, WRONG_USE = 0, 1, 2

people = Console(highlight=False)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(data: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def refuse(lines: str) -> NoReturn:
    """Says why on standard error and ends with status 1."""
    for line in lines.splitlines():
        errors.print(line, markup=False)
    raise typer.Exit(REFUSED)


def drift_status(differences: Iterable[Sized | None]) -> int:
    """The exit status of a look for drift: 2 where something could not be looked at (None), else 1 for drift, or 0."""
    found = list(differences)
    if any(each is None for each in found):
        return WRONG_USE
    return REFUSED if any(found) else DONE


@contextmanager
def told() -> Iterator[None]:
    """Turns the program's errors into their lines and exit status 1."""
    try:
        yield
    except GdccError as error:
        refuse(str(error))


@contextmanager
def drift_told() -> Iterator[None]:
    """As `told`, for a look: whatever breaks it off ends it with 2, for its 1 means drift; a bug with its traceback."""
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        errors.print(str(error) if isinstance(error, GdccError) else traceback.format_exc(), markup=False)
        raise typer.Exit(WRONG_USE) from error
