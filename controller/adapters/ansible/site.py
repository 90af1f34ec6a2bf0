"""Where Ansible finds what it runs, and what it is given of this process's surroundings."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

INHERITED = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSH_AUTH_SOCK", "SSH_AGENT_PID"}
)
"""Environment variables of this process that Ansible gets; a site names others in `Site.environment`."""

MARK = "GDCC_RUN"
"""The environment variable that tells a run's processes from all others; its value is `mark`'s."""


def mark(run: str, private: Path) -> str:
    """Begins with the run's id and is its own alone: another landscape's run on this machine may have the same id."""
    return f"{run} {private.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One landscape's playbooks.

    `root` is the folder with `ansible.cfg` and `playbooks/`. `vault` tells the vault's password when it is needed.
    `kept` is how many runs' artifacts stay; `forks` how many hosts of one run Ansible works on at once; `at_once` how
    many runs go on side by side in this process.
    """

    root: Path
    inventory: Path
    artifacts: Path
    vault: Callable[[], str] | None = None
    environment: frozenset[str] = frozenset()
    kept: int = 500
    forks: int = 50
    at_once: int = 4

    @property
    def home(self) -> Path:
        """The folder that the inventory's own variables stand in."""
        return self.inventory if self.inventory.is_dir() else self.inventory.parent

    @property
    def playbooks(self) -> Path:
        return self.root / "playbooks"

    def environ(self, private: Path, run: str) -> Mapping[str, str]:
        """The whole environment of the run with this id, whose own folder is `private`."""
        inherited = {name: os.environ[name] for name in INHERITED | self.environment if name in os.environ}
        return {
            **inherited,
            MARK: mark(run, private),
            "ANSIBLE_CONFIG": str(self.root / "ansible.cfg"),
            "ANSIBLE_LOCAL_TEMP": str(private / "tmp"),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(private / "ssh"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_DEPRECATION_WARNINGS": "0",
        }
