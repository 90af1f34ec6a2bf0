"""A device that speaks SNMP v2c or v3 over real UDP on loopback, and can be slow, dead, hostile, short or rebooted.

Its security is pysnmp's own services, so that it shares no code with the side under test.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pysnmp.proto import api, rfc1905
from pysnmp.proto.mpmod import rfc3412
from pysnmp.proto.secmod.rfc3414 import service
from pysnmp.proto.secmod.rfc3414.auth import hmacsha
from pysnmp.proto.secmod.rfc7860.auth import hmacsha2

from controller.adapters.snmp.credentials import AuthProtocol, Community, Credential, PrivProtocol, User

V1 = api.PROTOCOL_MODULES[api.SNMP_VERSION_1]
V2C = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
SYS_UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
USM_STATS = (1, 3, 6, 1, 6, 3, 15, 1, 1)

_AUTH = {
    AuthProtocol.SHA1: (hmacsha.HmacSha(), hmacsha.HmacSha.SERVICE_ID, 12),
    AuthProtocol.SHA256: (
        hmacsha2.HmacSha2(hmacsha2.HmacSha2.SHA256_SERVICE_ID), hmacsha2.HmacSha2.SHA256_SERVICE_ID, 24,
    ),
    AuthProtocol.SHA512: (
        hmacsha2.HmacSha2(hmacsha2.HmacSha2.SHA512_SERVICE_ID), hmacsha2.HmacSha2.SHA512_SERVICE_ID, 48,
    ),
}  # fmt: skip
_PRIV = {
    PrivProtocol.AES128: service.SnmpUSMSecurityModel.PRIV_SERVICES[1, 3, 6, 1, 6, 3, 10, 1, 2, 4],
    PrivProtocol.AES256: service.SnmpUSMSecurityModel.PRIV_SERVICES[1, 3, 6, 1, 4, 1, 9, 12, 6, 1, 2],
}

Oid = tuple[int, ...]


@lru_cache
def _keys(user: User, engine_id: bytes) -> tuple[univ.OctetString, univ.OctetString]:
    auth, auth_id, _ = _AUTH[user.auth_protocol]
    priv, engine = _PRIV[user.priv_protocol], univ.OctetString(engine_id)
    key = auth.localize_key(auth.hash_passphrase(user.auth), engine)
    return key, priv.localize_key(auth_id, priv.hash_passphrase(auth_id, user.priv), engine)


@dataclass
class FakeAgent(asyncio.DatagramProtocol):
    """`values`: integers, or bytes. What ails it can be set at any time:

    `dead`, `delay_s`; `deaf`: so many next requests are lost; `rows_a_bulk`: GETBULK answers hold no more rows;
    `most_bindings`: more are tooBig; `broken`: objects that fail with genErr; `circling`: GETBULK never gets on;
    `in_clear`: answers encrypted questions in clear; `mangle`: turns an answer into datagrams.
    """

    credential: Credential
    values: dict[Oid, int | bytes]
    engine_id: bytes = field(default_factory=lambda: bytes.fromhex("80001f8804") + secrets.token_bytes(8))
    boots: int = 1
    time: int = 1000
    uptime: int = 100_000
    dead: bool = False
    delay_s: float = 0.0
    deaf: int = 0
    rows_a_bulk: int | None = None
    most_bindings: int | None = None
    broken: set[Oid] = field(default_factory=set)
    circling: bool = False
    in_clear: bool = False
    mangle: Callable[[bytes], list[bytes]] | None = None
    requests: list[str] = field(default_factory=list)
    address: tuple[str, int] = ("", 0)
    _transport: asyncio.DatagramTransport | None = None

    @asynccontextmanager
    async def running(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator["FakeAgent"]:
        """Answers on `host` until the block ends."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))
        self.address = self._transport.get_extra_info("sockname")[:2]
        try:
            yield self
        finally:
            self._transport.close()

    def reboot(self) -> None:
        self.boots, self.time, self.uptime = self.boots + 1, 3, 300

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.deaf or self.dead:
            self.deaf = max(0, self.deaf - 1)
            return
        answer = self._v3(data) if isinstance(self.credential, User) else self._v2c(data, self.credential)
        for datagram in () if answer is None else self.mangle(answer) if self.mangle else (answer,):
            asyncio.get_running_loop().call_later(self.delay_s, self._send, datagram, addr)

    def _send(self, datagram: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.sendto(datagram, addr)

    def _v2c(self, data: bytes, credential: Community) -> bytes | None:
        message, _ = decoder.decode(data, asn1Spec=V2C.Message())
        if message["community"].asOctets() != credential.community.encode():
            return None
        answer = V2C.Message()
        V2C.apiMessage.set_defaults(answer)
        V2C.apiMessage.set_community(answer, credential.community.encode())
        V2C.apiMessage.set_pdu(answer, self._answered(V2C.apiMessage.get_pdu(message)))
        return bytes(encoder.encode(answer))

    def _v3(self, data: bytes) -> bytes | None:
        assert isinstance(self.credential, User)
        message, _ = decoder.decode(data, asn1Spec=rfc3412.SNMPv3Message())
        security, _ = decoder.decode(
            message["msgSecurityParameters"].asOctets(), asn1Spec=service.UsmSecurityParameters()
        )
        flags, message_id = message["msgGlobalData"]["msgFlags"].asOctets()[0], int(message["msgGlobalData"]["msgID"])
        if security["msgAuthoritativeEngineId"].asOctets() != self.engine_id:
            return self._report(message_id, 4, signed=False)
        if security["msgUserName"].asOctets() != self.credential.name.encode():
            return self._report(message_id, 3, signed=False)
        auth, _, _ = _AUTH[self.credential.auth_protocol]
        key, secret = _keys(self.credential, self.engine_id)
        try:
            auth.authenticate_incoming_message(key, security["msgAuthenticationParameters"], data)
        except Exception:  # pysnmp raises what is no exception of the library's own tree  # noqa: BLE001
            return self._report(message_id, 5, signed=False)
        boots, time = (int(security[f"msgAuthoritativeEngine{what}"]) for what in ("Boots", "Time"))
        if boots != self.boots or abs(time - self.time) > 150:
            return self._report(message_id, 2, signed=True)
        assert flags & 2
        priv = _PRIV[self.credential.priv_protocol]
        salt = tuple(security["msgPrivacyParameters"].asOctets())
        scoped = priv.decrypt_data(secret, (boots, time, list(salt)), message["msgData"]["encryptedPDU"])
        try:
            inner, _ = decoder.decode(scoped, asn1Spec=rfc3412.ScopedPDU())
        except PyAsn1Error:
            return self._report(message_id, 6, signed=True)
        answer = self._answered(inner["data"].getComponent())
        return self._wrapped(message_id, answer, signed=not self.in_clear, secret=None if self.in_clear else secret)

    def _report(self, message_id: int, counter: int, *, signed: bool) -> bytes:
        pdu = V2C.ReportPDU()
        V2C.apiPDU.set_defaults(pdu)
        V2C.apiPDU.set_varbinds(pdu, [((*USM_STATS, counter, 0), V2C.Counter32(1))])
        return self._wrapped(message_id, pdu, signed=signed)

    def _wrapped(self, message_id: int, pdu: object, *, signed: bool, secret: object = None, flags: int = 0) -> bytes:
        assert isinstance(self.credential, User)
        auth, _, digest_bytes = _AUTH[self.credential.auth_protocol]
        scoped = rfc3412.ScopedPDU()
        scoped["contextEngineId"], scoped["contextName"] = self.engine_id, b""
        scoped["data"] = rfc1905.PDUs().setComponentByType(pdu.effectiveTagSet, pdu)
        whole, salt = rfc3412.SNMPv3Message(), b""
        if secret is not None:
            priv = _PRIV[self.credential.priv_protocol]
            hidden, salt = priv.encrypt_data(secret, (self.boots, self.time, None), encoder.encode(scoped))
            whole["msgData"]["encryptedPDU"] = hidden
        else:
            whole["msgData"]["plaintext"] = scoped
        security = service.UsmSecurityParameters()
        security["msgAuthoritativeEngineId"], security["msgAuthoritativeEngineBoots"] = self.engine_id, self.boots
        security["msgAuthoritativeEngineTime"] = self.time
        security["msgUserName"] = self.credential.name.encode() if signed else b""
        security["msgAuthenticationParameters"] = bytes(digest_bytes) if signed else b""
        security["msgPrivacyParameters"] = salt
        header = whole["msgGlobalData"]
        whole["msgVersion"], header["msgID"], header["msgMaxSize"], header["msgSecurityModel"] = 3, message_id, 65507, 3
        header["msgFlags"] = bytes((flags | (1 if signed else 0) | (2 if secret is not None else 0),))
        whole["msgSecurityParameters"] = encoder.encode(security)
        datagram = encoder.encode(whole)
        if not signed:
            return bytes(datagram)
        key, _ = _keys(self.credential, self.engine_id)
        return bytes(auth.authenticate_outgoing_message(key, datagram))

    def trap(self, kind: Oid, *, inform: bool = False, in_clear: bool = False) -> bytes:
        """A notification of that kind, as this device sends it; an inform asks for Reports too."""
        pdu = V2C.InformRequestPDU() if inform else V2C.TrapPDU()
        V2C.apiTrapPDU.set_defaults(pdu)
        V2C.apiTrapPDU.set_varbinds(
            pdu, [(SYS_UPTIME, V2C.TimeTicks(1)), ((1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0), V2C.ObjectIdentifier(kind))]
        )
        if isinstance(self.credential, User):
            _, secret = _keys(self.credential, self.engine_id)
            return self._wrapped(7, pdu, signed=True, secret=None if in_clear else secret, flags=4 if inform else 0)
        return self._in_community(V2C, pdu)

    def opened(self, datagram: bytes) -> tuple[int, bytes, object]:
        """Message id, flags and PDU of a message under this engine's id and its user's keys, as pysnmp reads it."""
        assert isinstance(self.credential, User)
        message, _ = decoder.decode(datagram, asn1Spec=rfc3412.SNMPv3Message())
        security, _ = decoder.decode(
            message["msgSecurityParameters"].asOctets(), asn1Spec=service.UsmSecurityParameters()
        )
        message_id, flags = int(message["msgGlobalData"]["msgID"]), message["msgGlobalData"]["msgFlags"].asOctets()
        assert security["msgAuthoritativeEngineId"].asOctets() == self.engine_id
        auth, _, _ = _AUTH[self.credential.auth_protocol]
        key, secret = _keys(self.credential, self.engine_id)
        if flags[0] & 1:
            auth.authenticate_incoming_message(key, security["msgAuthenticationParameters"], datagram)
        if not flags[0] & 2:
            return message_id, flags, message["msgData"]["plaintext"]["data"].getComponent()
        boots, time = (int(security[f"msgAuthoritativeEngine{what}"]) for what in ("Boots", "Time"))
        salt = list(security["msgPrivacyParameters"].asOctets())
        priv = _PRIV[self.credential.priv_protocol]
        scoped = priv.decrypt_data(secret, (boots, time, salt), message["msgData"]["encryptedPDU"])
        inner, _ = decoder.decode(scoped, asn1Spec=rfc3412.ScopedPDU())
        return message_id, flags, inner["data"].getComponent()

    def v1_trap(self, enterprise: Oid, generic: int, specific: int) -> bytes:
        """An SNMPv1 trap (RFC 1157 4.1.6)."""
        pdu = V1.TrapPDU()
        V1.apiTrapPDU.set_defaults(pdu)
        V1.apiTrapPDU.set_enterprise(pdu, enterprise)
        V1.apiTrapPDU.set_generic_trap(pdu, generic)
        V1.apiTrapPDU.set_specific_trap(pdu, specific)
        return self._in_community(V1, pdu)

    def v1_get(self) -> bytes:
        """A question in SNMPv1, which is no notification."""
        pdu = V1.GetRequestPDU()
        V1.apiPDU.set_defaults(pdu)
        return self._in_community(V1, pdu)

    def _in_community(self, version: Any, pdu: object) -> bytes:
        assert isinstance(self.credential, Community)
        message = version.Message()
        version.apiMessage.set_defaults(message)
        version.apiMessage.set_community(message, self.credential.community.encode())
        version.apiMessage.set_pdu(message, pdu)
        return bytes(encoder.encode(message))

    def _answered(self, asked: object) -> object:
        answer = V2C.ResponsePDU()
        V2C.apiPDU.set_defaults(answer)
        V2C.apiPDU.set_request_id(answer, int(asked["request-id"]))
        names = [tuple(name) for name, _ in V2C.apiPDU.get_varbinds(asked)]
        bulk = isinstance(asked, V2C.GetBulkRequestPDU)
        self.requests.append("bulk" if bulk else "get")
        table = {**self.values, SYS_UPTIME: self.uptime}
        bad = next((place for place, name in enumerate(names, 1) if name in self.broken), 0)
        bindings = _bulk(table, names, self._rows(asked)) if bulk else [_exact(table, name) for name in names]
        if bulk and self.circling:
            bindings = [(name, _typed(1)) for name in names]
        if self.most_bindings is not None and len(bindings) > self.most_bindings:
            V2C.apiPDU.set_error_status(answer, 1)
        elif bad:
            V2C.apiPDU.set_error_status(answer, 5)
            V2C.apiPDU.set_error_index(answer, bad)
        else:
            V2C.apiPDU.set_varbinds(answer, bindings)
        return answer

    def _rows(self, asked: object) -> int:
        rows = int(asked["max-repetitions"])
        return rows if self.rows_a_bulk is None else min(rows, self.rows_a_bulk)


def _exact(table: Mapping[Oid, int | bytes], name: Oid) -> tuple[Oid, object]:
    return name, _typed(table[name]) if name in table else rfc1905.noSuchInstance


def _bulk(table: Mapping[Oid, int | bytes], names: list[Oid], rows: int) -> list[tuple[Oid, object]]:
    order = sorted(table)
    bindings: list[tuple[Oid, object]] = []
    cursors = list(names)
    for _ in range(rows):
        for place, cursor in enumerate(cursors):
            following = next((name for name in order if name > cursor), None)
            if following is None:
                bindings.append((cursor, rfc1905.endOfMibView))
            else:
                bindings.append((following, _typed(table[following])))
                cursors[place] = following
    return bindings


def _typed(value: int | bytes) -> object:
    if isinstance(value, bytes):
        return V2C.OctetString(value)
    return V2C.Integer32(value) if -(2**31) <= value < 2**31 else V2C.Counter64(value)
