"""The twin on the wire: openstacksdk, a scraper and the tests' own interface talk to it over real sockets."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import aiohttp
import openstack
import pytest
from openstack import exceptions as sdk_errors

from controller.adapters.exporters.page import NAMES, Page, page
from controller.adapters.exporters.rates import read
from controller.adapters.exporters.textformat import Reader
from controller.errors import InputError
from controller.model.sample import Kind, Quantity
from controller.twin import datacentre
from controller.twin.datacentre import DataCentre
from controller.twin.faults.cloud import ApiFault, TokenExpiry
from controller.twin.scenario import Scenario
from tests.fakes.small_estate import small_estate

Connection = openstack.connection.Connection

pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]
"""openstacksdk warns of what it does itself."""


async def with_sdk(twin: DataCentre, work: Callable[[Connection], Any]) -> Any:
    """Runs blocking work of openstacksdk beside the twin's loop."""

    def session() -> Any:
        auth = {
            "auth_url": f"{twin.base_url}/identity/v3", "username": "admin", "password": twin.cloud.password,
            "project_name": "admin", "user_domain_name": "Default", "project_domain_name": "Default",
        }  # fmt: skip
        cloud = openstack.connect(load_yaml_config=False, load_envvars=False, auth=auth, region_name="RegionOne")
        try:
            return work(cloud)
        finally:
            cloud.close()

    return await asyncio.to_thread(session)


async def test_openstacksdk_lists_servers_page_by_page_each_once(twin: DataCentre) -> None:
    servers = await with_sdk(twin, lambda cloud: list(cloud.compute.servers(all_projects=True, limit=7)))
    assert len(servers) == len({server.id for server in servers}) == 40
    assert {server.compute_host for server in servers} <= set(twin.world.topology.hosts)


async def test_openstacksdk_live_migrates_a_server_and_finds_its_record_and_port(twin: DataCentre) -> None:
    server = next(each for each in twin.world.servers.values() if each.system == "buses")
    target = next(name for row, name in enumerate(twin.world.topology.hosts) if row != server.host)

    def migrate(cloud: Connection) -> None:
        cloud.compute.live_migrate_server(server.id, host=target, block_migration="auto")

    await with_sdk(twin, migrate)
    for _ in range(80):
        datacentre.step(twin, 0.25)

    def look(cloud: Connection) -> tuple[str, str, str]:
        (record,) = cloud.compute.migrations(instance_uuid=server.id)
        (port,) = cloud.network.ports(device_id=server.id)
        return record.status, cloud.compute.get_server(server.id).compute_host, port.binding_host_id

    assert await with_sdk(twin, look) == ("completed", target, target)


async def test_a_host_that_nova_does_not_know_is_a_bad_request(twin: DataCentre) -> None:
    server_id = next(iter(twin.world.servers))

    def migrate(cloud: Connection) -> None:
        cloud.compute.live_migrate_server(server_id, host="nowhere", block_migration="auto")

    with pytest.raises(sdk_errors.BadRequestException, match="Compute host nowhere could not be found"):
        await with_sdk(twin, migrate)


async def test_placement_admits_what_fits_and_nothing_else(twin: DataCentre) -> None:
    provider = twin.world.node_ids[1]

    def candidates(cloud: Connection) -> list[int]:
        queries = ("resources=VCPU:2", "resources=VCPU:2000", "resources=VCPU:2&required=CUSTOM_CLEARANCE_SECRET")
        urls = [f"/allocation_candidates?in_tree={provider}&{query}" for query in queries]
        answers = [cloud.placement.get(url, microversion="1.39").json() for url in urls]
        return [len(each["allocation_requests"]) for each in answers]

    assert await with_sdk(twin, candidates) == [1, 0, 0]


async def test_a_service_is_disabled_with_a_reason_and_enabled_again(twin: DataCentre) -> None:
    def toggle(cloud: Connection) -> list[tuple[str, str | None]]:
        service = next(each for each in cloud.compute.services(binary="nova-compute") if each.host == "h3")
        off = cloud.compute.disable_service(service, disabled_reason="gdcc: drain")
        seen = [(off.status, off.disabled_reason)]
        on = cloud.compute.enable_service(service)
        return [*seen, (on.status, on.disabled_reason)]

    assert await with_sdk(twin, toggle) == [("disabled", "gdcc: drain"), ("enabled", None)]


async def test_a_wrong_password_is_unauthorized(twin: DataCentre) -> None:
    user = {"name": "admin", "domain": {"name": "Default"}, "password": "wrong"}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    url = f"{twin.base_url}/identity/v3/auth/tokens"
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (401, 401)


async def test_expired_tokens_are_renewed_by_the_client_without_the_caller_noticing(twin: DataCentre) -> None:
    def twice(cloud: Connection) -> int:
        before = len(list(cloud.compute.services()))
        TokenExpiry(fault="token_expiry").befall(twin.cloud)
        return before + len(list(cloud.compute.services()))

    assert await with_sdk(twin, twice) == 16


async def test_api_faults_strike_as_often_as_asked_and_say_when_to_come_back(twin: DataCentre) -> None:
    fault = ApiFault(fault="api", service="compute", status=429, retry_after=3, times=1, path="/servers")
    headers = {"X-Auth-Token": twin.cloud.tokens.issue(twin.world.now, 60.0, None)[0]}
    async with aiohttp.ClientSession(headers=headers) as session:
        fault.befall(twin.cloud)
        url = f"{twin.base_url}/compute/v2.1/servers/detail"
        async with session.get(url) as first, session.get(url) as second:
            assert (first.status, first.headers["Retry-After"], second.status) == (429, "3", 200)
            assert "overLimit" in await first.json()


