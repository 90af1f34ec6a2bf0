"""New stacks, with their typed configuration; and what the stack files of old ones say."""

import json
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import yaml

from controller.adapters.pulumi.stacks import FOUNDATION, agency_of
from controller.adapters.pulumi.tool import Tool, last_words
from controller.errors import InputError

SEED_BYTES = 32

CLOUD = "openstack:cloud"
"""The provider's own key: the entry of clouds.yaml that a stack's cloud is."""

_SEED = "gdcc:seed"
_SET_UP = frozenset({"encryptionsalt", "encryptedkey"})
"""What Pulumi writes into the file of a stack that it makes."""


def path(root: Path, stack: str) -> Path:
    """Where Pulumi keeps the stack's configuration."""
    return root / "infra" / "stacks" / f"Pulumi.{stack}.yaml"


def setting(root: Path, stack: str, key: str) -> str | None:
    """A value in clear of a stack's file; None where there is no such file or value.

    Raises `InputError` where the file is no YAML, or cannot be read.
    """
    value = _config(path(root, stack)).get(key)
    return None if value is None or isinstance(value, dict) else str(value)


def exceptions(root: Path, stack: str) -> list[object]:
    """The named exceptions of a stack's file, as they stand there."""
    named = _config(path(root, stack)).get("gdcc:exceptions")
    return named if isinstance(named, list) else []


