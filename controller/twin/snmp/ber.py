"""BER as SNMP uses it (RFC 3416, X.690): enough to read a request and to write an answer.

Readers raise `MalformedError` instead of reading past the end.
"""

INTEGER, OCTETS, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
COUNTER32, GAUGE32, TICKS, COUNTER64 = 0x41, 0x42, 0x43, 0x46
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB = b"\x80\x00", b"\x81\x00", b"\x82\x00"

Oid = tuple[int, ...]


class MalformedError(ValueError):
    """Not BER, or not all of it."""


def tlv(tag: int, content: bytes) -> bytes:
    """A tag, the length of its content, and the content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    if size < 0x100:
        return bytes((tag, 0x81, size)) + content
    return bytes((tag, 0x82)) + size.to_bytes(2, "big") + content


def integer(value: int, tag: int = INTEGER) -> bytes:
    """A whole number in as few bytes as it needs; unsigned types keep a leading zero where the first bit is set."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return tlv(tag, value.to_bytes(size, "big", signed=True))


def text(value: str) -> bytes:
    """An OCTET STRING of UTF-8."""
    return tlv(OCTETS, value.encode())


def gauge(value: float) -> bytes:
    """A Gauge32, rounded."""
    return integer(max(0, min(round(value), 0xFFFFFFFF)), GAUGE32)


def counter(value: float) -> bytes:
    """A Counter32, which wraps."""
    return integer(int(value) & 0xFFFFFFFF, COUNTER32)


def counter64(value: int) -> bytes:
    """A Counter64, which wraps."""
    return integer(value & 0xFFFFFFFFFFFFFFFF, COUNTER64)


def ticks(seconds: float) -> bytes:
    """TimeTicks: hundredths of a second, which wrap."""
    return integer(int(seconds * 100) & 0xFFFFFFFF, TICKS)


def oid_body(oid: Oid) -> bytes:
    """An object identifier, without tag and length."""
    out = bytearray((oid[0] * 40 + oid[1],))
    for arc in oid[2:]:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        out.extend(reversed(groups))
    return bytes(out)


def object_id(oid: Oid) -> bytes:
    """An object identifier."""
    return tlv(OID, oid_body(oid))


def parse(dotted: str) -> Oid:
    """`1.3.6.1` as a tuple."""
    return tuple(int(arc) for arc in dotted.split("."))


def read_oid(body: bytes) -> Oid:
    """The object identifier of a body."""
    if not body:
        return ()
    arcs, value = [min(body[0] // 40, 2)], 0
    arcs.append(body[0] - 40 * arcs[0])
    for byte in body[1:]:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            arcs.append(value)
            value = 0
    return tuple(arcs)


def head(data: bytes, at: int, tag: int | None = None) -> tuple[int, int]:
    """Where the content of the value at `at` begins and ends. `tag` is what it must be."""
    if at + 2 > len(data) or (tag is not None and data[at] != tag):
        raise MalformedError(f"no {tag} at byte {at}")
    size, start = data[at + 1], at + 2
    if size >= 0x80:
        width = size & 0x7F
        if not 1 <= width <= 4 or start + width > len(data):
            raise MalformedError(f"a bad length at byte {at}")
        size = int.from_bytes(data[start : start + width], "big")
        start += width
    if start + size > len(data):
        raise MalformedError(f"cut short at byte {at}")
    return start, start + size


def take(data: bytes, at: int, tag: int) -> tuple[bytes, int]:
    """The content of the value at `at`, and where the next one begins."""
    start, end = head(data, at, tag)
    return data[start:end], end


def take_int(data: bytes, at: int) -> tuple[int, int]:
    """The INTEGER at `at`, and where the next value begins."""
    content, end = take(data, at, INTEGER)
    return int.from_bytes(content, "big", signed=True), end
