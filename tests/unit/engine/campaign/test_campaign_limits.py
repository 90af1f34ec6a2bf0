"""How much of a running campaign may be out together, and on how fresh a look it is chosen."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.engine.campaign.choosing import Choice, Chooser, Facts
from controller.model.campaign import Campaign, Held, HostState, Limits, Member, State
from controller.model.ids import HostName
from controller.model.operation import Pause
from inventory import windows
from tests.fakes.campaign_rig import CampaignRig, order


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[CampaignRig]:
    made = CampaignRig(tmp_path)
    yield made
    made.journal.close_store()


@pytest.fixture
def large(tmp_path: Path) -> Iterator[CampaignRig]:
    """Two racks of four hosts."""
    made = CampaignRig(tmp_path, hosts=4)
    yield made
    made.journal.close_store()


async def test_a_budget_lets_the_campaign_go_on_beside_failed_hosts_in_their_rack(large: CampaignRig) -> None:
    large.world.broken[HostName("r1h1"), "host-patch.yml"] = "no space left on device"
    await large.begin(order(limits=Limits(hosts_at_once=2, failure_budget=1)))
    assert await large.until(State.PAUSED, State.DONE) is State.PAUSED
    assert "r1h1 failed and is out, beside which no other may go (2 at once, all in one rack): r1h1:" in large.why()
    done = [host for host, state in large.states().items() if state is HostState.DONE]
    assert done == ["r1h2", "r1h3", "r1h4"] and large.failures == []

    large.desk.resume("patch-1", "op", retry=False)
    assert await large.until(State.PAUSED, State.DONE) is State.PAUSED
    assert large.why().startswith("all others are done; out of service: r1h1:")
    assert large.failures == []


async def test_failed_hosts_take_the_places_of_others(large: CampaignRig) -> None:
    for host in ("r1h1", "r1h2"):
        large.world.broken[HostName(host), "host-patch.yml"] = "no space left on device"
    await large.begin(order(limits=Limits(hosts_at_once=2, failure_budget=2)))
    assert await large.until(State.PAUSED, State.DONE) is State.PAUSED
    assert "r1h1, r1h2 failed and are out, beside which no other may go" in large.why()
    assert large.world.out() == {"r1h1", "r1h2"} and large.failures == []


async def test_one_more_than_the_budget_pauses_the_campaign(large: CampaignRig) -> None:
    for host in ("r1h1", "r1h3"):
        large.world.broken[HostName(host), "host-patch.yml"] = "no space left on device"
    await large.begin(order(limits=Limits(hosts_at_once=2, failure_budget=1)))
    assert await large.until(State.PAUSED, State.DONE) is State.PAUSED
    assert "r1h1, r1h3 failed, and 1 may" in large.why()
    assert large.states()["r1h2"] is HostState.DONE and large.failures == []


@pytest.mark.parametrize("at_once", [2, 3])
async def test_hosts_that_carry_one_group_go_one_after_the_other(tmp_path: Path, at_once: int) -> None:
    rig = CampaignRig(tmp_path, racks=1, hosts=5, crowded=3)
    await rig.begin(order(limits=Limits(hosts_at_once=at_once)))
    assert await rig.until(State.DONE, State.PAUSED) is State.DONE, rig.why()
    assert rig.failures == [] and rig.most_out == at_once
    rig.journal.close_store()


async def test_a_host_that_waits_for_others_of_its_group_is_told_with_it(tmp_path: Path) -> None:
    rig = CampaignRig(tmp_path, racks=2, hosts=3, crowded=3)
    told = list[Held]()

    def done() -> bool:
        told.extend(rig.conductor.memory.held)
        return rig.state() is State.DONE

    await rig.begin(order(hosts=("rack:r1",), limits=Limits(hosts_at_once=2)))
    await rig.live(timedelta(hours=6), done)
    assert any("r1h2 waits for others that carry members of the same group (crowd" in each.why for each in told)
    rig.journal.close_store()


@pytest.mark.parametrize("change", ["freeze", "disabled", "down", "capacity", "window", "paused"])
async def test_a_wave_is_chosen_anew_where_the_cloud_changed_while_it_was_proved(rig: CampaignRig, change: str) -> None:
    """A proof that takes longer than a look; afterwards all is as before, and the campaign goes on."""

    def happens() -> None:
        match change:
            case "freeze":
                rig.freeze = "half of the hosts are not read"
            case "disabled":
                rig.break_host("r1h1", enabled=False)
            case "down":
                rig.break_host("r1h1", up=False)
            case "capacity":
                rig.break_host("r2h2", up=False)
            case "window":
                rig.clock.advance(timedelta(hours=2, minutes=10))
            case "paused":
                rig.journal.pause(Pause(scope=None, who="op", why="storm", since=rig.clock.now()))

    await rig.begin(order(blackouts=(windows.window("12:00-13:00"),)))
    chooser = Chooser.choose
    proofs = list[tuple[str, ...]]()

    async def slowly(self: Chooser, campaign: Campaign, members: Sequence[Member], facts: Facts) -> Choice:
        choice = await chooser(self, campaign, members, facts)
        if choice.hosts and not proofs:
            happens()
            rig.clock.advance(timedelta(seconds=30))
            rig.looked_at = rig.clock.now()
        proofs.append(tuple(member.host for member in choice.hosts))
        return choice

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Chooser, "choose", slowly)
        await rig.conductor.turn()
    assert proofs == [("r1h1", "r1h2")]
    assert set(rig.states().values()) == {HostState.WAITING}
    assert rig.conductor.memory.waits


async def chosen_while(rig: CampaignRig, happens: Callable[[], None]) -> str:
    """What r1h1 waits for where this happens while its wave is proved, longer than a look takes; empty if begun."""
    await rig.begin()
    chooser = Chooser.choose

    async def slowly(self: Chooser, campaign: Campaign, members: Sequence[Member], facts: Facts) -> Choice:
        choice = await chooser(self, campaign, members, facts)
        happens()
        rig.clock.advance(timedelta(seconds=30))
        rig.looked_at = rig.clock.now()
        return choice

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Chooser, "choose", slowly)
        await rig.conductor.turn()
    return "" if rig.states()["r1h1"] is HostState.UNDER_WAY else rig.conductor.memory.waits


async def test_a_wave_begins_though_the_look_moved_on_where_nothing_changed_but_servers(rig: CampaignRig) -> None:
    assert not await chosen_while(rig, lambda: None)


@pytest.mark.parametrize(
    "change",
    [
        {"disk_gib": 3000.0},
        {"disk_gib": 5000.0, "memory_gib": 300.0},
        {"memory_gib": 255.0},
        {"shared_storage": False},
    ],
)
async def test_a_wave_begins_though_a_host_can_take_more_or_hardly_less(
    rig: CampaignRig, change: dict[str, object]
) -> None:
    """Disks that hosts share are no host's own: what Placement tells of them changes with every look."""
    assert not await chosen_while(rig, lambda: rig.break_host("r2h2", **change))


