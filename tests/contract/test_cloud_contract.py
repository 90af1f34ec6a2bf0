"""What the engine may rely on of any `ports.Cloud`, held against the fake, the twin and a real OpenStack."""

from dataclasses import replace

import pytest

from controller.engine.ports import Cloud
from controller.errors import PermanentError, RefusedError
from controller.model.cloud import FAILED_MIGRATION_STATUSES, RUNNING_MIGRATION_STATUSES, Guest, Migration, Server
from controller.model.ids import HostName, ServerId
from tests.contract.clouds import Given, until
from tests.fakes.clock import NO_DEADLINE

NOBODY = ServerId("00000000-0000-0000-0000-00000000dead")


async def target_for(cloud: Cloud, server: Server) -> HostName:
    """Another host that Placement would let the server onto."""
    for service in sorted((await cloud.facts()).services, key=lambda one: one.host):
        if service.host != server.host and await cloud.admits(server, service.host) is None:
            return service.host
    raise AssertionError("no host admits the server")


async def ended(given: Given, server: Server) -> Migration:
    """The server's newest record, once it has ended and the server has no task."""

    async def look() -> Migration | None:
        records = await given.cloud.migrations_of(server.id)
        now = await given.cloud.server(server.id)
        still = not records or records[0].status in RUNNING_MIGRATION_STATUSES or now is None or now.task_state
        return None if still else records[0]

    return await until(given, look)


async def copying(given: Given, server: Server) -> Migration:
    """The server's migration, once it counts the memory it has to copy."""

    async def look() -> Migration | None:
        for record in await given.cloud.migrations_of(server.id):
            if record.status in RUNNING_MIGRATION_STATUSES:
                shown = await given.cloud.migration(server.id, record.id)
                return shown if shown is not None and shown.memory_remaining_bytes is not None else None
        return None

    return await until(given, look)


async def test_the_facts_show_a_server_its_host_its_provider_and_no_flaw(given: Given) -> None:
    server = await given.server()
    facts = await given.cloud.facts()
    assert server in facts.servers
    (service,) = [one for one in facts.services if one.host == server.host]
    (provider,) = [one for one in facts.providers if one.host == server.host]
    assert (service.enabled, service.up) == (True, True)
    assert provider.inventory["MEMORY_MB"].total >= server.memory_mib
    assert provider.inventory["VCPU"].ratio >= 1.0
    assert facts.flaws == ()


async def test_one_question_and_the_whole_look_agree(given: Given) -> None:
    server = await given.server()
    assert server.host is not None
    assert await given.cloud.server(server.id) == server
    assert server in await given.cloud.servers_on(server.host)


async def test_a_later_look_sees_what_changed_and_what_is_gone(given: Given) -> None:
    server = await given.server()
    assert server in (await given.cloud.facts()).servers
    await given.shut_off(server)
    (seen,) = [one for one in (await given.cloud.facts()).servers if one.id == server.id]
    assert (seen.status, seen) == ("SHUTOFF", await given.cloud.server(server.id))
    await given.delete(server)

    async def gone() -> bool | None:
        return server.id not in {one.id for one in (await given.cloud.facts()).servers} or None

    assert await until(given, gone)


async def test_a_live_migration_counts_its_memory_arrives_and_binds_its_ports(given: Given) -> None:
    server = await given.server()
    target = await target_for(given.cloud, server)
    await given.cloud.live_migrate(server.id, target, deadline=NO_DEADLINE)
    under_way = await copying(given, server)
    assert (under_way.type, under_way.source, under_way.target) == ("live-migration", server.host, target)
    assert under_way.memory_total_bytes == server.memory_mib << 20
    assert under_way.id in {one.id for one in await given.cloud.running_migrations()}
    record = await ended(given, server)
    moved = await given.cloud.server(server.id)
    assert moved is not None
    assert (record.id, record.status) == (under_way.id, "completed")
    assert (moved.host, moved.status, moved.task_state) == (target, "ACTIVE", None)
    assert all(port.bound_to(target) for port in await given.cloud.ports_of(server.id))
    assert await given.cloud.migration(server.id, record.id) == record


async def test_while_a_server_migrates_it_shows_a_task_and_nothing_else_may_begin(given: Given) -> None:
    server = await given.server()
    await given.fault(server, "stall")
    target = await target_for(given.cloud, server)
    await given.cloud.live_migrate(server.id, target, deadline=NO_DEADLINE)
    now = await given.cloud.server(server.id)
    assert now is not None
    assert (now.task_state, now.status, now.host) == ("migrating", "MIGRATING", server.host)
    with pytest.raises(RefusedError) as caught:
        await given.cloud.live_migrate(server.id, target, deadline=NO_DEADLINE)
    assert caught.value.rule == "conflict"
    await given.cloud.abort_migration(server.id, (await copying(given, server)).id)
    await ended(given, server)


async def test_a_stalled_migration_that_is_aborted_leaves_the_server_where_it_was(given: Given) -> None:
    server = await given.server()
    await given.fault(server, "stall")
    await given.cloud.live_migrate(server.id, await target_for(given.cloud, server), deadline=NO_DEADLINE)
    await given.cloud.abort_migration(server.id, (await copying(given, server)).id)
    assert (await ended(given, server)).status == "cancelled"
    now = await given.cloud.server(server.id)
    assert now is not None
    assert (now.host, now.status) == (server.host, "ACTIVE")


async def test_a_stalled_migration_that_is_forced_to_complete_arrives(given: Given) -> None:
    server = await given.server()
    await given.fault(server, "stall")
    target = await target_for(given.cloud, server)
    await given.cloud.live_migrate(server.id, target, deadline=NO_DEADLINE)
    await given.cloud.force_complete(server.id, (await copying(given, server)).id)
    assert (await ended(given, server)).status == "completed"
    now = await given.cloud.server(server.id)
    assert now is not None
    assert now.host == target


