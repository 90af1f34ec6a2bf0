"""A stack's typed configuration: every wrong, missing or unknown key at once, before anything is touched.

The cloud is reached by the provider's own environment (`OS_USERNAME` and the like) or by `openstack:cloud`, a name in
clouds.yaml, never by these keys; an agency's stack refuses `OS_CLOUD` (`agency.keystone` says why).
"""

import difflib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import config as runtime

from infra import naming
from infra.policy import exceptions as named
from infra.policy import kinds
from infra.policy.rules import quota_fields

ROOT = Path(__file__).resolve().parent.parent
"""The repository's root, which `gdcc:estate` is relative to."""

_SEED = re.compile(r"[0-9a-fA-F]{64,}")
_ID = re.compile(r"[0-9a-fA-F]{32}")


class ConfigError(Exception):
    """A stack that cannot run. `problems` are all that is wrong, in the order of the keys."""

    def __init__(self, stack: str, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(f"stack {stack}: {each}" for each in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Which program a stack runs: the foundation's (`agency` is None) or one agency's."""

    name: str
    agency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StackConfig:
    """`gdcc:*` of one stack; each field is the key of its name in camelCase, defaults for what may be left out.

    `seed` is what service users' passwords are derived from, hexadecimal; it is not shown by `repr`.
    `roles` are Keystone's ids of the roles that the cloud already has, by name; the foundation exports them.
    `login_project` is the id of the project that whoever runs Pulumi logs in to, whose quotas the stacks use up;
    `login_quota` what Neutron's of it was before, by input of the provider's, or what it used where that was more.
    """

    stack: Stack
    estate: Path
    seed: str = field(default="", repr=False)
    password_generation: int = 1
    foundation: str = naming.DEFAULT_FOUNDATION
    credentials_from: date | None = None
    credential_days: int = 365
    protect: bool = True
    exceptions: tuple[named.Named, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    login_project: str | None = None
    login_quota: Mapping[str, int] = field(default_factory=dict)

    @property
    def credentials_expire_at(self) -> datetime:
        """When application credentials expire: the same at each run, whatever the time. Only for an agency's stack."""
        if self.credentials_from is None:
            raise ValueError("gdcc:credentialsFrom is not given")
        return datetime.combine(self.credentials_from, time(), UTC) + timedelta(days=self.credential_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """A key: the field it fills, how its text is read, how it is set, and for which stacks it must be given."""

    field: str
    read: Callable[[str], Any]
    remedy: str = ""
    foundation_needs: bool = False
    agency_needs: bool = False
    secret: bool = False


def _estate(text: str) -> Path:
    path = (ROOT / text).resolve()
    if not path.is_dir():
        raise ValueError(f"{text!r} is no directory (write it from {ROOT} on, such as inventory/estates/gdcc)")
    return path


def _seed(text: str) -> str:
    if not _SEED.fullmatch(text) or len(text) % 2:
        raise ValueError("must be 32 bytes or more in hexadecimal (make one with: openssl rand -hex 32)")
    return text.lower()


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(f"is {text!r} (write a whole number from {least} to {most})")
        return int(text)

    return read


def _date(text: str) -> date:
    """A date; also as Pulumi hands on one that stands in the file without quotes."""
    try:
        return date.fromisoformat(text.removesuffix(named.UNQUOTED))
    except ValueError:
        raise ValueError(f"is {text!r} (write a date such as 2026-01-31)") from None


def _boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(f"is {text!r} (write true or false)")
    return text == "true"


def _reference(text: str) -> str:
    if len(text.split("/")) != 3 or not all(text.split("/")):
        raise ValueError(f"is {text!r} (write ORGANIZATION/{naming.PROJECT}/{naming.FOUNDATION})")
    return text


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError(f"is {text!r} (write Keystone's id, 32 hexadecimal digits)")
    return text


def _roles(text: str) -> dict[str, str]:
    remedy = "(write NAME: ID for each role, as 'openstack role list' shows them)"
    try:
        given = json.loads(text)
    except ValueError:
        raise ValueError(f"is no mapping {remedy}") from None
    if not isinstance(given, dict):
        raise ValueError(f"is no mapping {remedy}")
    wrong = sorted(name for name, id_ in given.items() if not (isinstance(id_, str) and _ID.fullmatch(id_)))
    if wrong:
        raise ValueError(f"has no Keystone id of 32 hexadecimal digits for {', '.join(wrong)} {remedy}")
    missing = sorted({"member", "reader"} - given.keys())
    if missing:
        raise ValueError(f"leaves out {' and '.join(missing)} {remedy}")
    return given


def _quota(text: str) -> dict[str, int]:
    remedy = f"(write NAME: NUMBER, -1 for no limit, of {', '.join(quota_fields.FIELDS[kinds.NETWORK_QUOTA])})"
    try:
        given = {name: int(limit) for name, limit in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        raise ValueError(f"is no mapping to numbers {remedy}") from None
    wrong = sorted(given.keys() - set(quota_fields.FIELDS[kinds.NETWORK_QUOTA]))
    wrong += [name for name, limit in given.items() if limit < -1]
    if wrong:
        raise ValueError(f"has no such {', '.join(wrong)} {remedy}")
    return given


_KEYS: Mapping[str, _Key] = {
    "estate": _Key(
        field="estate",
        read=_estate,
        remedy="pulumi config set gdcc:estate inventory/estates/gdcc",
        foundation_needs=True,
        agency_needs=True,
    ),
    "seed": _Key(
        field="seed",
        read=_seed,
        remedy="openssl rand -hex 32 | pulumi config set --secret gdcc:seed",
        agency_needs=True,
        secret=True,
    ),
    "passwordGeneration": _Key(field="password_generation", read=_whole(1, 1_000_000)),
    "foundation": _Key(field="foundation", read=_reference),
    "credentialsFrom": _Key(
        field="credentials_from",
        read=_date,
        remedy="pulumi config set gdcc:credentialsFrom $(date -I)",
        agency_needs=True,
    ),
    "credentialDays": _Key(field="credential_days", read=_whole(1, 3650)),
    "protect": _Key(field="protect", read=_boolean),
    "exceptions": _Key(field="exceptions", read=named.parse),
    "roles": _Key(
        field="roles",
        read=_roles,
        remedy="pulumi config set --path gdcc:roles.member ID, and so for reader and admin",
        foundation_needs=True,
    ),
    "loginProject": _Key(field="login_project", read=_id),
    "loginQuota": _Key(field="login_quota", read=_quota),
}


def read() -> StackConfig:
    """The configuration of the stack that is running. Raises `ConfigError`."""
    values = {**runtime.get_config_env(), **runtime.CONFIG.get()}
    prefix = f"{naming.PROJECT}:"
    given = {key.removeprefix(prefix): str(value) for key, value in values.items() if key.startswith(prefix)}
    encrypted = set(runtime.get_config_secret_keys_env())
    secrets = {key for key in given if prefix + key in encrypted or runtime.is_config_secret(prefix + key)}
    return parse(pulumi.get_stack(), given, secrets)


def parse(stack: str, given: Mapping[str, str], secrets: Collection[str] = ()) -> StackConfig:
    """The configuration of a stack from its keys without their prefix; `secrets` are those that are encrypted.

    Raises `ConfigError` with everything that is wrong.
    """
    agency = naming.agency_of(stack)
    fields: dict[str, Any] = {}
    problems: list[str] = []
    if agency is None and stack != naming.FOUNDATION:
        wanted = f"{naming.FOUNDATION}, or {naming.agency_stack('AGENCY')}"
        problems.append(f"is neither the foundation's nor an agency's (name it {wanted})")
    for name, key in _KEYS.items():
        if name in given:
            problems.extend(_read(fields, name, key, given[name]))
            if key.secret and name not in secrets:
                problems.append(f"gdcc:{name} stands in clear (set it with: {key.remedy})")
        elif key.agency_needs if agency is not None else key.foundation_needs:
            problems.append(f"gdcc:{name} is missing (set it with: {key.remedy})")
    if "loginProject" in given and "loginQuota" not in given:
        what = "gdcc:loginQuota is missing beside gdcc:loginProject, whose quota the first up might lower"
        problems.append(f"{what} (gdcc estate fills it in; by hand: openstack quota show --network)")
    problems.extend(_unknown(given))
    if problems:
        raise ConfigError(stack, tuple(problems))
    return StackConfig(stack=Stack(name=stack, agency=agency), **fields)


def _read(fields: dict[str, Any], name: str, key: _Key, text: str) -> Iterator[str]:
    try:
        fields[key.field] = key.read(text)
    except ValueError as error:
        yield f"gdcc:{name} {error}"


def _unknown(given: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(given.keys() - _KEYS.keys()):
        near = difflib.get_close_matches(name, _KEYS, n=1, cutoff=0.6)
        remedy = f"did you mean gdcc:{near[0]}?" if near else f"known: {', '.join(_KEYS)}"
        yield f"gdcc:{name} is unknown ({remedy})"
