"""What operators may do by `gdcc drain` and `gdcc enable` to a host that a campaign has under way: nothing."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.errors import RefusedError
from controller.model.campaign import Campaign, HostState, Member, Order, Reboot, State, Work
from controller.model.ids import HostName
from tests.fakes.turning import Turning

C1, C2 = HostName("c1"), HostName("c2")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Turning]:
    made = Turning(tmp_path, servers=0)
    yield made
    made.rig.journal.close_store()


def begun(site: Turning, host: HostState = HostState.UNDER_WAY) -> None:
    """A campaign goes on over c1, which is in that state."""
    order = Order(name="kernel-6.1", hosts=("c1",), work=Work(reboot=Reboot.ALWAYS))
    campaign = Campaign(id="kernel-6.1", order=order, who="ann", created_at=site.rig.clock.now())
    records = site.rig.journal.campaigns
    records.add(campaign, [Member(campaign=campaign.id, host=C1, domain="r1", state=host)])
    records.save(replace(campaign, state=State.RUNNING))


async def test_a_host_that_a_campaign_has_under_way_is_not_enabled_by_an_operator(site: Turning) -> None:
    begun(site)
    await site.fleet.drain(C1, "ann", "campaign kernel-6.1", keep_shutoff=True)
    for force in (False, True):
        with pytest.raises(RefusedError) as refused:
            await site.desk.enable(C1, "bob", force=force)
        assert refused.value.rule == "host-in-campaign"
        assert str(refused.value) == (
            "c1: campaign kernel-6.1 by ann has it under way and gives it back once it is verified (see gdcc campaign "
            "show kernel-6.1; to have it back earlier gdcc campaign abort kernel-6.1, to begin no other host pause it)"
        )
    assert [drain.host for drain in site.rig.journal.drains()] == [C1]
    assert not site.cloud.services[C1].enabled
    assert await site.fleet.enable(C1, "ann", force=False) == "c1 is enabled."


async def test_a_host_that_a_campaign_has_under_way_is_not_drained_by_an_operator(site: Turning) -> None:
    begun(site)
    with pytest.raises(RefusedError, match=r"campaign kernel-6\.1 by ann has it under way"):
        await site.desk.drain(C1, "bob", "a disk", keep_shutoff=False)
    assert site.rig.journal.drains() == () and site.cloud.services[C1].enabled


async def test_a_campaign_that_begins_while_nova_is_asked_comes_first(site: Turning) -> None:
    site.cloud.latency = timedelta(seconds=1)
    asked = asyncio.create_task(site.desk.drain(C1, "bob", "a disk", keep_shutoff=False))
    await asyncio.sleep(0)
    assert [name for name, _ in site.cloud.calls] == ["service"]
    begun(site)
    await site.rig.clock.sleep(timedelta(seconds=5))
    with pytest.raises(RefusedError, match="has it under way"):
        await asked
    assert site.rig.journal.drains() == ()


async def test_other_hosts_and_those_that_failed_in_a_campaign_are_operators_to_enable(site: Turning) -> None:
    begun(site, HostState.FAILED)
    await site.fleet.drain(C1, "ann", "campaign kernel-6.1", keep_shutoff=True)
    site.rig.clock.advance(timedelta(seconds=1))
    with pytest.raises(RefusedError, match=r"a drain of it by ann is under way: campaign kernel-6\.1"):
        await site.desk.drain(C1, "bob", "a disk", keep_shutoff=False)
    assert await site.desk.enable(C1, "bob", force=False) == "c1 is enabled."
    await site.desk.drain(C2, "bob", "a disk", keep_shutoff=False)
    assert await site.desk.enable(C2, "bob", force=False) == "c2 is enabled."


async def test_a_campaign_that_has_ended_holds_no_host(site: Turning) -> None:
    begun(site)
    (campaign,) = site.rig.journal.campaigns.campaigns()
    site.rig.journal.campaigns.save(replace(campaign, state=State.DONE))
    await site.desk.drain(C1, "bob", "a disk", keep_shutoff=False)
    assert await site.desk.enable(C1, "bob", force=False) == "c1 is enabled."
