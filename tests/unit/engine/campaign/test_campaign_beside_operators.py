"""A campaign beside what operators do to the same hosts by hand, and a controller that only pretends."""

import asyncio
import math
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.errors import InputError, RefusedError
from controller.model.campaign import Canaries, HostState, Limits, State, Work
from controller.model.host_run import HostRunState
from controller.model.ids import HostName
from controller.model.operation import DrainState, Pause
from inventory import windows
from tests.fakes.campaign_rig import CampaignRig, order
from tests.fakes.host_work import host_run


@pytest.fixture
def rig() -> Iterator[CampaignRig]:
    """Its journal is in memory where there is such a folder: these are no tests of the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        made = CampaignRig(Path(folder))
        yield made
        made.journal.close_store()


def mending(rig: CampaignRig, host: str) -> None:
    """An operator begins a verb on the host."""
    rig.journal.host_runs.begin(host_run("mending", host))


def mended(rig: CampaignRig, host: str) -> None:
    """That verb ends."""
    rig.journal.host_runs.save(replace(host_run("mending", host), state=HostRunState.DONE))


async def failed(rig: CampaignRig, *hosts: str, playbook: str = "host-verify.yml") -> None:
    """A campaign that paused, since these hosts failed; beside all but the last an operator resumed it."""
    for host in hosts:
        rig.world.broken[HostName(host), playbook] = "no route to the metadata server"
    await rig.begin(order(limits=Limits(hosts_at_once=1)))
    for number, _ in enumerate(hosts):
        if number:
            rig.desk.resume("patch-1", "op", retry=False)
        assert await rig.until(State.PAUSED) is State.PAUSED


async def test_a_host_that_an_operator_takes_up_while_it_is_proved_is_not_begun(rig: CampaignRig) -> None:
    async def take_up() -> None:
        mending(rig, "r1h1")

    await rig.begin(order(hosts=("r1h1",)))
    operator = asyncio.create_task(take_up())
    await rig.conductor.turn()
    await operator
    assert rig.states()["r1h1"] is HostState.WAITING
    await rig.live(timedelta(hours=20), lambda: "is worked on by gdcc host reboot" in rig.conductor.memory.waits)
    assert rig.world.out() == frozenset()
    mended(rig, "r1h1")
    assert await rig.until(State.DONE) is State.DONE


async def test_a_failed_host_is_not_tried_again_while_an_operator_mends_it(rig: CampaignRig) -> None:
    await failed(rig, "r1h1")
    mending(rig, "r1h1")
    with pytest.raises(RefusedError, match="gdcc host reboot goes on on r1h1") as refused:
        rig.desk.resume("patch-1", "op", retry=True)
    assert refused.value.rule == "host-run"
    mended(rig, "r1h1")
    rig.mend("r1h1")
    rig.desk.resume("patch-1", "op", retry=True)
    assert await rig.until(State.DONE) is State.DONE


async def test_an_abort_waits_for_an_operator_who_mends_a_failed_host(rig: CampaignRig) -> None:
    await failed(rig, "r1h1")
    mending(rig, "r1h1")
    rig.desk.abort("patch-1", "op", "")
    await rig.live(timedelta(minutes=10))
    assert rig.state() is State.ABORTING
    assert rig.conductor.memory.waits == "gdcc host reboot of r1h1 to end"
    mended(rig, "r1h1")
    rig.mend("r1h1")
    assert await rig.until(State.ABORTED) is State.ABORTED
    assert rig.states()["r1h1"] is HostState.RETURNED
    assert rig.world.out() == frozenset()


async def test_an_abort_counts_a_host_that_an_operator_has_given_back_meanwhile_as_returned(rig: CampaignRig) -> None:
    await failed(rig, "r1h1")
    await rig.fleet.enable(HostName("r1h1"), "op", force=False)
    rig.desk.abort("patch-1", "op", "")
    assert await rig.until(State.ABORTED) is State.ABORTED
    assert (rig.states()["r1h1"], rig.member("r1h1").why) == (HostState.RETURNED, "given back by an operator")
    assert rig.world.out() == frozenset()


async def test_an_abort_leaves_a_host_to_the_operator_who_has_drained_it_for_another_reason(rig: CampaignRig) -> None:
    await failed(rig, "r1h1")
    await rig.fleet.enable(HostName("r1h1"), "op", force=False)
    await rig.fleet.drain(HostName("r1h1"), "ann", "a disk", keep_shutoff=False)
    rig.desk.abort("patch-1", "op", "")
    assert await rig.until(State.ABORTED) is State.ABORTED
    assert (rig.states()["r1h1"], rig.member("r1h1").why) == (HostState.RETURNED, "drained by ann since: a disk")
    assert rig.world.out() == {"r1h1"}


async def test_hosts_that_are_tried_again_keep_the_limits_and_go_before_all_others(rig: CampaignRig) -> None:
    await failed(rig, "r1h1", "r2h1")
    rig.mend("r1h1")
    rig.mend("r2h1")
    rig.desk.resume("patch-1", "op", retry=True)
    together, second = list[set[str]](), list[str]()

    def listen() -> bool:
        under_way = {host for host, state in rig.states().items() if state is HostState.UNDER_WAY}
        together.append(under_way)
        second.extend(sorted(under_way - set(second)))
        return rig.state() is State.DONE

    await rig.live(timedelta(hours=6), listen)
    assert rig.state() is State.DONE, rig.conductor.memory.waits
    assert max(map(len, together)) == 1 and second == ["r1h1", "r2h1", "r2h2"]
    assert rig.failures == []


async def test_a_host_that_waits_to_be_tried_again_comes_back_verified_by_an_abort(rig: CampaignRig) -> None:
    await failed(rig, "r1h1", "r2h1")
    rig.mend("r1h1")
    rig.mend("r2h1")
    rig.desk.resume("patch-1", "op", retry=True)
    await rig.live(timedelta(minutes=1))
    assert rig.member("r2h1").waits_again
    rig.desk.abort("patch-1", "op", "")
    assert await rig.until(State.ABORTED) is State.ABORTED
    assert (rig.states()["r2h1"], rig.member("r2h1").attempt) == (HostState.RETURNED, 2)
    assert rig.world.out() == frozenset()


async def test_a_host_that_waits_to_be_tried_again_is_left_to_the_operator_who_works_on_it(rig: CampaignRig) -> None:
    await failed(rig, "r1h1")
    rig.mend("r1h1")
    rig.desk.resume("patch-1", "op", retry=True)
    mending(rig, "r1h1")
    await rig.live(timedelta(minutes=5))
    assert rig.member("r1h1").waits_again
    assert rig.conductor.memory.waits == "gdcc host reboot of r1h1 to end"
    mended(rig, "r1h1")
    assert await rig.until(State.DONE) is State.DONE


async def test_a_host_that_nova_refused_to_enable_is_not_taken_for_given_back(rig: CampaignRig) -> None:
    rig.world.refuses_to_enable = True
    await rig.begin(order(hosts=("r1h1",)))
    assert await rig.until(State.PAUSED) is State.PAUSED
    assert rig.journal.drains() == () and "enable: r1h1: 403" in rig.why()
    rig.desk.abort("patch-1", "op", "")
    assert await rig.until(State.ABORTED) is State.ABORTED
    assert (rig.states()["r1h1"], rig.world.out()) == (HostState.FAILED, {"r1h1"})


@pytest.mark.parametrize("retry", [True, False])
async def test_a_host_that_nova_enables_only_later_comes_back(rig: CampaignRig, retry: bool) -> None:
    rig.world.refuses_to_enable = True
    await rig.begin(order(hosts=("r1h1",)))
    await rig.until(State.PAUSED)
    rig.world.refuses_to_enable = False
    if retry:
        rig.desk.resume("patch-1", "op", retry=True)
    else:
        rig.desk.abort("patch-1", "op", "")
    assert await rig.until(State.DONE, State.ABORTED) is (State.DONE if retry else State.ABORTED)
    assert rig.states()["r1h1"] is (HostState.DONE if retry else HostState.RETURNED)
    assert rig.world.out() == frozenset()


async def test_a_failed_host_that_an_operator_has_enabled_is_not_called_out_of_service(tmp_path: Path) -> None:
    rig = CampaignRig(tmp_path, hosts=3)
    rig.world.broken[HostName("r1h1"), "host-verify.yml"] = "no route"
    await rig.begin(order(limits=Limits(hosts_at_once=2, failure_budget=1)))
    await rig.live(timedelta(hours=2), lambda: rig.states()["r1h1"] is HostState.FAILED)
    await rig.fleet.enable(HostName("r1h1"), "op", force=False)
    assert await rig.until(State.PAUSED, State.DONE) is State.DONE, rig.why()
    assert rig.states()["r1h1"] is HostState.RETURNED
    assert rig.member("r1h1").why.startswith("given back by an operator; it failed: verify: ")
    assert rig.failures == []
    rig.journal.close_store()


async def test_a_host_that_an_operator_has_enabled_and_that_is_tried_again_does_not_hold_the_campaign_still(
    rig: CampaignRig,
) -> None:
    for host in ("r1h1", "r1h2"):
        rig.world.broken[HostName(host), "host-verify.yml"] = "no route"
    await rig.begin(order(limits=Limits(hosts_at_once=1, failure_budget=1)))
    assert await rig.until(State.PAUSED) is State.PAUSED
    rig.desk.resume("patch-1", "op", retry=False)
    assert await rig.until(State.PAUSED) is State.PAUSED
    rig.mend("r1h1")
    await rig.fleet.enable(HostName("r1h1"), "op", force=False)
    rig.desk.resume("patch-1", "op", retry=True)
    assert await rig.until(State.PAUSED, State.DONE) is State.PAUSED, rig.conductor.memory.waits
    assert "r1h2 failed and is out, beside which no other may go" in rig.why()
    rig.desk.resume("patch-1", "op", retry=False)
    assert await rig.until(State.PAUSED, State.DONE) is State.PAUSED
    assert rig.states()["r1h1"] is HostState.DONE and rig.why().startswith("all others are done")


async def test_a_campaign_that_goes_on_again_does_not_say_that_it_is_paused(rig: CampaignRig) -> None:
    rig.freeze = "half of the hosts are not read"
    await rig.begin()
    rig.clock.advance(timedelta(seconds=1))
    await rig.conductor.turn()
    rig.desk.pause("patch-1", "op", "lunch")
    await rig.conductor.turn()
    assert rig.conductor.memory.waits == "paused: by op: lunch"
    rig.desk.resume("patch-1", "op", retry=False)
    await rig.conductor.turn()
    assert "half of the hosts" in rig.conductor.memory.waits


async def test_a_controller_that_only_pretends_goes_on_with_no_campaign(rig: CampaignRig) -> None:
    await rig.begin()
    await rig.live(timedelta(hours=20), lambda: bool(rig.world.runs))
    out, runs = rig.world.out(), len(rig.world.runs)
    rig.restart(dry_run=True)
    await rig.live(timedelta(minutes=20))
    assert rig.conductor.memory.waits.startswith("the controller runs dry")
    assert (rig.world.out(), len(rig.world.runs)) == (out, runs)
    rig.desk.pause("patch-1", "op", "")
    with pytest.raises(RefusedError, match="runs dry"):
        rig.desk.resume("patch-1", "op", retry=False)
    rig.restart()
    rig.desk.resume("patch-1", "op", retry=False)
    assert await rig.until(State.DONE) is State.DONE


async def test_a_drain_that_took_too_long_has_its_time_again_when_it_is_tried_again(rig: CampaignRig) -> None:
    rig.world.stuck = {HostName("r1h1")}
    await rig.begin(order(hosts=("r1h1",), work=Work(playbook="host-patch.yml", drain_minutes=4)))
    assert await rig.until(State.PAUSED) is State.PAUSED
    rig.desk.resume("patch-1", "op", retry=True)
    await rig.live(timedelta(minutes=2))
    assert rig.state() is State.RUNNING
    (drain,) = rig.journal.drains()
    rig.journal.save_drain(replace(drain, state=DrainState.EMPTY))
    assert await rig.until(State.DONE, State.PAUSED) is State.DONE, rig.why()


async def test_the_time_of_a_drain_stands_still_while_everything_is_paused(rig: CampaignRig) -> None:
    rig.world.stuck = {HostName("r1h1")}
    await rig.begin(order(hosts=("r1h1",), work=Work(playbook="host-patch.yml", drain_minutes=4)))
    await rig.live(timedelta(hours=1), lambda: bool(rig.world.out()))
    rig.journal.pause(Pause(scope=None, who="op", why="storm", since=rig.clock.now()))
    said: set[str] = set()

    def listen() -> bool:
        said.update(rig.conductor.memory.doing.values())
        return False

    await rig.live(timedelta(minutes=6), listen)
    assert "drain: everything is paused by op: storm" in said
    rig.restart()
    rig.journal.resume(None, "op", rig.clock.now())
    await rig.live(timedelta(minutes=3))
    assert rig.state() is State.RUNNING, rig.why()
    await rig.live(timedelta(minutes=2))
    assert rig.state() is State.PAUSED and "not empty after 0:04:00" in rig.why()


@pytest.mark.parametrize(
    "times",
    [
        {"windows": (windows.window("10:15-10:40"), windows.window("10:45-11:30"))},
        {"blackouts": (windows.window("10:40-10:45"),)},
    ],
)
async def test_no_host_is_begun_whose_window_closes_before_it_is_done_though_another_opens(
    rig: CampaignRig, times: dict[str, tuple[windows.Window, ...]]
) -> None:
    begun: list[str] = []
    rig.clock.advance(timedelta(minutes=15))
    rig.world.on_change = lambda: begun.append(f"{rig.clock.now():%H:%M}")
    await rig.begin(order(hosts=("r1h1",), **times))
    assert await rig.until(State.DONE) is State.DONE
    assert begun[0] >= "03:45", "10:45 in Bangkok"


@pytest.mark.parametrize(("letters", "taken"), [(40, True), (200, False)])
def test_a_campaign_whose_runs_could_not_be_named_is_refused(rig: CampaignRig, letters: int, taken: bool) -> None:
    name, host = "n" * 63, "h" * letters
    rig.estate = replace(rig.estate, hosts={host: replace(rig.estate.hosts["r1h1"], name=host)})
    if taken:
        rig.desk.new(order(name, hosts=(host,)), "op")
    else:
        with pytest.raises(InputError, match="are 46 characters too long for a run's id"):
            rig.desk.new(order(name, hosts=(host,)), "op")
    assert len(rig.desk.all()) == taken


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"limits": Limits(hosts_at_once=0)}, "limits.hosts_at_once is 0 and must be from 1 to 1,000"),
        ({"limits": Limits(failure_budget=-1)}, "limits.failure_budget is -1"),
        ({"canaries": Canaries(count=-1)}, "canaries.count is -1"),
        ({"canaries": Canaries(count=1, soak_minutes=math.nan)}, "canaries.soak_minutes is nan"),
        ({"work": Work(playbook="host-patch.yml", timeout_minutes=math.inf)}, "work.timeout_minutes is inf"),
        ({"work": Work(playbook="host-patch.yml", reboot_minutes=-5)}, "work.reboot_minutes is -5"),
    ],
)
def test_a_number_that_cannot_be_meant_is_refused(rig: CampaignRig, changes: dict[str, object], what: str) -> None:
    with pytest.raises(InputError, match=what):
        rig.desk.new(order(**changes), "op")
    assert rig.desk.all() == ()
