"""A twin of the small estate, served on free ports for the length of one test."""

from collections.abc import AsyncIterator

import pytest

from controller.twin import datacentre
from controller.twin.datacentre import DataCentre
from controller.twin.nature import Nature
from controller.twin.scenario import Scenario
from tests.fakes.free_ports import free_port
from tests.fakes.small_estate import small_estate


@pytest.fixture
async def twin() -> AsyncIterator[DataCentre]:
    """A served twin whose copies are fast and whose libvirt port ends, as its exporter asks, in 177."""
    api, snmp, node, libvirt = free_port(), free_port(), free_port(), free_port(ending=177)
    estate = small_estate(snmp_port=snmp, node_port=node, libvirt_port=libvirt)
    nature = Nature(copy_speed=20.0, queue_s=0.0, prepare_s=0.0, record_lag_s=0.0)
    centre = datacentre.build(estate, Scenario(nature=nature), api)
    async with datacentre.serving(centre, api):
        yield centre
