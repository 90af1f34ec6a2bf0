"""Decoders on literal answers: the units and enumerations of each MIB, and what no sensor may say."""

from collections.abc import Mapping

import pytest

from controller.adapters.snmp.answers import Answers
from controller.adapters.snmp.findings import Findings
from controller.adapters.snmp.oids import oid
from controller.adapters.snmp.pdu import Value
from controller.adapters.snmp.profiles.catalog import PLANS
from controller.adapters.snmp.target import Target, Watts
from controller.model.sample import Fault, Health, Kind, Quantity
from inventory.facility import SnmpProfile

D, C = "1.3.6.1.4.1.674.10892.5", "1.3.6.1.4.1.232"
X, B = "1.3.6.1.4.1.19046.11.1", "1.3.6.1.4.1.21317.1"
A, R, U = "1.3.6.1.4.1.318.1.1.26", "1.3.6.1.4.1.13742.6", "1.3.6.1.2.1.33.1"

SUPPLY, FAN = f"{D}.4.600.12.1.5.1", f"{D}.4.700.12.1.5.1"

IDRAC: dict[str, Value] = {
    f"{D}.2.4.0": 4, f"{D}.2.3.0": 3,
    f"{D}.4.200.10.1.9.1": 3, f"{D}.4.200.10.1.21.1": 3, f"{D}.4.200.10.1.27.1": 3,
    f"{D}.4.700.20.1.5.1.1": 3, f"{D}.4.700.20.1.6.1.1": 612, f"{D}.4.700.20.1.8.1.1": b"CPU1 Temp",
    f"{D}.4.700.20.1.5.1.2": 3, f"{D}.4.700.20.1.6.1.2": 235, f"{D}.4.700.20.1.8.1.2": b"System Board Inlet Temp",
    f"{D}.4.600.30.1.6.1.1": 8, f"{D}.4.600.30.1.7.1.1": 23,
    f"{D}.4.600.30.1.6.1.3": 336, f"{D}.4.600.30.1.7.1.3": 26,
    f"{D}.4.600.12.1.5.1.1": 3, f"{D}.4.600.12.1.5.1.2": 3,
    f"{D}.4.700.12.1.5.1.1": 3, f"{D}.4.700.12.1.5.1.2": 3,
    f"{D}.5.1.20.140.1.1.4.1": 2,
}  # fmt: skip
ILO: dict[str, Value] = {
    f"{C}.6.2.6.8.1.3.0.1": 6, f"{C}.6.2.6.8.1.4.0.1": 40,
    f"{C}.6.2.6.8.1.3.0.2": 11, f"{C}.6.2.6.8.1.4.0.2": 21,
    f"{C}.6.2.15.3.0": 287, f"{C}.6.2.14.4.0": 2, f"{C}.6.2.6.7.1.9.0.1": 2, f"{C}.6.2.6.7.1.9.0.2": 2,
    f"{C}.6.2.9.3.1.3.0.1": 3, f"{C}.6.2.9.3.1.4.0.1": 2, f"{C}.6.2.9.3.1.3.0.2": 2, f"{C}.6.2.9.3.1.4.0.2": 4,
    f"{C}.6.2.14.13.1.20.0.1": 2, f"{C}.3.2.3.1.1.11.0.1": 2, f"{C}.3.2.5.1.1.37.0.1": 2,
}  # fmt: skip
XCC: dict[str, Value] = {
    f"{X}.1.1.2.1.2.1": b"CPU 1 Temp", f"{X}.1.1.2.1.3.1": b"58.00",
    f"{X}.1.1.2.1.2.2": b"Ambient Temp", f"{X}.1.1.2.1.3.2": b"22.50",
    f"{X}.1.10.1.10.0": b"176 Watts", f"{X}.1.3.2.1.10.1": b"Normal", f"{X}.1.3.2.1.10.2": b"Normal",
    f"{X}.1.11.2.1.6.1": b"Normal", f"{X}.1.12.2.1.3.1": b"Normal", f"{X}.1.5.21.1.8.1": b"Normal",
}  # fmt: skip
SUPERMICRO: dict[str, Value] = {
    f"{B}.4.0": 1,
    f"{B}.3.1.13.1": b"CPU1 Temp".ljust(16, b"\0"), f"{B}.3.1.2.1": b"61.000".ljust(16, b"\0"),
    f"{B}.3.1.13.10": b"Inlet Temp".ljust(16, b"\0"), f"{B}.3.1.2.10": b"24.000".ljust(16, b"\0"),
    f"{B}.3.1.13.11": b"System Temp".ljust(16, b"\0"), f"{B}.3.1.2.11": b"33.000".ljust(16, b"\0"),
    f"{B}.3.1.13.65": b"FAN1", f"{B}.3.1.2.65": b"5400.000", f"{B}.3.1.6.65": b"500.000",
    f"{B}.3.1.13.66": b"FAN2", f"{B}.3.1.2.66": b"0.000", f"{B}.3.1.6.66": b"500.000",
    f"{B}.3.1.13.90": b"PW Consumption", f"{B}.3.1.2.90": b"245.000",
    f"{B}.3.1.13.200": b"PS1 Status", f"{B}.3.1.2.200": b"1.000",
}  # fmt: skip
APC: dict[str, Value] = {
    f"{A}.4.3.1.5.1": 214, f"{A}.4.2.1.7.1": 3, f"{A}.4.2.1.8.1": 1,
    **{f"{A}.6.3.1.{column}.{n}": value for n, watts in ((1, 70), (2, 80), (3, 64))
       for column, value in ((2, 1), (3, n), (5, 32), (6, 230), (7, watts))},
    f"{A}.8.3.1.2.1": 1, f"{A}.8.3.1.3.1": 1, f"{A}.8.3.1.5.1": 50,
}  # fmt: skip
RARITAN: dict[str, Value] = {
    f"{R}.3.3.3.1.5.1.1": 4,
    f"{R}.5.2.3.1.3.1.1.5": 4, f"{R}.5.2.3.1.4.1.1.5": 21405, f"{R}.3.3.4.1.7.1.1.5": 1,
    **{f"{R}.{column}.1.1.{n}.{kind}": value for n in (1, 2, 3)
       for kind, number, digits in ((1, 3100, 3), (4, 231, 0), (5, 700 + n, 0))
       for column, value in (("5.2.4.1.3", 4), ("5.2.4.1.4", number), ("3.3.6.1.7", digits))},
    f"{R}.5.3.3.1.3.1.2.1": 4, f"{R}.5.3.3.1.4.1.2.1": 2500, f"{R}.3.4.4.1.7.1.2.1": 3,
}  # fmt: skip
UPS: dict[str, Value] = {
    f"{U}.2.2.0": 0, f"{U}.2.3.0": 12, f"{U}.4.1.0": 3, f"{U}.4.3.0": 3,
    f"{U}.4.4.1.4.1": 900, f"{U}.4.4.1.4.2": 1000, f"{U}.4.4.1.4.3": 1100,
}  # fmt: skip

