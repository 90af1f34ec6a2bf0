"""Mode approve: a proposal stays as long as it is right, and what runs is proved on the newest look, once."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.engine import proposal as proposals
from controller.errors import RefusedError
from controller.model.ids import HostName, PlanId, ServerId
from controller.model.plan import Concern, Plan
from controller.model.policy import Limits, Mode, Scope, ScopeKind
from inventory.model import Window
from tests.fakes.turning import Turning


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Turning]:
    """Two servers on c1, whose memory fails; mode approve."""
    made = Turning(tmp_path, mode=Mode.APPROVE)
    made.sensors.failing = {"c1"}
    yield made
    made.rig.journal.close_store()


def proposed(site: Turning) -> Plan:
    assert site.loop.memory.proposal is not None
    return site.loop.memory.proposal


def test_nothing_moves_before_the_approval_and_the_plan_once_after_it(site: Turning) -> None:
    async def run() -> None:
        said = await site.turns(2)
        first = proposed(site)
        assert site.started() == [] and f"Plan {first.id} waits for approval." in said
        site.desk.approve(first.id, "malee")
        await site.turns(6)
        assert [start[0] for start in site.started()] == [move.vm for move in first.moves]
        with pytest.raises(RefusedError):
            site.desk.approve(first.id, "malee")
        await site.turns(2)

    asyncio.run(run())
    assert len(site.started()) == 2


def test_a_proposal_keeps_its_id_while_loads_change(site: Turning) -> None:
    async def run() -> set[PlanId]:
        found = set()
        for n in range(4):
            await site.turns(1)
            found.add(proposed(site).id)
            site.cloud.boot(f"other-{n}", "c2" if n % 2 else "c3", disk_gib=0, memory_mib=4096)
        return found

    assert len(asyncio.run(run())) == 1


def test_a_proposal_gives_way_after_a_while(site: Turning) -> None:
    async def run() -> None:
        await site.turns(1)
        first = proposed(site).id
        site.rig.clock.advance(proposals.KEPT)
        await site.turns(1)
        assert proposed(site).id != first

    asyncio.run(run())


def test_an_approved_plan_waits_for_its_window_however_long(tmp_path: Path) -> None:
    site = Turning(
        tmp_path, mode=Mode.APPROVE, windows=(Window(days=tuple(range(7)), start_minute=1200, end_minute=1260),)
    )
    site.sensors.failing = {"c1"}

    async def run() -> None:
        await site.turns(1)
        approved = proposed(site)
        site.desk.approve(approved.id, "malee")
        site.rig.clock.advance(2 * proposals.KEPT)
        await site.turns(1)
        assert proposed(site).id == approved.id and site.started() == []

    asyncio.run(run())
    site.rig.journal.close_store()


def test_an_approved_plan_that_no_longer_fits_is_not_run_and_the_sentence_says_so(site: Turning) -> None:
    async def run() -> str:
        await site.turns(1)
        first = proposed(site)
        site.desk.approve(first.id, "malee")
        site.cloud.change(first.moves[0].vm, locked=True)
        await site.loop.turn()
        assert proposed(site).id != first.id
        return site.loop.status.sentence

    assert "was approved but no longer fits" in asyncio.run(run())
    assert site.started() == []


def test_an_approved_plan_of_another_order_of_the_objective_says_that_policy_changed(site: Turning) -> None:
    async def run() -> str:
        await site.turns(1)
        site.desk.approve(proposed(site).id, "malee")
        site.change_policy(objective=(Concern.DRAIN, *(level for level in Concern if level is not Concern.DRAIN)))
        await site.loop.turn()
        return site.loop.status.sentence

    assert "was approved but is of another policy.objective; it was not run" in asyncio.run(run())
    assert site.started() == []


def test_an_approved_plan_whose_cause_is_gone_is_not_run(site: Turning) -> None:
    async def run() -> None:
        await site.turns(1)
        site.desk.approve(proposed(site).id, "malee")
        site.sensors.failing = set()
        await site.turns(2)

    asyncio.run(run())
    assert site.started() == []


def test_a_plan_is_proved_again_by_the_policy_of_now(site: Turning) -> None:
    asyncio.run(site.turns(1))
    seen = site.loop.memory.seen
    assert seen is not None
    plan, now = proposed(site), seen.look.at
    assert proposals.proved_again(plan, seen.cluster, site.loop.policy, now) is not None
    none_left = replace(site.loop.policy, limits=Limits(per_hour=1))
    assert proposals.proved_again(plan, seen.cluster, none_left, now) is None


def test_a_plan_that_is_approved_runs_around_what_is_only_recommended(site: Turning) -> None:
    site.change_policy(scope_modes={Scope(kind=ScopeKind.SYSTEM, name="web"): Mode.RECOMMEND})

    async def run() -> None:
        await site.turns(1)
        site.desk.approve(proposed(site).id, "malee")
        await site.turns(4)

    asyncio.run(run())
    assert [server for server, _ in site.started()] == ["vm-2"]


def test_what_a_scope_in_recommend_would_have_moved_is_a_plan_of_its_own_that_nobody_can_approve(site: Turning) -> None:
    site.change_policy(mode=Mode.AUTO, scope_modes={Scope(kind=ScopeKind.SYSTEM, name="web"): Mode.RECOMMEND})
    said = asyncio.run(site.turns(1))
    plan = site.desk.recommended()
    assert plan is not None and sorted(move.vm_name for move in plan.moves) == ["vm-1", "vm-2"]
    assert "1 more move would be made in scopes of mode recommend." in said
    with pytest.raises(RefusedError) as refused:
        site.desk.approve(plan.id, "malee")
    assert refused.value.rule == "superseded"
    asyncio.run(site.turns(4))
    assert [server for server, _ in site.started()] == ["vm-2"]


def test_without_a_scope_in_recommend_there_is_no_second_plan(site: Turning) -> None:
    asyncio.run(site.turns(1))
    assert site.desk.recommended() is None


def test_in_mode_auto_only_the_scope_in_approve_waits(site: Turning) -> None:
    site.change_policy(mode=Mode.AUTO, scope_modes={Scope(kind=ScopeKind.SYSTEM, name="web"): Mode.APPROVE})

    async def run() -> str:
        said = await site.turns(4)
        assert [server for server, _ in site.started()] == ["vm-2"]
        site.desk.approve(proposed(site).id, "malee")
        await site.turns(3)
        return said

    assert "waits for approval" in asyncio.run(run())
    assert [server for server, _ in site.started()] == ["vm-2", "vm-1"]
    assert site.host_of("vm-1") != HostName("c1") and ServerId("vm-1") in site.cloud.servers


def test_an_approval_in_a_mode_that_moves_nothing_is_refused(site: Turning) -> None:
    site.change_policy(mode=Mode.RECOMMEND)
    asyncio.run(site.turns(1))
    with pytest.raises(RefusedError) as refused:
        site.desk.approve(proposed(site).id, "malee")
    assert refused.value.rule == "mode"


def test_an_approved_plan_waits_for_the_end_of_a_pause(site: Turning) -> None:
    async def run() -> None:
        await site.turns(1)
        await site.desk.pause(None, "malee", "", abort=False)
        site.desk.approve(proposed(site).id, "malee")
        await site.turns(3)
        assert site.started() == []
        site.desk.resume(None, "malee")
        await site.turns(4)

    asyncio.run(run())
    assert len(site.started()) == 2


def test_a_pause_shows_in_the_status_at_once(site: Turning) -> None:
    async def run() -> str:
        await site.turns(1)
        said = await site.desk.pause(None, "malee", "fire drill", abort=True)
        assert site.loop.wake.is_set()
        return said

    said = asyncio.run(run())
    assert [pause.why for pause in site.desk.status().pauses] == ["fire drill"]
    assert said == "Paused everything; 0 running moves are being aborted."


def test_a_pause_with_abort_before_the_first_look_still_pauses(site: Turning) -> None:
    asyncio.run(site.desk.pause(None, "malee", "early", abort=True))
    assert [pause.why for pause in site.rig.journal.pauses()] == ["early"]


def test_a_pause_with_abort_ends_the_move_under_way(site: Turning) -> None:
    site.cloud.dirty_mib_s = {ServerId("vm-1"): 990.0, ServerId("vm-2"): 990.0}

    async def run() -> None:
        await site.turns(1)
        site.desk.approve(proposed(site).id, "malee")
        await site.loop.turn()
        await site.settle(timedelta(seconds=4))
        assert len(site.rig.journal.open_entries()) == 1
        said = await site.desk.pause(None, "malee", "smoke", abort=True)
        assert "1 running moves are being aborted" in said
        await site.turns(2)

    asyncio.run(run())
    assert site.rig.journal.open_entries() == ()
    assert site.host_of("vm-1") == site.host_of("vm-2") == "c1"
