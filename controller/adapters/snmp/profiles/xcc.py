"""Lenovo XClarity Controller: LENOVO-XCC-MIB, 1.3.6.1.4.1.19046.11.1 (X below). Nearly everything is a DisplayString.

- temperatures X.1.1.2.1.{2 description, 3 reading in °C: "24.00", 11 health}; the inlet is "Ambient Temp" (or "Inlet")
- power in use X.1.10.1.10.0: "176 Watts", or "N/A"
- health strings ("Normal", "Warning", "Critical", …): fans X.1.3.2.1.10, power supplies X.1.11.2.1.6,
  disks X.1.12.2.1.3, memory modules X.1.5.21.1.8
"""

from controller.adapters.snmp import health
from controller.adapters.snmp.answers import Answers
from controller.adapters.snmp.findings import Findings
from controller.adapters.snmp.oids import Oid, oid
from controller.adapters.snmp.plan import ReadingPlan, Table
from controller.model.sample import Health, Quantity

X = oid("1.3.6.1.4.1.19046.11.1")
TEMPERATURE_NAME, TEMPERATURE = (*X, 1, 1, 2, 1, 2), (*X, 1, 1, 2, 1, 3)
POWER_IN_USE = (*X, 1, 10, 1, 10, 0)
FAN_HEALTH = (*X, 1, 3, 2, 1, 10)
SUPPLY_HEALTH = (*X, 1, 11, 2, 1, 6)
DISK_HEALTH = (*X, 1, 12, 2, 1, 3)
MODULE_HEALTH = (*X, 1, 5, 21, 1, 8)

INLET_NAMES = ("ambient", "inlet")
MEANING = {
    "normal": Health.OK,
    "ok": Health.OK,
    "warning": Health.WARNING,
    "non-critical": Health.WARNING,
    "predictive failure": Health.WARNING,
    "critical": Health.FAILED,
    "non-recoverable": Health.FAILED,
    "failed": Health.FAILED,
}
"""Other words ("Unknown", "N/A", "Not present") say nothing of the part's health."""


def decode(answers: Answers, findings: Findings) -> None:
    for row in answers.rows(TEMPERATURE_NAME):
        name = answers.text(TEMPERATURE_NAME + row) or ""
        if any(word in name.lower() for word in INLET_NAMES):
            findings.inlet(answers.number(TEMPERATURE + row), name)
            break
    findings.watts(answers.number(POWER_IN_USE), "power in use")
    findings.health(Quantity.FAN_HEALTH, health.fans(_parts(answers, FAN_HEALTH)))
    findings.health(Quantity.PSU_HEALTH, health.redundant(_parts(answers, SUPPLY_HEALTH)))
    findings.health(Quantity.MEMORY_HEALTH, health.worst(_parts(answers, MODULE_HEALTH)))
    findings.health(Quantity.DISK_HEALTH, health.worst(_parts(answers, DISK_HEALTH)))


def _parts(answers: Answers, column: Oid) -> tuple[Health, ...]:
    words = (text.lower() for text in answers.texts(column))
    return tuple(MEANING[word] for word in words if word in MEANING)


PLAN = ReadingPlan(
    scalars=(POWER_IN_USE,),
    tables=(
        Table(live=(TEMPERATURE,), fixed=(TEMPERATURE_NAME,)),
        Table(live=(FAN_HEALTH,)),
        Table(live=(SUPPLY_HEALTH,)),
        Table(live=(MODULE_HEALTH,)),
        Table(live=(DISK_HEALTH,)),
    ),
    decode=decode,
)
