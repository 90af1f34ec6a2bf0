"""A move planned on an older look is held against the newest one: what its hosts say now, and what they carry."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.engine import receiving
from controller.engine.order import Order
from controller.model.cluster import PowerKind
from controller.model.ids import HostName, ServerId
from controller.model.migration import Entry, Outcome, State
from controller.model.policy import Policy, Thresholds
from controller.planner import situation
from tests import builders
from tests.builders import NOW, Host, Supply, Vm
from tests.fakes import journals
from tests.fakes.rig import order
from tests.fakes.turning import Turning

NOBODY: frozenset[HostName] = frozenset()


def looked(
    *, source: dict[str, Any] | None = None, vm: dict[str, Any] | None = None, **target: Any
) -> situation.Situation:
    """c1 with the server `v`, c2 as told, c3 beside them; all on one feed of 1000 W."""
    hosts = [Host(name="c1", **source or {}), Host(name="c2", **target), Host(name="c3")]
    vms = [Vm(name="v", host="c1", cpu=2.0, **vm or {}), Vm(name="w", host="c3", cpu=2.0)]
    supplies = [Supply(name="A", kind=PowerKind.FEED, limit_watts=1000.0), Supply(name="B")]
    return situation.of_cluster(builders.cluster(hosts=hosts, vms=vms, supplies=supplies), Policy(), NOW)


def move(**changes: Any) -> Order:
    return replace(
        order(), **{"server_id": ServerId("v"), "source": HostName("c1"), "target": HostName("c2")} | changes
    )


def rule(
    now: situation.Situation, asked: Order | None = None, *, settling: frozenset[HostName] = NOBODY, others: Any = ()
) -> str | None:
    found = receiving.ruled_out(now, asked or move(), settling, others)
    return None if found is None else found[0]


def test_what_is_kept_free_for_hosts_that_may_be_lost_is_looked_at_again() -> None:
    """A server that landed meanwhile has taken what the move would have left."""

    def secret(*landed: Vm) -> situation.Situation:
        hosts = [Host(name="c1", clearance=0), Host(name="c2"), Host(name="c3")]
        vms = [Vm(name="v", host="c1", memory_gib=8.0), Vm(name="s", host="c3", memory_gib=200.0, classification=3)]
        policy = Policy(thresholds=Thresholds(reserve_hosts=1))
        return situation.of_cluster(builders.cluster(hosts=hosts, vms=[*vms, *landed]), policy, NOW)

    assert rule(secret()) is None
    assert rule(secret(Vm(name="new", host="c2", memory_gib=50.0, classification=3))) == "reserve"


def test_what_arrived_after_the_look_frees_nothing_that_was_not_counted() -> None:
    """b was under way to s1 when it was looked at; s1 and s2 then keep 260 GiB free, and need 256."""
    hosts = [Host(name="s1"), Host(name="s2"), Host(name="c1", clearance=0)]
    vms = [
        Vm(name="a", host="s1", memory_gib=192.0, classification=3),
        Vm(name="b", host="s2", memory_gib=60.0, classification=3, target="s1", busy=True),
        Vm(name="v", host="c1", memory_gib=16.0),
    ]
    now = situation.of_cluster(
        builders.cluster(hosts=hosts, vms=vms), Policy(thresholds=Thresholds(reserve_hosts=1)), NOW
    )
    moved = replace(
        under_way("b", "s2", "s1"), state=State.SUCCEEDED, changed_at=NOW + timedelta(seconds=1),
        outcome=Outcome(state=State.SUCCEEDED, why="", ended_at=NOW + timedelta(seconds=1)),
    )  # fmt: skip
    assert rule(now, move(target=HostName("s2")), others=[moved]) == "reserve"


def under_way(server: str, source: str, target: str) -> Entry:
    intent = journals.intent(
        f"m-{server}", server_id=ServerId(server), source=HostName(source), target=HostName(target)
    )
    return Entry(intent=intent, state=State.RUNNING, changed_at=datetime.now(UTC))


def test_nothing_speaks_against_a_target_that_is_as_it_was() -> None:
    assert rule(looked()) is None


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ({"trusted": False}, "untrusted"),
        ({"enabled": False}, "disabled"),
        ({"up": False}, "down"),
        ({"draining": True}, "draining"),
        ({"memory_health": 1}, "failing"),
        ({"inlet": 60.0}, "heat"),
        ({"cpu": 0.99}, "cpu"),
        ({"memory_used_gib": 250.0}, "memory"),
        ({"network_mib_s": 1190.0}, "network"),
        ({"storage_mib_s": 990.0, "path_mib_s": 1000.0}, "storage"),
        ({"watts": 420.0}, "power"),
    ],
)
@pytest.mark.parametrize("by_operator", [False, True])
def test_what_the_target_says_now_bars_it_in_a_drain_too(target: dict[str, Any], says: str, by_operator: bool) -> None:
    busy = {"network_mib_s": 50.0, "storage_mib_s": 50.0}
    found = receiving.ruled_out(looked(vm=busy, **target), move(by_operator=by_operator), NOBODY, ())
    assert found is not None
    assert found[0] == says
    assert found[1]


def test_a_copy_that_would_not_end_any_more_is_not_begun() -> None:
    assert rule(looked(vm={"dirty_mib_s": 5000.0})) == "pre-copy"


def test_a_host_that_is_not_trusted_sheds_on_an_operators_word_only() -> None:
    blind = looked(source={"trusted": False})
    assert rule(blind) == "untrusted"
    assert rule(blind, move(by_operator=True)) is None


def test_hosts_that_a_move_has_just_touched_are_believed_to_be_what_the_plan_made_of_them() -> None:
    touched = frozenset({HostName("c1"), HostName("c2")})
    for state in ({"trusted": False}, {"cpu": 0.99}, {"memory_used_gib": 250.0}, {"watts": 420.0}):
        assert rule(looked(**state), settling=touched) is None
    assert rule(looked(source={"trusted": False}), settling=touched) is None
    assert rule(looked(watts=420.0), settling=frozenset({HostName("c3")})) is None
    for state in ({"memory_health": 2}, {"enabled": False}, {"inlet": 60.0}):
        assert rule(looked(**state), settling=touched) is not None


def test_a_move_under_way_to_the_same_target_counts_there_though_no_look_shows_it() -> None:
    free = looked(cpu=0.66, threads=20)
    assert rule(free) is None
    assert rule(free, others=(under_way("w", "c3", "c2"),)) == "cpu"
    assert rule(free, replace(move(), id="m-w"), others=(under_way("w", "c3", "c2"),)) is None


@pytest.mark.parametrize(("shared", "says"), [(True, "storage"), (False, None)])
def test_a_copy_under_way_fills_the_storage_path_only_where_it_copies_disks(shared: bool, says: str | None) -> None:
    full = {"storage_mib_s": 990.0, "path_mib_s": 1000.0, "shared_storage": shared}
    copied = {"storage_mib_s": 50.0, "disk_gib": 0.0}
    looks = looked(source={"shared_storage": shared}, vm=copied, **full)
    assert rule(looks, others=(under_way("w", "c3", "c2"),)) == says
    assert rule(looks) == "storage"
    assert rule(looks, settling=frozenset({HostName("c2")})) is None


def ended(entry: Entry, at: datetime, state: State = State.SUCCEEDED) -> Entry:
    return replace(entry, state=state, outcome=Outcome(state=state, why="", ended_at=at))


@pytest.mark.parametrize("copying", [False, True])
def test_what_left_the_target_after_the_look_does_not_stand_on_it_any_more(copying: bool) -> None:
    """The second wave of a plan begins a moment after the first, on a look that still shows who made room."""
    crowded = Host(name="c2", cpu=0.78, threads=20)
    vms = [
        Vm(name="o", host="c2", cpu=3.0, target="c3" if copying else None, busy=copying),
        Vm(name="v", host="c1", cpu=2.0),
    ]
    cluster = builders.cluster(hosts=[Host(name="c1"), crowded, Host(name="c3")], vms=vms)
    seen = situation.of_cluster(cluster, Policy(), NOW)
    gone, later = under_way("o", "c2", "c3"), NOW + timedelta(seconds=20)
    assert rule(seen) == "cpu"
    assert rule(seen, others=(gone,)) == "cpu"
    assert rule(seen, others=(ended(gone, later),)) is None
    assert rule(seen, others=(ended(gone, later, State.FAILED),)) == "cpu"
    assert rule(seen, others=(ended(gone, NOW - timedelta(minutes=5)),)) == "cpu"


def test_what_came_to_the_target_after_the_look_counts_there() -> None:
    free = looked(cpu=0.66, threads=20)
    came = ended(under_way("w", "c3", "c2"), NOW + timedelta(seconds=20))
    assert rule(free, others=(came,)) == "cpu"


def test_a_host_or_a_server_that_the_look_does_not_show() -> None:
    assert rule(looked(), move(target=HostName("c9"))) == "unknown-host"
    assert rule(looked(), move(server_id=ServerId("new"))) is None
    assert rule(looked(cpu=0.99), move(source=HostName("c3"))) is None


@pytest.mark.parametrize("trouble", ["blind", "hot"])
async def test_a_target_that_went_blind_or_hot_while_the_first_wave_ran_receives_nothing(
    tmp_path: Path, trouble: str
) -> None:
    site = Turning(tmp_path)
    site.sensors.failing = {"c1"}
    for name in ("vm-1", "vm-2"):
        site.cloud.change(name, memory_mib=200_000)
    await site.loop.turn()
    plan = site.journal.newest_plan()
    first, second = ([move.target for move in plan.moves if move.wave == wave] for wave in (1, 2))
    assert len(first) == len(second) == 1
    assert first != second
    getattr(site.sensors, trouble).update(second)
    for _ in range(14):
        await site.settle(timedelta(seconds=30))
        await site.loop.turn()
    targets = {str(entry.intent.target) for entry in site.journal.entries_since(plan.created_at)}
    site.rig.journal.close_store()
    assert set(first) <= targets
    assert targets.isdisjoint(second)
