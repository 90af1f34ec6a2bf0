"""Dell iDRAC 7 to 9: IDRAC-MIB-SMIv2, 1.3.6.1.4.1.674.10892.5 (D below).

- power state D.2.4.0: off 3, on 4
- storage rollup D.2.3.0, chassis 1's rollups D.4.200.10.1.{9 power supplies, 21 cooling, 27 memory}.1; ObjectStatus:
  other 1, unknown 2, ok 3, nonCritical 4, critical 5, nonRecoverable 6
- temperature probes D.4.700.20.1.{5 status: failed 10, 6 reading in 0.1 °C, 8 location}; the inlet is the one whose
  location says so ("System Board Inlet Temp")
- amperage probes D.4.600.30.1.{6 reading, 7 type}: watts only for type 26 (system watts)
- power supplies D.4.600.12.1.5 (ObjectStatus), fans D.4.700.12.1.5 (probe status: 10 is failed)
- virtual disks D.5.1.20.140.1.1.4: online 2, failed 3, degraded 4

Memory is its rollup. Disks are the virtual disks' states with the storage rollup (it counts failed and worn members). A
device without a table is judged by its rollup.
"""

from controller.adapters.snmp import health
from controller.adapters.snmp.answers import Answers
from controller.adapters.snmp.failure import Reason
from controller.adapters.snmp.findings import Findings
from controller.adapters.snmp.oids import Oid, oid
from controller.adapters.snmp.plan import ReadingPlan, Table
from controller.adapters.snmp.target import Watts
from controller.model.sample import Health, Quantity

D = oid("1.3.6.1.4.1.674.10892.5")
POWER_STATE = (*D, 2, 4, 0)
STORAGE = (*D, 2, 3, 0)
SUPPLIES, COOLING, MEMORY = ((*D, 4, 200, 10, 1, part, 1) for part in (9, 21, 27))
TEMPERATURE_STATUS, TEMPERATURE, TEMPERATURE_LOCATION = ((*D, 4, 700, 20, 1, column) for column in (5, 6, 8))
AMPERAGE, AMPERAGE_TYPE = (*D, 4, 600, 30, 1, 6), (*D, 4, 600, 30, 1, 7)
SUPPLY_STATUS = (*D, 4, 600, 12, 1, 5)
FAN_STATUS = (*D, 4, 700, 12, 1, 5)
VIRTUAL_DISK = (*D, 5, 1, 20, 140, 1, 1, 4)

OFF = 3
SYSTEM_WATTS = 26
PROBE_FAILED = 10

OBJECT_STATUS = {3: Health.OK, 4: Health.WARNING, 5: Health.FAILED, 6: Health.FAILED}
PROBE_STATUS = {
    3: Health.OK, 4: Health.WARNING, 5: Health.FAILED, 6: Health.FAILED, 7: Health.WARNING, 8: Health.FAILED,
    9: Health.FAILED, 10: Health.FAILED,
}  # fmt: skip
VIRTUAL_DISK_STATE = {2: Health.OK, 3: Health.FAILED, 4: Health.WARNING}


def decode(answers: Answers, findings: Findings) -> None:
    _inlet(answers, findings)
    _power(answers, findings)
    supplies = health.redundant(health.translated(answers.integers(SUPPLY_STATUS), OBJECT_STATUS))
    fans = health.fans(health.translated(answers.integers(FAN_STATUS), PROBE_STATUS))
    arrays = health.translated(answers.integers(VIRTUAL_DISK), VIRTUAL_DISK_STATE)
    findings.health(Quantity.PSU_HEALTH, _rollup(answers, SUPPLIES) if supplies is None else supplies)
    findings.health(Quantity.FAN_HEALTH, _rollup(answers, COOLING) if fans is None else fans)
    findings.health(Quantity.MEMORY_HEALTH, _rollup(answers, MEMORY))
    storage = _rollup(answers, STORAGE)
    findings.health(Quantity.DISK_HEALTH, health.disks(arrays, () if storage is None else (storage,)))


def _inlet(answers: Answers, findings: Findings) -> None:
    for row in answers.rows(TEMPERATURE_LOCATION):
        location = answers.text(TEMPERATURE_LOCATION + row) or ""
        if "inlet" not in location.lower():
            continue
        tenths = answers.integer(TEMPERATURE + row)
        if answers.integer(TEMPERATURE_STATUS + row) == PROBE_FAILED:
            findings.fault(Reason.IMPLAUSIBLE, f"{location} says that it has failed")
        else:
            findings.inlet(None if tenths is None else tenths / 10, location)
        return


def _power(answers: Answers, findings: Findings) -> None:
    off = answers.integer(POWER_STATE) == OFF
    for row in answers.rows(AMPERAGE_TYPE):
        if answers.integer(AMPERAGE_TYPE + row) == SYSTEM_WATTS:
            bounds = Watts(least=0.0, most=findings.target.watts.most) if off else None
            findings.watts(answers.integer(AMPERAGE + row), "the system's power probe", bounds=bounds)
            return


def _rollup(answers: Answers, of: Oid) -> Health | None:
    return OBJECT_STATUS.get(answers.integer(of) or 0)


PLAN = ReadingPlan(
    scalars=(POWER_STATE, STORAGE, SUPPLIES, COOLING, MEMORY),
    tables=(
        Table(live=(TEMPERATURE_STATUS, TEMPERATURE), fixed=(TEMPERATURE_LOCATION,)),
        Table(live=(AMPERAGE,), fixed=(AMPERAGE_TYPE,)),
        Table(live=(SUPPLY_STATUS,)),
        Table(live=(FAN_STATUS,)),
        Table(live=(VIRTUAL_DISK,)),
    ),
    decode=decode,
)
