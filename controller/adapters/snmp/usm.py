"""The User-based Security Model (RFC 3414, RFC 7860, RFC 3826) towards one device, as the side that asks.

What is known of the device's engine is kept here, for its address alone. Its clock runs on between answers. A message
counts only when its digest is ours to check, its engine and user are the ones asked, and its time is within the window;
its message id, new and random each time and under the digest, ties it to the question.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from pyasn1.type import univ
from pysnmp.proto.secmod.rfc3414 import localkey, service
from pysnmp.proto.secmod.rfc3414.auth import hmacsha
from pysnmp.proto.secmod.rfc7860.auth import hmacsha2

from controller.adapters.snmp import pdu, v3
from controller.adapters.snmp.credentials import AuthProtocol, PrivProtocol, User
from controller.adapters.snmp.failure import PollError, Reason, RefusedError
from controller.adapters.snmp.oids import Oid, dotted

WINDOW_SECONDS = 150
LAST_BOOTS = 2**31 - 1

_USM_STATS: Oid = (1, 3, 6, 1, 6, 3, 15, 1, 1)
UNSUPPORTED_SEC_LEVELS, NOT_IN_TIME_WINDOWS, UNKNOWN_USER_NAMES, UNKNOWN_ENGINE_IDS, WRONG_DIGESTS = (
    (*_USM_STATS, n, 0) for n in range(1, 6)
)
_REFUSALS = {
    UNSUPPORTED_SEC_LEVELS: "does not speak authPriv to this user (unsupportedSecLevels)",
    UNKNOWN_USER_NAMES: "does not know the user (unknownUserNames)",
    WRONG_DIGESTS: "says our digest is wrong (wrongDigests): passphrase or algorithm",
    (*_USM_STATS, 6, 0): "cannot decrypt (decryptionErrors): privacy passphrase or algorithm",
}

_SHA2 = hmacsha2.HmacSha2
_AUTH: dict[AuthProtocol, tuple[str, int, Oid]] = {
    AuthProtocol.SHA1: ("sha1", 12, hmacsha.HmacSha.SERVICE_ID),
    AuthProtocol.SHA224: ("sha224", 16, _SHA2.SHA224_SERVICE_ID),
    AuthProtocol.SHA256: ("sha256", 24, _SHA2.SHA256_SERVICE_ID),
    AuthProtocol.SHA384: ("sha384", 32, _SHA2.SAH384_SERVICE_ID),
    AuthProtocol.SHA512: ("sha512", 48, _SHA2.SHA512_SERVICE_ID),
}
"""Hash, bytes of digest sent, pysnmp's name."""
_CISCO: Oid = (1, 3, 6, 1, 4, 1, 9, 12, 6, 1)
_PRIV_NAMES: dict[PrivProtocol, Oid] = {
    PrivProtocol.AES128: (1, 3, 6, 1, 6, 3, 10, 1, 2, 4),
    PrivProtocol.AES192: (*_CISCO, 1),
    PrivProtocol.AES256: (*_CISCO, 2),
}
"""Names of the ciphers: RFC 3826, and CISCO-SNMP-USM-OIDS-MIB with Blumenthal's key extension."""
_PRIV = {protocol: service.SnmpUSMSecurityModel.PRIV_SERVICES[name] for protocol, name in _PRIV_NAMES.items()}


class Resync:
    """The device told what it needs to understand us; ask again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Localized to one engine."""

    auth: bytes
    priv: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Engine:
    """`heard` is our clock's second at which the engine said `boots` and `time`; `proven`: under its digest."""

    id: bytes
    boots: int = 0
    time: int = 0
    heard: float = 0.0
    proven: bool = False


