"""The twin's secrets and the files that hand them to a daemon, readable by their owner alone.

Secrets are derived from the seed, so that a twin started again knows the daemon that was set up for it.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from controller.twin.openstack.cloud import PREFIXES, REGION
from inventory.model import Estate

CLOUD = "twin"
USER = "gdcc"


@dataclass(frozen=True, slots=True, kw_only=True)
class SnmpSecret:
    """v2c has a community; v3 (`user` is set) an authentication and a privacy passphrase, AES-128."""

    community: str = ""
    user: str = ""
    auth: str = ""
    priv: str = ""
    auth_protocol: str = "sha256"


def derived(seed: int, *names: str) -> str:
    """A secret of 24 characters that depends on the seed and the names alone."""
    return hashlib.sha256("/".join(["gdcc-twin", str(seed), *names]).encode()).hexdigest()[:24]


def snmp_secrets(estate: Estate, seed: int) -> Mapping[str, SnmpSecret]:
    """A secret for every credential that the estate names: v3 with SHA-256 unless its name ends in `v2c` or `sha1`."""
    names = {host.bmc.credential for host in estate.hosts.values() if host.bmc is not None}
    names |= {pdu.credential for pdu in estate.pdus.values() if pdu.credential}
    names |= {device.credential for device in estate.devices.values() if device.credential}
    return {name: _secret(name, seed) for name in sorted(names)}


def _secret(name: str, seed: int) -> SnmpSecret:
    if name.endswith("v2c"):
        return SnmpSecret(community=derived(seed, name))
    protocol = "sha1" if name.endswith("sha1") else "sha256"
    auth, priv = derived(seed, name, "auth"), derived(seed, name, "priv")
    return SnmpSecret(user=USER, auth=auth, priv=priv, auth_protocol=protocol)


def clouds_yaml(base_url: str, password: str) -> dict[str, Any]:
    """What openstacksdk reads to reach the twin as its administrator."""
    auth = {
        "auth_url": f"{base_url}{PREFIXES['identity']}/v3",
        "username": "admin",
        "password": password,
        "project_name": "admin",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    return {"clouds": {CLOUD: {"auth": auth, "region_name": REGION, "identity_api_version": "3"}}}


def daemon_yaml(estate: Path, state: Path, secrets: Mapping[str, SnmpSecret]) -> dict[str, Any]:
    """A configuration with which `gdcc run` watches the twin: recommend mode, everything else by default."""
    return {
        "version": 1,
        "estate": str(estate.resolve()),
        "state_dir": str((state / "daemon").resolve()),
        "socket": {"path": str((state / "gdcc.sock").resolve())},
        "cloud": {"name": CLOUD, "file": str((state / "clouds.yaml").resolve())},
        "snmp": {"credentials": {name: _credential(secret) for name, secret in secrets.items()}},
    }


def _credential(secret: SnmpSecret) -> dict[str, str]:
    if secret.community:
        return {"version": "2c", "community": secret.community}
    return {
        "version": "3", "user": secret.user, "auth": secret.auth, "auth_protocol": secret.auth_protocol,
        "priv": secret.priv, "priv_protocol": "aes128",
    }  # fmt: skip


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Writes YAML that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        os.fchmod(file.fileno(), 0o600)
        yaml.safe_dump(dict(content), file, sort_keys=False)
