"""Traps and informs: a device's call to be polled at once, and never more than that.

The sender's address says which device calls; a v3 trap must also carry that device's right digest. A v2c community is
not checked, since all that a forger gains is a poll, and those are limited for each device and in all. So is what is
looked at, a forger's datagrams or a device's own storm (`allowance`).

Spoken are v1 traps (RFC 3584 says which v2 trap each is), v2c and v3 traps and informs. An inform is acknowledged once
it is read; past a limit it is not, so that its sender comes again. Of v3 informs our own engine is the
authority (`informs`); without one they are counted as unsupported.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import cast

from controller.adapters.snmp import pdu, v3
from controller.adapters.snmp.allowance import LARGEST, Allowance, Bucket
from controller.adapters.snmp.credentials import Credentials, User
from controller.adapters.snmp.failure import PollError, Reason
from controller.adapters.snmp.informs import Informs, Reply
from controller.adapters.snmp.own_engine import OwnEngine
from controller.adapters.snmp.stats import Tally
from controller.adapters.snmp.target import Target
from controller.adapters.snmp.trap_names import short_name
from controller.adapters.snmp.usm import trap_response
from controller.adapters.snmp.wire import Address
from controller.errors import InputError

_log = logging.getLogger(__name__)

POLLS_A_SECOND = 20.0
POLLS_AT_ONCE = 40.0
"""Polls that traps may ask for in all: a burst, and what it grows by."""

UNKNOWN_SOURCE = "unknown_source"
TOO_BIG = "too_big"
TOO_MANY = "too_many"
"""Not looked at: larger than any notification, or more than the allowance."""

MALFORMED = "malformed"
AUTH = "auth"
UNSUPPORTED = "unsupported"
REPORTED = "reported"
"""A sender of v3 informs was told what it needs: our engine's id, or our clock."""


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
        self._polls = Bucket(POLLS_A_SECOND, POLLS_AT_ONCE)
        self._targets: dict[str, list[Target]] = {}
        for target in targets:
            self._targets.setdefault(target.address[0], []).append(target)
        self._allowance = Allowance(self._targets)

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
            await loop.create_datagram_endpoint(lambda: self, local_addr=self._listen)
        except (OSError, ValueError) as error:
            raise InputError(
                f"cannot listen for traps: {getattr(error, 'strerror', None) or error}",
                where=f"{self._listen[0]}:{self._listen[1]}",
                remedy="a port below 1024 needs CAP_NET_BIND_SERVICE; another program may hold it",
            ) from error

    async def stop(self) -> None:
        """Closes the port; it is free when this returns."""
        if self._transport is not None:
            self._transport.close()
            await self._closed.wait()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    def datagram_received(self, data: bytes, addr: tuple[object, ...]) -> None:
        for outcome in self._outcomes(data, addr):
            self._tally.traps[outcome] += 1

    def _outcomes(self, data: bytes, addr: tuple[object, ...]) -> set[str]:
        """What became of it, for all devices of that address."""
        source = _unmapped(str(addr[0]))
        dropped = self._dropped(source, len(data))
        if dropped is not None:
            return {dropped}
        targets = self._targets[source]
        try:
            if pdu.version(data) == v3.USM:
                return self._taken_v3(v3.decoded(data), targets, addr)
            return self._taken(data, targets, addr)
        except PollError:
            return {MALFORMED}

    def _dropped(self, source: str, size: int) -> str | None:
        """Why a datagram is not looked at, None where it is."""
        now = asyncio.get_running_loop().time()
        if source not in self._targets:
            return UNKNOWN_SOURCE
        if size > LARGEST:
            return TOO_BIG
        if not self._polls.holds(1, now):
            return Hurry.LIMITED.value
        return None if self._allowance.admits(source, size, now) else TOO_MANY

    def _taken(self, data: bytes, targets: Sequence[Target], addr: tuple[object, ...]) -> set[str]:
        """Raises PollError (malformed)."""
        trap = _in_community(data)
        if trap is None or not trap.trap:
            return {UNSUPPORTED}
        outcomes = {self._hurried(trap, target) for target in targets}
        if trap.inform:
            self._send(pdu.acknowledgement(data), addr)
            self._tally.informs += 1
        return outcomes

    def _taken_v3(self, message: v3.Message, targets: Sequence[Target], addr: tuple[object, ...]) -> set[str]:
        """Answers an inform once, as the target whose user it is; else tells its sender what it needs."""
        heard = [self._heard(message, target) for target in targets]
        replies = [reply for _, reply in heard if reply is not None]
        best = min(replies, key=lambda each: (each.inform is None, each.refused), default=None)
        trap = any(reply is None and outcome in {*Hurry} for outcome, reply in heard)
        if best is not None and not trap:
            self._send(best.datagram, addr)
            self._tally.informs += best.inform is not None
        return {outcome for outcome, _ in heard}

    def _heard(self, message: v3.Message, target: Target) -> tuple[str, Reply | None]:
        """What became of a v3 message as one of the target's, and what its sender is to be told."""
        user = self._credentials[target.credential]
        if not isinstance(user, User):
            return UNSUPPORTED, None
        try:
            reply = None if self._informs is None else self._informs.answered(message, user)
            if reply is not None:
                trap = reply.inform
            elif message.engine_id:
                trap = trap_response(message, user)
            else:
                return UNSUPPORTED, None  # asks for our engine id, to send an inform to it
        except PollError as error:
            return AUTH if error.reason is Reason.AUTH else MALFORMED, None
        if reply is not None and trap is None:
            return AUTH if reply.refused else REPORTED, reply
        if trap is None or not trap.trap:
            return UNSUPPORTED, None
        return self._hurried(trap, target), reply

    def _hurried(self, trap: pdu.Response, target: Target) -> str:
        name = short_name(trap)
        self._tally.trap_names[name] += 1
        hurry = self._poll_now(target.name)
        if hurry is Hurry.POLLED:
            self._polls.spend(1)
            _log.info("%s sent the trap %s and is polled at once", target.name, name)
        return hurry.value

    def _send(self, datagram: bytes, addr: tuple[object, ...]) -> None:
        assert self._transport is not None
        self._transport.sendto(datagram, addr)


def _unmapped(source: str) -> str:
    """The IPv4 address that a port of both families shows as `::ffff:10.0.0.1` (RFC 4291 2.5.5.2)."""
    return source.removeprefix("::ffff:") if "." in source else source


def _in_community(data: bytes) -> pdu.Response | None:
    """What a v1 or v2c message says; None for a kind of message that is not spoken. Raises PollError (malformed)."""
    version = pdu.version(data)
    if version == 0:
        return pdu.read_v1_trap(data)
    return pdu.read_v2c(data)[1] if version == 1 else None
