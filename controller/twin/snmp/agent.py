"""One UDP socket a port, bound to every address of the machine, that answers as the device whose address was asked.

IP_PKTINFO (ip(7)) tells the address, and is the source of the answer. Addresses of no device are not answered, so what
reaches the port from elsewhere than loopback goes unheard.
"""

import asyncio
import socket
import struct
from collections.abc import Mapping

from controller.errors import InputError
from controller.twin.credentials import SnmpSecret
from controller.twin.snmp import ber, devices, pdus, usm
from controller.twin.snmp.devices import Device
from controller.twin.snmp.traps import Traps
from controller.twin.world import World
from inventory.facility import SnmpProfile

_PKTINFO = 8
"""IP_PKTINFO of Linux, which Python's socket module does not name before 3.14."""
_BUFFER = 4 << 20


class Agents:
    """Every agent of the estate. `answered` counts answers."""

    def __init__(self, world: World, secrets: Mapping[str, SnmpSecret]) -> None:
        self._world = world
        self.devices = devices.of(world, secrets)
        self._by_address = {(socket.inet_aton(each.address[0]), each.address[1]): each for each in self.devices}
        self._by_name = {each.name: each for each in self.devices}
        self._sockets: dict[int, socket.socket] = {}
        self._restarted: dict[str, int] = {}
        self.traps = Traps(world, self.devices)
        self.answered = 0

    def open(self) -> None:
        """Begins to listen. Raises InputError for a port that is taken."""
        for port in sorted({each.address[1] for each in self.devices}):
            sock = _bound(port)
            self._sockets[port] = sock
            asyncio.get_running_loop().add_reader(sock, self._read, sock, port)

    def close(self) -> None:
        """Ends listening."""
        for sock in self._sockets.values():
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()
        self._sockets.clear()

    def tell(self) -> None:
        """Takes note of restarts and impostors, and sends the traps of what has changed since the last call."""
        for name, (at, times) in self._world.ailments.restarts.items():
            if self._restarted.get(name) != times and name in self._by_name:
                self._restarted[name] = times
                engine = self._by_name[name].engine
                engine.boots, engine.began = engine.boots + 1, at
        if self._sockets:
            for device, message, receiver in self.traps.due():
                self._send(self._sockets[device.address[1]], message, receiver, device)

    def _read(self, sock: socket.socket, port: int) -> None:
        for _ in range(64):
            try:
                data, notes, _, sender = sock.recvmsg(65535, 64)
            except BlockingIOError:
                return
            for level, kind, content in notes:
                if level == socket.IPPROTO_IP and kind == _PKTINFO:
                    self._hear(sock, data, sender, self._by_address.get((content[8:12], port)))

    def _hear(self, sock: socket.socket, data: bytes, sender: tuple[str, int], device: Device | None) -> None:
        ailments = self._world.ailments
        if device is None or device.name in ailments.dead or not self._fed(device):
            return
        try:
            message = self._answer(device, data)
        except ber.MalformedError:
            return
        if message is None:
            return
        if device.name in ailments.garbled:
            message = message[: len(message) * 2 // 3]
        delay = ailments.slow.get(device.name, 0.0)
        if delay:
            asyncio.get_running_loop().call_later(delay, self._send, sock, message, sender, device)
        else:
            self._send(sock, message, sender, device)

    def _fed(self, device: Device) -> bool:
        """Whether the device has current: a PDU of a dead feed has none, a BMC or a switch needs one that lives."""
        world = self._world
        live = world.plant.live
        if device.name in world.estate.pdus:
            return bool(live[world.topology.feed_row(world.estate.pdus[device.name].feed)])
        if device.profile is SnmpProfile.IF_MIB:
            rack = world.topology.rack_row(world.estate.devices[device.name].serves)
            feeds = world.topology.pdu_feed[world.topology.pdu_rack == rack]
            return bool(live[feeds].any()) or not len(feeds)
        if device.name in world.estate.hosts:
            cords = world.estate.hosts[device.name].cords
            return any(live[world.topology.feed_row(world.estate.pdus[cord.pdu].feed)] for cord in cords)
        return True

    def _answer(self, device: Device, data: bytes) -> bytes | None:
        start, _ = ber.head(data, 0, ber.SEQUENCE)
        version, at = ber.take_int(data, start)
        table = device.table(self._world.now)
        if version == 3 and device.secret.user:
            engine = self._engine(device)
            return usm.answer(engine, data, self._world.now, lambda plain, at: pdus.answered(table, plain, at))
        if version != 1 or not device.secret.community:
            return None
        community, at = ber.take(data, at, ber.OCTETS)
        if community != device.secret.community.encode():
            return None
        response = pdus.answered(table, data, at)
        return None if response is None else ber.tlv(ber.SEQUENCE, data[start:at] + response)

    def _engine(self, device: Device) -> usm.Engine:
        other = self._by_name.get(self._world.ailments.impostors.get(device.name, ""))
        return device.engine if other is None else other.engine

    def _send(self, sock: socket.socket, message: bytes, receiver: tuple[str, int], device: Device) -> None:
        source = struct.pack("=I4s4s", 0, socket.inet_aton(device.address[0]), bytes(4))
        try:
            sock.sendmsg([message], [(socket.IPPROTO_IP, _PKTINFO, source)], 0, receiver)
            self.answered += 1
        except OSError:
            self._world.ailments.unsent += 1


def _bound(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_IP, _PKTINFO, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    try:
        sock.bind(("0.0.0.0", port))  # noqa: S104 - one socket for all of 127.0.0.0/8; other addresses go unheard
    except OSError as error:
        sock.close()
        what, remedy = f"UDP port {port} cannot be used: {error.strerror}", "end what listens there"
        raise InputError(what, where="0.0.0.0", remedy=remedy) from error  # noqa: S104
    return sock