async def test_a_call_may_be_carried_out_although_its_answer_is_lost(twin: DataCentre) -> None:
    ApiFault(fault="api", service="compute", method="POST", reset=True, after=True, times=1).befall(twin.cloud)
    server = next(each for each in twin.world.servers.values() if each.system == "buses")
    headers = {"X-Auth-Token": twin.cloud.tokens.issue(twin.world.now, 60.0, None)[0]}
    async with aiohttp.ClientSession(headers=headers) as session:
        url = f"{twin.base_url}/compute/v2.1/servers/{server.id}/action"
        with pytest.raises(aiohttp.ClientError):
            await session.post(url, json={"lock": None})
    assert server.locked


async def test_unsupported_microversions_and_missing_tokens_are_answered_as_nova_does(twin: DataCentre) -> None:
    headers = {"X-Auth-Token": twin.cloud.tokens.issue(twin.world.now, 60.0, None)[0]}
    url = f"{twin.base_url}/compute/v2.1/servers"
    async with aiohttp.ClientSession() as session:
        async with session.get(url, headers=headers | {"OpenStack-API-Version": "compute 2.999"}) as answer:
            assert (answer.status, list(await answer.json())) == (406, ["computeFault"])
        async with session.get(url) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Keystone uri=")


async def test_exporters_tell_the_host_by_the_address_that_was_asked(twin: DataCentre) -> None:
    host = twin.world.estate.hosts["h3"]
    node, libvirt = host.exporters
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://{node}/metrics") as answer:
            assert 'nodename="h3"' in await answer.text()
        async with session.get(f"http://{libvirt}/metrics") as answer:
            page = await answer.text()
        ids = {server.id for server in twin.world.servers_on(twin.world.topology.host_row("h3"))}
        assert all(f'uuid="{each}"' in page for each in ids)
        assert page.count("libvirt_domain_info_virtual_cpus{") == len(ids)
        port = node.rpartition(":")[2]
        async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
            assert answer.status == 404


async def test_counters_of_exporters_grow_with_the_physics(twin: DataCentre) -> None:
    node = twin.world.estate.hosts["h1"].exporters[0]

    async def busy() -> float:
        async with aiohttp.ClientSession() as session, session.get(f"http://{node}/metrics") as answer:
            lines = (await answer.text()).splitlines()
            return sum(float(line.rsplit(" ", 1)[1]) for line in lines if 'mode="user"' in line)

    before, spent = await busy(), float(twin.world.hosts.cpu_seconds[0])
    twin.world.advance(10.0)
    grown = float(twin.world.hosts.cpu_seconds[0]) - spent
    assert await busy() - before >= 0.8 * grown * 0.999 > 0


async def test_exporters_show_what_hosts_and_servers_read_from_and_write_to_their_disks(twin: DataCentre) -> None:
    """In the words of the exporters, so that the daemon's own reader makes the physics' rates of two pages."""
    world, reader = twin.world, Reader(NAMES)
    row = world.topology.host_row("h3")

    async def pages(clock: float) -> list[Page]:
        async with aiohttp.ClientSession() as session:
            texts = [
                await (await session.get(f"http://{each}/metrics")).read()
                for each in world.estate.hosts["h3"].exporters
            ]
        return [page(reader.read(text), "h3", at=1e9 + clock, clock=clock) for text in texts]

    before, host, vms = await pages(0.0), world.hosts.stored_bytes[row], world.vms.stored_bytes.copy()
    world.advance(10.0)
    found = {}
    for was, now in zip(before, await pages(10.0), strict=True):
        found |= read(was, now, longest=45.0).values
    grown = (world.hosts.stored_bytes[row] - host) / 10.0
    assert found[Kind.HOST, Quantity.STORAGE_BYTES_S, "h3"] == pytest.approx(grown) and grown > 0
    for server in world.servers_on(row):
        rate = (world.vms.stored_bytes[server.row] - vms[server.row]) / 10.0
        assert found[Kind.VM, Quantity.STORAGE_BYTES_S, server.id] == pytest.approx(rate)


async def test_faults_are_added_listed_lifted_and_refused_over_http(twin: DataCentre) -> None:
    async with aiohttp.ClientSession() as session:
        url = f"{twin.base_url}/twin/faults"
        given = {"fault": "health", "host": "h2", "part": "memory"}
        async with session.post(url, json=given) as answer:
            assert answer.status == 201
            number = (await answer.json())["number"]
        async with session.get(f"{twin.base_url}/twin/truth") as answer:
            assert (await answer.json())["broken"] == ["health:h2"]
        async with session.delete(f"{url}/{number}") as answer:
            assert answer.status == 204
        async with session.get(f"{twin.base_url}/twin/truth") as answer:
            assert (await answer.json())["broken"] == []
        async with session.post(url, json=given | {"host": "h77"}) as answer:
            assert (answer.status, await answer.json()) == (400, {"errors": ["there is no host 'h77'"]})
        async with session.post(url, json={"fault": "flood"}) as answer:
            assert answer.status == 400


async def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        centre = datacentre.build(small_estate(), Scenario(), port)
        with pytest.raises(InputError, match=f"TCP port {port} cannot be used: .*in use"):
            async with datacentre.serving(centre, port):
                raise AssertionError("it was served")
