"""The interface tables of a switch: IF-MIB (RFC 2863), a row a port, hosts' ports first."""

from collections.abc import Iterator

from controller.twin.snmp import ber
from controller.twin.snmp.table import Row
from controller.twin.snmp.views import Panel

_IF = "1.3.6.1.2.1.2"
_X = "1.3.6.1.2.1.31.1.1.1"
_ETHERNET = 6
_FIRST = 1001
"""ifIndex of the first port: not its number, as on most switches."""


def if_mib(panel: Panel) -> Iterator[Row]:
    """Both tables. ifCounterDiscontinuityTime is the agent's uptime when a port's counters last began anew."""
    yield f"{_IF}.1.0", ber.integer(len(panel.ports))
    for row, port in enumerate(panel.ports, _FIRST):
        status = 1 if port.up else 2
        yield f"{_IF}.2.1.1.{row}", ber.integer(row)
        yield f"{_IF}.2.1.2.{row}", ber.text(port.name)
        yield f"{_IF}.2.1.3.{row}", ber.integer(_ETHERNET)
        yield f"{_IF}.2.1.7.{row}", ber.integer(1)
        yield f"{_IF}.2.1.8.{row}", ber.integer(status)
        yield f"{_X}.1.{row}", ber.text(port.name)
        yield f"{_X}.6.{row}", ber.counter64(port.received)
        yield f"{_X}.10.{row}", ber.counter64(port.sent)
        yield f"{_X}.15.{row}", ber.gauge(port.mbit_s)
        yield f"{_X}.18.{row}", ber.text(port.alias)
        yield f"{_X}.19.{row}", ber.ticks(port.renewed_s)
