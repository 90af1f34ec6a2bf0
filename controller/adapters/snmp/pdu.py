"""Protocol data units (RFC 3416), encoded and decoded by pysnmp and pyasn1, and SNMPv2c's message around them.

Of SNMPv1 only traps are read, as the notifications that RFC 3584 makes of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pysnmp.proto import api, rfc1905

from controller.adapters.snmp.failure import PollError, Reason
from controller.adapters.snmp.oids import Oid, oid

Value = int | bytes | Oid
"""An INTEGER of any width, an OCTET STRING of any kind, or an OBJECT IDENTIFIER."""

TOO_BIG, NO_SUCH_NAME, GEN_ERR, NO_ACCESS, AUTHORIZATION_ERROR = 1, 2, 5, 6, 16

SNMP_TRAP_OID = oid("1.3.6.1.6.3.1.1.4.1.0")
STANDARD_TRAPS = oid("1.3.6.1.6.3.1.1.5")
_ENTERPRISE_SPECIFIC = 6

_V1: Any = api.PROTOCOL_MODULES[api.SNMP_VERSION_1]
_V1_SPEC = _V1.Message()
_V2C: Any = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
_SPEC = _V2C.Message()
_ABSENT = (rfc1905.NoSuchObject, rfc1905.NoSuchInstance, rfc1905.EndOfMibView, univ.Null)
NOT_BER = (
    PyAsn1Error, RecursionError, ValueError, TypeError, IndexError, AttributeError, KeyError, OverflowError
)  # fmt: skip
"""What pyasn1 raises on hostile bytes (found by mutating messages); each means that they are not what they claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """`bindings` in the order of the message; None where the agent has no such object or the MIB ended.

    `report`: a Report (v3's answer about the message itself) instead of a Response. `trap`: a notification, which
    an `inform` wants acknowledged.
    """

    request_id: int
    error_status: int
    error_index: int
    bindings: tuple[tuple[Oid, Value | None], ...]
    report: bool = False
    trap: bool = False
    inform: bool = False


def get(request_id: int, oids: Sequence[Oid]) -> Any:
    """A GetRequest."""
    return _request(_V2C.GetRequestPDU(), request_id, oids)


def get_bulk(request_id: int, oids: Sequence[Oid], repetitions: int) -> Any:
    """A GetBulkRequest of `repetitions` rows."""
    pdu = _V2C.GetBulkRequestPDU()
    _V2C.apiBulkPDU.set_defaults(pdu)
    _V2C.apiBulkPDU.set_non_repeaters(pdu, 0)
    _V2C.apiBulkPDU.set_max_repetitions(pdu, repetitions)
    _V2C.apiBulkPDU.set_request_id(pdu, request_id)
    _V2C.apiBulkPDU.set_varbinds(pdu, [(of, _V2C.null) for of in oids])
    return pdu


def report(counter: Oid, count: int) -> Any:
    """A Report of one of usmStats' counters (RFC 3414 5)."""
    pdu = _V2C.ReportPDU()
    _V2C.apiPDU.set_defaults(pdu)
    _V2C.apiPDU.set_varbinds(pdu, [(counter, _V2C.Counter32(count))])
    return pdu


def acknowledged(inform: Any) -> Any:
    """The answer to an InformRequest: the same as a Response (RFC 3416 4.2.7)."""
    answer = _V2C.ResponsePDU()
    _V2C.apiPDU.set_defaults(answer)
    _V2C.apiPDU.set_request_id(answer, _V2C.apiPDU.get_request_id(inform))
    _V2C.apiPDU.set_varbinds(answer, _V2C.apiPDU.get_varbinds(inform))
    return answer


def _request(pdu: Any, request_id: int, oids: Sequence[Oid]) -> Any:
    _V2C.apiPDU.set_defaults(pdu)
    _V2C.apiPDU.set_request_id(pdu, request_id)
    _V2C.apiPDU.set_varbinds(pdu, [(of, _V2C.null) for of in oids])
    return pdu


def choice(of: Any) -> Any:
    """The PDU as the choice that a scoped PDU holds."""
    return rfc1905.PDUs().setComponentByType(of.effectiveTagSet, of)


