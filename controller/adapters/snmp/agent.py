"""Questions to one device and its whole answers: GETs of any length, tables walked to their real end."""

import secrets
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any, Protocol

from controller.adapters.snmp import pdu
from controller.adapters.snmp.answers import Dated
from controller.adapters.snmp.failure import PollError, Reason, RefusedError
from controller.adapters.snmp.oids import SYS_UPTIME, Oid, dotted
from controller.adapters.snmp.pace import ResponseTime
from controller.adapters.snmp.pdu import Value
from controller.adapters.snmp.plan import ROWS_A_BULK
from controller.adapters.snmp.usm import Resync
from controller.adapters.snmp.wire import Address, Wire

BINDINGS_A_GET = 24
MAX_EXCHANGES_A_WALK = 96
MAX_RESYNCS = 4
MAX_UNREADABLE = 4
"""Objects that an agent fails on (genErr) in one GET before the device counts as failed."""

_UNREADABLE = {pdu.NO_SUCH_NAME, pdu.GEN_ERR, pdu.NO_ACCESS}


class Security(Protocol):
    """v2c or v3 towards one device."""

    @property
    def engine_id(self) -> bytes | None: ...

    def probe(self) -> bytes | None: ...

    def seal(self, request_id: int, asked: Any) -> bytes: ...

    def open(self, datagram: bytes) -> pdu.Response | Resync | None: ...

    def unanswered(self) -> None: ...


class Agent:
    """One device, one question at a time. `dead` shortens the patience with it."""

    def __init__(self, address: Address, security: Security, wire: Wire, response_time: ResponseTime) -> None:
        self._address = address
        self._security = security
        self._wire = wire
        self._response_time = response_time
        self.dead = False
        self.resyncs = 0

    @property
    def engine_id(self) -> bytes | None:
        """v3: the engine that answered under its key."""
        return self._security.engine_id

    async def get(self, oids: Sequence[Oid]) -> dict[Oid, Value | None]:
        """Those objects' values, None where the device has none. Raises PollError."""
        found: dict[Oid, Value | None] = {}
        for first in range(0, len(oids), BINDINGS_A_GET):
            found.update(await self._get(oids[first : first + BINDINGS_A_GET]))
        return found

    async def get_together(self, groups: Sequence[Sequence[Oid]]) -> tuple[Dated, ...]:
        """Every group whole in one message with sysUpTime; several groups where they fit. Raises PollError."""
        found: list[Dated] = []
        waiting = _messages(groups)
        while waiting:
            message = waiting.pop(0)
            answered = await self._get_at_once((SYS_UPTIME, *chain.from_iterable(message)))
            if answered is not None:
                ticks = answered.pop(SYS_UPTIME)
                found.append(Dated(ticks=ticks if isinstance(ticks, int) else None, values=answered))
            elif len(message) > 1:
                half = len(message) // 2
                waiting[:0] = [message[:half], message[half:]]
            else:
                what = f"{dotted(message[0][0])}: the agent cannot tell in one message what belongs together"
                raise PollError(Reason.TRUNCATED, what)
        return tuple(found)

    async def walk(self, columns: Sequence[Oid], rows: int = ROWS_A_BULK) -> dict[Oid, Value]:
        """Every object below the columns, read side by side, `rows` at a time.

        An answer shorter than asked is not the table's end: each column ends where the agent leaves it. Raises
        PollError, also (truncated) when a table does not end.
        """
        cursors = {column: column for column in columns}
        found: dict[Oid, Value] = {}
        repetitions = rows
        for _ in range(MAX_EXCHANGES_A_WALK):
            if not cursors:
                return found
            asked = tuple(cursors)
            places = [cursors[column] for column in asked]
            response = await self._ask(partial(pdu.get_bulk, oids=places, repetitions=repetitions))
            if response.error_status == pdu.TOO_BIG or not response.bindings:
                repetitions = _fewer(repetitions, asked)
                continue
            self._check(response)
            _advance(asked, cursors, found, response)
        raise PollError(Reason.TRUNCATED, f"{dotted(columns[0])}: the table does not end")

    async def _get(self, oids: Sequence[Oid]) -> dict[Oid, Value | None]:
        found = await self._get_at_once(oids)
        if found is not None:
            return found
        half = len(oids) // 2
        return {**await self._get(oids[:half]), **await self._get(oids[half:])}

    async def _get_at_once(self, oids: Sequence[Oid]) -> dict[Oid, Value | None] | None:
        """All of them from one answer; None where that would be too big."""
        wanted, unreadable = list(oids), list[Oid]()
        while wanted:
            response = await self._ask(partial(pdu.get, oids=tuple(wanted)))
            if response.error_status == pdu.TOO_BIG and len(oids) > 1:
                return None
            if response.error_status in _UNREADABLE and 1 <= response.error_index <= len(wanted):
                unreadable.append(wanted.pop(response.error_index - 1))
                if len(unreadable) > MAX_UNREADABLE:
                    raise PollError(Reason.REPORT, f"the agent fails on {', '.join(map(dotted, unreadable))}")
                continue
            self._check(response)
            _check_same(wanted, response)
            return {**dict(response.bindings), **dict.fromkeys(unreadable)}
        return dict.fromkeys(unreadable)

    async def _ask(self, build: Callable[[int], Any]) -> pdu.Response:
        met = False
        for _ in range(MAX_RESYNCS):
            probe = self._security.probe()
            request_id = secrets.randbits(31)
            datagram = probe or self._security.seal(request_id, build(request_id))
            try:
                answer = await self._exchange(datagram)
            except PollError as error:
                self._security.unanswered()
                if met and error.reason is Reason.TIMEOUT:
                    raise PollError(
                        Reason.AUTH, "the device told its engine id but does not answer what is encrypted",
                        remedy="check the privacy passphrase and algorithm",
                    ) from error  # fmt: skip
                raise
            met = met or probe is not None
            if isinstance(answer, pdu.Response):
                return answer
            self.resyncs += probe is None
        raise PollError(Reason.REPORT, f"the device asked {MAX_RESYNCS} times to be asked again")

    async def _exchange(self, datagram: bytes) -> pdu.Response | Resync:
        waits = self._response_time.waits(dead=self.dead)
        try:
            answered = await self._wire.ask(self._address, datagram, self._security.open, waits)
        except RefusedError:
            raise
        except PollError:
            self._response_time.lost()
            raise
        self._response_time.answered(answered.seconds, sendings=answered.sendings)
        response: pdu.Response | Resync = answered.value
        return response

    @staticmethod
    def _check(response: pdu.Response) -> None:
        if response.error_status == pdu.AUTHORIZATION_ERROR:
            raise PollError(Reason.AUTH, "the device's views do not let this credential read the profile's objects")
        if response.error_status:
            raise PollError(Reason.REPORT, f"the agent answers error-status {response.error_status}")


