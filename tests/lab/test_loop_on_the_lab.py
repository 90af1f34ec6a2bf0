"""The daemon against the real OpenStack: it relieves, drains, respects every rule, and repeats nothing when killed."""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path
from typing import Any

import openstack
import pytest

from controller.model.migration import OPEN_STATES, State
from inventory import load
from inventory.model import Classification
from tests.lab.daemon import ESTATE, POLICY, Daemon
from tests.lab.fixtures import QUICK_MIB_S, Lab

pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]
"""openstacksdk warns of its own calls and defaults."""

PROMETHEUS = "http://127.0.0.1:9090"
HOT, WARM = {"extra_vcpus": 46.0}, 29.0
"""Of 64 threads, with its guests busy: a host above 80 %. An inlet (Celsius) above warning, below critical."""


@pytest.fixture
def cloud(lab: Lab) -> Any:
    return openstack.connect()


@pytest.fixture
def daemon(lab: Lab, tmp_path: Path) -> Iterator[Daemon]:
    """Not started yet; ended after the test."""
    made = Daemon(tmp_path)
    yield made
    if made.process is not None:
        made.stop()


def servers(cloud: Any) -> dict[str, Any]:
    return {server.id: server for server in cloud.compute.servers(all_projects=True)}


def on(cloud: Any, host: str) -> list[Any]:
    return [server for server in servers(cloud).values() if server.compute_host == host]


def records(cloud: Any) -> dict[int, Any]:
    """Nova's own list of migrations, by id."""
    rows = cloud.compute.get("/os-migrations", microversion="2.80").json()["migrations"]
    return {row["id"]: row for row in rows}


def new_records(cloud: Any, before: Container[int]) -> list[Any]:
    return [row for number, row in sorted(records(cloud).items()) if number not in before]


def each_once(daemon: Daemon, before: Container[int], cloud: Any) -> None:
    """Nova's new records are those of the journal's moves that were sent, one each."""
    sent = [entry for entry in daemon.entries() if entry.state is not State.NOT_SENT]
    known = Counter((entry.migration_id, entry.intent.server_id) for entry in sent)
    assert known == Counter((row["id"], row["instance_uuid"]) for row in new_records(cloud, before))


def peak(rows: Iterable[Any], key: Callable[[Any], Any]) -> int:
    """How many migrations Nova had under way at once for one value of `key`, by its own times."""
    found = list(rows)
    return max(
        (sum(key(other) == key(row) and other["created_at"] <= row["created_at"] < other["updated_at"]
             for other in found) for row in found),
        default=0,
    )  # fmt: skip


def fullest(cloud: Any, among: Container[str] = frozenset(load.load(ESTATE).hosts)) -> str:
    """The host with the most guests, that heating it is worth moves."""
    hosts = (server.compute_host for server in servers(cloud).values())
    return Counter(host for host in hosts if host in among).most_common(1)[0][0]


def heat(lab: Lab, cloud: Any, host: str) -> None:
    for server in on(cloud, host):
        lab.load_guest(server.name, busy_vcpus=float(server.flavor.vcpus))
    lab.load_host(host, **HOT)


def rules_hold(cloud: Any) -> None:
    """Anti-affinity and clearance, by Nova's own word."""
    estate, where = load.load(ESTATE), {s.id: s.compute_host for s in servers(cloud).values()}
    for group in cloud.compute.server_groups(all_projects=True):
        hosts = [where[member] for member in group.member_ids if member in where]
        assert len(set(hosts)) == len(hosts), f"{group.name} shares a host: {hosts}"
    projects = {project.id: project.name for project in cloud.identity.projects()}
    level = {system.project: system.classification for system in estate.systems.values()}
    for server in servers(cloud).values():
        needs = level.get(projects[server.project_id], Classification.OPEN)  # others are not the controller's to move
        assert estate.hosts[server.compute_host].clearance >= needs, f"{server.name} on {server.compute_host}"


def broken(daemon: Daemon) -> Any:
    """Breaches of the newest plan by rule; "cpu" before there is one."""
    plan = daemon.status()["plan"]
    return plan["breaches"] if plan else {"cpu": 1}


