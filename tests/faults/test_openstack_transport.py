"""What befalls requests on their way to OpenStack: reads come through or say why, a write is sent once."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.adapters.openstack.cloud import OpenStackCloud, connect
from controller.adapters.openstack.rest import Rest
from controller.adapters.openstack.session import open_connection
from controller.errors import InputError, PermanentError, RefusedError, TransientError
from controller.model.ids import HostName, ServerId
from tests.fakes import openstack_http
from tests.fakes.clock import NO_DEADLINE
from tests.fakes.openstack_http import Gate, OpenStackHttp, Scripted, migration_row, server_row

S1, C2 = ServerId("s1"), HostName("c2")
ACTION = "/servers/s1/action"
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def fake() -> AsyncIterator[OpenStackHttp]:
    async with openstack_http.serving() as server:
        yield server


@pytest.fixture
async def cloud(fake: OpenStackHttp, tmp_path: Path) -> AsyncIterator[OpenStackCloud]:
    connection = open_connection(
        "fake", clouds_file=fake.clouds_yaml(tmp_path), connect_timeout_s=1.0, request_timeout_s=0.3
    )
    opened = OpenStackCloud(Rest(connection, read_deadline_s=0.4, pauses_s=(0.01,)))
    yield opened
    await opened.close()


async def test_a_token_that_expires_in_the_middle_of_a_run_is_fetched_anew(
    fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    fake.script("GET", "/servers/s1", Scripted(body={"server": server_row("s1")}))
    assert await cloud.server(S1) is not None
    fake.expire_tokens()
    assert await cloud.server(S1) is not None
    assert fake.tokens == 2


async def test_a_write_that_an_expired_token_stopped_at_the_door_is_sent_again_and_taken_once(
    fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    fake.script("POST", ACTION, Scripted(status=202))
    await cloud.prepare()
    fake.expire_tokens()
    await cloud.live_migrate(S1, C2, deadline=NO_DEADLINE)
    tokens = [seen.headers["X-Auth-Token"] for seen in fake.asked("POST", ACTION)]
    assert tokens == ["token-1", "token-2"]


@pytest.fixture
async def slow_tokens(fake: OpenStackHttp, tmp_path: Path) -> AsyncIterator[OpenStackCloud]:
    """A cloud in which every token takes ten seconds of a clock that starts at `START`."""
    connection = open_connection("fake", clouds_file=fake.clouds_yaml(tmp_path))
    opened = OpenStackCloud(Rest(connection, now=lambda: START + timedelta(seconds=10) * fake.tokens))
    yield opened
    await opened.close()


async def test_a_write_whose_token_took_until_its_deadline_is_not_sent(
    fake: OpenStackHttp, slow_tokens: OpenStackCloud
) -> None:
    fake.script("POST", ACTION, Scripted(status=202))
    with pytest.raises(TransientError, match=r"deadline passed 5\.0 s ago") as caught:
        await slow_tokens.live_migrate(S1, C2, deadline=START + timedelta(seconds=5))
    assert (caught.value.sent, fake.tokens, fake.asked("POST", ACTION)) == (False, 1, [])


async def test_a_write_that_gets_its_new_token_past_its_deadline_is_not_sent_again(
    fake: OpenStackHttp, slow_tokens: OpenStackCloud
) -> None:
    fake.script("POST", ACTION, Scripted(status=202))
    await slow_tokens.prepare()
    fake.expire_tokens()
    with pytest.raises(TransientError, match="deadline passed") as caught:
        await slow_tokens.cold_migrate(S1, C2, deadline=START + timedelta(seconds=15))
    assert not caught.value.sent
    assert [seen.headers["X-Auth-Token"] for seen in fake.asked("POST", ACTION)] == ["token-1"]


async def test_a_service_that_does_not_say_its_versions_holds_up_no_other(fake: OpenStackHttp, tmp_path: Path) -> None:
    gate = fake.gates["block-storage"] = Gate()
    fake.script("GET", "/servers/s1", Scripted(body={"server": server_row("s1")}))
    connection = open_connection("fake", clouds_file=fake.clouds_yaml(tmp_path), request_timeout_s=5.0)
    rest = Rest(connection, read_deadline_s=0.0)
    cloud = OpenStackCloud(rest)
    await cloud.prepare()
    looking = asyncio.create_task(rest.find("block-storage", "/volumes/v1"))
    await gate.reached.wait()
    async with asyncio.timeout(2.0):
        assert await cloud.server(S1) is not None
    gate.opened.set()
    await looking
    await cloud.close()


async def test_a_write_does_not_wait_behind_reads(fake: OpenStackHttp, tmp_path: Path) -> None:
    gate = Gate()
    fake.script("GET", "/servers/s1", Scripted(body={"server": server_row("s1")}, gate=gate))
    fake.script("POST", ACTION, Scripted(status=202))
    connection = open_connection("fake", clouds_file=fake.clouds_yaml(tmp_path), request_timeout_s=5.0)
    cloud = OpenStackCloud(Rest(connection, concurrency=1, read_deadline_s=0.0))
    await cloud.prepare()
    reading = asyncio.create_task(cloud.server(S1))
    await gate.reached.wait()
    await cloud.live_migrate(S1, C2, deadline=NO_DEADLINE)
    gate.opened.set()
    assert await reading is not None
    await cloud.close()


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ("Policy doesn't allow os_compute_api:os-migrate-server:migrate_live to be performed.", "policy"),
        ("Forbidden with instances that have accelerators.", "forbidden"),
    ],
)
async def test_what_the_account_may_not_is_told_from_what_one_server_may_not(
    fake: OpenStackHttp, cloud: OpenStackCloud, said: str, rule: str
) -> None:
    fake.script("POST", ACTION, Scripted(status=403, body={"forbidden": {"code": 403, "message": said}}))
    with pytest.raises(RefusedError) as caught:
        await cloud.live_migrate(S1, C2, deadline=NO_DEADLINE)
    assert caught.value.rule == rule


async def test_a_token_that_is_refused_twice_is_a_refusal(fake: OpenStackHttp, cloud: OpenStackCloud) -> None:
    fake.script("GET", "/servers/s1", Scripted(status=401, body={"error": {"message": "no"}}))
    with pytest.raises(RefusedError, match="new token was refused") as caught:
        await cloud.server(S1)
    assert caught.value.rule == "policy"
    assert len(fake.asked("GET", "/servers/s1")) == 2


async def test_a_wrong_password_is_told_without_showing_it(fake: OpenStackHttp, cloud: OpenStackCloud) -> None:
    fake.refuses_passwords = True
    with pytest.raises(RefusedError) as caught:
        await cloud.server(S1)
    assert "secret-word" not in str(caught.value)
    assert "clouds.yaml" in str(caught.value)


async def test_a_reset_connection_after_a_write_leaves_open_whether_it_was_taken_and_nothing_is_repeated(
    fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    fake.script("POST", ACTION, Scripted(reset=True))
    with pytest.raises(TransientError) as caught:
        await cloud.live_migrate(S1, C2, deadline=NO_DEADLINE)
    assert caught.value.sent
    assert len(fake.asked("POST", ACTION)) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_error_after_a_write_leaves_it_open_and_nothing_is_repeated(
    status: int, fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    fake.script("POST", ACTION, Scripted(status=status, body={"computeFault": {"message": "boom"}}))
    with pytest.raises(TransientError, match="boom") as caught:
        await cloud.live_migrate(S1, C2, deadline=NO_DEADLINE)
    assert caught.value.sent
    assert len(fake.asked("POST", ACTION)) == 1


async def test_a_redirected_write_is_not_followed(fake: OpenStackHttp, cloud: OpenStackCloud) -> None:
    fake.script("POST", ACTION, Scripted(status=307, headers={"Location": f"{fake.url}/compute/v2.1/elsewhere"}))
    with pytest.raises(PermanentError, match="redirects"):
        await cloud.live_migrate(S1, C2, deadline=NO_DEADLINE)
    assert not fake.asked("POST", "/elsewhere")


async def test_too_many_requests_before_a_write_names_the_wait_and_says_that_it_was_not_taken(
    fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    fake.script("POST", ACTION, Scripted(status=429, headers={"Retry-After": "7"}, body={"message": "slow down"}))
    with pytest.raises(TransientError) as caught:
        await cloud.live_migrate(S1, C2, deadline=NO_DEADLINE)
    assert (caught.value.retry_after_s, caught.value.sent) == (7.0, False)
    assert len(fake.asked("POST", ACTION)) == 1


async def test_a_write_to_a_port_where_nobody_listens_was_not_sent(fake: OpenStackHttp, cloud: OpenStackCloud) -> None:
    await cloud.prepare()
    await fake.stop()
    with pytest.raises(TransientError) as caught:
        await cloud.live_migrate(S1, C2, deadline=NO_DEADLINE)
    assert not caught.value.sent


async def test_a_write_that_is_not_answered_in_time_leaves_it_open(fake: OpenStackHttp, cloud: OpenStackCloud) -> None:
    fake.script("POST", ACTION, Scripted(status=202, delay_s=0.5))
    with pytest.raises(TransientError, match="timed out") as caught:
        await cloud.live_migrate(S1, C2, deadline=NO_DEADLINE)
    assert caught.value.sent
    assert len(fake.asked("POST", ACTION)) == 1


@pytest.mark.parametrize(
    ("status", "said", "rule"),
    [
        (400, "No valid host was found. There are not enough hosts available.", "no-valid-host"),
        (400, "Compute host nowhere could not be found.", "bad-request"),
        (403, "Policy doesn't allow it to be performed.", "policy"),
        (404, "Instance s1 could not be found.", "not-found"),
        (409, "Cannot 'os-migrateLive' while it is in task_state migrating", "conflict"),
    ],
)
async def test_a_clear_no_is_a_refusal_that_names_its_rule_its_request_and_novas_words(
    status: int, said: str, rule: str, fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    fake.script("POST", ACTION, Scripted(status=status, body={"problem": {"code": status, "message": said}}))
    with pytest.raises(RefusedError) as caught:
        await cloud.live_migrate(S1, C2, deadline=NO_DEADLINE)
    assert caught.value.rule == rule
    assert said in str(caught.value)
    assert f"{status} [req-" in caught.value.where
    assert f"POST compute {ACTION}" in caught.value.where


async def test_a_live_migration_names_its_host_does_not_force_it_and_logs_novas_request_id(
    fake: OpenStackHttp, cloud: OpenStackCloud, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fake.script("POST", ACTION, Scripted(status=202))
    request_id = await cloud.live_migrate(S1, C2, deadline=NO_DEADLINE)
    assert request_id.startswith("req-")
    (seen,) = fake.asked("POST", ACTION)
    assert seen.body == {"os-migrateLive": {"host": "c2", "block_migration": "auto"}}
    logged = [record for record in caplog.records if getattr(record, "request_id", None) == request_id]
    assert [f"POST compute {ACTION}" in record.getMessage() for record in logged] == [True]


async def test_a_read_outlives_errors_a_reset_and_an_answer_cut_short(
    fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    good = {"server": server_row("s1")}
    fake.script(
        "GET",
        "/servers/s1",
        Scripted(status=500, body={"computeFault": {"message": "boom"}}),
        Scripted(reset=True),
        Scripted(body=good, cut=True),
        Scripted(status=429, headers={"Retry-After": "0.05"}, body={}),
        Scripted(body=good),
    )
    found = await cloud.server(S1)
    assert found is not None
    assert found.id == "s1"
    assert len(fake.asked("GET", "/servers/s1")) == 5


async def test_a_read_that_is_told_to_wait_past_its_deadline_says_so_at_once(
    fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    fake.script("GET", "/servers/s1", Scripted(status=429, headers={"Retry-After": "3600"}, body={}))
    with pytest.raises(TransientError) as caught:
        await cloud.server(S1)
    assert caught.value.retry_after_s == 3600.0
    assert len(fake.asked("GET", "/servers/s1")) == 1


async def test_a_read_gives_up_at_its_deadline(fake: OpenStackHttp, cloud: OpenStackCloud) -> None:
    fake.script("GET", "/servers/s1", Scripted(status=503, body={}))
    with pytest.raises(TransientError) as caught:
        await cloud.server(S1)
    assert not caught.value.sent
    assert len(fake.asked("GET", "/servers/s1")) > 2


@pytest.mark.parametrize("body", [{"unexpected": True}, "a proxy's page", {"servers": {}}])
async def test_an_answer_of_another_shape_is_not_taken_for_an_empty_cloud(
    body: object, fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    fake.script("GET", "/servers/detail", Scripted(body=body))
    with pytest.raises(TransientError, match="answer"):
        await cloud.facts()


def page(*ids: str, marker: str | None) -> Scripted:
    links = [{"rel": "next", "href": f"http://elsewhere/servers?marker={marker}"}] if marker else []
    return Scripted(body={"servers": [server_row(one) for one in ids], "servers_links": links})


async def test_pages_are_followed_and_a_server_that_moved_between_two_counts_once(
    fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    fake.script(
        "GET", "/servers/detail", page("s1", "s2", marker="s2"), page("s2", "s3", marker=None), page(marker=None)
    )
    assert [server.id for server in (await cloud.facts()).servers] == ["s1", "s2", "s3"]
    first, second, _ = fake.asked("GET", "/servers/detail")
    assert first.query["all_tenants"] == "1"
    assert second.query["marker"] == "s2"


async def test_a_page_that_comes_twice_is_an_error_and_not_a_smaller_cloud(
    fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    fake.script("GET", "/servers/detail", page("s1", "s2", marker="s2"), page("s1", "s2", marker="s4"))
    with pytest.raises(TransientError, match="twice"):
        await cloud.facts()


async def test_markers_that_go_in_a_circle_are_an_error(fake: OpenStackHttp, cloud: OpenStackCloud) -> None:
    fake.script("GET", "/servers/detail", page("s1", marker="m"), page("s2", marker="m"), page("s3", marker=None))
    with pytest.raises(TransientError, match="circle"):
        await cloud.facts()


def projects(*names: str, following: str | None, **more: object) -> Scripted:
    rows = [{"id": name, "name": name, "enabled": True} for name in names]
    link = f"http://elsewhere/v3/projects?limit=1000&marker={following}" if following else None
    return Scripted(body={"projects": rows, "links": {"next": link, "self": "", "previous": None}, **more})


async def test_projects_past_keystones_thousand_are_read_too(fake: OpenStackHttp, cloud: OpenStackCloud) -> None:
    fake.script(
        "GET", "/projects", projects("p1", "p2", following="p2", truncated=True), projects("p3", following=None)
    )
    assert [project.id for project in (await cloud.facts()).projects] == ["p1", "p2", "p3"]
    assert [seen.query for seen in fake.asked("GET", "/projects")] == [
        {"limit": "1000"},
        {"limit": "1000", "marker": "p2"},
    ]


async def test_a_keystone_that_cuts_its_listing_off_is_an_error_and_not_a_smaller_cloud(
    fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    fake.script("GET", "/projects", projects("p1", "p2", following=None, truncated=True))
    with pytest.raises(PermanentError, match=r"GET identity /projects: the listing is cut off.*list_limit"):
        await cloud.facts()


async def test_a_server_that_was_deleted_meanwhile_is_none(fake: OpenStackHttp, cloud: OpenStackCloud) -> None:
    fake.script("GET", "/servers/s1", Scripted(status=404, body={"itemNotFound": {"message": "gone"}}))
    assert await cloud.server(S1) is None


async def test_a_migration_that_moves_on_between_two_questions_is_not_missed(
    fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    fake.script("GET", "/os-migrations", Scripted(body={"migrations": [migration_row(7)]}))
    (found,) = await cloud.running_migrations()
    assert found.id == 7
    statuses = [seen.query.get("status") for seen in fake.asked("GET", "/os-migrations")]
    assert statuses.index("queued") < statuses.index("preparing") < statuses.index("running")


async def test_a_row_that_cannot_be_understood_is_a_flaw_and_the_rest_is_read(
    fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    broken = server_row("s2")
    del broken["flavor"]["vcpus"]
    unknown = {"id": "s3", "status": "UNKNOWN", "tenant_id": "p"}
    fake.script("GET", "/servers/detail", Scripted(body={"servers": [server_row("s1"), broken, unknown]}))
    facts = await cloud.facts()
    assert [server.id for server in facts.servers] == ["s1"]
    assert facts.flaws == ("server s2: vcpus is missing", "server s3: its cell is down: Nova shows only its id")
    assert facts.unread_members == facts.flaws


async def test_a_host_with_a_server_that_cannot_be_understood_is_not_taken_for_empty(
    fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    fake.script("GET", "/servers/detail", Scripted(body={"servers": [server_row("s1", locked="yes")]}))
    with pytest.raises(PermanentError, match="locked is 'yes'"):
        await cloud.servers_on(HostName("c1"))


async def test_an_old_nova_makes_every_server_stay_in_its_zone(fake: OpenStackHttp, cloud: OpenStackCloud) -> None:
    fake.ranges["compute"] = ("2.1", "2.90")
    fake.script("GET", "/servers/s1", Scripted(body={"server": server_row("s1")}))
    found = await cloud.server(S1)
    assert found is not None
    assert found.pinned_zone == "az1"
    assert fake.seen[-1].headers["OpenStack-API-Version"] == "compute 2.90"


async def test_a_nova_that_is_too_old_is_refused_with_what_is_needed(
    fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    fake.ranges["compute"] = ("2.1", "2.79")
    with pytest.raises(PermanentError, match=r"2\.1 to 2\.79, and 2\.90 to 2\.96 is needed"):
        await cloud.prepare()


async def test_a_cloud_that_nobody_described_is_bad_input(tmp_path: Path) -> None:
    file = tmp_path / "clouds.yaml"
    file.write_text("clouds: {}\n")
    with pytest.raises(InputError, match="nowhere"):
        connect("nowhere", clouds_file=file)


async def test_a_provider_is_read_again_only_when_its_generation_changed(
    fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    node = {"id": "n1", "service": {"host": "c1"}}
    amount = {"total": 64, "reserved": 0, "allocation_ratio": 4.0}
    fake.script("GET", "/os-hypervisors/detail", Scripted(body={"hypervisors": [node]}))
    fake.script(
        "GET",
        "/resource_providers",
        *(Scripted(body={"resource_providers": [{"uuid": "n1", "generation": n}]}) for n in (3, 3, 4)),
    )
    inventories = "/resource_providers/n1/inventories"
    fake.script(
        "GET",
        inventories,
        *(Scripted(body={"inventories": {"VCPU": amount}, "resource_provider_generation": n}) for n in (3, 4)),
    )
    fake.script(
        "GET",
        "/resource_providers/n1/traits",
        *(Scripted(body={"traits": ["T"], "resource_provider_generation": n}) for n in (3, 4)),
    )
    for _ in range(3):
        (provider,) = (await cloud.facts()).providers
        assert provider.traits == {"T"}
    assert len(fake.asked("GET", inventories)) == 2


def services(*hosts: str) -> Scripted:
    row = {"binary": "nova-compute", "status": "enabled", "state": "up", "forced_down": False, "disabled_reason": None}
    return Scripted(body={"services": [{**row, "id": f"of {host}", "host": host} for host in hosts]})


def nodes(**hosts: str) -> Scripted:
    return Scripted(body={"hypervisors": [{"id": node, "service": {"host": host}} for host, node in hosts.items()]})


async def test_hypervisors_are_listed_again_only_where_a_host_came_or_went_or_has_no_provider(
    fake: OpenStackHttp, cloud: OpenStackCloud
) -> None:
    here, both, new = nodes(c1="n1"), nodes(c1="n1", c2="n2"), nodes(c1="n3", c2="n2")
    providers = {"resource_providers": [{"uuid": f"n{n}", "generation": 1} for n in (1, 2)]}
    rebuilt = {"resource_providers": [{"uuid": f"n{n}", "generation": 1} for n in (2, 3)]}
    for n in (1, 2, 3):
        amount = {"total": 64, "reserved": 0, "allocation_ratio": 4.0}
        shown = {"inventories": {"VCPU": amount}, "resource_provider_generation": 1}
        fake.script("GET", f"/resource_providers/n{n}/inventories", Scripted(body=shown))
        traits = {"traits": [], "resource_provider_generation": 1}
        fake.script("GET", f"/resource_providers/n{n}/traits", Scripted(body=traits))
    # a second host registers, and its hypervisor a look later; then the first is rebuilt with another id
    fake.script("GET", "/os-services", services("c1"), services("c1"), services("c1", "c2"))
    fake.script("GET", "/os-hypervisors/detail", here, here, both, new)
    fake.script("GET", "/resource_providers", *[Scripted(body=providers)] * 5, Scripted(body=rebuilt))

    seen = []
    for _ in range(7):
        found = (await cloud.facts()).providers
        seen.append(({one.host: one.id for one in found}, len(fake.asked("GET", "/os-hypervisors/detail"))))

    one, two = {"c1": "n1"}, {"c1": "n1", "c2": "n2"}
    assert seen[:5] == [(one, 1), (one, 1), (one, 2), (two, 3), (two, 3)]
    assert seen[5:] == [({"c2": "n2"}, 3), ({"c1": "n3", "c2": "n2"}, 4)]


async def test_containers_of_another_projects_account_are_read_to_the_last_and_none_is_taken_for_ours(
    fake: OpenStackHttp, tmp_path: Path
) -> None:
    connection = open_connection("fake", clouds_file=fake.clouds_yaml(tmp_path))
    rest = Rest(connection, read_deadline_s=0.4, pauses_s=(0.01,))
    pages = [[{"name": "a"}, {"name": "b"}], [{"name": "c"}], []]
    fake.script("GET", "/AUTH_other", *(Scripted(body=page) for page in pages))
    fake.script("GET", "/AUTH_round", *(Scripted(body=pages[0]) for _ in range(2)))
    fake.script("GET", "/AUTH_gone", Scripted(status=404))
    fake.script("GET", "/AUTH_hidden", Scripted(status=403))
    try:
        assert [each["name"] for each in await rest.containers("other")] == ["a", "b", "c"]
        assert [seen.query.get("marker") for seen in fake.asked("GET", "/AUTH_other")] == [None, "b", "c"]
        with pytest.raises(PermanentError, match="came twice"):
            await rest.containers("round")
        assert await rest.containers("gone") == []
        with pytest.raises(RefusedError) as refused:
            await rest.containers("hidden")
        assert refused.value.rule == "forbidden"
    finally:
        await rest.close()
