"""Raritan PX PDU: PDU2-MIB, 1.3.6.1.4.1.13742.6 (R below). PDU 1, inlet 1.

- a sensor's value is a whole number to be divided by ten to the power of its decimal digits; sensor types: current 1,
  voltage 4, active power 5; state -1 is unavailable
- inlet R.5.2.3.1.{3 state, 4 value}.1.1.type, digits R.3.3.4.1.7.1.1.type
- inlet pole R.5.2.4.1.{3, 4}.1.1.pole.type, digits R.3.3.6.1.7.1.1.pole.type; poles it has R.3.3.3.1.5.1.1 (with the
  neutral: 2 of one phase, 4 of three)
- overcurrent protectors R.5.3.3.1.{3, 4}.1.ocp.1, digits R.3.4.4.1.7.1.ocp.1, in A: banks, counted in volt-amperes

A single-phase PDU's phase is its inlet. A three-phase one without poles' power is current times voltage.
"""

from dataclasses import dataclass

from controller.adapters.snmp.answers import Answers
from controller.adapters.snmp.failure import Reason
from controller.adapters.snmp.findings import Findings
from controller.adapters.snmp.oids import Oid, oid
from controller.adapters.snmp.plan import ReadingPlan, Table
from controller.model.sample import Kind

R = oid("1.3.6.1.4.1.13742.6")
CURRENT, VOLTAGE, POWER = 1, 4, 5
KINDS = (CURRENT, VOLTAGE, POWER)
POLE_COUNT = (*R, 3, 3, 3, 1, 5, 1, 1)
UNAVAILABLE = -1
MOST_DIGITS = 9
MOST_PROTECTORS = 64
SINGLE_PHASE_POLES, THREE_PHASES = 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensors:
    state: Oid
    value: Oid
    digits: Oid

    def objects(self, index: Oid) -> tuple[Oid, ...]:
        """The three objects of one sensor."""
        return (self.state + index, self.value + index, self.digits + index)

    def reading(self, answers: Answers, index: Oid) -> float | None:
        """The sensor's value in its unit; None where it is absent or unavailable, or of unknown digits."""
        value, digits = answers.integer(self.value + index), answers.integer(self.digits + index)
        if value is None or digits is None or answers.integer(self.state + index) == UNAVAILABLE:
            return None
        return value / 10.0**digits if 0 <= digits <= MOST_DIGITS else None


INLET = Sensors(state=(*R, 5, 2, 3, 1, 3), value=(*R, 5, 2, 3, 1, 4), digits=(*R, 3, 3, 4, 1, 7))
POLE = Sensors(state=(*R, 5, 2, 4, 1, 3), value=(*R, 5, 2, 4, 1, 4), digits=(*R, 3, 3, 6, 1, 7))
PROTECTOR = Sensors(state=(*R, 5, 3, 3, 1, 3), value=(*R, 5, 3, 3, 1, 4), digits=(*R, 3, 4, 4, 1, 7))


def decode(answers: Answers, findings: Findings) -> None:
    watts = INLET.reading(answers, (1, 1, POWER))
    if watts is None:
        findings.fault(Reason.IMPLAUSIBLE, "the inlet's power sensor is unavailable, or its decimal digits")
    findings.watts(watts, "the inlet's power sensor")
    if findings.target.phases == 1:
        findings.phase_watts(1, watts, "the inlet's power sensor")
        findings.missing_phases(1, _phases(answers))
    else:
        _poles(answers, findings)
    _protectors(answers, findings)


def _poles(answers: Answers, findings: Findings) -> None:
    numbers = sorted({row[2] for row in answers.rows(POLE.value) if _of_a_phase(row)})
    findings.missing_phases(len(numbers), _phases(answers))
    for number in numbers:
        findings.phase_watts(number, _pole_watts(answers, number), f"pole {number}'s sensors")


def _pole_watts(answers: Answers, pole: int) -> float | None:
    current, volts, watts = (POLE.reading(answers, (1, 1, pole, kind)) for kind in KINDS)
    if watts is not None or current is None or volts is None:
        return watts
    return current * volts


def _phases(answers: Answers) -> int | None:
    poles = answers.integer(POLE_COUNT)
    if poles is None:
        return None
    return 1 if poles <= SINGLE_PHASE_POLES else THREE_PHASES


def _protectors(answers: Answers, findings: Findings) -> None:
    volts = next(
        (v for place in ((INLET, (1, 1)), (POLE, (1, 1, 1))) if (v := place[0].reading(answers, (*place[1], VOLTAGE)))),
        None,
    )
    for row in answers.rows(PROTECTOR.value):
        amps = PROTECTOR.reading(answers, row)
        if volts is not None and amps is not None and _current_of_first(row):
            name = f"{findings.target.subject}/bank{row[-2]}"
            findings.watts(amps * volts, f"protector {row[-2]}'s ammeter", kind=Kind.BANK, name=name)


def _of_a_phase(row: Oid) -> bool:
    return len(row) == 4 and row[:2] == (1, 1) and 1 <= row[2] <= THREE_PHASES and row[3] in KINDS


def _current_of_first(row: Oid) -> bool:
    return len(row) == 3 and row[0] == 1 and 1 <= row[1] <= MOST_PROTECTORS and row[2] == CURRENT


PLAN = ReadingPlan(
    scalars=(POLE_COUNT, *INLET.objects((1, 1, POWER)), *INLET.objects((1, 1, VOLTAGE))),
    tables=(
        Table(live=(POLE.state, POLE.value), fixed=(POLE.digits,), wanted=_of_a_phase),
        Table(live=(PROTECTOR.state, PROTECTOR.value), fixed=(PROTECTOR.digits,), wanted=_current_of_first),
    ),
    decode=decode,
)