def v2c_message(community: str, pdu: Any) -> bytes:
    """An SNMPv2c message (RFC 1901)."""
    message = _V2C.Message()
    _V2C.apiMessage.set_defaults(message)
    _V2C.apiMessage.set_community(message, community.encode(errors="surrogateescape"))
    _V2C.apiMessage.set_pdu(message, pdu)
    encoded: bytes = encoder.encode(message)
    return encoded


def version(datagram: bytes) -> int | None:
    """The version number of an SNMP message (0 v1, 1 v2c, 3 v3) without a look at the rest, None for none."""
    if len(datagram) < 2 or datagram[0] != 0x30:
        return None
    body = 2 + (datagram[1] & 0x7F if datagram[1] & 0x80 else 0)
    return datagram[body + 2] if datagram[body : body + 2] == b"\x02\x01" and len(datagram) > body + 2 else None


def read_v2c(datagram: bytes) -> tuple[bytes, Response]:
    """Community and PDU of an SNMPv2c message. Raises PollError (malformed)."""
    message = decoded(datagram, _SPEC)
    try:
        if int(message["version"]) != 1:
            raise PollError(Reason.MALFORMED, f"a message of SNMP version {int(message['version'])}, v2c was asked")
        return message["community"].asOctets(), response(_V2C.apiMessage.get_pdu(message))
    except NOT_BER as error:
        raise _malformed(error) from error


def acknowledgement(datagram: bytes) -> bytes:
    """The answer to an SNMPv2c InformRequest's message. Raises PollError (malformed)."""
    message = decoded(datagram, _SPEC)
    try:
        answer = acknowledged(_V2C.apiMessage.get_pdu(message))
        return v2c_message(message["community"].asOctets().decode(errors="surrogateescape"), answer)
    except NOT_BER as error:
        raise _malformed(error) from error


def read_v1_trap(datagram: bytes) -> Response | None:
    """An SNMPv1 trap's kind as a notification (RFC 3584 3.1), None for another PDU. Raises PollError (malformed)."""
    message = decoded(datagram, _V1_SPEC)
    try:
        trap = _V1.apiMessage.get_pdu(message)
        if not isinstance(trap, _V1.TrapPDU):
            return None
        generic, specific = (int(trap[name]) for name in ("generic-trap", "specific-trap"))
        own = (*tuple(trap["enterprise"]), 0, specific)
    except NOT_BER as error:
        raise _malformed(error) from error
    kind = own if generic == _ENTERPRISE_SPECIFIC else (*STANDARD_TRAPS, generic + 1)
    return Response(request_id=0, error_status=0, error_index=0, bindings=((SNMP_TRAP_OID, kind),), trap=True)


def decoded(encoded: bytes, spec: Any) -> Any:
    """One BER value of the shape of `spec`, nothing behind it. Raises PollError (malformed)."""
    try:
        value, rest = decoder.decode(encoded, asn1Spec=spec)
    except NOT_BER as error:
        raise _malformed(error) from error
    if rest:
        raise PollError(Reason.MALFORMED, f"{len(rest)} bytes stand behind the message's end")
    return value


def response(pdu: Any) -> Response:
    """What a decoded PDU says. Raises PollError (malformed)."""
    try:
        if not isinstance(pdu, (_V2C.ResponsePDU, _V2C.ReportPDU, _V2C.TrapPDU, _V2C.InformRequestPDU)):
            raise PollError(Reason.MALFORMED, f"a {type(pdu).__name__} came instead of an answer")
        return Response(
            request_id=int(pdu["request-id"]),
            error_status=int(pdu["error-status"]),
            error_index=int(pdu["error-index"]),
            bindings=tuple((tuple(of), _plain(value)) for of, value in _V2C.apiPDU.get_varbinds(pdu)),
            report=isinstance(pdu, _V2C.ReportPDU),
            trap=isinstance(pdu, (_V2C.TrapPDU, _V2C.InformRequestPDU)),
            inform=isinstance(pdu, _V2C.InformRequestPDU),
        )
    except NOT_BER as error:
        raise _malformed(error) from error


def _plain(value: Any) -> Value | None:
    if isinstance(value, _ABSENT):
        return None
    if isinstance(value, univ.Integer):
        return int(value)
    if isinstance(value, univ.ObjectIdentifier):
        return tuple(value)
    octets: bytes = value.asOctets()
    return octets


def _malformed(error: BaseException) -> PollError:
    return PollError(Reason.MALFORMED, f"not an SNMP message: {type(error).__name__}: {str(error)[:120]}")
