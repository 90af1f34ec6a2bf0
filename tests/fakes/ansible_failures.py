"""What goes wrong on hosts at night, as Ansible tells it by its events, and the line that people then read."""

from collections.abc import Mapping
from dataclasses import dataclass

from controller.adapters.ansible.tally import Tally
from controller.model.ids import HostName
from controller.model.playbook import TaskFailure

_CHANGED = (
    "Task failed: Failed to connect to the host via ssh: @@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@ "
    "Offending ED25519 key in /etc/gdcc/known_hosts:7 Host key verification failed."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """`task` of `playbook` ends by the event `kind` with that result, or not at all; `line` is what is then said."""

    playbook: str
    task: str
    kind: str | None
    result: Mapping[str, object]
    line: str

    def failure(self, host: HostName) -> TaskFailure:
        """Of the host, as a run of Ansible that saw this would tell it."""
        tally = Tally([host], self.playbook)
        about = {"host": host, "task": self.task}
        tally.take({"event": "runner_on_start", "event_data": about})
        if self.kind is not None:
            tally.take({"event": self.kind, "event_data": {**about, "res": self.result}})
            lost = "dark" if self.kind == "runner_on_unreachable" else "failures"
            tally.take({"event": "playbook_on_stats", "event_data": {"processed": {host: 1}, lost: {host: 1}}})
        found = tally.results(None if self.kind else "it took longer than 3600 s")[host].failure
        assert found is not None
        return found


MISHAPS = {
    "unreachable": Mishap(
        playbook="host-boot-id.yml",
        task="Read the boot id",
        kind="runner_on_unreachable",
        result={"msg": "Task failed: Failed to connect to the host via ssh: connect to host c1 port 22: No route"},
        line="connect to host c1 port 22: No route",
    ),
    "changed host key": Mishap(
        playbook="host-boot-id.yml",
        task="Read the boot id",
        kind="runner_on_unreachable",
        result={"msg": _CHANGED},
        line="its SSH host key is not the one that is known in /etc/gdcc/known_hosts:7",
    ),
    "out of disk": Mishap(
        playbook="host-patch.yml",
        task="Upgrade every package",
        kind="runner_on_failed",
        result={
            "msg": "'/usr/bin/apt-get upgrade' failed:",
            "stderr": "E: You don't have enough free space in /var/cache/apt/archives/.\n",
            "rc": 100,
        },
        line="E: You don't have enough free space in /var/cache/apt/archives/.",
    ),
    "apt is locked": Mishap(
        playbook="host-patch.yml",
        task="Refresh the package lists",
        kind="runner_on_failed",
        result={"msg": "Failed to lock apt for exclusive operation:\nE:Could not get lock. It is held by process 42"},
        line="E:Could not get lock. It is held by process 42",
    ),
    "apt hangs": Mishap(
        playbook="host-patch.yml",
        task="Upgrade every package",
        kind=None,
        result={},
        line="it took longer than 3600 s",
    ),
    "reboots for ever": Mishap(
        playbook="host-reboot.yml",
        task="Reboot",
        kind="runner_on_failed",
        result={"msg": "Timed out waiting for last boot time check (timeout=900)", "rebooted": True},
        line="Timed out waiting for last boot time check (timeout=900)",
    ),
    "not as declared": Mishap(
        playbook="host-verify.yml",
        task="network : Compare MTUs",
        kind="runner_on_failed",
        result={"msg": "Assertion failed", "stderr": "bond0 has 1500 and not 9000"},
        line="bond0 has 1500 and not 9000",
    ),
}
