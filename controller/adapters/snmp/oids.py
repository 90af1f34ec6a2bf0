"""Object identifiers as tuples of numbers, in the order of SNMP (lexicographic)."""

Oid = tuple[int, ...]

SYS_UPTIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)
"""SNMPv2-MIB sysUpTime.0: hundredths of a second since the agent started, wraps after 497 days."""


def oid(text: str) -> Oid:
    """An OID from its dotted text."""
    return tuple(int(arc) for arc in text.strip(".").split("."))


def dotted(of: Oid) -> str:
    return ".".join(str(arc) for arc in of)