HOST = {SnmpProfile.IDRAC: IDRAC, SnmpProfile.ILO: ILO, SnmpProfile.XCC: XCC, SnmpProfile.SUPERMICRO: SUPERMICRO}
PDU = {SnmpProfile.APC_PDU: APC, SnmpProfile.RARITAN_PDU: RARITAN}
INLET = {
    SnmpProfile.IDRAC: f"{D}.4.700.20.1.6.1.2",
    SnmpProfile.ILO: f"{C}.6.2.6.8.1.4.0.2",
    SnmpProfile.XCC: f"{X}.1.1.2.1.3.2",
    SnmpProfile.SUPERMICRO: f"{B}.3.1.2.10",
}
WATTS = {
    SnmpProfile.IDRAC: f"{D}.4.600.30.1.6.1.3",
    SnmpProfile.ILO: f"{C}.6.2.15.3.0",
    SnmpProfile.XCC: f"{X}.1.10.1.10.0",
    SnmpProfile.SUPERMICRO: f"{B}.3.1.2.90",
}


def target(profile: SnmpProfile) -> Target:
    kind = Kind.PDU if profile in PDU else Kind.FEED if profile is SnmpProfile.UPS_MIB else Kind.HOST
    watts = Watts(least=75.0, most=700.0) if kind is Kind.HOST else Watts(least=0.0, most=12_000.0)
    return Target(
        name="the-device", kind=kind, subject="it", address=("127.0.0.1", 161), profile=profile, credential="c",
        watts=watts, phases=3 if kind is Kind.PDU else 0, phase_watts=Watts(least=0.0, most=5000.0),
    )  # fmt: skip


