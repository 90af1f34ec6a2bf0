"""The user-based security model (RFC 3414, RFC 7860, AES by RFC 3826): one engine, one user, authPriv."""

import hashlib
import hmac
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from controller.twin.credentials import SnmpSecret
from controller.twin.snmp import ber, pdus

WINDOW_S = 150
_MAC_BYTES = {"sha1": 12, "sha256": 24}
_UNSUPPORTED, _WINDOW, _USER, _ENGINE, _DIGEST, _DECRYPT = (ber.parse(f"1.3.6.1.6.3.15.1.1.{n}.0") for n in range(1, 7))


@cache
def master_key(passphrase: str, protocol: str) -> bytes:
    """The digest of a megabyte of the passphrase, repeated (RFC 3414 A.2)."""
    repeated = passphrase.encode() * (1_048_576 // len(passphrase.encode()) + 1)
    return hashlib.new(protocol, repeated[:1_048_576]).digest()


def localized_key(passphrase: str, protocol: str, engine_id: bytes) -> bytes:
    """The key of a passphrase on one engine."""
    master = master_key(passphrase, protocol)
    return hashlib.new(protocol, master + engine_id + master).digest()


@dataclass(slots=True, kw_only=True)
class Engine:
    """An SNMP engine: its id, when and how often it started, and the keys of its user."""

    id: bytes
    secret: SnmpSecret
    boots: int = 1
    began: float = 0.0
    salt: int = field(default_factory=lambda: int.from_bytes(os.urandom(8), "big"))
    auth_key: bytes = b""
    priv_key: bytes = b""

    def keys(self) -> tuple[bytes, bytes]:
        """The localized keys of authentication and privacy, worked out at first use."""
        if not self.auth_key:
            protocol = self.secret.auth_protocol
            self.auth_key = localized_key(self.secret.auth, protocol, self.id)
            self.priv_key = localized_key(self.secret.priv, protocol, self.id)[:16]
        return self.auth_key, self.priv_key

    def time(self, now: float) -> int:
        """Seconds since the engine started."""
        return int(now - self.began)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    """The fields of a received message. `mac_at` is where its authentication code stands."""

    id: bytes
    flags: int
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    mac: bytes
    mac_at: int
    salt: bytes
    scoped_at: int


def answer(engine: Engine, data: bytes, now: float, respond: Callable[[bytes, int], bytes | None]) -> bytes | None:
    """The answer to a v3 message. `respond` answers the request that begins at a byte of the plain scoped PDU."""
    message = _read(data)
    counter = _objection(engine, message, data, now)
    if counter is not None:
        return _report(engine, message, counter, now)
    sealed, _ = ber.take(data, message.scoped_at, ber.OCTETS)
    plain = _cipher(engine, message.boots, message.time, message.salt).decryptor().update(sealed)
    try:
        start, _ = ber.head(plain, 0, ber.SEQUENCE)
        _, at = ber.take(plain, start, ber.OCTETS)
        context, at = ber.take(plain, at, ber.OCTETS)
        response = respond(plain, at)
    except ber.MalformedError:
        return _report(engine, message, _DECRYPT, now)
    if response is None:
        return None
    return sealed_message(engine, ber.tlv(ber.INTEGER, message.id), context, response, now)


def _objection(engine: Engine, message: _Message, data: bytes, now: float) -> ber.Oid | None:
    """The counter that a report names where the message is not to be answered (RFC 3414, 3.2)."""
    late = message.boots != engine.boots or abs(message.time - engine.time(now)) > WINDOW_S
    checks: list[tuple[ber.Oid, Callable[[], bool]]] = [
        (_ENGINE, lambda: message.engine_id == engine.id),
        (_USER, lambda: message.user == engine.secret.user.encode()),
        (_UNSUPPORTED, lambda: message.flags & 3 == 3),
        (_DIGEST, lambda: _authentic(engine, message, data)),
        (_WINDOW, lambda: not late),
    ]
    return next((counter for counter, holds in checks if not holds()), None)


def sealed_message(engine: Engine, message_id: bytes, context: bytes, pdu: bytes, now: float) -> bytes:
    """An authenticated and encrypted message of this engine."""
    engine.salt = (engine.salt + 1) & 0xFFFFFFFFFFFFFFFF
    salt = engine.salt.to_bytes(8, "big")
    scoped = ber.tlv(ber.SEQUENCE, ber.tlv(ber.OCTETS, engine.id) + ber.tlv(ber.OCTETS, context) + pdu)
    sealed = _cipher(engine, engine.boots, engine.time(now), salt).encryptor().update(scoped)
    return _wrapped(engine, now, message_id, flags=3, salt=salt, scoped=ber.tlv(ber.OCTETS, sealed))


def _read(data: bytes) -> _Message:
    start, _ = ber.head(data, 0, ber.SEQUENCE)
    _, at = ber.take_int(data, start)
    header, scoped_at = ber.head(data, at, ber.SEQUENCE)[0], ber.head(data, at, ber.SEQUENCE)[1]
    message_id, at = ber.take(data, header, ber.INTEGER)
    _, at = ber.take(data, at, ber.INTEGER)
    flags, _ = ber.take(data, at, ber.OCTETS)
    security, scoped = ber.head(data, scoped_at, ber.OCTETS)
    at, _ = ber.head(data, security, ber.SEQUENCE)
    engine_id, at = ber.take(data, at, ber.OCTETS)
    boots, at = ber.take_int(data, at)
    time, at = ber.take_int(data, at)
    user, at = ber.take(data, at, ber.OCTETS)
    mac_at, _ = ber.head(data, at, ber.OCTETS)
    mac, at = ber.take(data, at, ber.OCTETS)
    salt, _ = ber.take(data, at, ber.OCTETS)
    return _Message(
        id=message_id, flags=flags[0] if flags else 0, engine_id=engine_id, boots=boots, time=time, user=user,
        mac=mac, mac_at=mac_at, salt=salt, scoped_at=scoped,
    )  # fmt: skip


def _authentic(engine: Engine, message: _Message, data: bytes) -> bool:
    size = _MAC_BYTES[engine.secret.auth_protocol]
    if len(message.mac) != size:
        return False
    blank = data[: message.mac_at] + bytes(size) + data[message.mac_at + size :]
    return hmac.compare_digest(_mac(engine, blank), message.mac)


def _mac(engine: Engine, blank: bytes) -> bytes:
    protocol = engine.secret.auth_protocol
    return hmac.digest(engine.keys()[0], blank, protocol)[: _MAC_BYTES[protocol]]


def _cipher(engine: Engine, boots: int, time: int, salt: bytes) -> Cipher[CFB]:
    vector = struct.pack(">II", boots & 0xFFFFFFFF, time & 0xFFFFFFFF) + salt[:8].ljust(8, b"\0")
    return Cipher(algorithms.AES(engine.keys()[1]), CFB(vector))


def _report(engine: Engine, message: _Message, counter: ber.Oid, now: float) -> bytes:
    """What the sender is told instead; only a report on time is signed, so that it can be trusted to set the clock."""
    binding = ber.tlv(ber.SEQUENCE, ber.object_id(counter) + ber.counter(1))
    body = ber.integer(0) * 3 + ber.tlv(ber.SEQUENCE, binding)
    scoped = ber.tlv(ber.OCTETS, engine.id) + ber.tlv(ber.OCTETS, b"") + ber.tlv(pdus.REPORT, body)
    plain = ber.tlv(ber.SEQUENCE, scoped)
    signed = 1 if counter == _WINDOW else 0
    return _wrapped(engine, now, ber.tlv(ber.INTEGER, message.id), flags=signed, salt=b"", scoped=plain)


def _wrapped(engine: Engine, now: float, message_id: bytes, *, flags: int, salt: bytes, scoped: bytes) -> bytes:
    """A whole message; with the first flag, its authentication code is filled in."""
    size = _MAC_BYTES[engine.secret.auth_protocol] if flags & 1 else 0
    user = engine.secret.user.encode() if flags & 1 else b""
    header = ber.tlv(
        ber.SEQUENCE, message_id + ber.integer(65507) + ber.tlv(ber.OCTETS, bytes((flags,))) + ber.integer(3)
    )
    before = ber.tlv(ber.OCTETS, engine.id) + ber.integer(engine.boots) + ber.integer(engine.time(now))
    before += ber.tlv(ber.OCTETS, user)
    security = before + ber.tlv(ber.OCTETS, bytes(size)) + ber.tlv(ber.OCTETS, salt)
    whole = ber.integer(3) + header + ber.tlv(ber.OCTETS, ber.tlv(ber.SEQUENCE, security)) + scoped
    message = ber.tlv(ber.SEQUENCE, whole)
    if not size:
        return message
    at = len(message) - len(scoped) - len(ber.tlv(ber.OCTETS, salt)) - size
    return message[:at] + _mac(engine, message) + message[at + size :]
