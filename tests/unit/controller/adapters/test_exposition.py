"""The status as metrics: consistent, bounded, and nothing where nothing is known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from controller.adapters.exposition.registry import registry
from controller.cli import tables
from controller.engine import census
from controller.engine.status import Budget, PlanSummary, Published, RackRoom, Status
from controller.engine.tally import Faults, Histogram, Moves, RefusalCount, Turns
from controller.model.cluster import PowerKind, absent
from controller.model.ids import HostName, MoveId, ServerId
from controller.model.migration import Entry, Intent, Outcome, State
from controller.model.operation import Drain, DrainState, Pause
from controller.model.plan import LimitState
from controller.model.policy import Mode, Scope, ScopeKind
from controller.model.sample import Fault, Trust
from tests.fakes import random_cluster

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CLUSTER = random_cluster.cluster(7, hosts=6, vms=20)
STATUS = Status(
    version="0.1.0", estate="demo", mode=Mode.AUTO, started_at=NOW, interval=timedelta(seconds=30), turned_at=NOW
)


def ended(state: State, rule: str = "hot-cpu", seconds: float | None = None) -> Entry:
    intent = Intent(
        id=MoveId("p1-1"), origin="plan", server_id=ServerId("v"), server_name="v", source=HostName("a"),
        target=HostName("b"), cold=False, rule=rule, why="", system=None, agency=None, created_at=NOW,
        deadline=NOW, epoch=1,
    )  # fmt: skip
    blackout = None if seconds is None else timedelta(milliseconds=120)
    cost = {"seconds": seconds, "copied_bytes": 2**30, "blackout_estimate": blackout}
    outcome = Outcome(state=state, why="", ended_at=NOW, **cost)
    return Entry(intent=intent, state=state, changed_at=NOW, outcome=outcome)


def served(status: Status, cluster: object = None) -> CollectorRegistry:
    published = Published(status=status, cluster=cluster)  # type: ignore[arg-type]
    return registry(lambda: published)


def test_before_the_first_turn_only_the_process_is_shown() -> None:
    text = generate_latest(registry(lambda: None)).decode()
    assert "process_resident_memory_bytes" in text
    assert "gdcc_" not in text


def test_a_scrape_shows_the_newest_turn_whole() -> None:
    newest = [Published(status=STATUS)]
    metrics = registry(lambda: newest[-1])
    assert metrics.get_sample_value("gdcc_loop_frozen") == 0
    newest.append(Published(status=replace(STATUS, freeze="26 % of the hosts have no trusted readings")))
    assert metrics.get_sample_value("gdcc_loop_frozen") == 1
    assert "trusted readings" not in generate_latest(metrics).decode(), "sentences are no labels"


def test_every_outcome_has_a_count_from_the_start_so_that_the_first_failure_is_an_increase() -> None:
    metrics = served(STATUS)
    for origin in ("plan", "drain"):
        for outcome in ("succeeded", "failed", "aborted", "lost", "refused", "not-sent"):
            assert metrics.get_sample_value("gdcc_moves_total", {"origin": origin, "outcome": outcome}) == 0


def test_ended_moves_are_counted_by_outcome_and_by_rule_with_what_they_cost() -> None:
    failed = ended(State.FAILED, seconds=9.0)
    assert failed.outcome is not None
    failed = replace(failed, outcome=replace(failed.outcome, rule="no-valid-host"))
    moves = Moves().add(ended(State.SUCCEEDED, seconds=42.0)).add(failed)
    moves = moves.add(ended(State.SUCCEEDED, "drain", seconds=7.0))
    metrics = served(replace(STATUS, moves=moves))
    assert metrics.get_sample_value("gdcc_moves_total", {"origin": "plan", "outcome": "succeeded"}) == 2
    assert metrics.get_sample_value("gdcc_moves_by_rule_total", {"rule": "hot-cpu", "outcome": "failed"}) == 1
    why = {"reason": "no-valid-host", "outcome": "failed"}
    assert metrics.get_sample_value("gdcc_moves_by_reason_total", why) == 1
    assert metrics.get_sample_value("gdcc_moves_by_reason_total", {"reason": "", "outcome": "succeeded"}) is None
    assert metrics.get_sample_value("gdcc_migration_duration_seconds_sum") == 49
    assert metrics.get_sample_value("gdcc_migration_duration_seconds_bucket", {"le": "15.0"}) == 1
    assert metrics.get_sample_value("gdcc_migration_duration_seconds_bucket", {"le": "+Inf"}) == 2
    assert metrics.get_sample_value("gdcc_migration_blackout_estimate_seconds_bucket", {"le": "0.25"}) == 2
    assert metrics.get_sample_value("gdcc_migration_copied_bytes_total") == 3 * 2**30


def test_orders_that_a_rule_stood_against_are_counted_though_the_journal_has_no_word_of_them() -> None:
    metrics = served(replace(STATUS, refusals=(RefusalCount(origin="drain", rule="group", count=3),)))
    assert metrics.get_sample_value("gdcc_moves_refused_total", {"origin": "drain", "rule": "group"}) == 3


def test_a_move_without_an_outcome_is_not_counted() -> None:
    assert Moves().add(replace(ended(State.FAILED), outcome=None)) == Moves()


def test_faults_and_phases_are_counted_by_their_names() -> None:
    fault = Fault(source="snmp", subject="127.20.1.1", reason="timeout", detail="")
    status = replace(
        STATUS, faults=Faults().add([fault, fault]), turns=Turns().add({"observe": 0.2}).add({"observe": 3.0})
    )
    metrics = served(status)
    assert metrics.get_sample_value("gdcc_faults_total", {"source": "snmp", "reason": "timeout"}) == 2
    assert metrics.get_sample_value("gdcc_loop_turns_total") == 2
    phase = {"phase": "observe", "le": "0.5"}
    assert metrics.get_sample_value("gdcc_loop_phase_duration_seconds_bucket", phase) == 1


def test_what_holds_the_loop_back_is_shown() -> None:
    rack = Scope(kind=ScopeKind.RACK, name="r07")
    pauses = tuple(Pause(scope=scope, who="ann", why="", since=NOW) for scope in (None, rack))
    drain = Drain(id="d", host=HostName("h1"), who="ann", why="", keep_shutoff=False, since=NOW, state=DrainState.STUCK)
    budget = Budget(failures=3, allowed=3, exhausted=True)
    metrics = served(replace(STATUS, pauses=pauses, drains=(drain,), budget=budget, stopped="the journal is full"))
    assert metrics.get_sample_value("gdcc_paused", {"scope": "everywhere"}) == 1
    assert metrics.get_sample_value("gdcc_paused", {"scope": "rack:r07"}) == 1
    assert metrics.get_sample_value("gdcc_loop_stopped") == 1
    assert metrics.get_sample_value("gdcc_error_budget_exhausted") == 1
    assert metrics.get_sample_value("gdcc_drains", {"state": "stuck"}) == 1
    assert metrics.get_sample_value("gdcc_drains", {"state": "emptying"}) == 0
    started = {"host": "h1", "state": "stuck"}
    assert metrics.get_sample_value("gdcc_drain_started_timestamp_seconds", started) == NOW.timestamp()


def test_only_fresh_readings_are_values_and_ages_are_shown_all_the_same() -> None:
    trust = CLUSTER.hosts.cpu_ratio.trust.copy()
    trust[:] = Trust.FRESH
    trust[0] = Trust.STALE
    at = np.full(len(trust), CLUSTER.taken_at.timestamp() - 12.0)
    reading = replace(CLUSTER.hosts.cpu_ratio, trust=trust, at=at, values=np.full(len(trust), 0.5))
    metrics = served(STATUS, replace(CLUSTER, hosts=replace(CLUSTER.hosts, cpu_ratio=reading)))
    first, second = CLUSTER.hosts.names[:2]
    assert metrics.get_sample_value("gdcc_host_cpu_ratio", {"host": first}) is None
    assert metrics.get_sample_value("gdcc_host_cpu_ratio", {"host": second}) == 0.5
    age = {"host": first, "quantity": "cpu_ratio"}
    assert metrics.get_sample_value("gdcc_host_reading_age_seconds", age) == pytest.approx(12.0)


def test_a_feeds_limit_load_and_headroom_are_shown() -> None:
    feed = next(
        name for name, kind in zip(CLUSTER.power.names, CLUSTER.power.kind, strict=True) if kind == PowerKind.FEED
    )
    limit = LimitState(
        key=f"feed:{feed}", subject=feed, unit="W", limit=4000.0, before=5000.0, after=3900.0, unread=60.0
    )
    plan = PlanSummary(id="p1", created_at=NOW, sentence="", waves=1, limits=(limit,), breaches={"feed": 1})
    metrics = served(replace(STATUS, plan=plan), CLUSTER)
    labels = {"kind": "feed", "name": feed}
    assert metrics.get_sample_value("gdcc_limit_load_ratio", {"limit": "feed", "subject": feed}) == 1.25
    assert metrics.get_sample_value("gdcc_power_headroom_watts", labels) == -1060.0
    assert metrics.get_sample_value("gdcc_power_unread_watts", labels) == 60.0
    assert metrics.get_sample_value("gdcc_power_limit_watts", labels) is not None
    assert metrics.get_sample_value("gdcc_plan_breaches", {"rule": "feed"}) == 1


def test_what_a_plan_frees_and_saves_is_shown() -> None:
    plan = PlanSummary(id="p1", created_at=NOW, sentence="", waves=1, hosts_freed=2, watts_saved=424.0)
    metrics = served(replace(STATUS, plan=plan), CLUSTER)
    assert metrics.get_sample_value("gdcc_plan_hosts_freed") == 2
    assert metrics.get_sample_value("gdcc_plan_saved_watts") == 424.0


def test_a_racks_uplinks_are_shown_with_limit_headroom_and_age_and_no_value_where_they_are_not_read() -> None:
    some = random_cluster.cluster(7, hosts=60, vms=20)
    racks, count = some.racks, len(some.racks.names)
    trust = np.full(count, Trust.FRESH, np.int8)
    trust[1] = Trust.STALE
    at = np.full(count, some.taken_at.timestamp() - 20.0)
    into = replace(racks.uplink_in_bytes_s, values=np.full(count, 3e8), at=at, trust=trust)
    carried = replace(
        racks, uplink_mib_s=np.full(count, 2400.0), uplink_in_bytes_s=into, uplink_out_bytes_s=absent(count)
    )
    cluster = replace(some, racks=carried)
    metrics = served(replace(STATUS, readings=census.readings(cluster)), cluster)

    def value(name: str, rack: int, way: str | None = "in") -> float | None:
        direction = {} if way is None else {"direction": way}
        return metrics.get_sample_value(f"gdcc_rack_uplink_{name}", {"rack": racks.names[rack], **direction})

    assert value("bytes_per_second", 0) == 3e8
    assert value("headroom_bytes_per_second", 0) == 2400 * 2**20 - 3e8
    assert value("bytes_per_second", 1) is value("headroom_bytes_per_second", 1) is None
    assert value("reading_age_seconds", 1) == pytest.approx(20.0)
    assert value("bytes_per_second", 0, "out") is value("reading_age_seconds", 0, "out") is None
    assert value("limit_bytes_per_second", 1, None) == 2400 * 2**20
    counted = {"kind": "rack", "quantity": "uplink_in_bytes_s", "trust": "stale"}
    assert metrics.get_sample_value("gdcc_readings", counted) == 1


def test_the_status_lists_the_fullest_uplinks_that_are_read() -> None:
    def room(name: str, into: float | None) -> RackRoom:
        return RackRoom(
            rack=name, hosts=1, vcpus=1.0, vcpus_placed=0.0, memory_bytes=1.0, memory_placed_bytes=0.0,
            uplink_bytes_s=100.0 * 2**20, uplink_in_bytes_s=into, uplink_out_bytes_s=5.0 * 2**20,
        )  # fmt: skip

    rooms = (room("unread", None), room("quiet", 2.0**20), room("full", 101.0 * 2**20))
    table = tables.uplinks(tables.plain(replace(STATUS, racks=rooms))["racks"])
    shown = [[str(cell) for cell in column.cells] for column in table.columns]
    assert shown == [["full", "quiet"], ["101.0", "1.0"], ["5.0", "5.0"], ["100.0", "100.0"]]
    assert [row.style for row in table.rows] == ["red", ""]
    assert len(tables.status(tables.plain(STATUS))) + 1 == len(
        tables.status(tables.plain(replace(STATUS, racks=rooms)))
    )


def test_no_label_holds_a_vms_id() -> None:
    status = replace(
        STATUS, hosts=census.hosts(CLUSTER), vms=census.vms(CLUSTER), readings=census.readings(CLUSTER),
        racks=census.racks(CLUSTER), running=(ended(State.SUCCEEDED),),
    )  # fmt: skip
    text = generate_latest(served(status, CLUSTER)).decode()
    assert f"gdcc_vms {float(len(CLUSTER.vms.ids))}" in text
    assert not any(vm in text for vm in CLUSTER.vms.ids)


def test_the_census_counts_every_reading_once() -> None:
    for count in census.readings(CLUSTER):
        if count.kind == "host":
            on = int((CLUSTER.hosts.enabled | CLUSTER.hosts.up).sum())
            assert count.fresh + count.stale + count.implausible + count.absent == on


def test_both_copies_of_a_moving_vm_fill_their_racks() -> None:
    hosts = replace(
        CLUSTER.hosts,
        **{name: np.ones(len(CLUSTER.hosts.names), bool) for name in ("known", "enabled", "up", "trusted")},
        draining=np.zeros(len(CLUSTER.hosts.names), bool),
    )
    still = replace(CLUSTER.vms, target=np.full(len(CLUSTER.vms.ids), -1, np.int32))
    elsewhere = next(row for row, rack in enumerate(hosts.rack) if rack >= 0 and row != 0)
    moving = replace(still, target=np.where(still.host == 0, elsewhere, -1).astype(np.int32))
    before = census.racks(replace(CLUSTER, hosts=hosts, vms=still))
    after = census.racks(replace(CLUSTER, hosts=hosts, vms=moving))
    grown = sum(rack.vcpus_placed for rack in after) - sum(rack.vcpus_placed for rack in before)
    assert grown == pytest.approx(still.vcpus[still.host == 0].sum())


def test_a_histogram_puts_a_value_at_its_bound_into_that_bucket() -> None:
    histogram = Histogram.empty((1.0, 2.0)).add(1.0).add(1.5).add(9.0)
    assert (histogram.counts, histogram.total) == ((1, 1, 1), 11.5)


def test_a_feed_whose_ups_went_silent_on_battery_is_still_shown_on_battery() -> None:
    power = CLUSTER.power
    feeds = np.flatnonzero(power.kind == PowerKind.FEED)
    stale = replace(power.on_battery, trust=np.full(len(power.names), Trust.STALE, np.int8))
    said = np.arange(len(power.names)) == feeds[0]
    metrics = served(STATUS, replace(CLUSTER, power=replace(power, on_battery=stale, silent_on_battery=said)))
    shown = [metrics.get_sample_value("gdcc_feed_on_battery", {"feed": power.names[row]}) for row in feeds]
    assert shown == [1.0, None], "a silent UPS that stood on mains is not said to be well"
