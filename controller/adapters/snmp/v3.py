"""SNMPv3 messages (RFC 3412) on the wire, encoded and decoded by pysnmp's own types. No keys, no judgement."""

from dataclasses import dataclass
from typing import Any

from pyasn1.codec.ber import encoder
from pyasn1.error import PyAsn1Error
from pysnmp.proto.mpmod import rfc3412
from pysnmp.proto.secmod.rfc3414 import service

from controller.adapters.snmp import pdu
from controller.adapters.snmp.failure import PollError, Reason

AUTH, PRIV, REPORTABLE = 1, 2, 4
MAX_SIZE = 65507
USM = 3
ENGINE_ID_BYTES = range(5, 33)
"""RFC 3411: SnmpEngineID is 5 to 32 octets long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`scoped` is the scoped PDU, encrypted where `flags` say so. `blank` is the datagram with zeros for the digest,
    which is what the digest is of (RFC 3414 6.3.1); empty where it is yet to be encoded."""

    id: int
    flags: int
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    digest: bytes
    salt: bytes
    scoped: bytes
    blank: bytes = b""


def encoded(message: Message) -> bytes:
    """The message's bytes, of all but `blank`."""
    security = service.UsmSecurityParameters()
    for name, value in (
        ("msgAuthoritativeEngineId", message.engine_id),
        ("msgAuthoritativeEngineBoots", message.boots),
        ("msgAuthoritativeEngineTime", message.time),
        ("msgUserName", message.user),
        ("msgAuthenticationParameters", message.digest),
        ("msgPrivacyParameters", message.salt),
    ):
        security[name] = value
    whole = rfc3412.SNMPv3Message()
    whole["msgVersion"] = 3
    header = whole["msgGlobalData"]
    header["msgID"], header["msgMaxSize"] = message.id, MAX_SIZE
    header["msgFlags"], header["msgSecurityModel"] = bytes((message.flags,)), USM
    whole["msgSecurityParameters"] = encoder.encode(security)
    data = whole["msgData"]
    if message.flags & PRIV:
        data["encryptedPDU"] = message.scoped
    else:
        data["plaintext"] = pdu.decoded(message.scoped, rfc3412.ScopedPDU())
    result: bytes = encoder.encode(whole)
    return result


def scoped(engine_id: bytes, asked: Any) -> bytes:
    """A scoped PDU in the default context."""
    whole = rfc3412.ScopedPDU()
    whole["contextEngineId"], whole["contextName"] = engine_id, b""
    whole["data"] = pdu.choice(asked)
    result: bytes = encoder.encode(whole)
    return result


def decoded(datagram: bytes) -> Message:
    """Raises PollError (malformed)."""
    whole = pdu.decoded(datagram, rfc3412.SNMPv3Message())
    try:
        if int(whole["msgVersion"]) != USM:
            raise PollError(Reason.MALFORMED, f"a message of SNMP version {int(whole['msgVersion'])}, v3 was asked")
        header, parameters = whole["msgGlobalData"], whole["msgSecurityParameters"].asOctets()
        security = pdu.decoded(parameters, service.UsmSecurityParameters())
        flags = header["msgFlags"].asOctets()[0]
        data = whole["msgData"].getComponent()
        digest = security["msgAuthenticationParameters"].asOctets()
        salt = security["msgPrivacyParameters"].asOctets()
        return Message(
            id=int(header["msgID"]),
            flags=flags,
            engine_id=security["msgAuthoritativeEngineId"].asOctets(),
            boots=int(security["msgAuthoritativeEngineBoots"]),
            time=int(security["msgAuthoritativeEngineTime"]),
            user=security["msgUserName"].asOctets(),
            digest=digest,
            salt=salt,
            scoped=data.asOctets() if flags & PRIV else encoder.encode(data),
            blank=_blank(datagram, parameters, digest, salt),
        )
    except pdu.NOT_BER as error:
        raise PollError(Reason.MALFORMED, f"not an SNMPv3 message: {type(error).__name__}: {error}") from error


def response(scoped_pdu: bytes) -> pdu.Response:
    """The PDU inside a scoped PDU in clear. Raises PollError (malformed)."""
    whole = pdu.decoded(scoped_pdu, rfc3412.ScopedPDU())
    try:
        return pdu.response(whole["data"].getComponent())
    except PyAsn1Error as error:
        raise PollError(Reason.MALFORMED, f"no PDU in an SNMPv3 message: {error}") from error


def acknowledged(scoped_pdu: bytes) -> bytes:
    """The scoped PDU that answers an inform's, in its context. Raises PollError (malformed)."""
    whole, answer = pdu.decoded(scoped_pdu, rfc3412.ScopedPDU()), rfc3412.ScopedPDU()
    try:
        answer["contextEngineId"], answer["contextName"] = whole["contextEngineId"], whole["contextName"]
        answer["data"] = pdu.choice(pdu.acknowledged(whole["data"].getComponent()))
        result: bytes = encoder.encode(answer)
    except pdu.NOT_BER as error:
        raise PollError(Reason.MALFORMED, f"no PDU in an SNMPv3 message: {error}") from error
    return result


def _blank(datagram: bytes, parameters: bytes, digest: bytes, salt: bytes) -> bytes:
    """The digest stands before the salt, which ends the security parameters (both shorter than 128 bytes)."""
    begin = datagram.find(parameters) + len(parameters) - len(salt) - 2 - len(digest)
    end = begin + len(digest)
    if begin < 0 or datagram[begin:end] != digest:
        raise PollError(Reason.MALFORMED, "the security parameters are not encoded as RFC 3414 has them")
    return datagram[:begin] + bytes(len(digest)) + datagram[end:]