def existing(tool: Tool) -> dict[str, dict[str, object]]:
    """The stacks in the backend, with Pulumi's own words about each."""
    rows = json.loads(tool.call("stack", "ls", "--json"))
    return {row["name"].rpartition("/")[2]: row for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """What a new stack's configuration begins with.

    `roles` are the ids of roles the cloud has from the start, `login_project` that of whoever runs Pulumi,
    `login_quota` what Neutron gives that project, by the provider's inputs, `cloud` the entry of clouds.yaml that names
    the cloud, where one does.
    """

    estate: str
    credentials_from: date
    roles: Mapping[str, str]
    login_project: str | None = None
    login_quota: Mapping[str, int] = field(default_factory=dict)
    cloud: str | None = None


def set_up(root: Path, stack: str) -> bool:
    """Whether the stack's file says that it was made once, in whichever backend."""
    return bool(_document(path(root, stack)).keys() & _SET_UP)


def check(tool: Tool, stack: str, kept: Mapping[str, object] | None) -> None:
    """Whether the stack's file and what the backend keeps of it (None: nothing) belong together.

    Raises `InputError` where the backend lost the stack, or this is another one: all would be made a second time; and
    where the stack stands and the file with its seed is somebody else's: every password would become another one.
    """
    file = path(tool.root, stack)
    if kept is None and set_up(tool.root, stack):
        said = f"is set up, and {tool.backend} has no stack {stack}"
        remedy = "is it the right backend, and mounted? Of a stack that was removed for good, remove the file too"
        raise InputError(said, where=str(file), remedy=remedy)
    if kept is not None and kept.get("resourceCount") and agency_of(stack) is not None and _SEED not in _config(file):
        remedy = "fetch the file from whoever deployed it; with another seed every password would change"
        raise InputError(f"has no {_SEED}, and {stack} stands", where=str(file), remedy=remedy)


def create(tool: Tool, stack: str, secrets_provider: str | None) -> None:
    """Makes a stack in the backend, its secrets kept as the foundation's; its file, where there is one, stays.

    Raises `InputError` with the CLI's words, also where this is not the foundation's passphrase.
    """
    foundation = path(tool.root, FOUNDATION)
    like = _document(foundation)
    if stack != FOUNDATION and "encryptionsalt" in like and not secrets_provider:
        _try_passphrase(tool, foundation)
    provider = secrets_provider or like.get("secretsprovider")
    more = ("--secrets-provider", str(provider)) if provider else ()
    tool.call("stack", "init", "--no-select", stack, *more)


def copied(tool: Tool, stack: str, folder: Path) -> Path:
    """A copy of the stack's file for a look, which may write into it; where there is no file, no copy either."""
    folder.mkdir(parents=True, exist_ok=True)
    file = path(tool.root, stack)
    copy = folder / file.name
    if file.is_file():
        shutil.copyfile(file, copy)
    return copy


def create_for_a_look(tool: Tool, stack: str, secrets_provider: str | None, copy: Path) -> None:
    """Makes a stack as `create` does; what that writes into its file stands in the copy, and the file is as it was."""
    file = path(tool.root, stack)
    before = file.read_bytes() if file.is_file() else None
    try:
        create(tool, stack, secrets_provider)
        if file.is_file():
            shutil.copyfile(file, copy)
    finally:
        if before is not None:
            file.write_bytes(before)
        else:
            file.unlink(missing_ok=True)


def remove_after_a_look(tool: Tool, stack: str) -> str:
    """Takes away a stack that was made for a look; the CLI's words where it holds something by now, and stays."""
    done = tool.tried("stack", "rm", "--yes", "--preserve-config", "--remove-backups", "--stack", stack)
    return "" if done.returncode == 0 else last_words(done.stderr or done.stdout)


def _try_passphrase(tool: Tool, file: Path) -> None:
    """Encrypts something as the foundation's file would have it, into a copy of that file."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copy(file, folder)
        words = ("config", "set", "--secret", "--stack", FOUNDATION, "--config-file", str(copy), f"{_SEED}-try")
        tool.call(*words, secret="x")  # noqa: S106 - nothing is kept


def lacks(root: Path, key: str) -> bool:
    """Whether the foundation's file does not say this yet."""
    return key not in _config(path(root, FOUNDATION))


def configure(tool: Tool, stack: str, first: First, copy: Path | None = None) -> None:
    """Writes the configuration that a stack lacks and leaves the rest; a seed encrypted, and never in an argument.

    With a copy of its file, into that.
    """
    has = _config(copy or path(tool.root, stack))
    where = ("--stack", stack, *config_file(copy))
    lacking = {key: value for key, value in _plain(stack, first).items() if key.partition(".")[0] not in has}
    if lacking:
        pairs = [word for key, value in lacking.items() for word in ("--plaintext", f"{key}={value}")]
        tool.call("config", "set-all", "--path", *where, *pairs)
    if agency_of(stack) is not None and _SEED not in has:
        seed = secrets.token_hex(SEED_BYTES)
        tool.call("config", "set", "--secret", *where, _SEED, secret=seed)


def environment(tool: Tool, stack: str, copy: Path | None) -> Mapping[str, str]:
    """The environment of a call for this stack, without `OS_CLOUD` where its file (or copy) names the cloud.

    Of all variables it alone would also log the providers of service users in as whoever runs this.
    """
    if CLOUD not in _config(copy or path(tool.root, stack)):
        return tool.env
    return {name: value for name, value in tool.env.items() if name != "OS_CLOUD"}


def config_file(copy: Path | None) -> tuple[str, ...]:
    """The words that have a call read and write a copy instead of the stack's own file."""
    return () if copy is None else ("--config-file", str(copy))


def _plain(stack: str, first: First) -> dict[str, str]:
    """What may stand in clear, by its path in the configuration."""
    values = {"gdcc:estate": first.estate}
    if first.cloud is not None:
        values[CLOUD] = first.cloud
    if agency_of(stack) is not None:
        return {**values, "gdcc:credentialsFrom": first.credentials_from.isoformat()}
    if first.login_project is not None:
        values["gdcc:loginProject"] = first.login_project
    values |= {f"gdcc:loginQuota.{name}": str(limit) for name, limit in sorted(first.login_quota.items())}
    return {**values, **{f"gdcc:roles.{name}": role_id for name, role_id in sorted(first.roles.items())}}


def _config(file: Path) -> Mapping[str, object]:
    """The `config` of a stack file, empty where there is none."""
    config = _document(file).get("config") or {}
    if not isinstance(config, dict):
        raise InputError("is no stack file", where=str(file), remedy="see infra/README.md")
    return config


def _document(file: Path) -> Mapping[str, object]:
    """A stack file, empty where there is none. Raises `InputError` where it is something else, or cannot be read."""
    try:
        if not file.is_file():
            return {}
        document = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(file)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError("is no stack file", where=str(file), remedy="see infra/README.md") from error
    if not isinstance(document, dict):
        raise InputError("is no stack file", where=str(file), remedy="see infra/README.md")
    return document
