"""`gdcc snapshot` and `gdcc plan` without a daemon: one look says what the daemon would say of it, a freeze too."""

import asyncio
import socket
from datetime import timedelta
from pathlib import Path

import pytest

from controller import config
from controller.adapters.clock import SystemClock
from controller.bootstrap import once, parts
from controller.engine.observe import Observer
from controller.errors import InputError
from controller.model.cluster import Cluster
from controller.model.extent import Extent, Peak
from controller.model.ids import ProjectId
from inventory import dump, load
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
