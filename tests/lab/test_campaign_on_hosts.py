"""A campaign patches and reboots real hosts while their servers hold a spread rule and their agencies' budgets."""

import itertools
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.api import client
from controller.model.campaign import Step
from controller.model.migration import State
from inventory import load
from tests.lab.daemon import Daemon
from tests.lab.host_fixtures import ESTATE_OF_HOSTS, NUMBERS, JoinedLab
from tests.lab.test_hosts_lab import PAIR

KILLS = 10
PATIENCE_S = 900.0
OLD, NEW = "1.0", "1.1"
PACKAGE = "gdcc-canary"
NEVER = "Mon 00:00-00:01"
"""A minute in the week; a test that began in it would have to be the only one to run at midnight."""

BOOTS_EACH = 6
"""Looks at the cloud between two at the hosts' boots; a boot takes longer than that."""

BREAK = "echo 'X11Forwarding yes' >/etc/ssh/sshd_config.d/00-gdcc.conf; systemctl reload ssh"
"""What no patch puts right, and what a verification names."""


@pytest.fixture
def daemon(joined_lab: JoinedLab, tmp_path: Path) -> Iterator[Daemon]:
    """Over the joined lab's estate; it moves nothing but for drains.

    Hosts in containers tell the whole machine's CPU as theirs, so no host is called hot for it; and it looks seldom
    enough to leave that CPU to the playbooks.
    """
    policy = {"mode": "observe", "thresholds": {"cpu_ratio": 1.0}}
    rhythm = {"interval": "5s", "scrape_interval": "5s", "snmp": {"interval": "5s"}}
    made = Daemon(tmp_path, policy, estate=str(ESTATE_OF_HOSTS), **rhythm)
    yield made
    if made.process is not None:
        made.stop()


class Watch:
    """Looks at the cloud and the hosts without a pause, and keeps what it saw."""

    def __init__(self, lab: JoinedLab) -> None:
        self._lab = lab
        self._ended = threading.Event()
        self._looks = threading.Thread(target=self._look, daemon=True)
        self.together: set[str] = set()
        self.out: set[frozenset[str]] = set()
        self.statuses: set[str] = set()
        self.boots: dict[str, set[str]] = defaultdict(set)

    def __enter__(self) -> "Watch":
        self._boots()
        self._looks.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._looks.join()
        self._boots()

    def _look(self) -> None:
        for look in itertools.count():
            if self._ended.wait(0.5):
                return
            if look % BOOTS_EACH == 0:
                self._boots()
            servers = self._lab.admin.servers()
            pair = [row["OS-EXT-SRV-ATTR:host"] for row in servers if row["name"] in PAIR]
            self.together |= {host for host in NUMBERS if pair.count(host) == len(PAIR)}
            self.out.add(frozenset(self._lab.admin.disabled()))
            self.statuses |= {row["status"] for row in servers}

    def _boots(self) -> None:
        for host in NUMBERS:
            self.boots[host].add(self._lab.hosts.boot_id(host))


def progress(daemon: Daemon) -> Any:
    return client.call(daemon.socket, "GET", client.path("campaigns", "newest"))


def states(daemon: Daemon) -> dict[str, str]:
    return {member["host"]: member["state"] for member in progress(daemon)["members"]}


def state(daemon: Daemon) -> str:
    return str(progress(daemon)["campaign"]["state"])


def begin(daemon: Daemon, *options: str) -> str:
    """A campaign of all hosts, begun; its name."""
    daemon.gdcc("campaign", "new", "--verb", "patch", "--name", "canary", *options)
    daemon.gdcc("campaign", "start", "canary")
    return "canary"


def with_old_packages(lab: JoinedLab) -> None:
    lab.hosts.publish(OLD)
    for host in NUMBERS:
        lab.hosts.command(host, f"apt-get update -q && apt-get install -y -q --allow-downgrades {PACKAGE}={OLD}")
        lab.hosts.command(host, "rm -f /run/reboot-required /run/reboot-required.pkgs; : >/var/log/dpkg.log")
    lab.hosts.publish(OLD, NEW)


def upgrades(lab: JoinedLab, host: str) -> int:
    """How often the host took the new package, by dpkg's own log."""
    return lab.hosts.command(host, "cat /var/log/dpkg.log").count(f"upgrade {PACKAGE}:all {OLD} {NEW}")


def killed_at_random(daemon: Daemon, seed: int) -> None:
    """Kills the controller over and over, at any instant, while a campaign goes on; it is running at the end."""
    instants = random.Random(seed)
    pause = threading.Event()
    for _ in range(KILLS):
        pause.wait(instants.uniform(2.0, 40.0))
        daemon.kill()
        daemon.launch()


