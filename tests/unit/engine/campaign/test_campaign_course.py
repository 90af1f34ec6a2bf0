"""A campaign from its start to its end over a fleet that behaves: order, limits, steps, failures, pause and abort."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.engine.campaign.choosing import Choice, Chooser, Facts
from controller.errors import InputError, RefusedError
from controller.model.campaign import Campaign, Canaries, HostState, Limits, Member, Reboot, State, Step, Work
from controller.model.ids import HostName
from controller.model.operation import DrainState, Pause
from inventory import windows
from tests.fakes.campaign_rig import CampaignRig, order
from tests.fakes.crash import Crash, Mortal

R1H1 = HostName("r1h1")


@pytest.fixture
def rig() -> Iterator[CampaignRig]:
    """Its journal is in memory where there is such a folder: these are no tests of the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        made = CampaignRig(Path(folder))
        yield made
        made.journal.close_store()


async def test_every_host_is_done_once_and_given_back_verified(rig: CampaignRig) -> None:
    await rig.begin()
    assert await rig.until(State.DONE, State.PAUSED) is State.DONE, rig.why()
    assert set(rig.states().values()) == {HostState.DONE}
    for host in rig.world.machines:
        done = [rig.world.done[host, what] for what in ("disable", "patch", "reboot", "enable")]
        assert done == [1, 1, 1, 1]
    assert rig.most_out == 2
    assert rig.failures == [] and rig.world.out() == frozenset()


async def test_the_steps_of_a_host_are_journaled_in_order(rig: CampaignRig) -> None:
    await rig.begin()
    await rig.until(State.DONE)
    steps = [record for record in rig.journal.campaigns.steps("patch-1", 100) if record.host == "r1h1"]
    assert [record.step for record in steps] == list(Step)
    assert all(record.succeeded and record.ended_at is not None for record in steps)
    assert steps[1].boot_id == "r1h1-1" and steps[2].reboot_required


async def test_a_reboot_alone_needs_no_work_and_a_work_without_need_no_reboot(rig: CampaignRig) -> None:
    await rig.begin(order(hosts=("r1h1",), work=Work(reboot=Reboot.ALWAYS)))
    await rig.until(State.DONE)
    assert (rig.world.done[HostName("r1h1"), "patch"], rig.world.done[HostName("r1h1"), "reboot"]) == (0, 1)
    await rig.begin(order("never", hosts=("r1h2",), work=Work(playbook="host-patch.yml", reboot=Reboot.NEVER)))
    await rig.until(State.DONE, name="never")
    assert (rig.world.done[HostName("r1h2"), "patch"], rig.world.done[HostName("r1h2"), "reboot"]) == (1, 0)


async def test_the_rest_waits_until_the_canaries_are_verified_and_have_soaked(rig: CampaignRig) -> None:
    await rig.begin(order(canaries=Canaries(hosts=("r2h2",), soak_minutes=15)))
    await rig.live(timedelta(hours=20), lambda: rig.states()["r2h2"] is HostState.DONE)
    await rig.live(timedelta(minutes=10))
    assert sorted(rig.states().values()) == ["done", "waiting", "waiting", "waiting"]
    assert "soak until" in rig.conductor.memory.waits
    assert await rig.until(State.DONE) is State.DONE


async def test_a_failed_host_stays_out_and_pauses_the_campaign_with_host_task_and_line(rig: CampaignRig) -> None:
    rig.world.broken[HostName("r1h1"), "host-verify.yml"] = "swappiness is 60, declared 10"
    await rig.begin()
    assert await rig.until(State.PAUSED, State.DONE) is State.PAUSED
    assert "r1h1: host-verify.yml: Prove it: swappiness is 60, declared 10" in rig.why()
    assert rig.world.out() == {"r1h1"}
    assert rig.member("r1h1").state is HostState.FAILED
    with pytest.raises(RefusedError, match="nothing to pause"):
        rig.desk.pause("patch-1", "op", "")


async def test_a_failed_host_is_tried_again_once_it_is_mended(rig: CampaignRig) -> None:
    rig.world.broken[HostName("r1h1"), "host-verify.yml"] = "broken"
    await rig.begin()
    await rig.until(State.PAUSED)
    rig.mend("r1h1")
    rig.desk.resume("patch-1", "op", retry=True)
    assert await rig.until(State.DONE, State.PAUSED) is State.DONE, rig.why()
    assert rig.world.done[HostName("r1h1"), "patch"] == 1 and rig.member("r1h1").attempt == 2
    assert rig.failures == []


