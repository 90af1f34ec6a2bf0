"""A switch for SNMP tests: ports that carry octets while its uptime runs, and can go down, be renamed, begin anew."""

from collections.abc import Mapping
from dataclasses import dataclass

from controller.adapters.snmp.credentials import Credential
from controller.adapters.snmp.oids import oid
from controller.adapters.snmp.target import Target
from controller.model.sample import Kind
from inventory.facility import SnmpProfile
from tests.fakes.snmp_agent import FakeAgent, Oid

X, STATUS, INTERFACES = oid("1.3.6.1.2.1.31.1.1.1"), oid("1.3.6.1.2.1.2.2.1.8"), oid("1.3.6.1.2.1.2.1.0")
FAR = 2**62
"""Counters stand high, so that none is mistaken for an INTEGER of 32 bits."""
UPLINKS = frozenset({"Ethernet49/1", "Ethernet50/1"})


@dataclass
class Port:
    """An interface. `told`: ifCounterDiscontinuityTime; None where its agent has no such column."""

    name: str
    received: int = FAR
    sent: int = FAR
    up: int = 1
    mbit_s: int = 10_000
    told: int | None = 0
    wide: bool = True


class Switch:
    """48 ports to hosts and two uplinks, by ifIndex. `agent` is what answers on the wire."""

    def __init__(self, credential: Credential) -> None:
        self.ports = {100 + n: Port(f"Ethernet{n}") for n in range(1, 49)}
        self.ports |= {149: Port("Ethernet49/1"), 150: Port("Ethernet50/1")}
        self.interfaces = len(self.ports)
        self.agent = FakeAgent(credential, self.table())

    def carry(self, seconds: float, octets: Mapping[str, tuple[int, int]]) -> None:
        """Lets time pass in which these ports received and sent so much."""
        self.agent.uptime += round(100 * seconds)
        for port in self.ports.values():
            received, sent = octets.get(port.name, (0, 0))
            port.received, port.sent = (port.received + received) % 2**64, (port.sent + sent) % 2**64
        self.show()

    def show(self) -> None:
        """Has the agent answer what the ports are now."""
        self.agent.values = self.table()

    def table(self) -> dict[Oid, int | bytes]:
        found: dict[Oid, int | bytes] = {INTERFACES: self.interfaces}
        for row, port in self.ports.items():
            found |= {(*X, 1, row): port.name.encode(), (*X, 15, row): port.mbit_s, (*STATUS, row): port.up}
            if port.wide:
                found |= {(*X, 6, row): port.received, (*X, 10, row): port.sent}
            if port.told is not None:
                found[(*X, 19, row)] = port.told
        return found

    def named(self, name: str) -> Port:
        return next(port for port in self.ports.values() if port.name == name)

    def target(self, uplinks: frozenset[str] = UPLINKS) -> Target:
        return Target(
            name="switch:sw", kind=Kind.PORT, subject="sw", address=self.agent.address, profile=SnmpProfile.IF_MIB,
            credential="c", uplinks=uplinks,
        )  # fmt: skip
