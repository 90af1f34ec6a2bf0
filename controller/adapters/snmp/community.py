"""SNMPv2c towards one device: a community in clear, and a request id to tell answers apart."""

from typing import Any

from controller.adapters.snmp import pdu
from controller.adapters.snmp.credentials import Community


class CommunitySecurity:
    """`seal` our questions to one device and `open` its answers."""

    reboots = 0
    engine_id = None

    def __init__(self, community: Community) -> None:
        self._community = community.community
        self._request_id = 0

    def probe(self) -> bytes | None:
        """Nothing needs to be known before a question."""
        return None

    def seal(self, request_id: int, asked: Any) -> bytes:
        """The PDU in a v2c message."""
        self._request_id = request_id
        return pdu.v2c_message(self._community, asked)

    def unanswered(self) -> None:
        """Silence says nothing: it may be a wrong community."""

    def open(self, datagram: bytes) -> pdu.Response | None:
        """The answer; None for one to an older question. Raises PollError (malformed)."""
        community, response = pdu.read_v2c(datagram)
        if response.report or response.trap or response.request_id != self._request_id:
            return None
        return response if community == self._community.encode() else None