async def test_a_campaign_is_not_done_while_a_failed_host_is_out(rig: CampaignRig) -> None:
    rig.world.broken[HostName("r2h2"), "host-patch.yml"] = "no space left on device"
    await rig.begin(order(limits=Limits(hosts_at_once=1, failure_budget=1)))
    assert await rig.until(State.PAUSED, State.DONE) is State.PAUSED
    assert rig.why().startswith("all others are done; out of service: r2h2:")
    with pytest.raises(RefusedError, match="failed hosts hold it"):
        rig.desk.resume("patch-1", "op", retry=False)


async def test_no_host_is_begun_after_one_failed_while_the_planner_proved_it(
    rig: CampaignRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.world.broken[R1H1, "host-verify.yml"] = "broken"
    chooser, proved = Chooser.choose, list[str]()

    async def slowly(self: Chooser, campaign: Campaign, members: Sequence[Member], facts: Facts) -> Choice:
        choice = await chooser(self, campaign, members, facts)
        while choice.hosts and rig.states()["r1h1"] is HostState.UNDER_WAY:
            proved.extend(member.host for member in choice.hosts)
            await rig.clock.sleep(timedelta(seconds=1))
        return replace(choice, hosts=choice.hosts[:1])

    monkeypatch.setattr(Chooser, "choose", slowly)
    await rig.begin()
    assert await rig.until(State.PAUSED, State.DONE) is State.PAUSED
    assert "r1h2" in proved and rig.states()["r1h2"] is HostState.WAITING


async def test_a_pause_finishes_the_host_under_way_and_begins_no_other(rig: CampaignRig) -> None:
    await rig.begin()
    await rig.live(timedelta(hours=1), lambda: HostState.UNDER_WAY in rig.states().values())
    rig.desk.pause("patch-1", "op", "lunch")
    await rig.live(timedelta(hours=1))
    assert sorted(rig.states().values()) == ["done", "done", "waiting", "waiting"]
    rig.desk.resume("patch-1", "op", retry=False)
    assert await rig.until(State.DONE) is State.DONE


async def test_a_pause_of_everything_begins_no_host(rig: CampaignRig) -> None:
    rig.journal.pause(Pause(scope=None, who="op", why="storm", since=rig.clock.now()))
    await rig.begin()
    await rig.live(timedelta(minutes=5))
    assert set(rig.states().values()) == {HostState.WAITING}
    assert rig.conductor.memory.waits == "everything is paused by op: storm"


async def test_a_freeze_begins_no_host(rig: CampaignRig) -> None:
    rig.freeze = "half of the hosts are not read"
    await rig.begin()
    await rig.live(timedelta(minutes=10))
    assert set(rig.states().values()) == {HostState.WAITING}
    assert "half of the hosts" in rig.conductor.memory.waits


async def test_hosts_are_begun_only_in_the_window_and_never_right_before_its_end(rig: CampaignRig) -> None:
    await rig.begin(order(windows=(windows.window("10:15-11:00"),), hosts=("r1h1",)))
    begun: list[str] = []
    rig.world.on_change = lambda: begun.append(f"{rig.clock.now():%H:%M}")
    assert await rig.until(State.DONE) is State.DONE
    assert begun[0].startswith("03:1"), "10:15 in Bangkok"


async def test_an_abort_gives_a_host_in_its_drain_back_untouched(rig: CampaignRig) -> None:
    rig.world.stuck = {HostName("r1h1")}
    await rig.begin()
    await rig.live(timedelta(hours=20), lambda: bool(rig.world.out()))
    assert rig.world.out() == {"r1h1", "r1h2"}
    rig.desk.abort("patch-1", "op", "wrong kernel")
    assert await rig.until(State.ABORTED) is State.ABORTED
    assert rig.states()["r1h1"] is HostState.UNTOUCHED
    assert rig.world.out() == frozenset() and rig.world.done[HostName("r1h1"), "patch"] == 0


async def test_an_abort_finishes_what_is_being_worked_on_and_gives_it_back_verified(rig: CampaignRig) -> None:
    await rig.begin()
    await rig.live(timedelta(hours=1), lambda: any(rig.world.done[host, "patch"] for host in rig.world.machines))
    rig.desk.abort("patch-1", "op", "")
    assert await rig.until(State.ABORTED) is State.ABORTED
    assert rig.states() == {"r1h1": "done", "r1h2": "done", "r2h1": "untouched", "r2h2": "untouched"}
    assert rig.world.out() == frozenset()


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[CampaignRig]:
    """A rack of five hosts whose playbooks are run one at a time."""
    made = CampaignRig(tmp_path, racks=1, hosts=5)
    made.world.at_once = 1
    made.restart()
    yield made
    made.journal.close_store()


FOUR = tuple(f"r1h{number}" for number in range(1, 5))


@pytest.mark.parametrize("work", [Work(playbook="host-patch.yml"), Work(reboot=Reboot.ALWAYS)])
async def test_an_abort_gives_hosts_back_untouched_that_only_wait_for_a_playbooks_place(
    crowd: CampaignRig, work: Work
) -> None:
    await crowd.begin(order(hosts=FOUR, work=work, limits=Limits(hosts_at_once=4)))
    deed = "patch" if work.playbook else "reboot"
    await crowd.live(timedelta(hours=3), lambda: any(crowd.world.done[HostName(host), deed] for host in FOUR))
    crowd.desk.abort("patch-1", "op", "a bad kernel")
    assert await crowd.until(State.ABORTED) is State.ABORTED
    assert sorted(crowd.states().values()) == ["done", "untouched", "untouched", "untouched"]
    assert sum(crowd.world.done[HostName(host), deed] for host in FOUR) == 1
    assert crowd.world.out() == frozenset()


async def test_a_reboot_that_was_put_off_before_it_began_is_not_taken_for_one_of_a_process_that_died(
    rig: CampaignRig,
) -> None:
    await rig.begin(order(hosts=("r1h1",)))
    rig.world.late_in_line = {(R1H1, "host-reboot.yml")}
    await rig.live(timedelta(hours=1), lambda: bool(rig.world.late))
    rig.world.late, rig.world.silent = set(), {R1H1}
    assert await rig.until(State.PAUSED, longest=timedelta(minutes=5)) is State.PAUSED
    assert "reboot: r1h1: host-reboot.yml: Begin: Connection timed out" in rig.why()


async def test_an_abort_gives_a_failed_host_back_only_if_it_verifies_now(rig: CampaignRig) -> None:
    rig.world.broken[HostName("r1h1"), "host-patch.yml"] = "dpkg is locked"
    rig.world.broken[HostName("r2h1"), "host-verify.yml"] = "no route"
    await rig.begin(order(limits=Limits(hosts_at_once=1)))
    assert await rig.until(State.PAUSED) is State.PAUSED
    rig.desk.resume("patch-1", "op", retry=False)
    assert await rig.until(State.PAUSED) is State.PAUSED
    rig.desk.abort("patch-1", "op", "")
    assert await rig.until(State.ABORTED) is State.ABORTED
    states = rig.states()
    assert (states["r1h1"], states["r2h1"]) == (HostState.RETURNED, HostState.FAILED)
    assert "no route" in rig.member("r2h1").why and rig.world.out() == {"r2h1"}


async def test_a_campaign_that_was_never_started_is_aborted_at_once(rig: CampaignRig) -> None:
    rig.desk.new(order(), "op")
    assert rig.desk.abort("patch-1", "op", "").endswith("nothing was begun.")
    assert rig.state() is State.ABORTED and set(rig.states().values()) == {HostState.UNTOUCHED}


async def test_a_campaign_without_a_host_that_is_left_ends(rig: CampaignRig) -> None:
    await rig.begin()
    untouched = [replace(member, state=HostState.UNTOUCHED) for member in rig.journal.campaigns.members("patch-1")]
    rig.journal.campaigns.save_members(untouched)
    assert await rig.until(State.DONE) is State.DONE


class DiesAtSave:
    """Kills where a campaign is about to be saved: what was written before it would stand alone."""

    def step(self, name: str, args: tuple[object, ...], *, done: bool) -> None:
        if name == "save":
            raise Crash


async def test_a_resume_that_dies_leaves_failed_hosts_as_they_were(rig: CampaignRig) -> None:
    rig.world.broken[R1H1, "host-verify.yml"] = "broken"
    await rig.begin()
    await rig.until(State.PAUSED)
    rig.restart(lambda port: Mortal(port, DiesAtSave()))
    with pytest.raises(Crash):
        rig.desk.resume("patch-1", "op", retry=True)
    assert (rig.state(), rig.states()["r1h1"]) == (State.PAUSED, HostState.FAILED)


async def test_an_abort_that_dies_leaves_a_campaign_that_was_never_started_as_it_was(rig: CampaignRig) -> None:
    rig.desk.new(order(), "op")
    rig.restart(lambda port: Mortal(port, DiesAtSave()))
    with pytest.raises(Crash):
        rig.desk.abort("patch-1", "op", "")
    assert rig.state() is State.NEW and set(rig.states().values()) == {HostState.WAITING}


async def test_two_campaigns_never_go_on_together(rig: CampaignRig) -> None:
    await rig.begin()
    rig.desk.new(order("other"), "op")
    with pytest.raises(RefusedError, match="campaign patch-1 goes on") as refused:
        rig.desk.start("other", "op")
    assert refused.value.rule == "one-campaign"
    with pytest.raises(RefusedError, match="of this name is in the journal"):
        rig.desk.new(order("other"), "op")


@pytest.mark.parametrize(("change", "rule"), [({"enabled": False}, "disabled"), ({"up": False}, "down")])
async def test_a_host_that_cannot_be_begun_is_told_with_its_rule_and_the_others_go_on(
    rig: CampaignRig, change: dict[str, object], rule: str
) -> None:
    rig.break_host("r1h1", **change)
    await rig.begin()
    await rig.live(timedelta(hours=3), lambda: rig.conductor.memory.waits.startswith("no host can be begun"))
    assert [host for host, state in rig.states().items() if state is HostState.DONE] == ["r1h2", "r2h1", "r2h2"]
    assert [(held.host, held.rule) for held in rig.conductor.memory.held] == [("r1h1", rule)]


async def test_a_host_without_room_for_its_servers_elsewhere_is_held_by_the_rule_that_says_so(
    rig: CampaignRig,
) -> None:
    for host in ("r1h2", "r2h1", "r2h2"):
        rig.break_host(host, clearance=0)
    rig.break_host("r1h2", up=False)
    rig.break_host("r2h1", up=False)
    rig.break_host("r2h2", up=False)
    await rig.begin(order(hosts=("r1h1",)))
    await rig.live(timedelta(minutes=10))
    (held,) = rig.conductor.memory.held
    assert held.host == "r1h1" and held.rule == "down" and "vm-r1h1 stays on r1h1" in held.why


async def test_a_host_that_never_answers_fails_at_its_first_look_and_says_so(rig: CampaignRig) -> None:
    rig.world.silent = {HostName("r1h1")}
    await rig.begin(order(hosts=("r1h1",)))
    assert await rig.until(State.PAUSED) is State.PAUSED
    assert "look: r1h1: host-boot-id.yml: Begin: Connection timed out" in rig.why()
    assert rig.world.done[HostName("r1h1"), "patch"] == 0


async def test_a_drain_that_does_not_end_fails_its_host_after_its_time(rig: CampaignRig) -> None:
    rig.world.stuck = {HostName("r1h1")}
    await rig.begin(order(hosts=("r1h1",), work=Work(playbook="host-patch.yml", drain_minutes=4)))
    assert await rig.until(State.PAUSED) is State.PAUSED
    assert "not empty after 0:04:00" in rig.why()


async def test_a_host_given_back_by_an_operator_midway_is_not_worked_on(rig: CampaignRig) -> None:
    await rig.begin(order(hosts=("r1h1",)))

    def ended() -> bool:
        for drain in rig.journal.drains():
            rig.journal.save_drain(replace(drain, state=DrainState.ENDED))
        return rig.state() is State.PAUSED

    await rig.live(timedelta(hours=1), ended)
    assert "somebody else ended its drain" in rig.why()
    assert rig.world.done[HostName("r1h1"), "patch"] == 0


async def test_nothing_is_done_to_a_host_while_nova_cannot_say_that_it_is_empty(rig: CampaignRig) -> None:
    await rig.begin(order(hosts=("r1h1",), work=Work(playbook="host-patch.yml", drain_minutes=10)))
    await rig.live(timedelta(hours=1), lambda: bool(rig.world.done[R1H1, "patch"]))
    rig.world.nova_is_down = True
    await rig.live(timedelta(minutes=20))
    assert rig.states() == {"r1h1": HostState.UNDER_WAY} and rig.world.done[R1H1, "reboot"] == 0
    rig.world.nova_is_down = False
    assert await rig.until(State.DONE) is State.DONE, rig.why()


async def test_a_host_onto_which_a_server_came_late_waits_until_it_has_left(rig: CampaignRig) -> None:
    await rig.begin(order(hosts=("r1h1",)))
    await rig.live(timedelta(hours=1), lambda: bool(rig.world.done[R1H1, "patch"]))
    rig.world.late = {R1H1}
    await rig.live(timedelta(minutes=10))
    assert rig.states() == {"r1h1": HostState.UNDER_WAY} and rig.world.done[R1H1, "reboot"] == 0
    rig.world.late = set()
    assert await rig.until(State.DONE) is State.DONE, rig.why()


@pytest.mark.parametrize("playbook", ["host-boot-id.yml", "host-patch.yml", "host-reboot.yml"])
async def test_a_host_onto_which_a_server_came_while_its_playbook_stood_in_line_waits_too(
    rig: CampaignRig, playbook: str
) -> None:
    await rig.begin(order(hosts=("r1h1",)))
    rig.world.late_in_line = {(R1H1, playbook)}
    await rig.live(timedelta(minutes=10))
    assert all(run.playbook != playbook for run in rig.world.runs), "it was done beside a server"
    rig.world.late = set()
    assert await rig.until(State.DONE) is State.DONE
    assert all(count == 1 for count in rig.world.done.values())


async def test_a_host_that_is_not_empty_any_more_and_not_worked_on_yet_is_given_back_by_an_abort(
    rig: CampaignRig,
) -> None:
    rig.world.late = {R1H1}
    await rig.begin(order(hosts=("r1h1",)))
    await rig.live(timedelta(minutes=10))
    assert rig.world.runs == []
    rig.desk.abort("patch-1", "op", "")
    assert await rig.until(State.ABORTED) is State.ABORTED
    assert rig.states() == {"r1h1": HostState.UNTOUCHED} and rig.world.out() == frozenset()


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (order("Bad Name"), "no name"),
        (order("newest"), "no name"),
        (order(work=Work(playbook="host-fly.yml")), "no playbook 'host-fly.yml'"),
        (order(work=Work()), "does nothing"),
        (
            order(work=Work(playbook="host-patch.yml", variables={"patch_package": ("a",), "grue": 1})),
            r"campaign patch-1: no playbook or role has grue, patch_package \(did you mean patch_packages\?\)",
        ),
        (
            order(work=Work(playbook="host-patch.yml", variables={"grue": 1})),
            r"campaign patch-1: no playbook or role has grue$",
        ),
        (
            order(work=Work(playbook="host-patch.yml", variables={"bmc_password": "grue-47"})),
            r"kept in clear, and bmc_password is secret \(keep it in a vault",
        ),
        (
            order(work=Work(playbook="host-patch.yml", tags=("pacth",))),
            r"campaign patch-1: nothing in host-patch\.yml is tagged pacth \(did you mean patch\?\)",
        ),
        (
            order(work=Work(playbook="host-patch.yml", tags=("grue",))),
            r"nothing in host-patch\.yml is tagged grue \(one of all, patch\)",
        ),
        (order(hosts=("r9h9",)), "no host of the inventory"),
        (order(hosts=("planet:earth",)), "no dimension"),
        (order(hosts=("rack:r9",)), "no host of the inventory is there"),
        (order(canaries=Canaries(hosts=("r2h1",)), hosts=("rack:r1",)), "not among its hosts"),
        (order(canaries=Canaries(count=1, hosts=("r1h1",))), "both by count and by name"),
    ],
)
async def test_an_order_that_cannot_be_meant_is_refused(rig: CampaignRig, asked: object, what: str) -> None:
    with pytest.raises(InputError, match=what):
        rig.desk.new(asked, "op")  # type: ignore[arg-type]
    assert rig.desk.all() == ()


async def test_an_order_with_known_variables_is_taken(rig: CampaignRig) -> None:
    work = Work(playbook="host-patch.yml", variables={"patch_packages": ("openssl",), "patch_lock_timeout_s": 60})
    assert rig.desk.new(order(work=work), "op").startswith("Campaign patch-1: 4 hosts")


async def test_progress_tells_counts_what_it_waits_for_and_when_it_ends(rig: CampaignRig) -> None:
    assert rig.desk.progress(None) is None
    await rig.begin()
    await rig.live(timedelta(hours=5), lambda: list(rig.states().values()).count(HostState.DONE) == 2)
    seen = rig.desk.progress(None)
    assert seen is not None
    assert (seen.count(HostState.DONE), seen.campaign.state) == (2, State.RUNNING)
    assert seen.host_time is not None and seen.ends_at is not None
    assert seen.ends_at > rig.clock.now() and seen.seconds[Step.REBOOT] >= 40
    await rig.until(State.DONE)
    ended = rig.desk.progress("patch-1")
    assert ended is not None and (ended.ends_at, ended.waits, ended.waves_left) == (None, "", 0)