@pytest.mark.soak
def test_hosts_are_patched_and_rebooted_once_over_ten_kills_and_no_rule_is_broken_at_any_instant(
    joined_lab: JoinedLab, daemon: Daemon
) -> None:
    with_old_packages(joined_lab)
    daemon.start()
    daemon.until(lambda: daemon.status()["hosts"]["trusted"] == len(NUMBERS), "trusted readings")
    with Watch(joined_lab) as watch:
        begin(daemon, "--hosts", "site:lab", "--canaries", "1")
        killed_at_random(daemon, seed=20261121)
        daemon.until(lambda: state(daemon) in {"done", "paused"}, "the end of the campaign", PATIENCE_S)
    assert state(daemon) == "done", progress(daemon)
    assert {host: upgrades(joined_lab, host) for host in NUMBERS} == dict.fromkeys(NUMBERS, 1)
    assert {host: len(boots - {""}) for host, boots in watch.boots.items()} == dict.fromkeys(NUMBERS, 2)
    assert watch.together == set(), "both of a pair on one host"
    assert watch.statuses <= {"ACTIVE", "MIGRATING"}, "a guest that a reboot stopped would be SHUTOFF"
    assert max(map(len, watch.out)) == 1
    assert joined_lab.admin.disabled() == []
    never_began = {State.NOT_SENT, State.REFUSED}  # to Nova's scheduler a server that has just left may be there still
    moved = [entry for entry in daemon.entries() if entry.state not in never_began]
    assert {entry.state for entry in moved} == {State.SUCCEEDED}
    assert Counter(entry.migration_id for entry in moved).most_common(1)[0][1] == 1
    budget_held(joined_lab, daemon)
    shown = daemon.gdcc("campaign", "show", "canary")
    assert "3 of 3 hosts done; none left" in shown
    assert "ended 20" in shown


def budget_held(lab: JoinedLab, daemon: Daemon) -> None:
    """No agency had more moves at once than it bears, by the times that Nova wrote."""
    estate = load.load(ESTATE_OF_HOSTS)
    agency = {
        f"{system.name}-{vms.role}-{n}": system.agency
        for system in estate.systems.values()
        for vms in system.vm_sets
        for n in range(1, vms.count + 1)
    }
    ours = {entry.migration_id for entry in daemon.entries()}
    names = {row["id"]: row["name"] for row in lab.admin.servers()}
    rows = [row for row in lab.admin.migrations() if row["id"] in ours]
    for name, declared in estate.agencies.items():
        own = [row for row in rows if agency[names[row["instance_uuid"]]] == name]
        assert declared.budget is not None
        at_once = [sum(other["created_at"] <= row["created_at"] < other["updated_at"] for other in own) for row in own]
        assert max(at_once, default=0) <= declared.budget.at_once, f"{name}: {own}"


def test_a_host_that_fails_its_verification_pauses_a_twice_killed_campaign_and_comes_back_only_once_it_is_mended(
    joined_lab: JoinedLab, daemon: Daemon
) -> None:
    with_old_packages(joined_lab)
    joined_lab.hosts.command("host2", BREAK)
    daemon.start()
    daemon.until(lambda: daemon.status()["hosts"]["trusted"] == len(NUMBERS), "trusted readings")
    begin(daemon, "--hosts", "host2,host3", "--canaries", "host2")
    for step in (Step.WORK, Step.REBOOT):
        daemon.kill_at_step("host2", step, PATIENCE_S)
        daemon.launch()
    daemon.until(lambda: state(daemon) == "paused", "the pause", PATIENCE_S)
    assert upgrades(joined_lab, "host2") == 1
    why = progress(daemon)["campaign"]["why"]
    assert "host2 failed" in why and "verify" in why and "sshd" in why.lower(), why
    assert states(daemon) == {"host2": "failed", "host3": "waiting"}
    assert joined_lab.admin.disabled() == ["host2"]
    assert joined_lab.admin.names_on("host2") == set()

    assert not joined_lab.hosts.play("host-configure", "--limit", "host2", "--tags", "ssh").failed
    daemon.gdcc("campaign", "resume", "canary", "--retry")
    daemon.until(lambda: states(daemon)["host2"] == "done", "host2 given back", PATIENCE_S)
    daemon.gdcc("campaign", "abort", "canary", "--why", "the test has seen enough")
    daemon.until(lambda: state(daemon) == "aborted", "the end of the abort", PATIENCE_S)
    assert states(daemon)["host3"] in {"untouched", "done"}
    assert joined_lab.admin.disabled() == []


def test_outside_of_its_window_a_campaign_begins_nothing_and_an_abort_leaves_every_host_untouched(
    joined_lab: JoinedLab, daemon: Daemon
) -> None:
    daemon.start()
    begin(daemon, "--hosts", "site:lab", "--window", NEVER)
    daemon.until(lambda: "window" in progress(daemon)["waits"], "the word that it waits for its window")
    assert set(states(daemon).values()) == {"waiting"}
    assert joined_lab.admin.disabled() == []
    daemon.gdcc("campaign", "abort", "canary")
    daemon.until(lambda: state(daemon) == "aborted", "the end of the abort")
    assert set(states(daemon).values()) == {"untouched"}
    assert daemon.entries() == ()
