"""Addresses of a generated estate: private ones by rack and unit, or loopback ones that the twin can answer on."""

import ipaddress
from dataclasses import dataclass

from inventory.wiring import HostNetwork, HostNetworkUse

_PDU_UNITS = {"a": 201, "b": 202}
_SWITCH_UNITS = {"a": 203, "b": 204}


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressing:
    """Each block is the first address of its kind; a rack takes 256 of each, a host the one of its unit."""

    bmc_block: str
    ups_block: str
    host_block: str
    migration_block: str
    storage_block: str
    exporter_block: str
    snmp_port: int
    node_port: int
    libvirt_port: int

    def bmc(self, rack: int, unit: int) -> str:
        """SNMP address of the BMC in that unit; racks count from 0, units from 1."""
        return self._snmp(self.bmc_block, 256 * (rack + 1) + unit)

    def pdu(self, rack: int, side: str) -> str:
        """SNMP address of the rack's PDU on feed `a` or `b`."""
        return self._snmp(self.bmc_block, 256 * (rack + 1) + _PDU_UNITS[side])

    def switch(self, rack: int, side: str) -> str:
        """SNMP address of the rack's switch `a` or `b`."""
        return self._snmp(self.bmc_block, 256 * (rack + 1) + _SWITCH_UNITS[side])

    def ups(self, index: int) -> str:
        """SNMP address of a UPS."""
        return self._snmp(self.ups_block, index + 1)

    def host(self, rack: int, unit: int) -> str:
        """The host's own address."""
        return _offset(self.host_block, 256 * (rack + 1) + unit)

    def networks(self, rack: int, unit: int) -> dict[str, str]:
        """Its addresses on the other networks that hosts stand on."""
        offset = 256 * (rack + 1) + unit
        return {
            "migration": _offset(self.migration_block, offset),
            "storage": _offset(self.storage_block, offset),
        }

    def host_networks(self) -> tuple[HostNetwork, ...]:
        """The networks of those addresses, and the one that carries VMs."""
        management, migration, storage, provider = HostNetworkUse
        return (
            HostNetwork(name="management", use=management, cidr=f"{self.host_block}/12", vlan=10),
            HostNetwork(name="migration", use=migration, cidr=f"{self.migration_block}/12", vlan=20, mtu=9000),
            HostNetwork(name="storage", use=storage, cidr=f"{self.storage_block}/12", vlan=30, mtu=9000),
            HostNetwork(name="provider", use=provider, mtu=9000),
        )

    def exporters(self, rack: int, unit: int) -> tuple[str, str]:
        """Its node exporter and its libvirt exporter."""
        address = _offset(self.exporter_block, 256 * (rack + 1) + unit)
        return f"{address}:{self.node_port}", f"{address}:{self.libvirt_port}"

    def _snmp(self, block: str, offset: int) -> str:
        address = _offset(block, offset)
        return address if self.snmp_port == 161 else f"{address}:{self.snmp_port}"


PRIVATE = Addressing(
    bmc_block="10.64.0.0",
    ups_block="10.60.0.0",
    host_block="10.96.0.0",
    migration_block="10.112.0.0",
    storage_block="10.80.0.0",
    exporter_block="10.96.0.0",
    snmp_port=161,
    node_port=9100,
    libvirt_port=9177,
)
LOOPBACK = Addressing(
    bmc_block="127.20.0.0",
    ups_block="127.19.0.0",
    host_block="100.64.0.0",
    migration_block="100.80.0.0",
    storage_block="100.96.0.0",
    exporter_block="127.20.0.0",
    snmp_port=16161,
    node_port=19100,
    libvirt_port=19177,
)
"""Devices and exporters are the twin's, on loopback. Nothing answers at the hosts' own addresses: they are taken from
the shared range (RFC 6598), so that no playbook finds a machine there, least of all the one it is started on.
"""


def _offset(block: str, offset: int) -> str:
    return str(ipaddress.IPv4Address(block) + offset)
