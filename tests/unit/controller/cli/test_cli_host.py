"""`gdcc host` from the command line to the real Ansible, over the socket of a controller with a fake cloud."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner, Result

from controller.adapters.ansible import held
from controller.api import host_runs, operators
from controller.cli.main import app
from controller.model.host_run import HostRunState, HostStep, HostVerb
from controller.model.ids import HostName
from controller.model.policy import Mode
from tests.fakes.ansible_site import site as ansible_site
from tests.fakes.turning import Turning

pytestmark = pytest.mark.lab
"""No lab, but too long for every change: Ansible's own processes, many times over."""

C1 = HostName("c1")

INVENTORY = """\
all:
  vars:
    ansible_connection: local
    ansible_python_interpreter: {python}
  children:
    rack_r1:
      hosts: {{c1: , c2: }}
    rack_r2:
      hosts: {{c3: }}
"""
HEAD = """\
- name: Work
  hosts: all
  gather_facts: false
  max_fail_percentage: "{{ max_failed_percentage | default(0) }}"
  vars:
    state: '{{ playbook_dir }}/../state'
  tasks:
"""
BOOT_ID = (
    HEAD
    + """\
    - name: Tell the boot id
      ansible.builtin.set_stats:
        data:
          boot_id: "{{ lookup('file', state ~ '/boot') }}"
        per_host: true
"""
)
REBOOT = (
    HEAD
    + """\
    - name: Reboot
      ansible.builtin.copy:
        content: "{{ lookup('file', state ~ '/boot') }}+"
        dest: "{{ state }}/boot"
        mode: "0600"
      when: reboot_boot_id == lookup('file', state ~ '/boot')
"""
)
VERIFY = (
    HEAD
    + """\
    - name: Prove the MTU
      ansible.builtin.assert:
        that: lookup('file', state ~ '/mtu') == '9000'
        fail_msg: "Declared 9000, found {{ lookup('file', state ~ '/mtu') }}."
        quiet: true
"""
)
SITE = (
    HEAD
    + """\
    - name: Set the MTU
      ansible.builtin.copy:
        content: "9000"
        dest: "{{ state }}/mtu"
        mode: "0600"
      when: inventory_hostname != 'c2'
    - name: Look at the disk
      ansible.builtin.fail:
        msg: "/ is full"
      when: inventory_hostname == 'c3'
"""
)
FACTS = (
    HEAD
    + """\
    - name: Tell facts
      ansible.builtin.set_stats:
        data: {kernel: {declared: "6.1", found: "6.0"}, cpu: {flags: [vmx, aes]}}
        per_host: true
"""
)
PLAYBOOKS = {
    "host-boot-id.yml": BOOT_ID,
    "host-reboot.yml": REBOOT,
    "host-verify.yml": VERIFY,
    "host-facts.yml": FACTS,
    "site.yml": SITE,
}


class Place:
    """A landscape on disk, and `gdcc host` in it."""

    def __init__(self, folder: Path) -> None:
        files = {"root/state/boot": "b1", "root/state/mtu": "9000"}
        self.site = ansible_site(folder, PLAYBOOKS, files=files, inventory_text=INVENTORY)
        self.state = self.site.root / "state"
        self.socket = folder / "gdcc.sock"
        self.config = folder / "controller.yaml"
        ansible = {"root": "root", "inventory": "inventory/hosts.yml", "artifacts": "artifacts"}
        settings = {"version": 1, "estate": "estate", "socket": {"path": "gdcc.sock"}, "ansible": ansible}
        self.config.write_text(json.dumps(settings))

    def gdcc(self, *words: str, answer: str = "") -> Result:
        environment = {"GDCC_CONFIG": str(self.config), "COLUMNS": "200"}
        return CliRunner().invoke(app, ["host", *words], answer, env=environment)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def controller(tmp_path: Path) -> Iterator[Turning]:
    """Two servers on c1."""
    folder = tmp_path / "controller"
    folder.mkdir()
    made = Turning(folder, mode=Mode.OBSERVE)
    yield made
    made.rig.journal.close_store()


@contextlib.asynccontextmanager
async def serving(place: Place, controller: Turning) -> AsyncIterator[None]:
    runner = await operators.serve(controller.desk, place.socket, None)
    try:
        await controller.turns(1)
        yield
    finally:
        await runner.cleanup()


async def done(place: Place, controller: Turning, *words: str, answer: str = "") -> Result:
    """The command's end, while the controller turns."""
    task = asyncio.create_task(asyncio.to_thread(place.gdcc, *words, answer=answer))
    while not task.done():
        await controller.turns(1)
        await asyncio.wait({task}, timeout=0.2)
    return await task


async def test_a_reboot_empties_the_host_proves_it_and_gives_it_back(place: Place, controller: Turning) -> None:
    async with serving(place, controller):
        refused = await done(place, controller, "reboot", "c1", answer="n\n")
        assert refused.exit_code == 1
        assert "nothing was done" in refused.stderr
        assert controller.journal.drains() == ()

        (place.state / "mtu").write_text("1500")
        failed = await done(place, controller, "reboot", "c1", "--yes", "--json")
        assert failed.exit_code == 1
        (row,) = json.loads(failed.stdout)["hosts"]
        assert row["failure"] == {"task": "Prove the MTU", "says": "Declared 9000, found 1500.", "unreachable": False}
        assert "it stays disabled: put it right, then gdcc host enable c1" in row["says"]
        assert (place.state / "boot").read_text() == "b1+"
        assert not controller.cloud.services[C1].enabled
        assert not [server for server in controller.cloud.servers.values() if server.host == C1]

        still = await done(place, controller, "enable", "c1")
        assert still.exit_code == 1
        assert not controller.cloud.services[C1].enabled
        (place.state / "mtu").write_text("9000")
        given = await done(place, controller, "enable", "c1")
        assert given.exit_code == 0, given.output
        assert controller.cloud.services[C1].enabled

        shown = await done(place, controller, "--json")
        verbs = [(run["verb"], run["state"]) for run in json.loads(shown.stdout)]
        assert verbs == [("reboot", "failed"), ("verify", "failed"), ("verify", "done")]


