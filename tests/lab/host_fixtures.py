"""The lab's hosts for tests: bare, or as the nova-computes of the joined lab, configured by the project's playbooks.

Both are the same three hosts. Tests that ask for bare ones go first, as what they leave behind is what the joined lab
needs.
"""

import fcntl
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.fixtures import RECIPE, Lab, described

REPOSITORY = RECIPE.parents[2]
ESTATE_OF_HOSTS = RECIPE.parent / "estate-hosts"
DIRECTORY = Path(os.environ.get("HOSTS_LAB", "/tmp/gdcc-hosts"))
REPORTING_S = 300.0
NUMBERS = {"host1": 1, "host2": 2, "host3": 3}
_RECAP = re.compile(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """How a playbook went: by host what it changed, the hosts on which it failed, and all that it said."""

    changed: dict[str, int]
    failed: frozenset[str]
    output: str


def begun(inventory: Path, playbook: str, *options: str) -> subprocess.Popen[str]:
    """A playbook under way: its standard output and error can be read, and it can be killed."""
    ansible = Path(sys.executable).with_name("ansible-playbook")
    return subprocess.Popen(
        [ansible, "-i", inventory, f"playbooks/{playbook}.yml", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "HOSTS_LAB": str(DIRECTORY)},
    )


def played(running: subprocess.Popen[str]) -> Played:
    """How it went, once it has ended."""
    output, errors = running.communicate()
    recap = _RECAP.findall(output)
    return Played(
        changed={host: int(changed) for host, changed, _, _ in recap},
        failed=frozenset(host for host, _, unreachable, failed in recap if unreachable != "0" or failed != "0"),
        output=output + errors,
    )


class Hosts:
    """Hosts by name. What is done to them here, their administrator does by hand."""

    def command(self, host: str, command: str) -> str:
        """What a shell command on a host prints. Raises `CalledProcessError` where it fails."""
        asked = [RECIPE, "hosts", "ssh", str(NUMBERS[host]), command]
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout

    def says(self, host: str, command: str) -> str:
        """The same, and what there was where the host does not answer or the command fails."""
        asked = [RECIPE, "hosts", "ssh", str(NUMBERS[host]), command]
        return subprocess.run(asked, check=False, capture_output=True, text=True).stdout.strip()

    def boot_id(self, host: str) -> str:
        """Which boot of the host this is; empty while it does not answer."""
        return self.says(host, "cat /proc/sys/kernel/random/boot_id")

    def make_bare(self, *hosts: str) -> None:
        subprocess.run([RECIPE, "hosts", "fresh", *(str(NUMBERS[host]) for host in hosts)], check=True)

    def publish(self, *versions: str) -> None:
        """The versions of gdcc-canary that the hosts' repository holds from now on."""
        subprocess.run([RECIPE, "hosts", "publish", *versions], check=True)

    def play(self, playbook: str, *options: str) -> Played:
        """Runs a playbook on all hosts, or as the options say."""
        return played(self.begin(playbook, *options))

    def begin(self, playbook: str, *options: str) -> subprocess.Popen[str]:
        """The same, under way."""
        return begun(ESTATE_OF_HOSTS / "gdcc.yml", playbook, *options)

    def configure(self) -> Played:
        """All that is declared of them. Raises `AssertionError` with what Ansible said where it fails on any."""
        played = self.play("host-configure")
        assert set(played.changed) == set(NUMBERS), played.output
        assert not played.failed, played.output
        return played


class JoinedLab(Lab):
    """The plain lab's controls over the cloud of the joined one."""

    def __init__(self, env: dict[str, str], hosts: Hosts) -> None:
        super().__init__(Path(env["LAB"]), env, ESTATE_OF_HOSTS)
        self.hosts = hosts

    def await_reports(self) -> None:
        """Until every host's nova-compute reports anew, so that those that were started now have begun their work.

        Nova resets what is under way on a host whose nova-compute begins.
        """
        before, end = self.admin.reports(), time.monotonic() + REPORTING_S
        while set(self.admin.reports()) != set(NUMBERS) or not before.items().isdisjoint(self.admin.reports().items()):
            assert time.monotonic() < end, f"of {set(NUMBERS)}, these reported: {self.admin.reports()}"
            time.sleep(0.5)


@pytest.fixture(scope="session")
def standing_hosts() -> Iterator[Hosts]:
    """The hosts and the joined lab's control plane, up, for one session of tests at a time: another one waits."""
    subprocess.run([RECIPE, "joined", "up"], check=True)
    with (DIRECTORY / "tests.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        yield Hosts()


@pytest.fixture(scope="session")
def bare_hosts(standing_hosts: Hosts) -> Hosts:
    """All of them as debootstrap leaves them, once in a session."""
    standing_hosts.make_bare(*NUMBERS)
    return standing_hosts


@pytest.fixture(scope="session")
def standing_joined_lab(standing_hosts: Hosts) -> Iterator[JoinedLab]:
    """The joined lab with its hosts configured; its OS_ variables are `env`, and not set."""
    if any(standing_hosts.says(host, "systemctl is-active nova-compute") != "active" for host in NUMBERS):
        standing_hosts.configure()
    lab = JoinedLab(described("joined"), standing_hosts)
    lab.await_reports()
    yield lab
    lab.close()


@pytest.fixture
def joined_lab(standing_joined_lab: JoinedLab, monkeypatch: pytest.MonkeyPatch) -> Iterator[JoinedLab]:
    """The joined lab as its estate says, and its OS_ variables set; calm again afterwards.

    That is eight servers of three agencies, all ACTIVE: a pair that no host may hold both of, and agencies that bear
    one move at once.
    """
    for name, value in standing_joined_lab.env.items():
        monkeypatch.setenv(name, value)
    standing_joined_lab.restore()
    yield standing_joined_lab
    standing_joined_lab.calm()