class UserSecurity:
    """`seal` our questions to one device and `open` its answers. `monotonic` is in seconds."""

    def __init__(self, user: User, monotonic: Callable[[], float]) -> None:
        self._user = user
        self._monotonic = monotonic
        self._hash, self._digest_bytes, _ = _AUTH[user.auth_protocol]
        self._engine: _Engine | None = None
        self._keys: Keys | None = None
        self._message_id = 0
        self._request_id = 0
        self.reboots = 0

    @property
    def engine_id(self) -> bytes | None:
        """The device's engine id, once it has answered under its key."""
        return self._engine.id if self._engine is not None and self._engine.proven else None

    def probe(self) -> bytes | None:
        """The question for the engine's id (RFC 3414 4), None where it is known."""
        if self._engine is not None:
            return None
        self._message_id = secrets.randbits(31)
        return v3.encoded(_message(self._message_id, v3.REPORTABLE, v3.scoped(b"", pdu.get(self._message_id, ()))))

    def seal(self, request_id: int, asked: Any) -> bytes:
        """The PDU encrypted and signed for the device."""
        assert self._engine is not None, "probe comes first"
        self._message_id, self._request_id = secrets.randbits(31), request_id
        return sealed(
            self._message_id, v3.scoped(self._engine.id, asked), self._user, self._localized(self._engine.id),
            engine_id=self._engine.id, boots=self._engine.boots, time=self._now(self._engine),
        )  # fmt: skip

    def open(self, datagram: bytes) -> pdu.Response | Resync | None:
        """The answer; None for one to an older question. Raises PollError (malformed, auth, report)."""
        message = v3.decoded(datagram)
        if message.id != self._message_id:
            return None
        if not message.flags & v3.AUTH:
            return self._in_clear(message)
        engine = self._engine
        if engine is None or message.engine_id != engine.id or message.user != self._user.name.encode():
            raise PollError(Reason.MALFORMED, "an answer from another engine or for another user")
        keys = self._localized(engine.id)
        if not genuine(message, keys, self._user):
            raise PollError(Reason.AUTH, "an answer's digest is wrong")
        if not self._timely(message, engine):
            self._engine = None
            return Resync()
        response = v3.response(opened(message, keys, self._user))
        if response.report:
            return self._report(response)
        if not message.flags & v3.PRIV:
            raise PollError(Reason.MALFORMED, "an answer in clear to an encrypted question")
        return response if response.request_id == self._request_id else None

    def unanswered(self) -> None:
        """After silence an engine that never proved itself is asked for its id again."""
        if self._engine is not None and not self._engine.proven:
            self._engine = None

    def _in_clear(self, message: v3.Message) -> Resync:
        """A Report in clear may tell the engine's id, or that we are not known; nothing else is believed."""
        response = v3.response(message.scoped)
        if message.flags & v3.PRIV or not response.report:
            raise PollError(Reason.MALFORMED, "an answer in clear to an encrypted question")
        subject = response.bindings[0][0] if response.bindings else ()
        if subject in (UNKNOWN_ENGINE_IDS, NOT_IN_TIME_WINDOWS):
            if len(message.engine_id) not in v3.ENGINE_ID_BYTES:
                raise PollError(Reason.MALFORMED, f"an engine id of {len(message.engine_id)} bytes")
            self._meet(message)
            return Resync()
        return self._report(response)

    def _meet(self, message: v3.Message) -> None:
        self._engine = _Engine(
            id=message.engine_id, boots=message.boots, time=message.time, heard=self._monotonic(), proven=False
        )

    def _report(self, response: pdu.Response) -> Resync:
        subject = response.bindings[0][0] if response.bindings else ()
        if subject == NOT_IN_TIME_WINDOWS:
            return Resync()
        if subject in _REFUSALS:
            self._engine = None
            raise RefusedError(Reason.AUTH, f"the device {_REFUSALS[subject]}")
        raise RefusedError(Reason.REPORT, f"the device reports {dotted(subject) or 'nothing'}")

    def _timely(self, message: v3.Message, engine: _Engine) -> bool:
        """RFC 3414 3.2 7b; learns the engine's clock from what passes."""
        if message.boots == LAST_BOOTS:
            raise PollError(Reason.AUTH, "the engine's boots are used up", remedy="give the device a new engine id")
        if engine.proven:
            if message.boots < engine.boots:
                return False
            if message.boots == engine.boots and message.time < self._now(engine) - WINDOW_SECONDS:
                return False
            self.reboots += message.boots > engine.boots
        self._engine = replace(
            engine, boots=message.boots, time=message.time, heard=self._monotonic(), proven=True
        )  # fmt: skip
        return True

    def _now(self, engine: _Engine) -> int:
        return min(engine.time + int(self._monotonic() - engine.heard), LAST_BOOTS)

    def _localized(self, engine_id: bytes) -> Keys:
        return localized_keys(self._user, engine_id)


