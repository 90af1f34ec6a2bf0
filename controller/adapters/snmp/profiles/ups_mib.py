"""A UPS by RFC 1628: UPS-MIB, 1.3.6.1.2.1.33.1 (U below).

- seconds on battery U.2.2.0, minutes remaining U.2.3.0
- output source U.4.1.0: other 1, none 2, normal 3, bypass 4, battery 5, booster 6, reducer 7
- output lines U.4.3.0, power of each U.4.4.1.4.line in W

Readings are the fed feed's. The load is the sum of all lines that the UPS says it has, or nothing.
"""

from controller.adapters.snmp.answers import Answers
from controller.adapters.snmp.failure import Reason
from controller.adapters.snmp.findings import Findings
from controller.adapters.snmp.oids import oid
from controller.adapters.snmp.plan import ReadingPlan, Table

U = oid("1.3.6.1.2.1.33.1")
SECONDS_ON_BATTERY, MINUTES_LEFT = (*U, 2, 2, 0), (*U, 2, 3, 0)
OUTPUT_SOURCE, OUTPUT_LINES = (*U, 4, 1, 0), (*U, 4, 3, 0)
LINE_WATTS = (*U, 4, 4, 1, 4)

BATTERY = 5
KNOWN_SOURCES = range(2, 8)


def decode(answers: Answers, findings: Findings) -> None:
    source, seconds = answers.integer(OUTPUT_SOURCE), answers.integer(SECONDS_ON_BATTERY)
    known = source in KNOWN_SOURCES or seconds is not None
    on_battery = source == BATTERY or bool(seconds and seconds > 0)
    findings.battery(on_battery=on_battery if known else None, minutes=answers.integer(MINUTES_LEFT))
    lines, declared = answers.integers(LINE_WATTS), answers.integer(OUTPUT_LINES)
    if declared is not None and len(lines) < declared:
        findings.fault(Reason.TRUNCATED, f"{len(lines)} output lines of {declared} were answered")
    elif any(watts < 0 for watts in lines):
        findings.fault(Reason.IMPLAUSIBLE, f"an output line says {min(lines)} W")
    elif lines:
        findings.watts(sum(lines), "the UPS's output meter")


PLAN = ReadingPlan(
    scalars=(SECONDS_ON_BATTERY, MINUTES_LEFT, OUTPUT_SOURCE, OUTPUT_LINES),
    tables=(Table(live=(LINE_WATTS,)),),
    decode=decode,
)
