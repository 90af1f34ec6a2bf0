"""`gdcc snapshot` and `gdcc plan` without a daemon: one look says what the daemon would say of it, a freeze too."""

import asyncio
import json
import socket
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from controller import config
from controller.adapters.clock import SystemClock
from controller.bootstrap import once, parts
from controller.engine.assemble import uplinks
from controller.engine.observe import Observer
from controller.errors import InputError
from controller.model.cluster import Cluster
from controller.model.extent import Extent, Peak
from controller.model.ids import ProjectId
from controller.model.sample import Batch, Fault, Kind, Quantity
from inventory import dump, load
from inventory.model import Estate
from tests.fakes import journals
from tests.fakes.clock import VirtualClock
from tests.fakes.cloud import FakeCloud
from tests.fakes.small_estate import small_estate


@pytest.fixture
def settings(tmp_path: Path) -> config.Config:
    """A site that asks no reading of a host."""
    dump.write(small_estate(), tmp_path / "estate", schema="schema.json")
    file = tmp_path / "controller.yaml"
    file.write_text("version: 1\nestate: estate\nstate_dir: .\npolicy: {trust: {required_of_hosts: []}}\n")
    return config.load(file)


def seen(settings: config.Config) -> Cluster:
    clock, estate = VirtualClock(), load.load(settings.estate)
    cloud = FakeCloud(clock, tuple(estate.hosts))
    cloud.boot("vm-1", "h1", project_id=ProjectId("p"))

    async def look() -> Cluster:
        observer = Observer(cloud, [], clock, deadline=timedelta(seconds=5))
        return await once.seen(observer, estate, settings, settings.policy.policy(), clock)

    return asyncio.run(look())


def test_hosts_that_nobody_reads_freeze_it(settings: config.Config, tmp_path: Path) -> None:
    (tmp_path / "controller.yaml").write_text("version: 1\nestate: estate\nstate_dir: .\n")
    assert "have no trusted readings" in (seen(config.load(tmp_path / "controller.yaml")).freeze or "")


def test_a_cloud_that_is_smaller_than_the_journal_remembers_freezes_it(settings: config.Config, tmp_path: Path) -> None:
    assert seen(settings).freeze is None
    with journals.opened(tmp_path) as journal:
        extent = Extent(expected_hosts=8, hosts=8, vms=1000)
        journal.save_peaks((Peak(since=VirtualClock().now(), extent=extent),))
    assert "resume" in (seen(settings).freeze or "")


class Switches:
    """A collector that has what passes uplinks at its third look; the first two are no rate yet."""

    name = "snmp"

    def __init__(self, estate: Estate, clock: VirtualClock) -> None:
        self._ports = tuple(name for _, name in uplinks.ports(estate))
        self._clock = clock
        self.looks = 0

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def collect(self, deadline: timedelta) -> tuple[Sequence[Batch], Sequence[Fault]]:
        self.looks += 1
        count = len(self._ports)
        at = np.full(count, self._clock.now().timestamp())
        return [
            Batch(kind=Kind.PORT, quantity=way, source="snmp", names=self._ports, values=np.full(count, 5e6), at=at)
            for way in (Quantity.UPLINK_IN_BYTES_S, Quantity.UPLINK_OUT_BYTES_S)
        ] if self.looks > 2 else [], ()  # fmt: skip


@pytest.mark.parametrize("named", [True, False])
def test_it_looks_until_uplinks_that_the_estate_names_are_read(settings: config.Config, named: bool) -> None:
    clock, estate = VirtualClock(), load.load(settings.estate)
    hosts = {name: replace(host, bmc=None) for name, host in estate.hosts.items()}
    estate = replace(estate, hosts=hosts, devices=estate.devices if named else {})
    collector = Switches(estate, clock)
    cloud = FakeCloud(clock, tuple(estate.hosts))
    cloud.boot("vm-1", "h1", project_id=ProjectId("p"))
    observer = Observer(cloud, [collector], clock, deadline=timedelta(seconds=5))
    cluster = asyncio.run(once.seen(observer, estate, settings, settings.policy.policy(), clock))
    assert collector.looks == (3 if named else 1)
    assert cluster.racks.uplink_in_bytes_s.fresh.all() == named


def test_an_engine_of_our_own_is_kept_in_the_state_directory_where_traps_are_heard(tmp_path: Path) -> None:
    dump.write(small_estate(), tmp_path / "estate", schema="schema.json")
    file = tmp_path / "controller.yaml"
    file.write_text("version: 1\nestate: estate\nstate_dir: kept\nsnmp: {traps: {port: 16200}}\n")
    settings = config.load(file)
    for boots in (1, 2):
        asyncio.run(built(settings))
        assert json.loads((tmp_path / "kept" / parts.ENGINE_FILE).read_text())["boots"] == boots
    asyncio.run(built(parts.beside_a_daemon(settings)))
    assert json.loads((tmp_path / "kept" / parts.ENGINE_FILE).read_text())["boots"] == 2, "it hears none"


def test_a_state_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    dump.write(small_estate(), tmp_path / "estate", schema="schema.json")
    (tmp_path / "taken").touch()
    file = tmp_path / "controller.yaml"
    file.write_text("version: 1\nestate: estate\nstate_dir: taken/state\nsnmp: {traps: {port: 16200}}\n")
    with pytest.raises(InputError, match="cannot be kept"):
        asyncio.run(built(config.load(file)))
    with pytest.raises(InputError, match="the folder for what outlives the process cannot be made"):
        parts.journal(config.load(file), "test").__enter__()


async def built(settings: config.Config) -> None:
    parts.collectors(settings, load.load(settings.estate), SystemClock())


def test_a_verb_beside_a_daemon_takes_no_port_for_traps(tmp_path: Path) -> None:
    dump.write(small_estate(), tmp_path / "estate", schema="schema.json")
    file = tmp_path / "controller.yaml"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        where = f"{{listen: 127.0.0.1, port: {held.getsockname()[1]}}}"
        file.write_text(f"version: 1\nestate: estate\nstate_dir: .\nsnmp: {{traps: {where}}}\n")
        settings, clock = config.load(file), SystemClock()

        async def begun(given: config.Config) -> None:
            _, snmp = parts.collectors(given, load.load(given.estate), clock)
            await snmp.start()
            await snmp.stop()

        with pytest.raises(InputError, match="cannot listen for traps"):
            asyncio.run(begun(settings))
        asyncio.run(begun(parts.beside_a_daemon(settings)))
