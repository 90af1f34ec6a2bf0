"""Who we are to a device. Secrets show in no repr; each device names its own credential and algorithms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from controller.errors import InputError

MIN_PASSPHRASE = 8
"""RFC 3414 11.2: a passphrase is at least 8 characters long."""


class AuthProtocol(StrEnum):
    """RFC 3414 (SHA-1, for controllers that know no better) and RFC 7860 (SHA-2)."""

    SHA1 = "sha1"
    SHA224 = "sha224"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


class PrivProtocol(StrEnum):
    """RFC 3826 (AES-128) and draft-blumenthal-aes-usm-04 (AES-192, AES-256), as net-snmp and the BMCs have them."""

    AES128 = "aes128"
    AES192 = "aes192"
    AES256 = "aes256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Community:
    """v2c: sent in clear, and a wrong one is answered by silence."""

    community: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """v3, always authPriv."""

    name: str
    auth: str = field(repr=False)
    priv: str = field(repr=False)
    auth_protocol: AuthProtocol = AuthProtocol.SHA256
    priv_protocol: PrivProtocol = PrivProtocol.AES128

    def __post_init__(self) -> None:
        if min(len(self.auth), len(self.priv)) < MIN_PASSPHRASE:
            raise InputError(
                f"a passphrase of SNMP user {self.name} is shorter than {MIN_PASSPHRASE} characters",
                remedy="devices refuse such passphrases; set a longer one",
            )


Credential = Community | User
Credentials = Mapping[str, Credential]
"""By the name that the inventory uses."""