def found(profile: SnmpProfile, answers: Mapping[str, Value]) -> tuple[dict[tuple[Quantity, str], float], list[Fault]]:
    findings = Findings(target(profile))
    PLANS[profile].decode(Answers({oid(text): value for text, value in answers.items()}), findings)
    return {(each.quantity, each.name): each.value for each in findings.readings}, findings.faults


def spoken(profile: SnmpProfile, number: int) -> Value:
    """A number as that kind of BMC writes it."""
    if profile is SnmpProfile.XCC:
        return b"%d.00" % number
    return b"%d.000" % number if profile is SnmpProfile.SUPERMICRO else number


@pytest.mark.parametrize(
    ("profile", "celsius", "watts"),
    [
        (SnmpProfile.IDRAC, 23.5, 336.0),
        (SnmpProfile.ILO, 21.0, 287.0),
        (SnmpProfile.XCC, 22.5, 176.0),
        (SnmpProfile.SUPERMICRO, 24.0, 245.0),
    ],
)
def test_a_bmc_gives_inlet_air_and_power_in_celsius_and_watts(
    profile: SnmpProfile, celsius: float, watts: float
) -> None:
    readings, faults = found(profile, HOST[profile])
    assert not faults
    assert readings[Quantity.INLET_CELSIUS, "it"] == celsius
    assert readings[Quantity.POWER_WATTS, "it"] == watts
    health = {value for (quantity, _), value in readings.items() if quantity.value.endswith("health")}
    assert health == {Health.OK}


@pytest.mark.parametrize("profile", INLET)
@pytest.mark.parametrize("celsius", [-99, 250, 0])
def test_an_inlet_sensor_that_lies_is_a_fault_and_no_reading(profile: SnmpProfile, celsius: int) -> None:
    said = spoken(profile, celsius * 10 if profile is SnmpProfile.IDRAC else celsius)
    readings, faults = found(profile, {**HOST[profile], INLET[profile]: said})
    assert (Quantity.INLET_CELSIUS, "it") not in readings
    assert [fault.reason for fault in faults] == ["implausible"]
    assert f"{celsius} °C" in faults[0].detail


@pytest.mark.parametrize("profile", WATTS)
@pytest.mark.parametrize("watts", [-40, 9, 65535])
def test_watts_that_the_host_type_cannot_draw_are_a_fault(profile: SnmpProfile, watts: int) -> None:
    readings, faults = found(profile, {**HOST[profile], WATTS[profile]: spoken(profile, watts)})
    assert (Quantity.POWER_WATTS, "it") not in readings
    assert [fault.reason for fault in faults] == ["implausible"]
    assert "75 to 700 W" in faults[0].detail


@pytest.mark.parametrize("profile", [*HOST, *PDU, SnmpProfile.UPS_MIB])
def test_a_device_that_answers_nothing_of_its_profile_gives_no_number(profile: SnmpProfile) -> None:
    readings, _ = found(profile, {})
    assert not readings