def _messages(groups: Sequence[Sequence[Oid]]) -> list[list[Sequence[Oid]]]:
    """As many groups a message as fit beside sysUpTime; one at least."""
    messages: list[list[Sequence[Oid]]] = []
    room = 0
    for group in groups:
        if len(group) > room:
            messages.append([])
            room = BINDINGS_A_GET - 1
        messages[-1].append(group)
        room -= len(group)
    return messages


def _fewer(repetitions: int, columns: Sequence[Oid]) -> int:
    if repetitions == 1:
        raise PollError(Reason.TRUNCATED, f"{dotted(columns[0])}: the agent cannot answer with one row")
    return repetitions // 2


def _advance(asked: Sequence[Oid], cursors: dict[Oid, Oid], found: dict[Oid, Value], response: pdu.Response) -> None:
    """Takes a GETBULK's rows in; a column that the agent has left is dropped from `cursors`."""
    for place, (of, value) in enumerate(response.bindings):
        column = asked[place % len(asked)]
        if column not in cursors:
            continue
        if value is None or of[: len(column)] != column:
            del cursors[column]
        elif of <= cursors[column]:
            raise PollError(Reason.MALFORMED, f"the agent goes in circles at {dotted(of)}")
        else:
            cursors[column] = of
            found[of] = value


def _check_same(wanted: Sequence[Oid], response: pdu.Response) -> None:
    if len(response.bindings) < len(wanted):
        raise PollError(Reason.TRUNCATED, f"{len(response.bindings)} objects answered of {len(wanted)} asked")
    if [of for of, _ in response.bindings] != list(wanted):
        raise PollError(Reason.MALFORMED, "other objects were answered than were asked")
