"""Short names of the traps that are known, for counts and the log."""

from controller.adapters.snmp.oids import Oid, oid
from controller.adapters.snmp.pdu import SNMP_TRAP_OID, STANDARD_TRAPS, Response

OTHER = "other"

_DELL = oid("1.3.6.1.4.1.674.10892.5.3.2")
_HPE = oid("1.3.6.1.4.1.232.0")
_APC = oid("1.3.6.1.4.1.318.0")
_UPS = oid("1.3.6.1.2.1.33.2")
_RARITAN = oid("1.3.6.1.4.1.13742.6.0")

NAMES: dict[Oid, str] = {
    (*STANDARD_TRAPS, 1): "cold_start",
    (*STANDARD_TRAPS, 2): "warm_start",
    (*STANDARD_TRAPS, 3): "link_down",
    (*STANDARD_TRAPS, 4): "link_up",
    (*STANDARD_TRAPS, 5): "authentication_failure",
    (*_DELL, 1, 0, 2161): "temperature_failure",
    (*_DELL, 1, 0, 2162): "temperature_warning",
    (*_DELL, 1, 0, 2163): "temperature_normal",
    (*_DELL, 1, 0, 2153): "fan_failure",
    (*_DELL, 1, 0, 2185): "psu_failure",
    (*_DELL, 1, 0, 2186): "psu_warning",
    (*_DELL, 1, 0, 2187): "psu_normal",
    (*_DELL, 1, 0, 2265): "memory_failure",
    (*_DELL, 1, 0, 2273): "power_failure",
    (*_DELL, 1, 0, 2473): "redundancy_lost",
    (*_DELL, 2, 0, 4345): "disk_failure",
    (*_DELL, 2, 0, 4353): "virtual_disk_failure",
    (*_HPE, 6040): "temperature_failure",
    (*_HPE, 6041): "temperature_warning",
    (*_HPE, 6042): "temperature_normal",
    (*_HPE, 6035): "fan_warning",
    (*_HPE, 6036): "fan_failure",
    (*_HPE, 6049): "psu_warning",
    (*_HPE, 6050): "psu_failure",
    (*_HPE, 6032): "redundancy_lost",
    (*_HPE, 6069): "mains_lost",
    (*_APC, 5): "on_battery",
    (*_APC, 7): "battery_low",
    (*_APC, 9): "mains_restored",
    (*_APC, 224): "phase_near_overload",
    (*_APC, 226): "phase_overload",
    (*_APC, 274): "pdu_near_overload",
    (*_APC, 276): "pdu_overload",
    (*_UPS, 1): "on_battery",
    (*_UPS, 2): "ups_test_completed",
    (*_UPS, 3): "ups_alarm",
    (*_UPS, 4): "ups_alarm_ended",
    (*_RARITAN, 61): "inlet_state",
    (*_RARITAN, 63): "outlet_state",
}


def short_name(trap: Response) -> str:
    """`other` for one that is not known."""
    kind = dict(trap.bindings).get(SNMP_TRAP_OID)
    return NAMES.get(kind, OTHER) if isinstance(kind, tuple) else OTHER