def test_an_idle_host_that_is_switched_off_may_draw_less_than_idle() -> None:
    readings, faults = found(SnmpProfile.IDRAC, {**IDRAC, f"{D}.2.4.0": 3, WATTS[SnmpProfile.IDRAC]: 11})
    assert readings[Quantity.POWER_WATTS, "it"] == 11.0
    assert not faults


def test_an_ilo_without_a_power_meter_says_nothing_of_power() -> None:
    readings, faults = found(SnmpProfile.ILO, {**ILO, f"{C}.6.2.15.3.0": -1})
    assert (Quantity.POWER_WATTS, "it") not in readings
    assert not faults


def test_a_probe_that_says_it_has_failed_is_not_believed() -> None:
    readings, faults = found(SnmpProfile.IDRAC, {**IDRAC, f"{D}.4.700.20.1.5.1.2": 10})
    assert (Quantity.INLET_CELSIUS, "it") not in readings
    assert [fault.reason for fault in faults] == ["implausible"]


@pytest.mark.parametrize(
    ("profile", "changed", "quantity", "health"),
    [
        (SnmpProfile.IDRAC, {f"{D}.4.600.12.1.5.1.2": 5}, Quantity.PSU_HEALTH, Health.WARNING),
        (SnmpProfile.IDRAC, {f"{SUPPLY}.1": 5, f"{SUPPLY}.2": 5}, Quantity.PSU_HEALTH, Health.FAILED),
        (SnmpProfile.IDRAC, {f"{D}.4.700.12.1.5.1.2": 10}, Quantity.FAN_HEALTH, Health.WARNING),
        (SnmpProfile.IDRAC, {f"{FAN}.1": 5, f"{FAN}.2": 5}, Quantity.FAN_HEALTH, Health.FAILED),
        (SnmpProfile.IDRAC, {f"{D}.4.200.10.1.27.1": 4}, Quantity.MEMORY_HEALTH, Health.WARNING),
        (SnmpProfile.IDRAC, {f"{D}.4.200.10.1.27.1": 5}, Quantity.MEMORY_HEALTH, Health.FAILED),
        (SnmpProfile.IDRAC, {f"{D}.2.3.0": 5}, Quantity.DISK_HEALTH, Health.WARNING),
        (SnmpProfile.IDRAC, {f"{D}.5.1.20.140.1.1.4.1": 3}, Quantity.DISK_HEALTH, Health.FAILED),
        (SnmpProfile.ILO, {f"{C}.6.2.14.13.1.20.0.1": 4}, Quantity.MEMORY_HEALTH, Health.FAILED),
        (SnmpProfile.ILO, {f"{C}.3.2.5.1.1.37.0.1": 4}, Quantity.DISK_HEALTH, Health.WARNING),
        (SnmpProfile.ILO, {f"{C}.3.2.3.1.1.11.0.1": 4}, Quantity.DISK_HEALTH, Health.FAILED),
        (SnmpProfile.ILO, {f"{C}.6.2.9.3.1.4.0.1": 4}, Quantity.PSU_HEALTH, Health.FAILED),
        (SnmpProfile.XCC, {f"{X}.1.5.21.1.8.1": b"Critical"}, Quantity.MEMORY_HEALTH, Health.FAILED),
        (SnmpProfile.XCC, {f"{X}.1.3.2.1.10.1": b"Non-Critical"}, Quantity.FAN_HEALTH, Health.WARNING),
        (SnmpProfile.SUPERMICRO, {f"{B}.3.1.2.200": b"9.000"}, Quantity.PSU_HEALTH, Health.FAILED),
        (SnmpProfile.SUPERMICRO, {f"{B}.3.1.2.65": b"300.000"}, Quantity.FAN_HEALTH, Health.FAILED),
    ],
)  # fmt: skip
def test_parts_out_of_order_are_a_warning_while_a_spare_carries_on(
    profile: SnmpProfile, changed: dict[str, Value], quantity: Quantity, health: Health
) -> None:
    readings, _ = found(profile, {**HOST[profile], **changed})
    assert readings[quantity, "it"] == health


