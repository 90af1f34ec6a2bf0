"""What `gdcc host` does to hosts, step by step, and what stays when it fails or is killed."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from controller.engine.host_work.order import Ended, Order, Outcome
from controller.engine.host_work.work import HostWork
from controller.errors import PermanentError, RefusedError
from controller.model.host_run import HostRunState, HostStep, HostVerb
from controller.model.ids import HostName
from controller.model.playbook import PlaybookRun
from tests.fakes.clock import VirtualClock
from tests.fakes.host_work import FakeController, FakeHosts, KilledError, Silent
from tests.fakes.journals import START

DISTURBING = {"host-reboot.yml", "host-decommission.yml"}


class Bench:
    """Hosts c1 and c2, their controller, and what is asked of them."""

    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        self.hosts = FakeHosts(self.clock, "c1", "c2")
        self.controller = FakeController(self.clock)
        self.watcher = Silent()
        self.hosts.before = self._never_on_a_full_host

    def _never_on_a_full_host(self, run: PlaybookRun) -> None:
        if run.playbook in DISTURBING and not run.check:
            for host in run.hosts:
                assert host in self.controller.unlisted or self.controller.empty(host), f"{run.playbook} on {host}"

    async def do(self, verb: HostVerb, *hosts: str, **more: Any) -> tuple[Outcome, ...]:
        order = Order(verb=verb, hosts=tuple(map(HostName, hosts)), timeout=timedelta(hours=1), **more)
        return await HostWork(self.hosts, self.controller, self.clock, self.watcher).do(order)

    def played(self) -> list[str]:
        return [run.playbook for run in self.hosts.runs]


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_reboot_drains_reboots_verifies_and_gives_back_one_host_after_the_other(bench: Bench) -> None:
    outcomes = await bench.do(HostVerb.REBOOT, "c1", "c2")
    assert [outcome.said for outcome in outcomes] == ["c1 is enabled.", "c2 is enabled."]
    assert bench.played() == ["host-boot-id.yml", "host-reboot.yml", "host-verify.yml"] * 2
    assert bench.hosts.boots == {"c1": 2, "c2": 2}
    assert bench.controller.enabled == ["c1", "c2"]
    steps = [step for host, step, _ in bench.controller.saved if host == "c1"]
    assert list(dict.fromkeys(steps)) == [step for step in HostStep if step is not HostStep.PLAY]


async def test_a_host_that_fails_its_verification_stays_out_and_the_next_is_not_begun(bench: Bench) -> None:
    bench.hosts.failing = {"host-verify.yml": {"c1"}}
    first, second = await bench.do(HostVerb.REBOOT, "c1", "c2")
    assert first.ended is Ended.FAILED
    assert first.said == (
        "c1: verify failed: Prove it: declared 9000, found 1500; it stays disabled: put it right, then "
        "gdcc host enable c1, which verifies it first"
    )
    assert second.ended is Ended.NOT_BEGUN
    assert bench.controller.enabled == []
    assert bench.controller.empty("c1")


async def test_a_host_that_cannot_be_emptied_is_not_touched_and_says_who_must_act(bench: Bench) -> None:
    bench.controller.stuck = {"c1"}
    (outcome,) = await bench.do(HostVerb.REBOOT, "c1")
    assert "c1: drain failed: it cannot be emptied: db-1 is in ERROR (its agency)" in outcome.said
    assert bench.played() == []


async def test_a_verb_says_that_it_waits_while_everything_is_paused_and_goes_on_after_it(bench: Bench) -> None:
    bench.controller.stuck, bench.controller.paused = {"c1"}, "everything is paused by op: storm"
    bench.controller.resumed_at_look = 60
    (outcome,) = await bench.do(HostVerb.REBOOT, "c1")
    assert bench.watcher.waited == [
        ("c1", "everything is paused by op: storm"),
        ("c1", "nothing holds its drain up any more; it goes on"),
    ]
    assert "cannot be emptied" in outcome.said, "what stands still in a pause is not stuck for that"
    assert bench.controller.looks("c1") > 60


async def test_a_host_is_not_rebooted_while_nova_cannot_say_that_it_is_empty(bench: Bench) -> None:
    before = bench.hosts.before

    def nova_falls_silent(run: PlaybookRun) -> None:
        before(run)
        bench.controller.unheard = 3 if run.playbook == "host-boot-id.yml" else bench.controller.unheard
        assert run.playbook != "host-reboot.yml" or not bench.controller.unheard

    bench.hosts.before = nova_falls_silent
    (outcome,) = await bench.do(HostVerb.REBOOT, "c1")
    assert outcome.ended is Ended.DONE
    assert bench.watcher.waited == [
        ("c1", "it was empty, and nobody can say whether it still is: c1: Nova does not answer")
    ]


async def test_a_host_onto_which_a_server_came_late_is_not_rebooted_before_it_has_left(bench: Bench) -> None:
    before = bench.hosts.before

    def comes_late(run: PlaybookRun) -> None:
        before(run)
        bench.controller.late |= {"c1"} if run.playbook == "host-boot-id.yml" else set()
        assert run.playbook != "host-reboot.yml" or not bench.controller.late

    bench.hosts.before = comes_late
    (outcome,) = await bench.do(HostVerb.REBOOT, "c1")
    assert outcome.ended is Ended.DONE


async def test_somebody_elses_drain_is_used_and_left_to_them(bench: Bench) -> None:
    bench.controller.put("c1", "a disk is being changed")
    (outcome,) = await bench.do(HostVerb.REBOOT, "c1")
    assert outcome.ended is Ended.DONE
    assert bench.controller.enabled == []
    assert outcome.said == "c1 is left as it was: it was not taken out of service by this verb."


async def test_a_drain_that_lets_servers_stay_is_not_enough_for_the_end_of_a_host(bench: Bench) -> None:
    bench.controller.put("c1", "gdcc host reboot", keep_shutoff=True)
    (outcome,) = await bench.do(HostVerb.DECOMMISSION, "c1")
    assert "lets servers that are shut off stay" in outcome.said
    assert bench.played() == []


async def test_a_decommissioned_host_is_not_given_back(bench: Bench) -> None:
    (outcome,) = await bench.do(HostVerb.DECOMMISSION, "c1")
    assert outcome.ended is Ended.DONE
    assert bench.controller.enabled == []
    assert "it stays disabled" in outcome.said


async def test_a_host_that_nova_does_not_list_yet_needs_no_drain_and_one_it_should_list_is_refused(
    bench: Bench,
) -> None:
    bench.controller.unlisted = {"c1", "c2"}
    new, missing = await bench.do(HostVerb.REBOOT, "c1", "c2", elsewhere=frozenset({HostName("c1")}))
    assert new.ended is Ended.DONE
    assert "Nova has no compute service of this name" in missing.said
    assert bench.hosts.boots == {"c1": 2, "c2": 1}


@pytest.mark.parametrize("required", [True, False])
async def test_a_patch_reboots_only_where_a_package_asks_for_it(bench: Bench, required: bool) -> None:
    bench.hosts.reboot_required = {"c1"} if required else set()
    await bench.do(HostVerb.PATCH, "c1", reboot=True)
    assert bench.hosts.boots["c1"] == 1 + required
    assert bench.controller.enabled == ["c1"]


async def test_a_patch_without_its_reboot_leaves_the_host_in_service_and_says_who_asks(bench: Bench) -> None:
    bench.hosts.reboot_required = {"c1"}
    first, _ = await bench.do(HostVerb.PATCH, "c1", "c2")
    assert bench.controller.drained == {}
    assert first.said == "c1: changed 0; a reboot is asked for by linux-image-amd64"
    assert [run.hosts for run in bench.hosts.runs] == [("c1", "c2"), ("c1", "c2")]


async def test_one_host_that_fails_in_place_breaks_the_others_off_and_they_are_told_as_that(bench: Bench) -> None:
    bench.hosts.failing = {"host-configure.yml": {"c1"}}
    first, second = await bench.do(HostVerb.CONFIGURE, "c1", "c2")
    assert (first.ended, second.ended) == (Ended.FAILED, Ended.BROKEN_OFF)
    why = "it was broken off, since c1 failed; 1 of its tasks had changed it, and it is not verified"
    assert second.said == f"c2: play is not done: {why}"
    assert bench.played() == ["host-configure.yml"]
    assert not await bench.controller.open_runs()


async def test_a_few_that_fail_in_place_of_many_do_not_hold_the_others_up(bench: Bench) -> None:
    many = tuple(f"h{n:02}" for n in range(20))
    bench.hosts.boots |= dict.fromkeys(map(HostName, many), 1)
    bench.hosts.failing = {"host-patch.yml": {"h00", "h01"}, "host-verify.yml": {"h02"}}
    outcomes = await bench.do(HostVerb.PATCH, *many)
    assert [one.host for one in outcomes if one.ended is Ended.FAILED] == ["h00", "h01", "h02"]
    assert [one.host for one in outcomes if one.ended is Ended.DONE] == list(many[3:])
    assert bench.hosts.runs[-1].hosts == many[2:]


@pytest.mark.parametrize("check", [False, True])
async def test_a_look_is_made_batch_by_batch_and_one_that_cannot_be_made_costs_no_other_its_results(
    bench: Bench, check: bool
) -> None:
    many = tuple(f"h{n}" for n in range(7))
    bench.hosts.boots |= dict.fromkeys(map(HostName, many), 1)
    playbook = "host-configure.yml" if check else "host-verify.yml"
    bench.hosts.failing = {playbook: {"h1"}}

    def ansible_gives_up_over_the_second(run: PlaybookRun) -> None:
        if "h3" in run.hosts:
            bench.hosts.error = PermanentError("Ansible gave up: it said nothing", where=playbook)

    bench.hosts.before = ansible_gives_up_over_the_second
    outcomes = await bench.do(HostVerb.CONFIGURE if check else HostVerb.VERIFY, *many, check=check, looks_at_once=3)
    assert [run.hosts for run in bench.hosts.runs] == [many[:3], many[3:6], many[6:]]
    assert {run.timeout for run in bench.hosts.runs} == {timedelta(hours=1)}
    assert len({run.id for run in bench.hosts.runs}) == 3
    assert [one.host for one in outcomes if one.ended is Ended.DONE] == ["h0", "h2", "h6"]
    assert all("Ansible gave up" in one.said for one in outcomes[3:6])


async def test_a_check_writes_nothing_and_drains_nothing(bench: Bench) -> None:
    (outcome,) = await bench.do(HostVerb.REBOOT, "c1", check=True)
    assert outcome.said == "c1: would change 0"
    assert bench.controller.records == {}
    assert bench.controller.drained == {}
    assert bench.hosts.runs[0].check


async def test_enabling_verifies_first(bench: Bench) -> None:
    bench.hosts.failing = {"host-verify.yml": {"c1"}}
    first, second = await bench.do(HostVerb.VERIFY, "c1", "c2", give_back=True)
    assert first.said.endswith("it was not enabled")
    assert second.said == "c2 is enabled."
    assert bench.controller.enabled == ["c2"]


async def test_a_disable_of_somebody_else_is_not_undone_and_holds_no_other_host_up(bench: Bench) -> None:
    bench.controller.others = {"c2"}
    first, second = await bench.do(HostVerb.VERIFY, "c1", "c2", give_back=True)
    assert (first.ended, first.said) == (Ended.DONE, "c1 is enabled.")
    assert second.ended is Ended.FAILED
    assert "was disabled by somebody else: disk" in second.said


async def test_a_host_whose_boot_is_not_known_is_not_rebooted(bench: Bench) -> None:
    bench.hosts.mute = {"c1"}
    (outcome,) = await bench.do(HostVerb.REBOOT, "c1")
    assert "host-boot-id.yml told no boot id" in outcome.said
    assert bench.hosts.boots["c1"] == 1


async def test_ansible_that_cannot_run_is_a_failure_of_that_step(bench: Bench) -> None:
    bench.hosts.error = PermanentError("Ansible gave up: no such role", where="host-configure.yml")
    (outcome,) = await bench.do(HostVerb.CONFIGURE, "c1")
    assert outcome.said == "c1: play failed: host-configure.yml: Ansible gave up: no such role"
    assert not await bench.controller.open_runs()


@pytest.mark.parametrize("playbook", ["host-boot-id.yml", "host-reboot.yml", "host-verify.yml"])
async def test_a_killed_reboot_goes_on_by_the_same_verb_and_reboots_once(bench: Bench, playbook: str) -> None:
    bench.hosts.dies_in = playbook
    with pytest.raises(KilledError):
        await bench.do(HostVerb.REBOOT, "c1")
    (left,) = await bench.controller.open_runs()
    assert left.state is HostRunState.OPEN
    (outcome,) = await bench.do(HostVerb.REBOOT, "c1")
    assert outcome.said.startswith("c1 is enabled.")
    assert bench.hosts.boots["c1"] == 2
    assert len(bench.controller.records) == 1


async def test_another_verb_is_refused_while_a_run_is_open(bench: Bench) -> None:
    bench.hosts.dies_in = "host-reboot.yml"
    with pytest.raises(KilledError):
        await bench.do(HostVerb.REBOOT, "c1")
    with pytest.raises(RefusedError, match=r"reboot of c1 by ann is open at reboot since 2026-11-02 03:00"):
        await bench.do(HostVerb.PATCH, "c1", "c2")
    assert bench.played()[-1] == "host-reboot.yml"


async def test_a_cancelled_verb_leaves_its_run_open(bench: Bench) -> None:
    bench.controller.looks_to_empty = 10**9
    task = asyncio.create_task(bench.do(HostVerb.REBOOT, "c1"))
    await bench.controller.written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [run.step for run in await bench.controller.open_runs()] == [HostStep.DRAIN]


async def test_a_host_that_a_campaign_works_on_is_not_begun_and_leaves_no_other_record_open(bench: Bench) -> None:
    bench.controller.in_campaigns = {"c2"}
    first, second = await bench.do(HostVerb.CONFIGURE, "c1", "c2")
    assert (first.ended, second.ended) == (Ended.DONE, Ended.NOT_BEGUN)
    assert second.said == "c2: not begun: campaign kernel-6.1 works on it"
    assert {run.hosts for run in bench.hosts.runs} == {("c1",)}
    assert await bench.controller.open_runs() == ()


async def test_a_verb_in_place_does_not_end_the_record_of_one_that_took_the_host_out(bench: Bench) -> None:
    bench.hosts.dies_in = "host-patch.yml"
    with pytest.raises(KilledError):
        await bench.do(HostVerb.PATCH, "c1", reboot=True)
    with pytest.raises(RefusedError, match="patch of c1 by ann took it out of service and is open at play") as refused:
        await bench.do(HostVerb.PATCH, "c1")
    assert "--reboot" in refused.value.remedy
    (outcome,) = await bench.do(HostVerb.PATCH, "c1", reboot=True)
    assert outcome.ended is Ended.DONE
    assert bench.controller.enabled == ["c1"]


async def test_a_verb_that_takes_out_begins_anew_where_one_in_place_was_killed(bench: Bench) -> None:
    bench.hosts.reboot_required = {"c1"}
    bench.hosts.dies_in = "host-verify.yml"
    with pytest.raises(KilledError):
        await bench.do(HostVerb.PATCH, "c1")
    await bench.do(HostVerb.PATCH, "c1", reboot=True)
    assert bench.hosts.boots["c1"] == 2
    assert bench.controller.enabled == ["c1"]


async def test_a_run_that_was_killed_before_its_host_was_enabled_verifies_it_once_more(bench: Bench) -> None:
    bench.controller.refuses_to_enable = KilledError()
    with pytest.raises(KilledError):
        await bench.do(HostVerb.REBOOT, "c1")
    bench.hosts.failing = {"host-verify.yml": {"c1"}}
    (outcome,) = await bench.do(HostVerb.REBOOT, "c1")
    assert outcome.ended is Ended.FAILED
    assert bench.controller.enabled == []
    assert bench.hosts.boots["c1"] == 2


async def test_what_was_gone_on_with_is_said(bench: Bench) -> None:
    bench.hosts.dies_in = "host-verify.yml"
    with pytest.raises(KilledError):
        await bench.do(HostVerb.REBOOT, "c1")
    (outcome,) = await bench.do(HostVerb.REBOOT, "c1")
    assert outcome.said == "c1 is enabled. Gone on with from verify, as begun by ann at 2026-11-02 03:00."


async def test_a_drain_that_somebody_began_meanwhile_for_another_reason_is_not_ended(bench: Bench) -> None:
    bench.hosts.dies_in = "host-verify.yml"
    with pytest.raises(KilledError):
        await bench.do(HostVerb.REBOOT, "c1")
    bench.controller.put("c1", "a disk is being changed")
    (outcome,) = await bench.do(HostVerb.REBOOT, "c1")
    assert bench.controller.enabled == []
    assert "c1 stays drained by ann: a disk is being changed" in outcome.said


async def test_a_failure_that_takes_many_words_is_kept_in_few_and_told_whole(bench: Bench) -> None:
    bench.controller.stuck = {"c1"}
    bench.controller.staying = tuple(f"database-of-an-agency-{n}" for n in range(100))
    (outcome,) = await bench.do(HostVerb.REBOOT, "c1")
    assert outcome.ended is Ended.FAILED
    assert "database-of-an-agency-99" in outcome.said
    (run,) = bench.controller.records.values()
    assert run.state is HostRunState.FAILED
    assert run.said.startswith("c1: drain failed: it cannot be emptied: database-of-an-agency-0")
