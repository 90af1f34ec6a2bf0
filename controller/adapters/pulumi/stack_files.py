"""New stacks, with their typed configuration; and what the stack files of old ones say."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from controller.adapters.pulumi.stacks import FOUNDATION, agency_of
from controller.adapters.pulumi.tool import Tool
from controller.errors import InputError

SEED_BYTES = 32


def path(root: Path, stack: str) -> Path:
    """Where Pulumi keeps the stack's configuration."""
    return root / "infra" / "stacks" / f"Pulumi.{stack}.yaml"


def setting(root: Path, stack: str, key: str) -> str | None:
    """A value in clear of a stack's file; None where there is no such file or value.

    Raises `InputError` where the file is no YAML.
    """
    value = _config(path(root, stack)).get(key)
    return None if value is None or isinstance(value, dict) else str(value)


def existing(tool: Tool) -> dict[str, dict[str, object]]:
    """The stacks in the backend, with Pulumi's own words about each."""
    rows = json.loads(tool.call("stack", "ls", "--json"))
    return {row["name"].rpartition("/")[2]: row for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """What a new stack's configuration begins with.

    `roles` are the ids of roles the cloud has from the start, `login_project` that of whoever runs Pulumi.
    """

    estate: str
    credentials_from: date
    roles: Mapping[str, str]
    login_project: str | None = None


def create(tool: Tool, stack: str, secrets_provider: str | None) -> None:
    """Makes a stack in the backend; its file, where there is one, stays. Raises `InputError` with the CLI's words."""
    more = ("--secrets-provider", secrets_provider) if secrets_provider else ()
    tool.call("stack", "init", "--no-select", stack, *more)


def lacks(root: Path, key: str) -> bool:
    """Whether the foundation's file does not say this yet."""
    return key not in _config(path(root, FOUNDATION))


def configure(tool: Tool, stack: str, first: First) -> None:
    """Writes the configuration that a stack lacks and leaves the rest; a seed encrypted, and never in an argument."""
    has = _config(path(tool.root, stack))
    lacking = {key: value for key, value in _plain(stack, first).items() if key.partition(".")[0] not in has}
    if lacking:
        pairs = [word for key, value in lacking.items() for word in ("--plaintext", f"{key}={value}")]
        tool.call("config", "set-all", "--path", "--stack", stack, *pairs)
    if agency_of(stack) is not None and "gdcc:seed" not in has:
        seed = secrets.token_hex(SEED_BYTES)
        tool.call("config", "set", "--secret", "--stack", stack, "gdcc:seed", secret=seed)


def _plain(stack: str, first: First) -> dict[str, str]:
    """What may stand in clear, by its path in the configuration."""
    values = {"gdcc:estate": first.estate}
    if agency_of(stack) is not None:
        return {**values, "gdcc:credentialsFrom": first.credentials_from.isoformat()}
    if first.login_project is not None:
        values["gdcc:loginProject"] = first.login_project
    return {**values, **{f"gdcc:roles.{name}": role_id for name, role_id in sorted(first.roles.items())}}


def _config(file: Path) -> Mapping[str, object]:
    """The `config` of a stack file, empty where there is none."""
    if not file.is_file():
        return {}
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        return dict(document.get("config") or {})
    except (yaml.YAMLError, AttributeError, TypeError) as error:
        raise InputError("is no stack file", where=str(file), remedy="see infra/README.md") from error