async def test_a_killed_reboot_is_shown_and_goes_on_without_another_reboot(place: Place, controller: Turning) -> None:
    async with serving(place, controller):
        runs = controller.desk.host_runs
        left = host_runs.new(C1, HostVerb.REBOOT, HostStep.REBOOT, who="ann", now=controller.rig.clock.now())
        runs.begin(left)
        runs.save(replace(left, boot_id="b0"))
        status = await asyncio.to_thread(
            CliRunner().invoke, app, ["status", "--socket", str(place.socket)], env={"COLUMNS": "200"}
        )
        assert "reboot" in status.stdout
        assert "open" in status.stdout
        other = await done(place, controller, "configure", "c1")
        assert other.exit_code == 1
        assert "reboot of c1 by ann is open at reboot" in other.stderr
        gone_on = await done(place, controller, "reboot", "rack:r1", "--yes")
        assert "c1" in gone_on.stdout
        assert (place.state / "boot").read_text() == "b1+", "c2 was rebooted and c1 was not again"
        assert [run.state for run in runs.runs_since(left.since)] == [HostRunState.DONE] * 2


def test_what_cannot_be_meant_is_told_at_once_with_status_2(place: Place) -> None:
    unknown = place.gdcc("verify", "c1", "c17", "rack:r9")
    assert unknown.exit_code == 2
    assert "has no c17, rack:r9" in unknown.stderr
    assert place.gdcc("explode", "c1").exit_code == 2
    assert place.gdcc("configure", "c1", "--set", "no value").exit_code == 2
    place.config.write_text("version: 1\nestate: e\nansible: {vault: {env: A}, vault_command: [pass]}\n")
    both = place.gdcc("verify", "c1")
    assert both.exit_code == 2
    assert "takes vault or vault_command, not both" in both.stderr


@pytest.mark.parametrize("words", [("reboot", "c1", "--yes"), ("enable", "c1"), ("drain", "c1", "--yes")])
def test_a_controller_that_only_pretends_takes_no_host_out_and_gives_none_back(
    place: Place, words: tuple[str, ...]
) -> None:
    place.config.write_text(json.dumps(json.loads(place.config.read_text()) | {"dry_run": True}))
    refused = place.gdcc(*words)
    assert refused.exit_code == 2
    assert "dry_run is set" in refused.stderr


def test_without_a_daemon_nothing_is_begun(place: Place) -> None:
    refused = place.gdcc("verify", "c1")
    assert refused.exit_code == 1
    assert "no daemon answers" in refused.stderr
    assert "the same verb again goes on with it" in refused.stderr


def test_a_host_that_another_process_works_on_is_refused(place: Place) -> None:
    with held.hosts(place.site.artifacts, [C1]):
        refused = place.gdcc("verify", "c1", "c2")
    assert refused.exit_code == 1
    assert "c1: process" in refused.stderr


def test_drift_is_told_by_host_and_task_with_a_textfile(place: Place) -> None:
    (place.state / "mtu").write_text("1500")
    to = place.site.root / "drift.prom"
    drifted = place.gdcc("drift", "c1", "--json", "--textfile", str(to))
    assert drifted.exit_code == 1
    (row,) = json.loads(drifted.stdout)["hosts"]
    assert row["differences"][0]["task"] == "Set the MTU"
    assert row["differences"][0]["diff"].splitlines()[-2:] == ["-1500", "+9000"]
    assert (place.state / "mtu").read_text() == "1500"
    families = {one.name: one for one in text_string_to_metric_families(to.read_text())}
    assert families["gdcc_host_drifted_tasks"].samples[0].value == 1
    blind = place.gdcc("drift", "c1", "c2", "c3", "--json")
    assert blind.exit_code == 2
    rows = {row["host"]: (row["looked"], row["says"]) for row in json.loads(blind.stdout)["hosts"]}
    assert rows == {
        "c1": (True, "1 tasks would change it"),
        "c2": (True, "as declared"),
        "c3": (False, "Look at the disk: / is full"),
    }
    assert "c3: could not look: Look at the disk: / is full" in place.gdcc("drift", "c2", "c3").stdout
    assert place.gdcc("drift", "c2").exit_code == 0


def test_facts_show_what_is_declared_beside_what_was_found(place: Place) -> None:
    to = place.site.root / "facts.prom"
    shown = place.gdcc("facts", "c1", "--textfile", str(to))
    assert shown.exit_code == 1, shown.output
    assert [line.split() for line in shown.stdout.splitlines() if "kernel" in line] == [["kernel", "6.1", "6.0", "yes"]]
    assert [line.split() for line in shown.stdout.splitlines() if "flags" in line] == [["cpu.flags", "vmx,", "aes"]]
    families = {one.name: one for one in text_string_to_metric_families(to.read_text())}
    assert families["gdcc_host_differing_facts"].samples[0].value == 1
    assert json.loads(place.gdcc("facts", "c1", "--json").stdout)["c1"]["facts"]["kernel"]["differs"] is True
    (place.site.root / "playbooks" / "host-facts.yml").write_text(FACTS.replace('found: "6.0"', 'found: "6.1"'))
    assert place.gdcc("facts", "c1").exit_code == 0
