"""The lab for tests: brought up when it is not, and before each test as its estate says.

That is 30 servers of four agencies and nobody else, all ACTIVE, every compute service enabled, no load and no fault.
Where they stand is for each test to see. Nothing is changed where nothing has to be.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import shlex
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.openstack import OpenStackCloud, connect
from inventory import load
from tests.lab import populate
from tests.lab.administrator import Administrator

RECIPE = Path(__file__).parent / "lab"
ESTATE = Path(__file__).parent / "estate"
SETTLING_S = 180.0
QUICK_MIB_S = 4000.0
"""A link on which a copy takes two or three seconds."""


class Lab:
    """The lab as tests use it. `env` is what reaches its cloud, `admin` its administrator."""

    def __init__(self, directory: Path, env: dict[str, str], estate: Path = ESTATE) -> None:
        self.directory = directory
        self.env = env
        self.estate = estate
        self.admin = Administrator(env)
        self._guests: set[str] = set()
        self._names = [name for _, _, name in populate.wanted(load.load(estate))]
        self._loads: dict[str, dict[str, Any]] = {}
        self._settings: dict[str, Any] = {}

    @cached_property
    def cloud(self) -> OpenStackCloud:
        """One connection, with one token, for all tests that only use it."""
        return connect(None)

    def close(self) -> None:
        if "cloud" in self.__dict__:
            asyncio.run(self.cloud.close())

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

    def restore(self) -> None:
        """Calm, and as the estate says; waits for what an earlier test left under way."""
        self.calm()
        end = time.monotonic() + SETTLING_S
        found = self.admin.standing()
        while any(task for _, _, task in found) and time.monotonic() < end:
            time.sleep(0.5)
            found = self.admin.standing()
        tenants = Counter({key: count for key, count in found.items() if key[0] not in self._guests})
        if tenants != Counter((name, "ACTIVE", None) for name in self._names) or self.admin.disabled():
            estate = ["--estate", str(self.estate)]
            command = [sys.executable, "-m", "tests.lab.populate", *estate, *sorted(self._guests)]
            subprocess.run(command, check=True, cwd=RECIPE.parents[2])

    @contextlib.contextmanager
    def shared(self, name: str) -> Iterator[None]:
        """Lets the tests of a module keep a server of that name; it is deleted at the end."""
        self._guests.add(name)
        try:
            yield
        finally:
            self._guests.discard(name)
            asyncio.run(self._deleted(name))

    async def _deleted(self, name: str) -> None:
        found = await self.admin.find(name)
        if found is not None:
            await self.admin.delete(found["id"])

    def vm_state(self, server_id: str, state: str) -> None:
        """Writes a server's state into Nova's database, where no request of this lab leads to it: soft-delete is what a
        delete comes to where `reclaim_instance_interval` is set.
        """
        statement = f"update nova.instances set vm_state = '{state}' where uuid = '{server_id}'"
        command = ["mariadb", "--no-defaults", "-S", self.directory / "run" / "mariadb.sock", "-e", statement]
        subprocess.run(command, check=True)

    def restart(self, *services: str) -> None:
        """Ends services and starts them again: nova-compute-1, prometheus, exporter, snmp-cmp1 …"""
        subprocess.run([RECIPE, "restart", *services], check=True, env={**os.environ, "LAB": str(self.directory)})

    def _write(self, name: str, content: dict[str, Any]) -> None:
        part = self.directory / f"{name}.part"
        part.write_text(json.dumps(content))
        part.replace(self.directory / name)


def described(*lab: str) -> dict[str, str]:
    """The environment that the recipe prints for a lab: the plain one, or `joined`."""
    text = subprocess.run([RECIPE, *lab, "env"], check=True, capture_output=True, text=True).stdout
    return dict(word.split("=", 1) for word in shlex.split(text) if "=" in word)


@pytest.fixture(scope="session")
def standing_lab() -> Iterator[Lab]:
    """The lab, up, for one session of tests at a time: another one waits.

    Its OS_ variables stay set, as they would be in an operator's shell.
    """
    subprocess.run([RECIPE, "up"], check=True)
    env = described()
    os.environ.update(env)
    lab = Lab(Path(env["LAB"]), env)
    with (lab.directory / "tests.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        yield lab
        lab.close()


@pytest.fixture
def lab(standing_lab: Lab) -> Iterator[Lab]:
    """The lab as its estate says; calm again afterwards."""
    standing_lab.restore()
    yield standing_lab
    standing_lab.calm()
