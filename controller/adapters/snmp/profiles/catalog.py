"""Which plan reads which profile of the inventory."""

from collections.abc import Mapping

from controller.adapters.snmp.plan import ReadingPlan
from controller.adapters.snmp.profiles import apc_pdu, idrac, if_mib, ilo, raritan_pdu, supermicro, ups_mib, xcc
from inventory.facility import SnmpProfile

PLANS: Mapping[SnmpProfile, ReadingPlan] = {
    SnmpProfile.IDRAC: idrac.PLAN,
    SnmpProfile.ILO: ilo.PLAN,
    SnmpProfile.XCC: xcc.PLAN,
    SnmpProfile.SUPERMICRO: supermicro.PLAN,
    SnmpProfile.APC_PDU: apc_pdu.PLAN,
    SnmpProfile.RARITAN_PDU: raritan_pdu.PLAN,
    SnmpProfile.UPS_MIB: ups_mib.PLAN,
    SnmpProfile.IF_MIB: if_mib.PLAN,
}