async def test_a_copy_that_fails_leaves_the_server_where_it_was(given: Given) -> None:
    server = await given.server()
    await given.fault(server, "copy")
    await given.cloud.live_migrate(server.id, await target_for(given.cloud, server), deadline=NO_DEADLINE)
    assert (await ended(given, server)).status in FAILED_MIGRATION_STATUSES
    now = await given.cloud.server(server.id)
    assert now is not None
    assert (now.host, now.status, now.task_state) == (server.host, "ACTIVE", None)


async def test_a_refused_move_is_a_clear_no_and_nothing_is_under_way(given: Given) -> None:
    server = await given.server()
    await given.fault(server, "check")
    with pytest.raises(RefusedError) as caught:
        await given.cloud.live_migrate(server.id, await target_for(given.cloud, server), deadline=NO_DEADLINE)
    assert caught.value.rule == "no-valid-host"

    async def calm() -> Server | None:
        now = await given.cloud.server(server.id)
        return now if now is not None and now.task_state is None else None

    assert (await until(given, calm)).host == server.host
    assert server.id not in {one.server_id for one in await given.cloud.running_migrations()}


async def test_a_server_that_is_shut_off_moves_cold_and_waits_to_be_confirmed(given: Given) -> None:
    server = await given.server()
    target = await target_for(given.cloud, server)
    await given.shut_off(server)
    await given.cloud.cold_migrate(server.id, target, deadline=NO_DEADLINE)

    async def waiting() -> Server | None:
        now = await given.cloud.server(server.id)
        return now if now is not None and now.status == "VERIFY_RESIZE" else None

    assert (await until(given, waiting)).host == target
    (finished,) = [one for one in await given.cloud.running_migrations() if one.server_id == server.id]
    assert (finished.type, finished.status) == ("migration", "finished")
    await given.cloud.confirm_resize(server.id)
    assert (await ended(given, server)).status == "confirmed"

    async def confirmed() -> Server | None:
        now = await given.cloud.server(server.id)
        return now if now is not None and now.status != "VERIFY_RESIZE" else None

    now = await until(given, confirmed)
    assert (now.status, now.host) == ("SHUTOFF", target)


async def test_a_service_that_is_disabled_says_why_admits_nothing_and_can_be_enabled(given: Given) -> None:
    server = await given.server()
    target = await target_for(given.cloud, server)
    service = await given.cloud.service(target)
    assert service is not None
    await given.cloud.disable_service(service, "gdcc: contract")
    try:
        disabled = await given.cloud.service(target)
        assert disabled is not None
        assert (disabled.enabled, disabled.disabled_reason) == (False, "gdcc: contract")
        why = await given.cloud.admits(server, target)
        assert why is not None
        assert "disabled" in why
    finally:
        await given.cloud.enable_service(service)
    enabled = await given.cloud.service(target)
    assert enabled is not None
    assert (enabled.enabled, enabled.disabled_reason) == (True, None)

    async def admitted() -> bool | None:
        return True if await given.cloud.admits(server, target) is None else None

    assert await until(given, admitted)


async def test_a_server_that_does_not_fit_is_told_in_words(given: Given) -> None:
    server = await given.server()
    target = await target_for(given.cloud, server)
    values = {name: getattr(server, name) for name in server.__dataclass_fields__}
    giant = Server(**{**values, "memory_mib": 1 << 24})
    assert await given.cloud.admits(giant, target)


async def test_a_guest_that_nothing_pins_is_told_and_shown_from_then_on(given: Given) -> None:
    server = await given.server()
    guest = await given.cloud.guest(server)
    assert guest == Guest(numa=(), image_properties={})
    facts = await given.cloud.facts()
    assert next(one.guest for one in facts.servers if one.id == server.id) == guest
    assert await given.cloud.admits(replace(server, guest=guest), await target_for(given.cloud, server)) is None


async def test_traits_of_an_image_are_asked_of_placement_too(given: Given) -> None:
    server = await given.server()
    target = await target_for(given.cloud, server)
    asking = Guest(numa=(), image_properties={"trait:HW_GPU_API_VULKAN": "required"})
    assert "HW_GPU_API_VULKAN" in (await given.cloud.admits(replace(server, guest=asking), target) or "")


async def test_a_deleted_server_is_none_and_in_no_list(given: Given) -> None:
    server = await given.server()
    assert server.host is not None
    await given.delete(server)
    assert await given.cloud.server(server.id) is None
    assert server.id not in {one.id for one in await given.cloud.servers_on(server.host)}
    assert await given.cloud.ports_of(server.id) == ()


async def test_a_server_that_may_still_be_restored_is_on_its_host(given: Given) -> None:
    server = await given.server()
    assert server.host is not None
    async with given.soft_deleted(server):
        (found,) = [one for one in await given.cloud.servers_on(server.host) if one.id == server.id]
        assert found.status == "SOFT_DELETED"
        alone = await given.cloud.server(server.id)
        assert alone is not None and alone.status == "SOFT_DELETED"


async def test_what_nobody_knows_is_none_or_a_clear_no(given: Given) -> None:
    server = await given.server()
    nowhere = HostName("nowhere")
    assert await given.cloud.server(NOBODY) is None
    assert await given.cloud.service(nowhere) is None
    assert await given.cloud.servers_on(nowhere) == ()
    assert await given.cloud.migrations_of(NOBODY) == ()
    assert await given.cloud.migration(server.id, 999_999) is None
    assert await given.cloud.admits(server, nowhere)
    with pytest.raises(PermanentError):
        await given.cloud.live_migrate(NOBODY, nowhere, deadline=NO_DEADLINE)
