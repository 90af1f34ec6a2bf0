"""Traps and informs: a device's call to be polled at once, and never more than that.

The sender's address says which device calls; a v3 trap must also carry that device's right digest. A v2c community is
not checked, since all that a forger gains is a poll, and those are limited for each device and in all.

Spoken are v1 traps (RFC 3584 says which v2 trap each is), v2c and v3 traps and informs. An inform is acknowledged once
it is read; past the limit in all it is not, so that its sender comes again. Of v3 informs our own engine is the
authority (`informs`); without one they are counted as unsupported.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from enum import StrEnum

from controller.adapters.snmp import pdu, v3
from controller.adapters.snmp.credentials import Credentials, User
from controller.adapters.snmp.failure import PollError, Reason
from controller.adapters.snmp.informs import Answered, Informs
from controller.adapters.snmp.oids import Oid, oid
from controller.adapters.snmp.own_engine import OwnEngine
from controller.adapters.snmp.pdu import SNMP_TRAP_OID, STANDARD_TRAPS
from controller.adapters.snmp.stats import Tally
from controller.adapters.snmp.target import Target
from controller.adapters.snmp.usm import trap_response
from controller.adapters.snmp.wire import Address
from controller.errors import InputError

_log = logging.getLogger(__name__)

POLLS_A_SECOND = 20.0
POLLS_AT_ONCE = 40.0
"""Polls that traps may ask for in all: a burst, and what it grows by."""

OTHER = "other"
UNSUPPORTED = "unsupported"
REPORTED = "reported"
"""A sender of v3 informs was told what it needs: our engine's id, or our clock."""

_DELL = oid("1.3.6.1.4.1.674.10892.5.3.2")
_HPE = oid("1.3.6.1.4.1.232.0")
_APC = oid("1.3.6.1.4.1.318.0")
_UPS = oid("1.3.6.1.2.1.33.2")
_RARITAN = oid("1.3.6.1.4.1.13742.6.0")

NAMES: dict[Oid, str] = {
    (*STANDARD_TRAPS, 1): "cold_start",
    (*STANDARD_TRAPS, 2): "warm_start",
    (*STANDARD_TRAPS, 3): "link_down",
    (*STANDARD_TRAPS, 4): "link_up",
    (*STANDARD_TRAPS, 5): "authentication_failure",
    (*_DELL, 1, 0, 2161): "temperature_failure",
    (*_DELL, 1, 0, 2162): "temperature_warning",
    (*_DELL, 1, 0, 2163): "temperature_normal",
    (*_DELL, 1, 0, 2153): "fan_failure",
    (*_DELL, 1, 0, 2185): "psu_failure",
    (*_DELL, 1, 0, 2186): "psu_warning",
    (*_DELL, 1, 0, 2187): "psu_normal",
    (*_DELL, 1, 0, 2265): "memory_failure",
    (*_DELL, 1, 0, 2273): "power_failure",
    (*_DELL, 1, 0, 2473): "redundancy_lost",
    (*_DELL, 2, 0, 4345): "disk_failure",
    (*_DELL, 2, 0, 4353): "virtual_disk_failure",
    (*_HPE, 6040): "temperature_failure",
    (*_HPE, 6041): "temperature_warning",
    (*_HPE, 6042): "temperature_normal",
    (*_HPE, 6035): "fan_warning",
    (*_HPE, 6036): "fan_failure",
    (*_HPE, 6049): "psu_warning",
    (*_HPE, 6050): "psu_failure",
    (*_HPE, 6032): "redundancy_lost",
    (*_HPE, 6069): "mains_lost",
    (*_APC, 5): "on_battery",
    (*_APC, 7): "battery_low",
    (*_APC, 9): "mains_restored",
    (*_APC, 224): "phase_near_overload",
    (*_APC, 226): "phase_overload",
    (*_APC, 274): "pdu_near_overload",
    (*_APC, 276): "pdu_overload",
    (*_UPS, 1): "on_battery",
    (*_UPS, 2): "ups_test_completed",
    (*_UPS, 3): "ups_alarm",
    (*_UPS, 4): "ups_alarm_ended",
    (*_RARITAN, 61): "inlet_state",
    (*_RARITAN, 63): "outlet_state",
}


class Hurry(StrEnum):
    """What became of a request to poll a device at once."""

    POLLED = "polled"
    LIMITED = "limited"
    UNKNOWN = "unknown"


