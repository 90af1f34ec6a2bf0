"""The daemon against the real OpenStack: it relieves, drains, respects every rule, and repeats nothing when killed."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openstack
import pytest

from controller.model.migration import State
from inventory import load
from inventory.model import Classification
from tests.lab.daemon import ESTATE, Daemon
from tests.lab.fixtures import Lab

pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]
"""openstacksdk warns of its own calls and defaults."""

HOT = {"extra_vcpus": 46.0}
"""Of 64 threads: with its guests busy, a host of the lab is above 80 %."""


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


def records(cloud: Any) -> Counter[tuple[str, int]]:
    """Nova's own list of migrations by server and record."""
    rows = cloud.compute.get("/os-migrations", microversion="2.80").json()["migrations"]
    return Counter((row["instance_uuid"], row["id"]) for row in rows)


def fullest(cloud: Any) -> str:
    """The host with the most guests, that heating it is worth moves."""
    return Counter(server.compute_host for server in servers(cloud).values()).most_common(1)[0][0]


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


def test_a_hot_host_is_relieved_and_every_rule_still_holds(lab: Lab, cloud: Any, daemon: Daemon) -> None:
    host = fullest(cloud)
    heat(lab, cloud, host)
    daemon.start()
    ended = daemon.until(lambda: [e for e in daemon.entries() if e.state is State.SUCCEEDED], "a move that succeeded")
    daemon.until(lambda: "cpu" not in broken(daemon) and not daemon.status()["running"], "no hot host")
    assert all(entry.state is State.SUCCEEDED for entry in daemon.entries())
    assert {entry.intent.rule for entry in ended} == {"cpu"}
    rules_hold(cloud)
    assert "succeeded" in daemon.gdcc("moves")
    assert "hosts, " in daemon.gdcc("status")


@pytest.mark.parametrize("state", ["intended", "sent", "running", "verifying"])
def test_killed_at_any_state_no_move_is_made_twice(lab: Lab, cloud: Any, daemon: Daemon, state: str) -> None:
    before = records(cloud)
    heat(lab, cloud, fullest(cloud))
    daemon.start()
    daemon.kill_at(state)
    at_death = daemon.entries()
    assert (at_death and any(entry.outcome is None for entry in at_death)) or state == "verifying"
    lab.calm()
    daemon.start()
    daemon.until(lambda: all(entry.outcome is not None for entry in daemon.entries()), "every intent to end", 150)
    ends = {entry.intent.id: entry.state for entry in daemon.entries()}
    assert all(ends[entry.intent.id] in {State.SUCCEEDED, State.NOT_SENT} for entry in at_death)
    made = Counter(server for server, _ in records(cloud) - before)
    sent = Counter(e.intent.server_id for e in daemon.entries() if e.state is not State.NOT_SENT)
    assert made == sent
    rules_hold(cloud)


def test_a_stalled_migration_is_aborted_and_the_vm_stays(lab: Lab, cloud: Any, daemon: Daemon) -> None:
    host = fullest(cloud)
    for server in on(cloud, host):
        lab.fault(server.name, "stall")
    heat(lab, cloud, host)
    daemon.start()
    aborted = daemon.until(
        lambda: [entry for entry in daemon.entries() if entry.state is State.ABORTED], "an aborted move"
    )[0]
    server = cloud.compute.get_server(aborted.intent.server_id)
    assert (server.compute_host, server.status, server.task_state) == (aborted.intent.source, "ACTIVE", None)


def test_a_failing_migration_is_not_retried_blindly(lab: Lab, cloud: Any, daemon: Daemon) -> None:
    before = records(cloud)
    host = fullest(cloud)
    for server in on(cloud, host):
        lab.fault(server.name, "copy")
    heat(lab, cloud, host)
    daemon.start()
    failed = daemon.until(lambda: [e for e in daemon.entries() if e.state is State.FAILED], "a failed move")[0]
    turns = daemon.status()["turns"]["count"]
    daemon.until(lambda: daemon.status()["turns"]["count"] >= turns + 4, "four more turns")
    made = Counter(server for server, _ in records(cloud) - before)
    assert made[failed.intent.server_id] == 1


def test_a_host_is_drained_in_mode_observe_and_given_back(lab: Lab, cloud: Any, tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, {"mode": "observe"})
    host = min(load.load(ESTATE).hosts, key=lambda name: len(on(cloud, name)) or 99)
    shut = next(server for server in on(cloud, host))
    cloud.compute.stop_server(shut)
    cloud.compute.wait_for_server(cloud.compute.get_server(shut.id), status="SHUTOFF", wait=60, interval=1)
    daemon.start()
    try:
        daemon.until(lambda: daemon.status()["hosts"]["trusted"] == 6, "trusted readings")
        daemon.gdcc("drain", host, "--yes", "--why", "a test")
        assert on(cloud, host) == []
        service = next(s for s in cloud.compute.services(binary="nova-compute") if s.host == host)
        assert service.status == "disabled" and service.disabled_reason.startswith("gdcc: drain")
        assert cloud.compute.get_server(shut.id).status == "SHUTOFF"
        rules_hold(cloud)
        assert "is under way" in daemon.refused("drain", host, "--yes")
    finally:
        daemon.gdcc("enable", host)
        daemon.stop()
        cloud.compute.start_server(shut.id)
    service = next(s for s in cloud.compute.services(binary="nova-compute") if s.host == host)
    assert service.status == "enabled"


def test_a_second_daemon_and_a_direct_drain_are_refused_while_one_runs(daemon: Daemon) -> None:
    daemon.start()
    for words in (["run"], ["drain", "cmp1", "--direct", "--yes"]):
        said = daemon.refused(*words, "--config", str(daemon.config))
        assert "the journal is in use: gdcc run, process" in said


def test_sigterm_ends_it_in_order_with_status_0(daemon: Daemon) -> None:
    daemon.start()
    assert daemon.stop() == 0
    assert "stopped" in daemon.tail()