def test_a_hot_host_is_relieved_over_a_kill_9_and_every_rule_still_holds(lab: Lab, cloud: Any, daemon: Daemon) -> None:
    host, before = fullest(cloud), records(cloud)
    heat(lab, cloud, host)
    daemon.start()
    daemon.kill_at({(State.RUNNING, False)})
    daemon.launch()
    ended = daemon.until(lambda: [e for e in daemon.entries() if e.state is State.SUCCEEDED], "a move that succeeded")
    daemon.until(lambda: "cpu" not in broken(daemon) and not daemon.status()["running"], "no hot host")
    assert all(entry.state is State.SUCCEEDED for entry in daemon.entries())
    assert {entry.intent.rule for entry in ended} == {"cpu"}
    each_once(daemon, before, cloud)
    rules_hold(cloud)
    assert "succeeded" in daemon.gdcc("moves")
    assert "hosts, " in daemon.gdcc("status")


def test_killed_at_every_state_of_live_and_cold_moves_a_drain_goes_on_and_repeats_none(
    lab: Lab, cloud: Any, tmp_path: Path
) -> None:
    """Nobody asks for the drain again; one open move at a time, so that each death is that of one move."""
    often = {**POLICY["migration"], "poll": "300ms"}  # or a quick copy is over before it was seen to run
    daemon = Daemon(tmp_path, {"mode": "observe", "limits": {"at_once": 1}, "migration": often})
    host = fullest(cloud)
    servers_there = on(cloud, host)
    assert len(servers_there) >= 5
    stopped = servers_there[:2]
    for server in stopped:
        cloud.compute.stop_server(server)
    for server in stopped:
        cloud.compute.wait_for_server(server, status="SHUTOFF", wait=60, interval=1)
    before, wanted = records(cloud), {(state, cold) for state in OPEN_STATES for cold in (False, True)}
    lab.set(link_mib_s=QUICK_MIB_S)
    daemon.start()
    try:
        daemon.gdcc("drain", host, "--yes", "--no-wait", "--why", "a test")
        while wanted:
            wanted.discard(daemon.kill_at(wanted))
            daemon.launch()
        daemon.until(lambda: not daemon.status()["running"] and on(cloud, host) == [], "an empty host")
        ends = {entry.state for entry in daemon.entries()}
        assert State.SUCCEEDED in ends and ends <= {State.SUCCEEDED, State.NOT_SENT}
        each_once(daemon, before, cloud)
        assert {row["status"] for row in new_records(cloud, before)} == {"completed", "confirmed"}
        rules_hold(cloud)
        daemon.gdcc("enable", host)
    finally:
        daemon.stop()
        for server in stopped:
            cloud.compute.start_server(server)


def test_a_stalled_migration_is_aborted_by_the_next_process_and_the_vm_stays(
    lab: Lab, cloud: Any, daemon: Daemon
) -> None:
    host = fullest(cloud)
    for server in on(cloud, host):
        lab.fault(server.name, "stall")
    heat(lab, cloud, host)
    daemon.start()
    daemon.kill_at({(State.RUNNING, False)})
    daemon.launch()
    aborted = daemon.until(
        lambda: [entry for entry in daemon.entries() if entry.state is State.ABORTED], "an aborted move"
    )[0]
    server = cloud.compute.get_server(aborted.intent.server_id)
    assert (server.compute_host, server.status, server.task_state) == (aborted.intent.source, "ACTIVE", None)


def test_a_failing_migration_is_not_retried_blindly(lab: Lab, cloud: Any, tmp_path: Path) -> None:
    """Here it is the lab's Prometheus that tells the daemon of hosts and guests."""
    daemon = Daemon(tmp_path, prometheus={"url": PROMETHEUS, "window": "10s"})
    try:
        _fails_once(lab, cloud, daemon)
    finally:
        daemon.stop()


def _fails_once(lab: Lab, cloud: Any, daemon: Daemon) -> None:
    host, before = fullest(cloud), records(cloud)
    for server in on(cloud, host):
        lab.fault(server.name, "copy")
    heat(lab, cloud, host)
    daemon.start()
    failed = daemon.until(lambda: [e for e in daemon.entries() if e.state is State.FAILED], "a failed move")[0]
    turns = daemon.status()["turns"]["count"]
    daemon.until(lambda: daemon.status()["turns"]["count"] >= turns + 4, "four more turns")
    made = Counter(row["instance_uuid"] for row in new_records(cloud, before))
    assert made[failed.intent.server_id] == 1


LIMITS = {"at_once": 2, "out_of_host": 4, "into_host": 2, "across_rack": 4, "per_agency": 2, "per_system": 1}
MATES = {"cmp1": "cmp2", "cmp2": "cmp1", "cmp3": "cmp4"}
"""Hosts whose guests may stand on every other, and who shares their rack."""


