"""A twin of the small estate, served on free ports for the length of one test."""

import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack

import pytest

from controller.twin import datacentre
from controller.twin.datacentre import DataCentre
from controller.twin.nature import Nature
from controller.twin.scenario import Scenario
from tests.fakes.small_estate import small_estate


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, by TCP and UDP alike as far as one can tell."""
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            sock = stack.enter_context(socket.socket())
            sock.bind(("0.0.0.0", 0))
            found.append(sock.getsockname()[1])
        return found


@pytest.fixture
async def twin() -> AsyncIterator[DataCentre]:
    """A served twin whose copies are fast and whose libvirt port ends, as its exporter asks, in 177."""
    api, snmp, node = free_ports(3)
    libvirt = next(port for port in range(21177, 60177, 1000) if _free(port))
    estate = small_estate(snmp_port=snmp, node_port=node, libvirt_port=libvirt)
    nature = Nature(copy_speed=20.0, queue_s=0.0, prepare_s=0.0, record_lag_s=0.0)
    centre = datacentre.build(estate, Scenario(nature=nature), api)
    async with datacentre.serving(centre, api):
        yield centre


def _free(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) != 0
