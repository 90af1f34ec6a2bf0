"""Where Keystone is, for providers that log in as a service user instead of as whoever runs Pulumi.

Such a provider is a process of its own in the same environment, and Terraform's OpenStack provider prefers some
variables of it to its own arguments (gophercloud/utils, clientconfig.AuthOptions): with OS_CLOUD set it would quietly
log in as the administrator, and hand out the administrator's application credential. Those are refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

OVERRIDING = (
    "OS_CLOUD",
    "OS_TOKEN",
    "OS_AUTH_TOKEN",
    "OS_APPLICATION_CREDENTIAL_ID",
    "OS_APPLICATION_CREDENTIAL_NAME",
    "OS_APPLICATION_CREDENTIAL_SECRET",
    "OS_USER_ID",
    "OS_USER_DOMAIN_ID",
)
"""Variables that win over a provider's user name and password, or that Keystone refuses beside them."""

CLOUDS_FILES = (Path("~/.config/openstack/clouds.yaml"), Path("/etc/openstack/clouds.yaml"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Keystone:
    """What a provider needs but for the user. None: the plugin takes it from its environment, or has a default."""

    auth_url: str
    region: str | None = None
    cacert_file: str | None = None
    insecure: bool | None = None
    endpoint_type: str | None = None


class LoginError(ValueError):
    """Every reason why no provider can log in as a service user here."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


def keystone(environ: Mapping[str, str], cloud: str | None) -> Keystone:
    """Keystone of the cloud that `openstack:cloud` names in clouds.yaml, else of OS_AUTH_URL. Raises `LoginError`."""
    reasons = [
        f"{name} is set: it would log a service user's provider in as you (unset it; name a cloud of clouds.yaml with "
        "'pulumi config set openstack:cloud NAME', or set OS_USERNAME, OS_PASSWORD, OS_USER_DOMAIN_NAME)"
        for name in OVERRIDING
        if environ.get(name)
    ]
    if not reasons and cloud is not None:
        return _from_file(environ, cloud)
    if not reasons and environ.get("OS_AUTH_URL"):
        return Keystone(auth_url=environ["OS_AUTH_URL"])
    raise LoginError(tuple(reasons) or ("no cloud is named (set OS_AUTH_URL and the like, or openstack:cloud)",))


def _from_file(environ: Mapping[str, str], cloud: str) -> Keystone:
    said = environ.get("OS_CLIENT_CONFIG_FILE")
    paths = [Path(said)] if said else [path.expanduser() for path in CLOUDS_FILES]
    try:
        path = next((path for path in paths if path.is_file()), None)
        document: Any = None if path is None else yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LoginError((f"openstack:cloud is {cloud}, and its file cannot be read: {error}",)) from error
    if path is None:
        raise LoginError((f"openstack:cloud is {cloud}, and there is no {' or '.join(map(str, paths))}",))
    entry: Any = _at(_at(document, "clouds"), cloud)
    auth_url = _at(_at(entry, "auth"), "auth_url")
    if not isinstance(auth_url, str):
        raise LoginError((f"{path}: cloud {cloud} has no auth.auth_url",))
    verify = _at(entry, "verify")
    return Keystone(
        auth_url=auth_url,
        region=_at(entry, "region_name"),
        cacert_file=_at(entry, "cacert"),
        insecure=None if verify is None else not verify,
        endpoint_type=_at(entry, "interface") or _at(entry, "endpoint_type"),
    )


def _at(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None
