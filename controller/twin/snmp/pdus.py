"""Requests answered from a table: GET, GETNEXT and GETBULK (RFC 3416)."""

from controller.twin.snmp import ber
from controller.twin.snmp.table import Table

GET, GETNEXT, RESPONSE, SET, GETBULK, REPORT, TRAP = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5, 0xA8, 0xA7
TOO_BIG, NOT_WRITABLE = 1, 17
BULK_BYTES = 1400
"""Bindings that an answer to a GETBULK holds at most; BMCs keep to one Ethernet frame."""
GET_BYTES = 8000


def answered(table: Table, data: bytes, at: int) -> bytes | None:
    """The response to the request at `at`; None for what is no request."""
    kind = data[at]
    start, _ = ber.head(data, at)
    request, at = ber.take(data, start, ber.INTEGER)
    first, at = ber.take_int(data, at)
    second, at = ber.take_int(data, at)
    names = _names(data, at)
    if kind == GET:
        bindings = [table.get(name) for name in names]
    elif kind == GETNEXT:
        bindings = [table.next(name) for name in names]
    elif kind == GETBULK:
        bindings = _bulk(table, names, max(first, 0), max(second, 0))
    elif kind == SET:
        return _response(request, NOT_WRITABLE, 1, [_unset(name) for name in names])
    else:
        return None
    if sum(map(len, bindings)) > GET_BYTES:
        return _response(request, TOO_BIG, 0, [])
    return _response(request, 0, 0, bindings)


def _names(data: bytes, at: int) -> list[bytes]:
    at, end = ber.head(data, at, ber.SEQUENCE)
    names = []
    while at < end:
        start, at = ber.head(data, at, ber.SEQUENCE)
        name, _ = ber.take(data, start, ber.OID)
        names.append(name)
    return names


def _bulk(table: Table, names: list[bytes], once: int, times: int) -> list[bytes]:
    """`once` objects answered as by GETNEXT, the others `times` rows on; cut off where the answer is full."""
    bindings = [table.next(name) for name in names[:once]]
    rows = [table.after(name) for name in names[once:]]
    size = sum(map(len, bindings))
    for n in range(times if rows else 0):
        if all(row + n - 1 >= len(table) for row in rows):
            break
        for row in rows:
            binding = table.binding(row + n)
            size += len(binding)
            if size > BULK_BYTES and bindings:
                return bindings
            bindings.append(binding)
    return bindings


def _unset(name: bytes) -> bytes:
    return ber.tlv(ber.SEQUENCE, ber.tlv(ber.OID, name) + b"\x05\x00")


def _response(request: bytes, status: int, index: int, bindings: list[bytes]) -> bytes:
    body = ber.tlv(ber.INTEGER, request) + ber.integer(status) + ber.integer(index)
    return ber.tlv(RESPONSE, body + ber.tlv(ber.SEQUENCE, b"".join(bindings)))
