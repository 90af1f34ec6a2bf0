"""`gdcc host reboot` of a real host, killed in the middle: it is shown as open, goes on, and reboots once."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.api import operators
from controller.model.host_run import HostRunState, HostStep
from controller.model.ids import HostName
from controller.model.policy import Mode
from tests.fakes.turning import Turning
from tests.lab.host_fixtures import DIRECTORY, REPOSITORY, Hosts

pytestmark = pytest.mark.lab

ADDRESS = "10.214.0.11"
SSH = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
HOST = "c1 ansible_host={address} ansible_user=root ansible_ssh_private_key_file={key} ansible_ssh_common_args='{ssh}'"
VERIFY = """\
- name: Verify
  hosts: all
  gather_facts: false
  tasks:
    - name: Prove that the host runs
      ansible.builtin.command:
        argv: [systemctl, is-system-running]
      changed_when: false
"""


class Place:
    """The host under the name c1, the project's own playbooks for a reboot, and a verification that it passes."""

    def __init__(self, folder: Path) -> None:
        playbooks = folder / "root" / "playbooks"
        playbooks.mkdir(parents=True)
        shutil.copy(REPOSITORY / "ansible.cfg", folder / "root")
        for name in ("host-boot-id.yml", "host-reboot.yml"):
            shutil.copy(REPOSITORY / "playbooks" / name, playbooks)
        shutil.copytree(REPOSITORY / "playbooks" / "tasks", playbooks / "tasks")
        (playbooks / "host-verify.yml").write_text(VERIFY)
        (folder / "inventory").mkdir()
        line = HOST.format(address=ADDRESS, key=DIRECTORY / "key", ssh=SSH)
        (folder / "inventory" / "hosts.ini").write_text(f"{line}\n")
        self.socket = folder / "gdcc.sock"
        self.config = folder / "controller.yaml"
        ansible = {"root": "root", "inventory": "inventory/hosts.ini", "artifacts": "artifacts"}
        settings = {"version": 1, "estate": "estate", "socket": {"path": "gdcc.sock"}, "ansible": ansible}
        self.config.write_text(json.dumps(settings))

    async def begin(self) -> asyncio.subprocess.Process:
        """`gdcc host reboot`, in a process of its own."""
        words = (sys.executable, "-m", "controller", "host", "reboot", "c1", "--yes")
        return await asyncio.create_subprocess_exec(
            *words, env={**os.environ, "GDCC_CONFIG": str(self.config), "COLUMNS": "200"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=REPOSITORY,
        )  # fmt: skip


@pytest.fixture
def controller(tmp_path: Path) -> Iterator[Turning]:
    (tmp_path / "controller").mkdir()
    made = Turning(tmp_path / "controller", mode=Mode.OBSERVE)
    yield made
    made.rig.journal.close_store()


def boots() -> list[str]:
    """The ids of the host's boots, as it remembers them itself."""
    command = f"ssh -q {SSH} -i {DIRECTORY}/key root@{ADDRESS} cat /proc/sys/kernel/random/boot_id"
    return subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout.split()


def test_a_killed_reboot_goes_on_and_reboots_once(standing_hosts: Hosts, tmp_path: Path, controller: Turning) -> None:
    place = Place(tmp_path)
    asyncio.run(_killed_and_done_again(place, controller))


async def _killed_and_done_again(place: Place, controller: Turning) -> None:
    runner = await operators.serve(controller.desk, place.socket, None)
    runs = controller.desk.host_runs
    try:
        before = await asyncio.to_thread(boots)
        first = await place.begin()
        while not any(run.step is HostStep.REBOOT for run in runs.open_runs()):
            assert first.returncode is None
            await _turn(controller)
        while await asyncio.to_thread(_answers) == before:
            assert first.returncode is None, "it ended before the host did"
            await _turn(controller)
        first.send_signal(signal.SIGKILL)
        await first.wait()
        (left,) = runs.open_runs()
        assert (left.step, left.boot_id) == (HostStep.REBOOT, before[0])
        assert not controller.cloud.services[HostName("c1")].enabled

        second = await place.begin()
        said = asyncio.create_task(second.communicate())
        while not said.done():
            await _turn(controller)
        output = (await said)[0].decode()
        assert second.returncode == 0, output
        assert "changed: Reboot" not in output
        assert controller.cloud.services[HostName("c1")].enabled
        assert [run.state for run in runs.runs_since(left.since)] == [HostRunState.DONE]
        assert await asyncio.to_thread(boots) != before
    finally:
        await runner.cleanup()


def _answers() -> list[str] | None:
    with contextlib.suppress(subprocess.CalledProcessError):
        return boots()
    return None


async def _turn(controller: Turning) -> None:
    await controller.turns(1)
    await asyncio.sleep(0.2)