def test_a_host_is_drained_in_mode_auto_within_every_limit_and_given_back(lab: Lab, cloud: Any, tmp_path: Path) -> None:
    """Limits are held against the times that Nova itself wrote down. The first moves leave the rack: its other host is
    too warm for them.
    """
    limits = {**LIMITS, "across_rack": 1, "per_hour": 3}
    daemon, host = Daemon(tmp_path, {"limits": limits}), fullest(cloud, MATES)
    lab.load_host(MATES[host], inlet_celsius=WARM)
    estate, before = load.load(ESTATE), records(cloud)
    projects = {project.id: project.name for project in cloud.identity.projects()}
    systems = {system.project: system for system in estate.systems.values()}
    system_of = {one.id: systems[projects[one.project_id]] for one in servers(cloud).values()}
    rack_of = {name: one.rack for name, one in estate.hosts.items()}
    lab.set(link_mib_s=800)
    daemon.start()
    try:
        daemon.until(lambda: daemon.status()["hosts"]["trusted"] == 6, "trusted readings")
        daemon.gdcc("drain", host, "--yes", "--no-wait", "--why", "a test")
        service = next(s for s in cloud.compute.services(binary="nova-compute") if s.host == host)
        assert service.status == "disabled" and service.disabled_reason.startswith("gdcc: drain")
        assert "is under way" in daemon.refused("drain", host, "--yes")
        daemon.until(lambda: len([e for e in daemon.entries() if e.outcome]) == 3, "the hour's moves")
        turns = daemon.status()["turns"]["count"]
        daemon.until(lambda: daemon.status()["turns"]["count"] >= turns + 2, "two more turns")
        assert len(new_records(cloud, before)) == 3
        lab.load_host(MATES[host])
        turns = daemon.status()["turns"]["count"]
        daemon.until(lambda: daemon.status()["turns"]["count"] >= turns + 5, "looks at the host that is cool again")
        daemon.reload({"limits": LIMITS})
        daemon.until(lambda: not daemon.status()["running"] and on(cloud, host) == [], "an empty host")
        each_once(daemon, before, cloud)
        rules_hold(cloud)
        daemon.gdcc("enable", host)
    finally:
        daemon.stop()
    made = new_records(cloud, before)
    assert peak(made[:3], lambda row: "all") == limits["across_rack"]
    left = {system_of[row["instance_uuid"]].name for row in made[3:]}
    assert peak(made[3:], lambda row: "all") == min(LIMITS["at_once"], len(left)), "one of a system at once"
    assert all(estate.hosts[r["dest_compute"]].clearance >= system_of[r["instance_uuid"]].classification for r in made)
    assert peak(made, lambda row: system_of[row["instance_uuid"]].name) == 1
    for agency in {system.agency for system in systems.values()}:
        budget = estate.agencies[agency].budget
        assert budget is not None
        own = [row for row in made if system_of[row["instance_uuid"]].agency == agency]
        assert not own or peak(own, lambda row: "all") <= min(2, budget.at_once)
    assert all(rack_of[row["source_compute"]] != rack_of[row["dest_compute"]] for row in made[:3])
    service = next(s for s in cloud.compute.services(binary="nova-compute") if s.host == host)
    assert service.status == "enabled"


def test_a_second_daemon_and_a_direct_drain_are_refused_while_one_runs(daemon: Daemon) -> None:
    daemon.start()
    for words in (["run"], ["drain", "cmp1", "--direct", "--yes"]):
        said = daemon.refused(*words, "--config", str(daemon.config))
        assert "the journal is in use: gdcc run, process" in said


def test_a_host_is_drained_with_no_daemon(lab: Lab, cloud: Any, daemon: Daemon) -> None:
    host, before = fullest(cloud), records(cloud)
    lab.set(link_mib_s=QUICK_MIB_S)
    said = daemon.gdcc("drain", host, "--direct", "--yes", "--why", "a test", "--config", str(daemon.config))
    assert on(cloud, host) == [] and host in said
    assert {row["source_compute"] for row in new_records(cloud, before)} == {host}
    each_once(daemon, before, cloud)
    rules_hold(cloud)


def test_sigterm_ends_it_in_order_with_status_0(daemon: Daemon) -> None:
    daemon.start()
    assert daemon.stop() == 0
    assert "stopped" in daemon.tail()