class TrapListener(asyncio.DatagramProtocol):
    """`poll_now` is asked by a target's name. Counts go to the tally: `traps` by outcome, `trap_names` by name."""

    def __init__(
        self, listen: Address, targets: Sequence[Target], credentials: Credentials, poll_now: Callable[[str], Hurry],
        tally: Tally, *, engine: OwnEngine | None = None,
    ) -> None:  # fmt: skip
        self._listen = listen
        self._credentials = credentials
        self._poll_now = poll_now
        self._tally = tally
        self._informs = None if engine is None else Informs(engine)
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = asyncio.Event()
        self._allowance, self._refilled = POLLS_AT_ONCE, 0.0
        self._targets: dict[str, list[Target]] = {}
        for target in targets:
            self._targets.setdefault(target.address[0], []).append(target)

    @property
    def address(self) -> Address:
        """Where it listens, the port as bound."""
        assert self._transport is not None, "start comes first"
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    async def start(self) -> None:
        """Raises InputError when the port cannot be opened."""
        loop = asyncio.get_running_loop()
        self._closed.clear()
        try:
            self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=self._listen)
        except OSError as error:
            raise InputError(
                f"cannot listen for traps: {error.strerror or error}",
                where=f"{self._listen[0]}:{self._listen[1]}",
                remedy="a port below 1024 needs CAP_NET_BIND_SERVICE; another program may hold it",
            ) from error

    async def stop(self) -> None:
        """Closes the port; it is free when this returns."""
        if self._transport is not None:
            self._transport.close()
            await self._closed.wait()
            self._transport = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    def datagram_received(self, data: bytes, addr: tuple[object, ...]) -> None:
        targets = self._targets.get(str(addr[0]))
        if targets is None:
            outcomes = {"unknown_source"}
        elif not self._allowed():
            outcomes = {Hurry.LIMITED.value}
        else:
            heard = [self._heard(data, target) for target in targets]
            outcomes = {outcome for outcome, _ in heard}
            self._answer([answered for _, answered in heard if answered is not None], addr)
            self._acknowledge(data, addr)
        for outcome in outcomes:
            self._tally.traps[outcome] += 1

    def _acknowledge(self, data: bytes, addr: tuple[object, ...]) -> None:
        """Tells the sender of a v2c inform that it has come."""
        assert self._transport is not None
        with contextlib.suppress(PollError):
            if pdu.version(data) == 1 and pdu.read_v2c(data)[1].inform:
                self._transport.sendto(pdu.acknowledgement(data), addr)
                self._tally.informs += 1

    def _answer(self, answers: Sequence[Answered], addr: tuple[object, ...]) -> None:
        """Answers a v3 inform once, as the target whose user it is; else tells its sender what it needs."""
        assert self._transport is not None
        best = next((each for each in answers if each.inform is not None), answers[0] if answers else None)
        if best is not None:
            self._transport.sendto(best.datagram, addr)
            self._tally.informs += best.inform is not None

    def _heard(self, data: bytes, target: Target) -> tuple[str, Answered | None]:
        """What became of a message of the target's, and what its sender is to be told."""
        try:
            answered = self._answered(data, target)
            trap = self._read(data, target) if answered is None else answered.inform
        except PollError as error:
            return "auth" if error.reason is Reason.AUTH else "malformed", None
        if answered is not None and trap is None:
            return "auth" if answered.refused else REPORTED, answered
        if trap is None or not trap.trap:
            return UNSUPPORTED, None
        return self._hurried(trap, target), answered

    def _hurried(self, trap: pdu.Response, target: Target) -> str:
        name = _name(trap)
        self._tally.trap_names[name] += 1
        hurry = self._poll_now(target.name)
        if hurry is Hurry.POLLED:
            self._allowance -= 1
            _log.info("%s sent the trap %s and is polled at once", target.name, name)
        return hurry.value

    def _answered(self, data: bytes, target: Target) -> Answered | None:
        """What our engine says to a v3 message that is for it; None for any other. Raises PollError."""
        credential = self._credentials[target.credential]
        if self._informs is None or pdu.version(data) != v3.USM or not isinstance(credential, User):
            return None
        return self._informs.answered(data, credential)

    def _read(self, data: bytes, target: Target) -> pdu.Response | None:
        """The trap; None for a kind of message that is not spoken. Raises PollError."""
        version = pdu.version(data)
        if version == 0:
            return pdu.read_v1_trap(data)
        if version == 1:
            return pdu.read_v2c(data)[1]
        credential = self._credentials[target.credential]
        if version != v3.USM or not isinstance(credential, User):
            return None
        if not v3.decoded(data).engine_id:
            return None  # asks for our engine id, to send an inform to it
        return trap_response(data, credential)

    def _allowed(self) -> bool:
        now = asyncio.get_running_loop().time()
        grown = self._allowance + (now - self._refilled) * POLLS_A_SECOND
        self._allowance, self._refilled = min(grown, POLLS_AT_ONCE), now
        return self._allowance >= 1


def _name(trap: pdu.Response) -> str:
    kind = dict(trap.bindings).get(SNMP_TRAP_OID)
    return NAMES.get(kind, OTHER) if isinstance(kind, tuple) else OTHER
