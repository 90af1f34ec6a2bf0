"""The lab for tests: brought up when it is not, given its tenants, and calmed after each test that stirred it."""

import fcntl
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.operator import Operator

RECIPE = Path(__file__).parent / "lab"
ESTATE = Path(__file__).parent / "estate"


class Lab:
    """The lab as tests use it. `env` is what reaches its cloud, `operator` its administrator."""

    def __init__(self, directory: Path, env: dict[str, str]) -> None:
        self.directory = directory
        self.env = env
        self.operator = Operator(env)
        self._loads: dict[str, dict[str, Any]] = {}
        self._settings: dict[str, Any] = {}

    def load_guest(self, name: str, **amounts: float) -> None:
        """What a guest does from now on: busy_vcpus, memory_share, dirty_mib_s, network_mib_s, steal_ratio."""
        self._loads.setdefault("guests", {})[name] = amounts
        self._write("loads.json", self._loads)

    def load_host(self, name: str, **values: Any) -> None:
        """What a host's sensors say: extra_vcpus, inlet_celsius, memory_health (ok, warning, failed)."""
        self._loads.setdefault("hosts", {})[name] = values
        self._write("loads.json", self._loads)

    def load_feed(self, name: str, **values: Any) -> None:
        """What a feed's UPS says: on_battery, battery_minutes."""
        self._loads.setdefault("feeds", {})[name] = values
        self._write("loads.json", self._loads)

    def fault(self, name: str, fault: str) -> None:
        """What befalls a guest's next migrations: check, pre, copy, stall or error."""
        self._settings.setdefault("guests", {})[name] = {"fault": fault}
        self._write("settings.json", self._settings)

    def set(self, **settings: float) -> None:
        """The hypervisor's link_mib_s, blackout_s, give_up_s."""
        self._settings.update(settings)
        self._write("settings.json", self._settings)

    def calm(self) -> None:
        """No load and no fault but the defaults."""
        self._loads, self._settings = {}, {}
        self._write("loads.json", self._loads)
        self._write("settings.json", self._settings)

    def restart(self, *services: str) -> None:
        """Ends services and starts them again: nova-compute-1, prometheus, exporter, snmp-cmp1 …"""
        subprocess.run([RECIPE, "restart", *services], check=True, env={**os.environ, "LAB": str(self.directory)})

    def _write(self, name: str, content: dict[str, Any]) -> None:
        part = self.directory / f"{name}.part"
        part.write_text(json.dumps(content))
        part.replace(self.directory / name)


def described() -> dict[str, str]:
    """The environment that the recipe prints."""
    text = subprocess.run([RECIPE, "env"], check=True, capture_output=True, text=True).stdout
    return dict(word.split("=", 1) for word in shlex.split(text) if "=" in word)


@pytest.fixture(scope="session")
def standing_lab() -> Iterator[Lab]:
    """The lab, up and populated, for one session of tests at a time: another one waits.

    Its OS_ variables stay set, as they would be in an operator's shell.
    """
    subprocess.run([RECIPE, "up"], check=True)
    env = described()
    os.environ.update(env)
    lab = Lab(Path(env["LAB"]), env)
    with (lab.directory / "tests.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        lab.calm()
        subprocess.run([sys.executable, "-m", "tests.lab.populate"], check=True, cwd=RECIPE.parents[2])
        yield lab


@pytest.fixture
def lab(standing_lab: Lab) -> Iterator[Lab]:
    """The lab, calm before and after."""
    standing_lab.calm()
    yield standing_lab
    standing_lab.calm()
