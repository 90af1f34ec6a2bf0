"""A host that vanishes from Nova: nothing goes there, what moves is followed, and a drain of it can be ended."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.model.ids import HostName, ServerId
from controller.model.migration import State
from controller.model.operation import DrainState
from controller.model.policy import TrustPolicy
from tests.fakes.journals import START
from tests.fakes.turning import Turning

C1, C2 = HostName("c1"), HostName("c2")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Turning]:
    """Two servers on c1, whose memory fails; one host of four may go without a freeze."""
    made = Turning(tmp_path, trust=TrustPolicy(freeze_shrink_share=0.5))
    made.sensors.failing = {"c1"}
    yield made
    made.rig.journal.close_store()


def vanish(site: Turning, host: HostName) -> None:
    del site.cloud.services[host]
    site.sensors.blind.add(host)


def test_more_hosts_gone_than_policy_allows_freeze_the_loop_which_says_so(site: Turning) -> None:
    site.change_policy(trust=replace(site.policy().trust, freeze_shrink_share=0.1))
    site.sensors.failing = set()
    asyncio.run(site.turns(1))
    vanish(site, C2)
    site.sensors.failing = {"c1"}
    asyncio.run(site.turns(3))
    assert site.started() == []
    assert "hosts that the cloud shows shrank from 4 to 3" in (site.loop.status.freeze or "")


def test_nothing_goes_to_a_host_that_vanished(site: Turning) -> None:
    vanish(site, C2)
    asyncio.run(site.turns(8))
    assert site.started() and C2 not in {target for _, target in site.started()}


def test_a_target_that_vanishes_after_the_plan_was_made_is_refused_and_another_is_found(site: Turning) -> None:
    async def run() -> HostName:
        await site.loop.turn()
        assert site.loop.memory.proposal is not None and site.loop.running_plan
        planned = site.loop.memory.proposal.moves[0].target
        vanish(site, planned)
        await site.turns(8)
        return planned

    planned = asyncio.run(run())
    assert site.started() and planned not in {target for _, target in site.started()}
    assert {site.host_of("vm-1"), site.host_of("vm-2")}.isdisjoint({C1, planned})


def test_servers_of_a_host_that_vanished_are_not_moved_and_a_move_off_it_under_way_is_followed(site: Turning) -> None:
    async def run() -> None:
        await site.loop.turn()
        await site.settle(timedelta(seconds=2))
        assert len(site.started()) == 1
        vanish(site, C1)
        await site.turns(6)

    asyncio.run(run())
    assert len(site.started()) == 1
    assert [entry.state for entry in site.journal.entries_since(START)] == [State.SUCCEEDED]


def test_a_drained_host_that_is_taken_out_of_nova_holds_up_nothing_and_its_drain_is_ended_by_enable(
    site: Turning,
) -> None:
    site.sensors.failing = set()
    site.cloud.boot("vm-3", "c2")

    async def drained() -> None:
        await site.turns(1)
        begun = await site.desk.drain(C2, "malee", "decommission", keep_shutoff=False)
        assert begun.state is DrainState.EMPTYING
        vanish(site, C2)
        await site.turns(3)

    asyncio.run(drained())
    assert [drain.state for drain in site.journal.drains()] == [DrainState.STUCK]
    assert "c2: Nova has no compute service of this name" in site.loop.status.sentence
    assert "gdcc enable c2" in site.loop.status.sentence
    site.sensors.failing = {"c1"}
    asyncio.run(site.turns(8))
    assert site.host_of("vm-1") == site.host_of("vm-2") == HostName("c3")
    assert asyncio.run(site.desk.enable(C2, "malee", force=False)) == "c2 is not in Nova any more; its drain is ended."
    assert site.journal.drains() == ()
    assert site.cloud.servers[ServerId("vm-3")].host == C2
