"""What is read of a guest beside Nova's list: from which API, how often, and what becomes of it when one fails."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.openstack import guests, parse
from controller.adapters.openstack.cloud import OpenStackCloud
from controller.adapters.openstack.rest import Rest
from controller.adapters.openstack.session import open_connection
from controller.errors import TransientError
from controller.model.cloud import Guest, Server
from inventory.model import NumaCell
from tests.fakes import openstack_http
from tests.fakes.openstack_http import OpenStackHttp, Scripted, server_row

TOPOLOGY, IMAGE = "/servers/s1/topology", "/images/i"
NO_CELLS = Scripted(body={"nodes": [], "pagesize_kb": None})
PINNED = Scripted(body={"nodes": [{"vcpu_set": [0, 1], "memory_mb": 2048, "cpu_pinning": {"0": 4}}], "pagesize_kb": 4})


class Watch:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def fake() -> AsyncIterator[OpenStackHttp]:
    async with openstack_http.serving() as server:
        server.script("GET", TOPOLOGY, NO_CELLS)
        server.script("GET", IMAGE, image())
        yield server


@pytest.fixture
async def rest(fake: OpenStackHttp, tmp_path: Path) -> AsyncIterator[Rest]:
    connection = open_connection(
        "fake", clouds_file=fake.clouds_yaml(tmp_path), connect_timeout_s=1.0, request_timeout_s=0.3
    )
    opened = Rest(connection, read_deadline_s=0.2, pauses_s=(0.01,))
    yield opened
    await opened.close()


def image(**properties: str) -> Scripted:
    return Scripted(body={"id": "i", "name": "debian", "status": "active", "hw_disk_bus": None, **properties})


def server(**changes: Any) -> Server:
    return parse.server(server_row("s1", **changes), zone_shown=True)


def from_volumes(*volumes: str) -> Server:
    return server(image="", **{"os-extended-volumes:volumes_attached": [{"id": one} for one in volumes]})


async def test_a_guest_is_its_topology_and_what_its_image_asks(fake: OpenStackHttp, rest: Rest) -> None:
    fake.script("GET", TOPOLOGY, PINNED)
    fake.script("GET", IMAGE, image(**{"hw_cpu_policy": "dedicated", "trait:HW_X": "required", "os_type": "linux"}))
    asked = {"hw_cpu_policy": "dedicated", "trait:HW_X": "required"}
    assert await guests.Guests(rest).read(server()) == Guest(
        numa=(NumaCell(vcpus=2, memory_mib=2048),), image_properties=asked
    )


async def test_one_image_is_read_once_and_again_after_its_time_and_each_topology_every_time(
    fake: OpenStackHttp, rest: Rest
) -> None:
    watch = Watch()
    reader = guests.Guests(rest, watch)
    for _ in range(3):
        await reader.read(server())
    assert (len(fake.asked("GET", IMAGE)), len(fake.asked("GET", TOPOLOGY))) == (1, 3)
    watch.seconds = guests.KEPT_S
    await reader.read(server())
    assert len(fake.asked("GET", IMAGE)) == 2


async def test_a_server_that_boots_from_a_volume_asks_for_what_cinder_keeps_with_it(
    fake: OpenStackHttp, rest: Rest
) -> None:
    fake.script("GET", "/volumes/root", Scripted(body={"volume": {"volume_image_metadata": {"hw_tpm_version": "2.0"}}}))
    fake.script("GET", "/volumes/data", Scripted(body={"volume": {"bootable": "false"}}))
    found = await guests.Guests(rest).read(from_volumes("root", "data"))
    assert found.image_properties == {"hw_tpm_version": "2.0"}


@pytest.mark.parametrize("status", [403, 404])
async def test_what_is_gone_or_may_not_be_read_is_not_known(fake: OpenStackHttp, rest: Rest, status: int) -> None:
    for path in (TOPOLOGY, IMAGE, "/volumes/root"):
        fake.script("GET", path, Scripted(status=status, body={}))
    reader = guests.Guests(rest)
    unknown = Guest(numa=None, image_properties=None)
    assert await reader.read(server()) == unknown
    assert await reader.read(from_volumes("root")) == unknown
    assert await reader.read(from_volumes()) == unknown


async def test_an_image_service_that_does_not_answer_is_asked_again_and_nova_is_waited_for(
    fake: OpenStackHttp, rest: Rest
) -> None:
    reader = guests.Guests(rest)
    fake.script("GET", IMAGE, Scripted(status=503, body={}))
    assert (await reader.read(server())).image_properties is None
    assert reader.shown([server()])[0].guest is None
    fake.script("GET", IMAGE, image())
    assert (await reader.read(server())).image_properties == {}
    fake.script("GET", TOPOLOGY, Scripted(status=503, body={}))
    with pytest.raises(TransientError):
        await reader.read(server())


async def test_a_look_shows_what_was_read_until_it_is_old_or_of_another_server(rest: Rest) -> None:
    watch = Watch()
    reader = guests.Guests(rest, watch)
    guest = await reader.read(server())
    assert reader.shown([server()])[0].guest == guest
    resized = {**server_row("s1")["flavor"], "original_name": "m2"}
    assert reader.shown([server(flavor=resized)])[0].guest is None
    assert reader.shown([server(image={"id": "rebuilt"})])[0].guest is None
    watch.seconds = guests.KEPT_S
    assert reader.shown([server()])[0].guest is None
    watch.seconds = 0.0
    assert reader.shown([]) == ()
    assert reader.shown([server()])[0].guest is None


async def test_the_cloud_shows_a_guest_in_its_facts_once_it_was_read(fake: OpenStackHttp, rest: Rest) -> None:
    fake.script("GET", "/servers/detail", Scripted(body={"servers": [server_row("s1")]}))
    cloud = OpenStackCloud(rest)
    assert (await cloud.facts()).servers[0].guest is None
    guest = await cloud.guest(server())
    assert (await cloud.facts()).servers[0].guest == guest


async def test_no_more_images_are_remembered_than_were_meant_to_be(fake: OpenStackHttp, rest: Rest) -> None:
    fake.script("GET", "/images/j", image())
    reader = guests.Guests(rest, most_kept=1)
    for each in (server(), server(image={"id": "j"}), server()):
        await reader.read(each)
    assert len(fake.asked("GET", IMAGE)) == 2


@pytest.mark.parametrize("nodes", [[{"vcpu_set": [0]}], [{"vcpu_set": 4, "memory_mb": 1}], ["node"], {"nodes": 1}])
async def test_a_topology_that_cannot_be_read_is_not_known(fake: OpenStackHttp, rest: Rest, nodes: object) -> None:
    fake.script("GET", TOPOLOGY, Scripted(body={"nodes": nodes, "pagesize_kb": 4}))
    fake.script("GET", IMAGE, image())
    assert (await guests.Guests(rest).read(server())).numa is None