async def test_a_wave_begins_though_a_host_came_into_service(rig: CampaignRig) -> None:
    rig.break_host("r2h2", enabled=False)
    assert not await chosen_while(rig, lambda: rig.break_host("r2h2"))


async def test_a_wave_begins_though_one_of_its_own_hosts_shrank(rig: CampaignRig) -> None:
    assert not await chosen_while(rig, lambda: rig.break_host("r1h1", memory_gib=128.0))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"up": False}, "r2h2 went down"),
        ({"enabled": False}, "r2h2 was disabled"),
        ({"draining": True}, "r2h2 is being drained"),
        ({"known": False}, "r2h2 is in the inventory no more"),
        ({"vcpus": 128.0}, "r2h2 can take 128 vCPUs, which were 256"),
        ({"memory_gib": 200.0}, "r2h2 can take 204,800 MiB of memory, which were 262,144"),
    ],
)
async def test_a_wave_is_chosen_anew_where_a_host_that_could_receive_cannot_or_takes_less(
    rig: CampaignRig, change: dict[str, object], said: str
) -> None:
    waits = await chosen_while(rig, lambda: rig.break_host("r2h2", **change))
    assert waits == f"another choice, since meanwhile {said}"


async def test_a_hosts_own_disk_counts(rig: CampaignRig) -> None:
    rig.break_host("r2h2", shared_storage=False)
    waits = await chosen_while(rig, lambda: rig.break_host("r2h2", shared_storage=False, disk_gib=3000.0))
    assert waits.endswith("r2h2 can take 3,000 GiB of disk, which were 4,096")


async def test_a_wave_that_no_proof_holds_for_says_so(tmp_path: Path) -> None:
    """Each proof holds up one more of them, and never the first, until there have been enough."""

    def refuses(_: object, __: object, ___: object, hosts: Sequence[HostName], **____: object) -> tuple[Held, ...]:
        return (Held(host=hosts[-1], rule="capacity", why=f"{hosts[-1]} has no room elsewhere"),)

    rig = CampaignRig(tmp_path, racks=1, hosts=12)
    rig.desk.new(order(limits=Limits(hosts_at_once=12)), "op")
    campaign = rig.journal.campaigns.campaign("patch-1")
    assert campaign is not None
    choice = await Chooser(refuses).choose(campaign, rig.journal.campaigns.members("patch-1"), facts_of(rig))
    assert choice.hosts == () and "proofs of ever fewer" in choice.waits
    rig.journal.close_store()


def facts_of(rig: CampaignRig) -> Facts:
    """Nothing but what the newest look shows."""
    return Facts(
        now=rig.clock.now(), seen=rig.seen(), policy=rig.policy, drains=(), runs=(), pauses=(),
        host_time=timedelta(minutes=30),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("hosts_at_once", "said"),
    [
        (1, "a place: r1h1 failed and is out, and 1 may be out together"),
        (2, "a host in r1: r1h1 failed and is out there, and all others that are left stand elsewhere"),
    ],
)
async def test_where_failed_hosts_leave_no_other_the_choice_says_so(
    rig: CampaignRig, hosts_at_once: int, said: str
) -> None:
    """Such a campaign pauses before it is asked: whoever asks all the same is told why nothing is chosen."""
    asked = order(limits=Limits(hosts_at_once=hosts_at_once, failure_budget=1), hosts=("r1h1", "r2h1"))
    rig.desk.new(asked, "op")
    campaign = rig.journal.campaigns.campaign("patch-1")
    assert campaign is not None
    first, *others = rig.journal.campaigns.members("patch-1")
    failed = replace(first, state=HostState.FAILED, ended_at=rig.clock.now() + timedelta(minutes=1))
    choice = await Chooser().choose(campaign, [failed, *others], facts_of(rig))
    assert (choice.hosts, choice.waits) == ((), said)