def test_a_rollup_judges_where_a_device_has_no_table() -> None:
    kept = {of: value for of, value in IDRAC.items() if ".4.600.12." not in of and ".4.700.12." not in of}
    readings, _ = found(SnmpProfile.IDRAC, {**kept, f"{D}.4.200.10.1.9.1": 4, f"{D}.4.200.10.1.21.1": 5})
    assert readings[Quantity.PSU_HEALTH, "it"] == Health.WARNING
    assert readings[Quantity.FAN_HEALTH, "it"] == Health.FAILED


def test_a_health_that_a_device_does_not_know_is_absent() -> None:
    readings, _ = found(SnmpProfile.IDRAC, {**IDRAC, f"{D}.4.200.10.1.27.1": 2})
    assert (Quantity.MEMORY_HEALTH, "it") not in readings


def test_an_apc_pdu_counts_in_hundredths_of_a_kilowatt_and_tenths_of_an_ampere() -> None:
    readings, faults = found(SnmpProfile.APC_PDU, APC)
    assert not faults
    assert readings == {
        (Quantity.POWER_WATTS, "it"): 2140.0,
        (Quantity.POWER_WATTS, "it/1"): 700.0,
        (Quantity.POWER_WATTS, "it/2"): 800.0,
        (Quantity.POWER_WATTS, "it/3"): 640.0,
        (Quantity.POWER_WATTS, "it/bank1"): pytest.approx(1150.0),
    }


def test_an_apc_phase_without_a_wattmeter_is_its_volt_amperes() -> None:
    readings, faults = found(SnmpProfile.APC_PDU, {**APC, f"{A}.6.3.1.7.2": -1})
    assert readings[Quantity.POWER_WATTS, "it/2"] == pytest.approx(736.0)
    assert not faults


def test_a_dead_apc_meter_is_a_fault() -> None:
    readings, faults = found(SnmpProfile.APC_PDU, {**APC, f"{A}.4.3.1.5.1": -1})
    assert (Quantity.POWER_WATTS, "it") not in readings
    assert [fault.reason for fault in faults] == ["implausible"]


def test_a_raritan_pdu_counts_by_each_sensors_decimal_digits() -> None:
    readings, faults = found(SnmpProfile.RARITAN_PDU, RARITAN)
    assert not faults
    assert readings == {
        (Quantity.POWER_WATTS, "it"): 2140.5,
        (Quantity.POWER_WATTS, "it/1"): 701.0,
        (Quantity.POWER_WATTS, "it/2"): 702.0,
        (Quantity.POWER_WATTS, "it/3"): 703.0,
        (Quantity.POWER_WATTS, "it/bank2"): pytest.approx(2.5 * 231),
    }


def test_an_unavailable_raritan_sensor_is_a_fault_and_its_zero_no_reading() -> None:
    readings, faults = found(
        SnmpProfile.RARITAN_PDU, {**RARITAN, f"{R}.5.2.3.1.3.1.1.5": -1, f"{R}.5.2.3.1.4.1.1.5": 0}
    )
    assert (Quantity.POWER_WATTS, "it") not in readings
    assert [fault.reason for fault in faults] == ["implausible"]


def test_a_raritan_sensor_without_its_decimal_digits_is_not_read_as_ten_times_as_much() -> None:
    digits = {f"{R}.3.3.4.1.7.1.1.5", *(f"{R}.3.3.6.1.7.1.1.2.{kind}" for kind in (1, 4, 5)), f"{R}.3.4.4.1.7.1.2.1"}
    less = {f"{R}.5.2.3.1.4.1.1.5": 3505, f"{R}.5.3.3.1.4.1.2.1": 25}
    answers = {of: value for of, value in {**RARITAN, **less}.items() if of not in digits}
    readings, faults = found(SnmpProfile.RARITAN_PDU, answers)
    assert readings.keys() == {(Quantity.POWER_WATTS, "it/1"), (Quantity.POWER_WATTS, "it/3")}
    assert [fault.reason for fault in faults] == ["implausible"]


