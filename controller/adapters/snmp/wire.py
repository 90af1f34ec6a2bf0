"""One UDP socket for all devices of an address family, one exchange at a time with each address."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from controller.adapters.snmp.failure import PollError, Reason, RefusedError

Address = tuple[str, int]
"""IP address in its canonical text, UDP port."""

Accept = Callable[[bytes], Any]
"""Says what a datagram from the asked address means: None to wait on (an older answer), anything else to end with.

A PollError is remembered, and told only when no better answer comes in time: garbage from a forger must not cut off
the device's own answer. Only a RefusedError ends it.
"""

MOST_BYTES = 32 * 1024
"""Of answers to one message that are looked at: to decode them takes this process's one thread, a quarter of a second
for so many. Whole answers are a tenth of it; a device that sends more, or a forger in its name, delays nobody else."""

_RECEIVE_BUFFER = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answered:
    """`seconds` from the first sending; `sendings` above 1 leave open which of them was answered."""

    value: Any
    seconds: float
    sendings: int


@dataclass(slots=True)
class _Exchange:
    accept: Accept
    ended: asyncio.Future[Any]
    failure: PollError | None = None
    heard: int = 0


class Wire(asyncio.DatagramProtocol):
    """`requests` counts messages, `resendings` how often one was sent again, `timeouts` those without any answer.

    `strays` counts datagrams from addresses that were not asked.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.resendings = 0
        self.timeouts = 0
        self.strays = 0
        self._exchanges: dict[Address, _Exchange] = {}
        self._transports: dict[int, asyncio.DatagramTransport] = {}

    async def ask(self, address: Address, datagram: bytes, accept: Accept, waits: Sequence[float]) -> Answered:
        """Sends, waits, sends the same again, as many times as there are `waits` (seconds).

        Raises PollError: what was wrong with the answers that came, or that none came.
        """
        if address in self._exchanges:
            raise PollError(Reason.DUPLICATE_ENGINE, "its address is being asked as another device's")
        loop = asyncio.get_running_loop()
        transport = await self._transport(address)
        exchange = self._exchanges[address] = _Exchange(accept, loop.create_future())
        started = loop.time()
        self.requests += 1
        try:
            for sendings, wait in enumerate(waits, 1):
                transport.sendto(datagram, address)
                self.resendings += sendings > 1
                done, _ = await asyncio.wait((exchange.ended,), timeout=wait)
                if done:
                    return Answered(exchange.ended.result(), loop.time() - started, sendings)
        finally:
            del self._exchanges[address]
        if exchange.failure is not None:
            raise exchange.failure
        self.timeouts += 1
        raise PollError(Reason.TIMEOUT, f"no answer in {sum(waits):.1f} s")

    def close(self) -> None:
        for transport in self._transports.values():
            transport.close()
        self._transports.clear()

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        exchange = self._exchanges.get((addr[0], addr[1]))
        if exchange is None:
            self.strays += 1
            return
        if exchange.ended.done():
            return
        exchange.heard += len(data)
        if exchange.heard > MOST_BYTES:
            exchange.failure = PollError(Reason.MALFORMED, f"more than {MOST_BYTES} bytes of answers to one message")
            return
        try:
            value = exchange.accept(data)
        except RefusedError as failure:
            exchange.ended.set_exception(failure)
            return
        except PollError as failure:
            exchange.failure = failure
            return
        if value is not None:
            exchange.ended.set_result(value)

    async def _transport(self, address: Address) -> asyncio.DatagramTransport:
        version = ipaddress.ip_address(address[0]).version
        if version not in self._transports:
            family, local = (socket.AF_INET, "0.0.0.0") if version == 4 else (socket.AF_INET6, "::")  # noqa: S104
            opened = socket.socket(family, socket.SOCK_DGRAM)
            opened.setblocking(False)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            opened.bind((local, 0))
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=opened)
            if version in self._transports:
                transport.close()
            else:
                self._transports[version] = transport
        return self._transports[version]
