"""APC rack PDU, second generation: PowerNet-MIB rPDU2, 1.3.6.1.4.1.318.1.1.26 (A below). Module 1 of a chain.

- device power A.4.3.1.5.1 in 0.01 kW; phases it has A.4.2.1.7.1, metered banks A.4.2.1.8.1
- phases A.6.3.1.{2 module, 3 number, 5 current in 0.1 A, 6 voltage in V, 7 power in 0.01 kW}
- banks A.8.3.1.{2 module, 3 number, 5 current in 0.1 A}

-1 means that the model does not measure it. A phase without a wattmeter, and every bank, is current times voltage:
volt-amperes, which are never less than watts.
"""

from controller.adapters.snmp.answers import Answers
from controller.adapters.snmp.failure import Reason
from controller.adapters.snmp.findings import Findings
from controller.adapters.snmp.oids import Oid, oid
from controller.adapters.snmp.plan import ReadingPlan, Table
from controller.model.sample import Kind

A = oid("1.3.6.1.4.1.318.1.1.26")
POWER = (*A, 4, 3, 1, 5, 1)
PHASES, BANKS = (*A, 4, 2, 1, 7, 1), (*A, 4, 2, 1, 8, 1)
PHASE_MODULE, PHASE_NUMBER, PHASE_AMPS, PHASE_VOLTS, PHASE_POWER = ((*A, 6, 3, 1, c) for c in (2, 3, 5, 6, 7))
BANK_MODULE, BANK_NUMBER, BANK_AMPS = ((*A, 8, 3, 1, c) for c in (2, 3, 5))

WATTS_A_STEP = 10
NOT_MEASURED = -1
MODULE = 1
BANK_NUMBERS = range(1, 65)


def decode(answers: Answers, findings: Findings) -> None:
    power = answers.integer(POWER)
    findings.watts(None if power is None else power * WATTS_A_STEP, "the PDU's power meter")
    phases = _rows(answers, PHASE_MODULE, PHASE_NUMBER)
    findings.missing_phases(len(phases), answers.integer(PHASES))
    for row in phases:
        number = answers.integer(PHASE_NUMBER + row) or 0
        findings.phase_watts(number, _phase_watts(answers, row), f"phase {number}'s meter")
    _banks(answers, findings, phases)


def _phase_watts(answers: Answers, row: Oid) -> float | None:
    power = answers.integer(PHASE_POWER + row)
    if power is not None and power != NOT_MEASURED:
        return power * WATTS_A_STEP
    tenths, volts = answers.integer(PHASE_AMPS + row), answers.integer(PHASE_VOLTS + row)
    if tenths in (None, NOT_MEASURED) or volts in (None, NOT_MEASURED):
        return power
    return tenths / 10 * volts


def _banks(answers: Answers, findings: Findings, phases: tuple[Oid, ...]) -> None:
    banks = _rows(answers, BANK_MODULE, BANK_NUMBER)
    declared = answers.integer(BANKS)
    if declared is not None and len(banks) < declared:
        findings.fault(Reason.TRUNCATED, f"{len(banks)} banks of {declared} were answered")
    volts = next((v for row in phases if (v := answers.integer(PHASE_VOLTS + row)) and v > 0), None)
    for row in banks:
        number, tenths = answers.integer(BANK_NUMBER + row), answers.integer(BANK_AMPS + row)
        if number not in BANK_NUMBERS:
            continue
        if volts is not None and tenths is not None and tenths != NOT_MEASURED:
            name = f"{findings.target.subject}/bank{number}"
            findings.watts(tenths / 10 * volts, f"bank {number}'s ammeter", kind=Kind.BANK, name=name)


def _rows(answers: Answers, module: Oid, number: Oid) -> tuple[Oid, ...]:
    return tuple(row for row in answers.rows(number) if answers.integer(module + row) in (MODULE, None))


PLAN = ReadingPlan(
    scalars=(POWER, PHASES, BANKS),
    tables=(
        Table(live=(PHASE_AMPS, PHASE_VOLTS, PHASE_POWER), fixed=(PHASE_MODULE, PHASE_NUMBER)),
        Table(live=(BANK_AMPS,), fixed=(BANK_MODULE, BANK_NUMBER)),
    ),
    decode=decode,
)
