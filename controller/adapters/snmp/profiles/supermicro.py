"""Supermicro BMC: ATEN-IPMI-MIB, 1.3.6.1.4.1.21317.1 (B below): IPMI's sensors as one table of 16-byte octet strings.

- sensors B.3.1.{2 reading: "24.000" padded with NULs, 6 lower critical limit, 13 name}
- power state B.4.0: 0 off, 1 on

By name: the inlet is a "… Inlet Temp" or "Ambient …" ("System Temp" is the board's and is not taken for it), power is
"PW Consumption" in W, "PS1 Status" are IPMI's power supply bits (1 presence, 2 failure, 4 predicted failure, 8 input
lost), fans are "FAN…" in RPM. A fan that reads 0 is an empty header on most boards (Zabbix's template leaves it out for
that), and has failed where we saw it turn since the host was last off. Memory and disks are not in this MIB.
"""

from collections.abc import Iterator, Mapping

from controller.adapters.snmp import health
from controller.adapters.snmp.answers import Answers
from controller.adapters.snmp.findings import Findings
from controller.adapters.snmp.oids import Oid, oid
from controller.adapters.snmp.plan import ReadingPlan, Table
from controller.adapters.snmp.target import Watts
from controller.model.sample import Health, Quantity

B = oid("1.3.6.1.4.1.21317.1")
READING, LOWER_CRITICAL, NAME = (*B, 3, 1, 2), (*B, 3, 1, 6), (*B, 3, 1, 13)
POWER_STATE = (*B, 4, 0)

OFF = 0
PRESENT, FAILURE, PREDICTED, INPUT_LOST = 1, 2, 4, 8


def decode(answers: Answers, findings: Findings) -> None:
    sensors = {(answers.text(NAME + row) or "").lower(): row for row in answers.rows(NAME)}
    for name, row in sensors.items():
        if name.endswith("temp") and ("inlet" in name or "ambient" in name):
            findings.inlet(answers.number(READING + row), name)
            break
    off = answers.integer(POWER_STATE) == OFF
    meter = next((row for name, row in sensors.items() if name.startswith("pw consumption")), None)
    if meter is not None:
        bounds = Watts(least=0.0, most=findings.target.watts.most) if off else None
        findings.watts(answers.number(READING + meter), "PW Consumption", bounds=bounds)
    supplies = [row for name, row in sensors.items() if name.startswith("ps") and name.endswith("status")]
    findings.health(Quantity.PSU_HEALTH, health.redundant(_supplies(answers, supplies)))
    if off:
        findings.memory.clear()
    else:
        fans = {name: row for name, row in sensors.items() if name.startswith("fan")}
        findings.health(Quantity.FAN_HEALTH, health.fans(_fans(answers, fans, findings.memory)))


def _supplies(answers: Answers, rows: list[Oid]) -> Iterator[Health]:
    for row in rows:
        bits = int(answers.number(READING + row) or 0)
        if bits & (FAILURE | INPUT_LOST):
            yield Health.FAILED
        elif bits & PREDICTED:
            yield Health.WARNING
        elif bits & PRESENT:
            yield Health.OK


def _fans(answers: Answers, fans: Mapping[str, Oid], turned: set[str]) -> Iterator[Health]:
    """`turned`: the fans that were ever seen to turn."""
    for name, row in fans.items():
        rpm, limit = answers.number(READING + row), answers.number(LOWER_CRITICAL + row)
        if rpm:
            turned.add(name)
            yield Health.FAILED if limit is not None and rpm < limit else Health.OK
        elif rpm is not None and name in turned:
            yield Health.FAILED


PLAN = ReadingPlan(
    scalars=(POWER_STATE,),
    tables=(Table(live=(READING,), fixed=(NAME, LOWER_CRITICAL)),),
    decode=decode,
)
