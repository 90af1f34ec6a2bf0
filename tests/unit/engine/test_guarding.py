"""Each limit, alone: what it lets through, what it refuses, and what the refusal says."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controller.engine import guard, recheck
from controller.engine.order import Order
from controller.engine.places import GroupRule, Situation
from controller.errors import RefusedError
from controller.model.cloud import Guest, Migration, Server, Service
from controller.model.ids import HostName, MoveId, PlanId, ProjectId, ServerId
from controller.model.migration import Entry, Outcome, State
from controller.model.operation import Pause
from controller.model.policy import ErrorBudget, Limits, Mode, Policy, Scope, ScopeKind
from inventory.model import Agency, Budget, Domain, NumaCell, Window
from tests.fakes import journals
from tests.fakes.journals import START
from tests.fakes.rig import order, small_estate

MINUTE = timedelta(minutes=1)
AUTO = Policy(mode=Mode.AUTO)
EMPTY = guard.View(pauses=(), approved=frozenset(), refusals=(), open_entries=(), recent=(), failures=())
ALL_DAYS = frozenset(range(7))
CELL = NumaCell(vcpus=4, memory_mib=8192)
MORNING = Window(days=ALL_DAYS, start_minute=540, end_minute=660)


def situation(**changes: Any) -> Situation:
    estate = changes.pop("estate", small_estate())
    return Situation(
        estate=estate,
        systems={ProjectId(system.project): system for system in estate.systems.values()},
        project_of={ServerId("vm-7"): ProjectId("p-web"), ServerId("vm-8"): ProjectId("p-db")},
        groups=changes.pop("groups", {}),
        **changes,
    )


def refusal(
    asked: Order | None = None,
    *,
    system: str | None = "web",
    running: Iterable[Migration] = (),
    where: Situation | None = None,
    policy: Policy = AUTO,
    view: guard.View = EMPTY,
    now: datetime = START,
) -> RefusedError | None:
    where = where or situation()
    known = None if system is None else where.estate.systems[system]
    return guard.refusal(asked or order(), known, tuple(running), situation=where, policy=policy, journal=view, now=now)


def rule(found: RefusedError | None) -> str | None:
    return None if found is None else found.rule


def record(server: str = "vm-9", source: str = "c3", target: str = "c4", status: str = "running") -> Migration:
    return Migration(
        id=1,
        uuid="m",
        server_id=ServerId(server),
        type="live-migration",
        status=status,
        source=HostName(source),
        target=HostName(target),
        created_at=START,
    )


def entry(move: str = "p0-1", state: State = State.RUNNING, at: datetime = START, **intent: Any) -> Entry:
    made = journals.intent(move, **{"created_at": at, "system": "web", "agency": "a"} | intent)
    done = None if state in {State.RUNNING, State.SENT} else Outcome(state=state, why="", ended_at=at)
    return Entry(intent=made, state=state, changed_at=at, outcome=done)


def test_nothing_in_the_way_is_no_refusal() -> None:
    assert refusal() is None


@pytest.mark.parametrize(
    ("mode", "approved", "expected"),
    [
        (Mode.OBSERVE, True, "mode"),
        (Mode.RECOMMEND, True, "mode"),
        (Mode.APPROVE, False, "approval"),
        (Mode.APPROVE, True, None),
        (Mode.AUTO, False, None),
    ],
)
def test_the_mode_says_how_far_the_controller_goes(mode: Mode, approved: bool, expected: str | None) -> None:
    view = replace(EMPTY, approved=frozenset({PlanId("p1")}) if approved else frozenset())
    assert rule(refusal(policy=Policy(mode=mode), view=view)) == expected


@pytest.mark.parametrize(
    ("kind", "name", "bound"),
    [
        (ScopeKind.SYSTEM, "web", True),
        (ScopeKind.SYSTEM, "db", False),
        (ScopeKind.AGENCY, "a", True),
        (ScopeKind.HOST, "c1", True),
        (ScopeKind.HOST, "c2", True),
        (ScopeKind.HOST, "c3", False),
        (ScopeKind.RACK, "r1", True),
        (ScopeKind.RACK, "r2", False),
        (ScopeKind.ZONE, "z", True),
        (ScopeKind.ROOM, "room", True),
    ],
)
def test_the_least_mode_and_any_pause_of_the_vm_the_source_or_the_target_binds(
    kind: ScopeKind, name: str, bound: bool
) -> None:
    scope = Scope(kind=kind, name=name)
    policy = Policy(mode=Mode.AUTO, scope_modes={scope: Mode.RECOMMEND})
    assert rule(refusal(policy=policy)) == ("mode" if bound else None)
    view = replace(EMPTY, pauses=(Pause(scope=scope, who="malee", why="storm", since=START),))
    assert rule(refusal(view=view)) == ("pause" if bound else None)
    assert rule(refusal(order(by_operator=True), view=view)) == ("pause" if bound else None)


def test_a_pause_says_who_and_why() -> None:
    view = replace(EMPTY, pauses=(Pause(scope=None, who="malee", why="storm", since=START),))
    assert "malee paused everything at 2026-11-02 03:00 UTC: storm" in str(refusal(view=view))


OWN_ONLY: list[tuple[str, Callable[[], dict[str, Any]]]] = [
    ("mode", lambda: {"policy": Policy(mode=Mode.OBSERVE)}),
    ("freeze", lambda: {"where": situation(freeze="half the hosts are blind")}),
    ("window", lambda: {"policy": replace(AUTO, windows=(Window(days=ALL_DAYS, start_minute=0, end_minute=60),))}),
    ("blackout", lambda: {"policy": replace(AUTO, blackouts=(MORNING,))}),
    ("cooldown", lambda: {"view": replace(EMPTY, recent=(entry(state=State.SUCCEEDED, at=START - MINUTE),))}),
    ("error-budget", lambda: {"view": replace(EMPTY, failures=failures(0, 5, 10, 15))}),
]  # fmt: skip


def failures(*minutes_ago: float, rule: str = "copy") -> tuple[Outcome, ...]:
    return tuple(Outcome(state=State.FAILED, why="", rule=rule, ended_at=START - ago * MINUTE) for ago in minutes_ago)


@pytest.mark.parametrize(("expected", "given"), OWN_ONLY, ids=[name for name, _ in OWN_ONLY])
def test_what_binds_our_own_moves_does_not_bind_a_drain(expected: str, given: Callable[[], dict[str, Any]]) -> None:
    asked = {"server_id": ServerId("vm-1")}
    assert rule(refusal(order(**asked), **given())) == expected
    assert refusal(order(**asked, by_operator=True), **given()) is None


@pytest.mark.parametrize(("minutes", "expected"), [(1, "cooldown"), (31, "cooldown"), (59, "cooldown"), (61, None)])
def test_by_default_no_vm_is_moved_twice_within_an_hour(minutes: int, expected: str | None) -> None:
    view = replace(EMPTY, recent=(entry(state=State.SUCCEEDED, at=START - minutes * MINUTE),))
    assert rule(refusal(order(server_id=ServerId("vm-1")), view=view)) == expected


def test_an_agencys_windows_bind_a_drain_too() -> None:
    night = Window(days=ALL_DAYS, start_minute=22 * 60, end_minute=5 * 60)
    morning = Window(days=frozenset({0}), start_minute=9 * 60, end_minute=11 * 60)
    for changes, expected in [({"windows": (night,)}, "system-window"), ({"blackouts": (morning,)}, "system-blackout")]:
        where = situation(estate=small_estate(web=changes))
        for by_operator in (False, True):
            assert rule(refusal(order(by_operator=by_operator), where=where)) == expected
        assert refusal(where=where, system="db") is None
        assert refusal(where=where, now=START + timedelta(hours=13)) is None


@pytest.mark.parametrize(
    ("ago", "over"),
    [((0, 5, 10), False), ((0, 5, 10, 29), True), ((0, 5, 10, 31), False), ((100, 105, 110, 115), True)],
)
def test_the_error_budget_stays_spent_until_an_operator_resumes(ago: tuple[float, ...], over: bool) -> None:
    view = replace(EMPTY, failures=failures(*ago))
    assert rule(refusal(view=view)) == ("error-budget" if over else None)


def test_an_operators_own_aborts_spend_no_error_budget() -> None:
    assert guard.budget_spent(failures(0, 1, 2, 3, 4, rule="operator-abort"), ErrorBudget()) is None


def test_the_view_counts_failures_since_the_last_resume(tmp_path: Any) -> None:
    with journals.opened(tmp_path) as journal:
        journal.intend(journals.intent())
        journal.advance(MoveId("p1-1"), State.SENT, START)
        journal.close(MoveId("p1-1"), Outcome(state=State.FAILED, why="", ended_at=START))
        assert len(guard.view(journal, AUTO, START).failures) == 1
        journal.resume(None, "malee", START + MINUTE)
        assert guard.view(journal, AUTO, START + MINUTE).failures == ()


def test_what_was_learned_binds_that_server_on_that_target_for_its_time() -> None:
    refusals = ((ServerId("vm-1"), HostName("c2"), "no-valid-host", START + MINUTE),)
    view = replace(EMPTY, refusals=refusals)
    assert rule(refusal(view=view)) == rule(refusal(order(by_operator=True), view=view)) == "learned"
    assert refusal(order(target="c3"), view=view) is None
    assert refusal(order("vm-2"), view=view) is None
    assert refusal(view=view, now=START + 2 * MINUTE) is None


@pytest.mark.parametrize(
    ("limits", "flying", "expected"),
    [
        (Limits(at_once=1), record(), "at-once"),
        (Limits(), record(source="c1", target="c4"), "out-of-host"),
        (Limits(), record(source="c3", target="c2"), "into-host"),
        (Limits(into_host=2, across_rack=1), record(source="c3", target="c2"), None),
        (Limits(), record("vm-7"), "per-system"),
        (Limits(per_agency=1), record("vm-8"), "per-agency"),
        (Limits(), record("vm-9"), None),
    ],
)
def test_limits_count_every_running_migration_whoever_started_it(
    limits: Limits, flying: Migration, expected: str | None
) -> None:
    policy = replace(AUTO, limits=limits)
    assert rule(refusal(running=[flying], policy=policy)) == expected
    assert rule(refusal(order(by_operator=True), running=[flying], policy=policy)) == expected


def test_a_rack_counts_what_crosses_its_uplink_in_or_out() -> None:
    policy = replace(AUTO, limits=Limits(across_rack=1))
    crossing, inside = order(target="c3"), order(target="c2")
    flying = [record(source="c4", target="c9"), record(source="c2", target="c4")]
    found = refusal(crossing, running=flying, policy=policy)
    assert rule(found) == "across-rack" and "1 of at most 1 moves at once across r1" in str(found)
    assert refusal(inside, running=flying[:1], policy=policy) is None


def test_an_intent_that_nova_does_not_show_yet_counts_once_and_not_twice() -> None:
    view = replace(EMPTY, open_entries=(entry(server_id=ServerId("vm-9"), source=HostName("c3"), system="db"),))
    policy = replace(AUTO, limits=Limits(at_once=2, into_host=9))
    assert refusal(view=view, policy=policy) is None
    assert refusal(view=view, running=[record("vm-9")], policy=policy) is None
    assert rule(refusal(view=view, running=[record("vm-8")], policy=policy)) == "at-once"


def test_a_resize_that_waits_for_its_owner_takes_no_slot() -> None:
    policy = replace(AUTO, limits=Limits(at_once=1))
    assert refusal(running=[record(status="finished")], policy=policy) is None


def test_an_agencys_and_a_systems_budget_can_only_narrow_the_limit() -> None:
    estate = small_estate(web={"budget": Budget(at_once=9, per_hour=2)})
    estate = replace(estate, agencies={"a": Agency(name="a", budget=Budget(at_once=1, per_hour=3))})
    where = situation(estate=estate)
    assert rule(refusal(running=[record("vm-7")], where=where)) == "per-agency"
    wide = replace(AUTO, limits=Limits(per_system=1, per_agency=9))
    assert rule(refusal(running=[record("vm-7")], where=situation(estate=small_estate()), policy=wide)) == "per-system"


@pytest.mark.parametrize(
    ("recent", "expected"),
    [
        ([("web", State.SUCCEEDED, 5), ("web", State.FAILED, 50)], "system-per-hour"),
        ([("web", State.SUCCEEDED, 5), ("web", State.FAILED, 61)], None),
        ([("web", State.REFUSED, 5), ("web", State.NOT_SENT, 5)], None),
        ([("db", State.SUCCEEDED, 5)] * 3, "agency-per-hour"),
        ([("", State.SUCCEEDED, 5)] * 4, "per-hour"),
    ],
)
def test_the_hour_is_counted_from_what_the_journal_sent(
    recent: list[tuple[str, State, float]], expected: str | None
) -> None:
    estate = small_estate(web={"budget": Budget(at_once=9, per_hour=2)})
    estate = replace(estate, agencies={"a": Agency(name="a", budget=Budget(at_once=9, per_hour=3))})
    entries = tuple(
        entry(f"p0-{n}", state, START - ago * MINUTE, server_id=ServerId(f"o-{n}"), system=name or None,
              agency="a" if name else None)
        for n, (name, state, ago) in enumerate(recent)
    )  # fmt: skip
    policy = replace(AUTO, limits=Limits(per_hour=4))
    found = refusal(where=situation(estate=estate), policy=policy, view=replace(EMPTY, recent=entries))
    assert rule(found) == expected


def facts(**members: str) -> recheck.Facts:
    def service(host: str) -> Service:
        return Service(id=host, host=HostName(host), enabled=True, up=True, forced_down=False, disabled_reason=None)

    server = Server(
        id=ServerId("vm-1"), name="vm-1", project_id=ProjectId("p-web"), host=HostName("c1"), status="ACTIVE",
        task_state=None, locked=False, flavor_name="m1", vcpus=1, memory_mib=1, disk_gib=1,
    )  # fmt: skip
    return recheck.Facts(
        server=server,
        source=service("c1"),
        target=service("c2"),
        members={ServerId(key.replace("_", "-")): HostName(host) for key, host in members.items()},
    )


def grouped(domain: Domain, together: bool = False, most: int = 1) -> Situation:
    members = tuple(ServerId(f"vm-{n}") for n in (1, 2, 3))
    made = GroupRule(name="web", domain=domain, together=together, max_per_domain=most, members=members)
    return situation(groups=dict.fromkeys(members, (made,)))


@pytest.mark.parametrize(
    ("where", "target", "members", "expected"),
    [
        (grouped(Domain.HOST), "c2", {"vm_2": "c2"}, "group"),
        (grouped(Domain.HOST), "c2", {"vm_2": "c3"}, None),
        (grouped(Domain.HOST), "c2", {"vm_2": "c1"}, None),
        (grouped(Domain.HOST, most=2), "c2", {"vm_2": "c2"}, None),
        (grouped(Domain.HOST, most=2), "c2", {"vm_2": "c2", "vm_3": "c2"}, "group"),
        (grouped(Domain.RACK), "c2", {"vm_2": "c2"}, None),
        (grouped(Domain.RACK), "c3", {"vm_2": "c4"}, "group"),
        (grouped(Domain.ROOM), "c3", {"vm_2": "c4"}, None),
        (grouped(Domain.HOST, together=True), "c2", {"vm_2": "c1"}, "group"),
        (grouped(Domain.HOST, together=True), "c2", {"vm_2": "c2", "vm_3": "c2"}, None),
        (grouped(Domain.HOST, together=True), "c2", {"vm_2": "c2", "vm_3": "c1"}, "group"),
        (grouped(Domain.RACK, together=True), "c2", {"vm_2": "c1"}, None),
    ],
)
def test_a_group_rule_is_held_against_where_its_members_are_now(
    where: Situation, target: str, members: dict[str, str], expected: str | None
) -> None:
    assert rule(recheck.bar(order(target=target), facts(**members), where, ())) == expected


def test_a_member_that_is_on_its_way_counts_where_it_goes() -> None:
    where = grouped(Domain.HOST)
    coming = entry(server_id=ServerId("vm-2"), source=HostName("c3"), target=HostName("c2"))
    assert rule(recheck.bar(order(), facts(vm_2="c3"), where, (coming,))) == "group"
    shown = replace(facts(vm_2="c3"), running=(record("vm-2", "c3", "c2"),))
    assert rule(recheck.bar(order(), shown, where, ())) == "group"


def test_nothing_leaves_a_host_on_battery_for_balance_though_its_plan_was_made_before() -> None:
    where = situation(on_battery=frozenset({HostName("c1")}))
    assert rule(recheck.bar(order(rule="uneven"), facts(), where, ())) == "on-battery"
    assert rule(recheck.bar(order(rule="free"), facts(), where, ())) == "on-battery"
    assert recheck.bar(order(rule="cpu"), facts(), where, ()) is None


@pytest.mark.parametrize(
    ("guest", "why"),
    [
        (Guest(numa=(), image_properties={"hw_cpu_policy": "shared"}), None),
        (Guest(numa=(), image_properties={"trait:HW_CPU_X86_AVX2": "required", "hw_disk_bus": "virtio"}), None),
        (
            Guest(numa=(CELL, CELL), image_properties={}),
            "it has 2 NUMA cells (4 vCPUs and 8192 MiB, 4 vCPUs and 8192 MiB)",
        ),
        (Guest(numa=None, image_properties={}), "Nova does not tell its NUMA topology"),
        (Guest(numa=(), image_properties=None), "what its image asks of a host cannot be read"),
        (Guest(numa=(), image_properties={"hw_tpm_version": "2.0"}), "its image asks for hw_tpm_version=2.0"),
    ],
)
def test_a_guest_whose_fit_cannot_be_shown_moves_in_a_drain_only(guest: Guest, why: str | None) -> None:
    found = facts()
    assert found.server is not None
    read = replace(found, server=replace(found.server, guest=guest))
    barred = recheck.bar(order(), read, situation(), ())
    assert rule(barred) == (why and "fit-unknown")
    assert why is None or why in str(barred)
    assert recheck.bar(order(by_operator=True), read, situation(), ()) is None


def test_the_budgets_count_is_of_its_window_and_forgets_nothing_that_exhausted_it() -> None:
    found, budget = failures(0, 1, 2, 3, 4), ErrorBudget()
    last = max(each.ended_at for each in found)
    assert guard.recent_failures(found, budget, last) == 5
    assert guard.recent_failures(found, budget, last + timedelta(days=90)) == 0
    assert guard.recent_failures(failures(0, rule="operator-abort"), budget, last) == 0
    assert guard.budget_spent(found, budget) is not None


@pytest.mark.parametrize(
    ("guest", "barred"),
    [
        ((CELL, CELL), None),
        ((CELL,), None),
        ((), None),
        (None, None),
        ((CELL, CELL, CELL), "numa"),
        ((replace(CELL, vcpus=5),), "numa"),
        ((CELL, replace(CELL, memory_mib=8193)), "numa"),
    ],
)
def test_a_target_whose_cells_cannot_hold_the_guests_is_barred_in_a_drain_too(
    guest: tuple[NumaCell, ...] | None, barred: str | None
) -> None:
    estate = small_estate()
    types = {name: replace(each, numa=(CELL, CELL)) for name, each in estate.host_types.items()}
    where = situation(estate=replace(estate, host_types=types))
    found = facts()
    assert found.server is not None
    read = replace(found, server=replace(found.server, guest=Guest(numa=guest, image_properties={})))
    refused = recheck.bar(order(by_operator=True), read, where, ())
    assert rule(refused) == barred
    assert refused is None or "and c2 only 2 NUMA cells (4 vCPUs and 8192 MiB" in str(refused)
    assert recheck.bar(order(by_operator=True), read, situation(), ()) is None


def test_times_are_the_estates_own() -> None:
    ten_in_bangkok = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
    at_ten = Window(days=frozenset({0}), start_minute=600, end_minute=601)
    assert refusal(policy=replace(AUTO, windows=(at_ten,)), now=ten_in_bangkok) is None


def wanted_in_two_racks() -> Situation:
    members = tuple(ServerId(f"vm-{n}") for n in (1, 2, 3))
    made = GroupRule(name="web", domain=Domain.RACK, together=False, max_per_domain=3, min_domains=2, members=members)
    return situation(groups=dict.fromkeys(members, (made,)))


@pytest.mark.parametrize(
    ("target", "members", "expected"),
    [
        ("c3", {"vm_2": "c4"}, "group"),
        ("c3", {"vm_2": "c4", "vm_3": "c2"}, None),
        ("c3", {"vm_2": "c2"}, None),
        ("c2", {"vm_2": "c4"}, None),
    ],
)
def test_the_last_server_of_a_rack_stays_where_too_few_racks_would_be_left(
    target: str, members: dict[str, str], expected: str | None
) -> None:
    barred = recheck.bar(order(target=target), facts(**members), wanted_in_two_racks(), ())
    assert rule(barred) == expected
    assert expected is None or "web wants its servers in at least 2 racks, and r1 holds no other of them" in str(barred)


def test_a_server_on_its_way_out_of_the_rack_holds_no_domain_for_sure() -> None:
    leaving = entry(server_id=ServerId("vm-3"), source=HostName("c2"), target=HostName("c4"))
    found = facts(vm_2="c4", vm_3="c2")
    assert rule(recheck.bar(order(target="c3"), found, wanted_in_two_racks(), (leaving,))) == "group"
