"""HPE iLO 4 to 6: CPQHLTH-MIB and CPQIDA-MIB, 1.3.6.1.4.1.232 (C below).

Conditions: other 1, ok 2, degraded 3, failed 4.
- temperature sensors C.6.2.6.8.1.{3 locale: ambient 11, 4 reading in °C: -99 is unknown}
- fans C.6.2.6.7.1.9, power supplies C.6.2.9.3.1.{3 present: present 3, 4 condition} (condition)
- power meter C.6.2.15.3.0 in W: -1 where there is none
- memory C.6.2.14.4.0, modules C.6.2.14.13.1.20 (condition)
- logical drives C.3.2.3.1.1.11, physical drives C.3.2.5.1.1.37 (condition)
"""

from controller.adapters.snmp import health
from controller.adapters.snmp.answers import Answers
from controller.adapters.snmp.findings import Findings
from controller.adapters.snmp.oids import Oid, oid
from controller.adapters.snmp.plan import ReadingPlan, Table
from controller.model.sample import Health, Quantity

C = oid("1.3.6.1.4.1.232")
LOCALE, CELSIUS = (*C, 6, 2, 6, 8, 1, 3), (*C, 6, 2, 6, 8, 1, 4)
FAN_CONDITION = (*C, 6, 2, 6, 7, 1, 9)
FANS = (*C, 6, 2, 6, 4, 0)
SUPPLY_PRESENT, SUPPLY_CONDITION = (*C, 6, 2, 9, 3, 1, 3), (*C, 6, 2, 9, 3, 1, 4)
SUPPLIES = (*C, 6, 2, 9, 1, 0)
POWER_METER = (*C, 6, 2, 15, 3, 0)
MEMORY = (*C, 6, 2, 14, 4, 0)
MODULE_CONDITION = (*C, 6, 2, 14, 13, 1, 20)
LOGICAL_DRIVE, PHYSICAL_DRIVE = (*C, 3, 2, 3, 1, 1, 11), (*C, 3, 2, 5, 1, 1, 37)

AMBIENT = 11
PRESENT = 3
NO_METER = -1
CONDITION = {2: Health.OK, 3: Health.WARNING, 4: Health.FAILED}


def decode(answers: Answers, findings: Findings) -> None:
    for row in answers.rows(LOCALE):
        if answers.integer(LOCALE + row) == AMBIENT:
            findings.inlet(answers.integer(CELSIUS + row), "the ambient sensor")
            break
    watts = answers.integer(POWER_METER)
    findings.watts(None if watts == NO_METER else watts, "the power meter")
    supplies = health.redundant(health.translated(_present_supplies(answers), CONDITION))
    fans = health.fans(health.translated(answers.integers(FAN_CONDITION), CONDITION))
    findings.health(Quantity.PSU_HEALTH, _condition(answers, SUPPLIES) if supplies is None else supplies)
    findings.health(Quantity.FAN_HEALTH, _condition(answers, FANS) if fans is None else fans)
    modules = health.translated(answers.integers(MODULE_CONDITION), CONDITION)
    whole = _condition(answers, MEMORY)
    findings.health(Quantity.MEMORY_HEALTH, health.worst(modules if whole is None else (*modules, whole)))
    arrays = health.translated(answers.integers(LOGICAL_DRIVE), CONDITION)
    members = health.translated(answers.integers(PHYSICAL_DRIVE), CONDITION)
    findings.health(Quantity.DISK_HEALTH, health.disks(arrays, members))


def _present_supplies(answers: Answers) -> tuple[int, ...]:
    """Conditions of the supplies that are there; an empty bay is no failure."""
    return tuple(
        answers.integer(SUPPLY_CONDITION + row) or 0
        for row in answers.rows(SUPPLY_CONDITION)
        if answers.integer(SUPPLY_PRESENT + row) in (PRESENT, None)
    )


def _condition(answers: Answers, of: Oid) -> Health | None:
    return CONDITION.get(answers.integer(of) or 0)


PLAN = ReadingPlan(
    scalars=(POWER_METER, MEMORY, FANS, SUPPLIES),
    tables=(
        Table(live=(CELSIUS,), fixed=(LOCALE,)),
        Table(live=(FAN_CONDITION,)),
        Table(live=(SUPPLY_PRESENT, SUPPLY_CONDITION)),
        Table(live=(MODULE_CONDITION,)),
        Table(live=(LOGICAL_DRIVE,)),
        Table(live=(PHYSICAL_DRIVE,)),
    ),
    decode=decode,
)