def trap_response(message: v3.Message, user: User) -> pdu.Response:
    """A notification, of which the sender's own engine is the authority (RFC 3414 1.5.1).

    Its digest is checked and not its time: a replay brings no more than a poll. Raises PollError.
    """
    if not message.flags & v3.AUTH or message.user != user.name.encode():
        raise PollError(Reason.AUTH, "a trap without a digest, or of another user")
    if len(message.engine_id) not in v3.ENGINE_ID_BYTES:
        raise PollError(Reason.MALFORMED, f"an engine id of {len(message.engine_id)} bytes")
    keys = localized_keys(user, message.engine_id)
    if not genuine(message, keys, user):
        raise PollError(Reason.AUTH, "a trap's digest is wrong")
    return v3.response(opened(message, keys, user))


def sealed(
    message_id: int, scoped: bytes, user: User, keys: Keys, *, engine_id: bytes, boots: int, time: int,
    flags: int = v3.AUTH | v3.PRIV | v3.REPORTABLE,
) -> bytes:  # fmt: skip
    """A message at the level of its flags: encrypted, then signed; in clear it bears no user's name."""
    hash_name, digest_bytes, _ = _AUTH[user.auth_protocol]
    salt = secrets.token_bytes(8) if flags & v3.PRIV else b""
    placeholder = secrets.token_bytes(digest_bytes) if flags & v3.AUTH else b""
    content = _cipher(keys.priv, boots, time, salt).encryptor().update(scoped) if salt else scoped
    bare = _message(
        message_id, flags, content, engine_id=engine_id, boots=boots, time=time,
        user=user.name.encode() if placeholder else b"", digest=placeholder, salt=salt,
    )  # fmt: skip
    if not placeholder:
        return v3.encoded(bare)
    before, _, after = v3.encoded(bare).partition(placeholder)
    digest = hmac.digest(keys.auth, before + bytes(digest_bytes) + after, hash_name)[:digest_bytes]
    return before + digest + after


def genuine(message: v3.Message, keys: Keys, user: User) -> bool:
    """Whether the digest is right."""
    hash_name, digest_bytes, _ = _AUTH[user.auth_protocol]
    right = hmac.digest(keys.auth, message.blank, hash_name)[:digest_bytes]
    return hmac.compare_digest(right, message.digest)


def opened(message: v3.Message, keys: Keys, user: User) -> bytes:
    """The scoped PDU in clear. Raises PollError (malformed)."""
    if not message.flags & v3.PRIV:
        return message.scoped
    if len(message.salt) != 8:
        raise PollError(Reason.MALFORMED, f"a salt of {len(message.salt)} bytes")
    return _cipher(keys.priv, message.boots, message.time, message.salt).decryptor().update(message.scoped)


def _message(
    message_id: int, flags: int, scoped: bytes, *, engine_id: bytes = b"", boots: int = 0, time: int = 0,
    user: bytes = b"", digest: bytes = b"", salt: bytes = b"",
) -> v3.Message:  # fmt: skip
    return v3.Message(
        id=message_id, flags=flags, engine_id=engine_id, boots=boots, time=time, user=user, digest=digest, salt=salt,
        scoped=scoped,
    )  # fmt: skip


def _cipher(key: bytes, boots: int, time: int, salt: bytes) -> Cipher[CFB]:
    """AES in CFB-128 with RFC 3826's initialization vector."""
    return Cipher(algorithms.AES(key), CFB(boots.to_bytes(4, "big") + time.to_bytes(4, "big") + salt))


@lru_cache(maxsize=256)
def _hashed(user: User) -> tuple[Any, Any]:
    """Both passphrases hashed, a megabyte each: once for each credential."""
    algorithm = getattr(hashlib, _AUTH[user.auth_protocol][0])
    return localkey.hash_passphrase(user.auth, algorithm), localkey.hash_passphrase(user.priv, algorithm)


@lru_cache(maxsize=16384)
def localized_keys(user: User, engine_id: bytes) -> Keys:
    """The user's keys on one engine (RFC 3414 2.6)."""
    hash_name, _, service_id = _AUTH[user.auth_protocol]
    auth, priv = _hashed(user)
    engine = univ.OctetString(engine_id)
    return Keys(
        auth=localkey.localize_key(auth, engine, getattr(hashlib, hash_name)).asOctets(),
        priv=_PRIV[user.priv_protocol].localize_key(service_id, priv, engine).asOctets(),
    )