@pytest.mark.parametrize(
    ("profile", "lost"),
    [(SnmpProfile.APC_PDU, f"{A}.6.3.1.{{}}.3"), (SnmpProfile.RARITAN_PDU, f"{R}.5.2.4.1.4.1.1.3.{{}}")],
)
def test_a_pdu_that_shows_fewer_phases_than_it_has_is_told(profile: SnmpProfile, lost: str) -> None:
    gone = {lost.format(n) for n in range(10)}
    readings, faults = found(profile, {of: value for of, value in PDU[profile].items() if of not in gone})
    assert (Quantity.POWER_WATTS, "it/3") not in readings
    assert (Quantity.POWER_WATTS, "it/2") in readings
    assert [(fault.reason, fault.detail) for fault in faults] == [("truncated", "2 phases of 3 were answered")]


def test_a_phase_that_the_inventory_does_not_have_is_a_fault() -> None:
    more = {f"{A}.6.3.1.{column}.4": value for column, value in ((2, 1), (3, 4), (5, 32), (6, 230), (7, 70))}
    readings, faults = found(SnmpProfile.APC_PDU, {**APC, **more})
    assert (Quantity.POWER_WATTS, "it/4") not in readings
    assert [fault.reason for fault in faults] == ["implausible"]


def test_a_supermicro_fan_that_stopped_has_failed_and_an_empty_header_has_not() -> None:
    profile, memory = SnmpProfile.SUPERMICRO, set[str]()

    def polled(fan1: bytes, fan2: bytes, power: int = 1) -> float | None:
        findings = Findings(target(profile), memory)
        answers = {**SUPERMICRO, f"{B}.4.0": power, f"{B}.3.1.2.65": fan1, f"{B}.3.1.2.66": fan2}
        PLANS[profile].decode(Answers({oid(text): value for text, value in answers.items()}), findings)
        return next((each.value for each in findings.readings if each.quantity is Quantity.FAN_HEALTH), None)

    still, turning = b"0.000", b"5400.000"
    assert polled(turning, still) == Health.OK
    assert polled(turning, turning) == Health.OK
    assert polled(turning, still) == Health.WARNING
    assert polled(still, still) == Health.FAILED
    assert polled(still, still, power=0) is None
    assert polled(turning, still) == Health.OK


def test_a_ups_gives_its_feed_the_sum_of_its_lines() -> None:
    readings, faults = found(SnmpProfile.UPS_MIB, UPS)
    assert not faults
    assert readings == {
        (Quantity.POWER_WATTS, "it"): 3000.0,
        (Quantity.ON_BATTERY, "it"): 0.0,
        (Quantity.BATTERY_MINUTES, "it"): 12.0,
    }


@pytest.mark.parametrize("changed", [{f"{U}.4.1.0": 5}, {f"{U}.2.2.0": 40}])
def test_a_ups_is_on_battery_if_its_source_or_its_seconds_say_so(changed: dict[str, Value]) -> None:
    readings, _ = found(SnmpProfile.UPS_MIB, {**UPS, **changed})
    assert readings[Quantity.ON_BATTERY, "it"] == 1.0


def test_a_ups_that_answers_one_line_of_three_gives_no_sum() -> None:
    readings, faults = found(
        SnmpProfile.UPS_MIB, {of: value for of, value in UPS.items() if ".4.4.1.4." not in of or of.endswith(".1")}
    )
    assert (Quantity.POWER_WATTS, "it") not in readings
    assert [fault.reason for fault in faults] == ["truncated"]
