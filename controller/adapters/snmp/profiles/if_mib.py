"""A switch's uplinks by RFC 2863: IF-MIB, 1.3.6.1.2.1.31.1.1.1 (X below) and 1.3.6.1.2.1.2 (I below).

- interfaces I.1.0, how many there are; their names X.1.row (ifName), walked for the inventory's
- octets received X.6.row and sent X.10.row, 64 bits; speed X.15.row in Mbit/s, 0 where it is not known
- operational status I.2.1.8.row: up 1, down 2, testing 3, unknown 4, dormant 5, not present 6, lower layer down 7
- discontinuity X.19.row: sysUpTime when the row's counters last began anew

A row's name is asked with its counters, so that a row that became another port's is never read as this one's. The
counters of a port that is down stand still: nothing passes it, and that is its reading.
"""

from controller.adapters.snmp.answers import Answers
from controller.adapters.snmp.counters import COUNTER_WRAP, Look
from controller.adapters.snmp.failure import Reason
from controller.adapters.snmp.findings import Findings
from controller.adapters.snmp.oids import SYS_UPTIME, Oid, oid
from controller.adapters.snmp.plan import ReadingPlan, Table
from controller.adapters.snmp.target import Target

X, INTERFACES = oid("1.3.6.1.2.1.31.1.1.1"), oid("1.3.6.1.2.1.2.1.0")
NAME, RECEIVED, SENT, SPEED, DISCONTINUITY = ((*X, column) for column in (1, 6, 10, 15, 19))
STATUS = oid("1.3.6.1.2.1.2.2.1.8")
ASKED = (NAME, RECEIVED, SENT, SPEED, DISCONTINUITY, STATUS)

UP = 1
STATES = {2: "down", 3: "testing", 4: "unknown", 5: "dormant", 6: "not present", 7: "lower layer down"}
BYTES_A_MBIT = 1e6 / 8
ROWS_A_BULK = 40
"""A switch has hundreds of interfaces, and one column of them is walked."""


def together(answers: Answers, target: Target) -> tuple[tuple[Oid, ...], ...]:
    """The objects of each uplink that one row alone bears the name of."""
    rows = _rows(answers, target)
    return tuple(tuple(column + found[0] for column in ASKED) for found in rows.values() if len(found) == 1)


def decode(answers: Answers, findings: Findings) -> None:
    for port, rows in _rows(answers, findings.target).items():
        if len(rows) > 1:
            findings.no_traffic(port, Reason.DUPLICATE, f"is the name of {len(rows)} interfaces")
        elif rows:
            _port(answers, findings, port, rows[0])
        else:
            _nowhere(answers, findings, port)


def _rows(answers: Answers, target: Target) -> dict[str, list[Oid]]:
    """The rows of each uplink's name, in one look over the table."""
    found: dict[str, list[Oid]] = {port: [] for port in sorted(target.uplinks)}
    for row in answers.rows(NAME):
        name = answers.text(NAME + row)
        if name in found:
            found[name].append(row)
    return found


def _nowhere(answers: Answers, findings: Findings, port: str) -> None:
    shown, declared = len(answers.rows(NAME)), answers.integer(INTERFACES)
    if declared is not None and shown < declared:
        findings.no_traffic(port, Reason.TRUNCATED, f"is not among the {shown} interfaces answered of {declared}")
    else:
        findings.no_traffic(port, Reason.MISSING, "is no interface of the switch, by its ifName")


def _port(answers: Answers, findings: Findings, port: str, row: Oid) -> None:
    told = answers.together(NAME + row)
    if told is None or told.text(NAME + row) != port:
        findings.no_traffic(port, Reason.MISSING, "is no longer the name of its interface")
        return
    status = told.integer(STATUS + row)
    if status != UP:
        findings.port_down(port, STATES.get(status or 0, "of no known status"))
    look = _look(told, row)
    if look is None:
        findings.no_traffic(port, Reason.MISSING, "has no 64-bit counters, or the switch no uptime")
    else:
        findings.traffic(port, look)


def _look(told: Answers, row: Oid) -> Look | None:
    ticks, received, sent = told.integer(SYS_UPTIME), _octets(told, RECEIVED + row), _octets(told, SENT + row)
    if ticks is None or received is None or sent is None:
        return None
    speed = told.integer(SPEED + row)
    return Look(
        row=row,
        ticks=ticks,
        received=received,
        sent=sent,
        discontinuity=told.integer(DISCONTINUITY + row),
        speed=speed * BYTES_A_MBIT if speed is not None and speed > 0 else None,
    )


def _octets(told: Answers, of: Oid) -> int | None:
    octets = told.integer(of)
    return octets if octets is not None and 0 <= octets < COUNTER_WRAP else None


PLAN = ReadingPlan(
    scalars=(INTERFACES,),
    tables=(Table(live=(), fixed=(NAME,), rows_a_bulk=ROWS_A_BULK),),
    decode=decode,
    together=together,
)
