"""Whether a host is empty is asked of Nova right before it matters: the journal's EMPTY may be old."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.api import operators
from controller.api.controller_client import SocketController
from controller.errors import RefusedError, TransientError
from controller.model.ids import HostName
from controller.model.operation import Drain, DrainState
from tests.fakes.turning import Turning

C1 = HostName("c1")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Turning]:
    made = Turning(tmp_path, servers=0)
    yield made
    made.rig.journal.close_store()


async def emptied(site: Turning) -> Drain:
    drain = await site.fleet.drain(C1, "ann", "campaign kernel-6.1", keep_shutoff=False)
    assert drain.state is DrainState.EMPTY
    return drain


async def test_a_server_that_came_after_the_host_was_empty_is_seen_before_the_loop_sees_it(site: Turning) -> None:
    drain = await emptied(site)
    assert await site.fleet.look(drain) == drain
    site.cloud.boot("late", "c1")
    assert (await site.fleet.look(drain)).state is DrainState.EMPTYING
    assert [each.state for each in site.rig.journal.drains()] == [DrainState.EMPTY], "a look changes nothing"


async def test_a_host_that_takes_servers_again_is_not_called_empty(site: Turning) -> None:
    drain = await emptied(site)
    await site.cloud.enable_service(site.cloud.services[C1])
    assert (await site.fleet.look(drain)).state is DrainState.EMPTYING


async def test_a_host_is_held_by_the_drain_that_disabled_it_though_that_has_ended(site: Turning) -> None:
    assert not await site.fleet.holds(C1, "campaign kernel-6.1")
    drain = await emptied(site)
    site.rig.journal.save_drain(replace(drain, state=DrainState.ENDED))
    assert await site.fleet.holds(C1, "campaign kernel-6.1")
    assert not await site.fleet.holds(C1, "campaign kernel-6")
    site.cloud.change_service("c1", disabled_reason="a disk")
    assert not await site.fleet.holds(C1, "campaign kernel-6.1")
    assert not await site.fleet.holds(HostName("gone"), "campaign kernel-6.1")


async def test_where_nova_does_not_answer_nobody_says_that_a_host_is_empty(site: Turning) -> None:
    drain = await emptied(site)
    site.cloud.down_until = site.rig.clock.now() + timedelta(hours=1)
    with pytest.raises(TransientError):
        await site.fleet.look(drain)


async def test_the_look_goes_over_the_socket_and_a_host_without_a_drain_has_none(site: Turning, tmp_path: Path) -> None:
    drain = await emptied(site)
    site.cloud.boot("late", "c1")
    runner = await operators.serve(site.desk, tmp_path / "s", None)
    try:
        controller = SocketController(tmp_path / "s")
        assert (await controller.look(drain)).state is DrainState.EMPTYING
        await site.desk.enable(C1, "bob", force=False)
        with pytest.raises(RefusedError, match="it is not being drained"):
            await controller.look(drain)
    finally:
        await runner.cleanup()
