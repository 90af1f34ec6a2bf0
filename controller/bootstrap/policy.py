"""A configuration's policy alone, for planning from a file: no part is wired, so no cloud's libraries are loaded."""

from pathlib import Path

from controller import config
from controller.model.policy import Policy


def of_config(path: Path | None) -> Policy:
    """The policy of a configuration, the default without one."""
    return Policy() if path is None else config.load(path).policy.policy()
