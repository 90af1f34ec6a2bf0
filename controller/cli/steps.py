"""Long work step by step, with a bar. Apart from `output`, so that no other verb loads Rich's bars."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.progress import track

from controller.cli.output import errors

Step = TypeVar("Step")


def stepped(steps: Sequence[Step], doing: str) -> Iterable[Step]:
    """The steps, with a bar on standard error while there is more than one and somebody who looks."""
    quiet = len(steps) == 1 or not errors.is_terminal
    return track(steps, doing, console=errors, transient=True, disable=quiet)
