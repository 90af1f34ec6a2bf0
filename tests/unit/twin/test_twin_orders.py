"""Migrations in the twin's Nova, step by step, with time that the test lets pass."""

from collections.abc import Callable

import pytest

from controller.twin.copying import Mode
from controller.twin.machines import Server
from controller.twin.nature import Nature
from controller.twin.orders import Mishap, Orders, RefusalError
from controller.twin.world import World
from tests.fakes.small_estate import small_estate


@pytest.fixture
def orders() -> Orders:
    return Orders(World(small_estate(), Nature(), 1.8e9))


def web(orders: Orders) -> Server:
    """A VM that may stand on any host."""
    return next(server for server in orders.world.servers.values() if server.system == "buses")


def elsewhere(orders: Orders, server: Server) -> str:
    names = orders.world.topology.hosts
    return next(name for row, name in enumerate(names) if row != server.host)


def wait(orders: Orders, until: Callable[[], bool], seconds: float = 60.0) -> None:
    for _ in range(int(seconds / 0.25)):
        if until():
            return
        orders.world.advance(0.25)
        orders.step(0.25)
    raise AssertionError("it did not come to that")


def test_a_live_migration_passes_through_novas_states_and_its_record_ends_last(orders: Orders) -> None:
    server = web(orders)
    target = elsewhere(orders, server)
    orders.live_migrate(server, target, at_once=False)
    seen: list[tuple[str, str, bool]] = []

    def ended() -> bool:
        state = (orders.records[1].status, server.status, orders.world.topology.hosts[server.host] == target)
        if not seen or seen[-1] != state:
            seen.append(state)
        return orders.records[1].status == "completed"

    wait(orders, ended)
    assert seen == [
        ("accepted", "MIGRATING", False),
        ("queued", "MIGRATING", False),
        ("preparing", "MIGRATING", False),
        ("running", "MIGRATING", False),
        ("running", "ACTIVE", True),
        ("completed", "ACTIVE", True),
    ]


def test_memory_remaining_falls_while_memory_is_copied(orders: Orders) -> None:
    server = web(orders)
    orders.live_migrate(server, elsewhere(orders, server), at_once=False)
    record = orders.records[1]
    wait(orders, lambda: record.memory_remaining is not None)
    left: list[int] = []
    wait(orders, lambda: left.append(record.memory_remaining or 0) or record.status == "completed")
    assert left == sorted(left, reverse=True)
    assert record.memory_total == server.flavor.memory_mib << 20


@pytest.mark.parametrize(
    ("mode", "status", "server_status", "moved"),
    [
        (Mode.FAIL, "failed", "ACTIVE", False),
        (Mode.PREPARE_FAILS, "failed", "ACTIVE", False),
        (Mode.ERROR, "error", "ERROR", False),
        (Mode.REFUSE, "error", "ACTIVE", False),
        (Mode.LIE, "completed", "ACTIVE", False),
        (Mode.UNBOUND, "completed", "ACTIVE", True),
    ],
)
def test_a_migration_ends_as_the_fault_has_it(
    orders: Orders, mode: Mode, status: str, server_status: str, moved: bool
) -> None:
    server = web(orders)
    before = server.host
    orders.mishaps.append(Mishap(mode=mode, server_id=server.id, times=1))
    orders.live_migrate(server, elsewhere(orders, server), at_once=False)
    wait(orders, lambda: orders.records[1].status == status)
    assert (server.status, server.task_state, server.host != before) == (server_status, None, moved)
    assert not list(orders.claims.all())


def test_a_stalled_copy_makes_no_progress_until_it_is_aborted(orders: Orders) -> None:
    server = web(orders)
    orders.mishaps.append(Mishap(mode=Mode.STALL, server_id=None, times=1))
    orders.live_migrate(server, elsewhere(orders, server), at_once=False)
    record = orders.records[1]
    with pytest.raises(AssertionError):
        wait(orders, lambda: record.status != "running" and record.memory_total is not None, 30.0)
    orders.abort(server, record.id, queued_too=True)
    wait(orders, lambda: record.status == "cancelled")
    assert server.status == "ACTIVE"


def test_a_forced_copy_completes_although_the_guest_dirties_more_than_the_link_carries(orders: Orders) -> None:
    server = web(orders)
    orders.world.vms.dirty_mib_s[server.row] = 5000.0
    orders.live_migrate(server, elsewhere(orders, server), at_once=False)
    record = orders.records[1]
    wait(orders, lambda: record.status == "running")
    orders.force_complete(server, record.id)
    wait(orders, lambda: record.status == "completed")
    assert server.host == record.target


def test_a_host_that_does_not_fit_is_refused_at_once_before_2_34_and_by_the_record_after(orders: Orders) -> None:
    secret = next(server for server in orders.world.servers.values() if server.system == "clinic")
    with pytest.raises(RefusalError, match="No valid host was found"):
        orders.live_migrate(secret, "h2", at_once=True)
    assert (orders.records[1].status, secret.task_state) == ("error", None)
    orders.live_migrate(secret, "h2", at_once=False)
    assert orders.records[2].status == "accepted"
    wait(orders, lambda: orders.records[2].status == "error")
    assert secret.status == "ACTIVE"


def test_anti_affinity_a_disabled_service_and_a_full_host_are_refused(orders: Orders) -> None:
    secret = next(server for server in orders.world.servers.values() if server.system == "clinic")
    mates = [s for s in orders.world.servers.values() if s.group == secret.group and s.id != secret.id]
    with pytest.raises(RefusalError):
        orders.live_migrate(secret, orders.world.topology.hosts[mates[0].host], at_once=True)
    server = web(orders)
    target = elsewhere(orders, server)
    orders.world.services[orders.world.topology.host_row(target)].enabled = False
    with pytest.raises(RefusalError):
        orders.live_migrate(server, target, at_once=True)


def test_a_cold_migration_waits_for_confirmation_and_holds_both_hosts_until_then(orders: Orders) -> None:
    server = web(orders)
    server.vm_state = "stopped"
    source = server.host
    orders.cold_migrate(server, elsewhere(orders, server))
    wait(orders, lambda: server.status == "VERIFY_RESIZE")
    assert [host for host, _ in orders.claims.all()] == [source]
    orders.confirm_resize(server)
    assert (server.status, orders.records[1].status) == ("SHUTOFF", "confirmed")
    assert not list(orders.claims.all())


def test_a_server_that_is_migrating_takes_no_other_order(orders: Orders) -> None:
    server = web(orders)
    orders.live_migrate(server, elsewhere(orders, server), at_once=False)
    with pytest.raises(RefusalError) as refusal:
        orders.live_migrate(server, elsewhere(orders, server), at_once=False)
    assert refusal.value.status == 409
    assert "task_state migrating" in str(refusal.value)


def test_a_server_deleted_while_it_moves_leaves_a_cancelled_record_and_no_claim(orders: Orders) -> None:
    server = web(orders)
    orders.live_migrate(server, elsewhere(orders, server), at_once=False)
    wait(orders, lambda: orders.records[1].status == "running")
    orders.forget(server)
    orders.world.remove_server(server)
    wait(orders, lambda: orders.records[1].status == "cancelled")
    assert not list(orders.claims.all())
