"""The daemon around its loop: pages for machines, a reload with a good and a bad file, and leaving in order."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from controller import config
from controller.adapters.ansible import private
from controller.adapters.ansible.site import mark
from controller.adapters.clock import SystemClock
from controller.adapters.systemd import Notifier
from controller.api import client
from controller.bootstrap import once, parts
from controller.bootstrap.daemon import Wired, listen_to_signals
from controller.errors import InputError, RefusedError, TransientError
from controller.model.cluster import Cluster
from controller.model.ids import ProjectId
from controller.model.policy import Mode
from inventory import dump
from tests.fakes import journals, marked
from tests.fakes.cloud import FakeCloud
from tests.fakes.free_ports import free_port
from tests.fakes.prometheus import FakePrometheus
from tests.fakes.small_estate import small_estate


class Daemon:
    """A wired daemon over a fake cloud, with its files in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        dump.write(small_estate(), folder / "estate", schema="schema.json")
        self.file = folder / "controller.yaml"
        self.configure()
        self.settings = config.load(self.file)
        self.journal = journals.opened(folder)
        self.clock, estate = SystemClock(), parts.estate(self.settings)
        self.cloud = FakeCloud(self.clock, tuple(estate.hosts))
        self.wired = Wired(self.settings, estate, journal=self.journal, cloud=self.cloud, clock=self.clock)

    @contextlib.asynccontextmanager
    async def looking(self) -> AsyncIterator[Wired]:
        """Its collectors started."""
        await self.wired.observer.start()
        try:
            yield self.wired
        finally:
            await self.wired.observer.stop()

    def reload(self) -> None:
        async def run() -> None:
            async with self.looking() as wired:
                await wired.reload(self.file)

        asyncio.run(run())

    def configure(self, more: str = "", mode: str = "observe") -> None:
        self.file.write_text(
            f"version: 1\nestate: estate\nstate_dir: .\nsocket: {{path: s.sock}}\nhttp: {{port: 0}}\n"
            f"interval: 1s\npolicy: {{mode: {mode}}}\n{more}"
        )


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path)
    yield made
    made.journal.close_store()


async def page(port: int, name: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/{name}") as answer:
        return answer.status, await answer.text()


def test_ready_only_when_all_was_seen_and_nothing_stopped_the_loop(daemon: Daemon, unused_port: int) -> None:
    settings = daemon.settings.model_copy(update={"http": config.Http(port=unused_port)})

    async def run() -> None:
        async with daemon.looking(), daemon.wired.serving(settings):
            assert (await page(unused_port, "healthz"))[0] == 200
            assert (await page(unused_port, "readyz"))[0] == 503
            await daemon.wired.loop.turn()
            assert await page(unused_port, "readyz") == (200, "ok\n")
            metrics = (await page(unused_port, "metrics"))[1]
            assert "gdcc_loop_stopped 0.0" in metrics and "gdcc_snmp_devices 0.0" in metrics
            daemon.wired.loop.memory.stopped = "a plan failed its check"
            await daemon.wired.loop.turn()
            assert await page(unused_port, "readyz") == (503, "a plan failed its check\n")

    asyncio.run(run())


def test_a_snapshot_beside_a_daemon_is_the_daemons_own(daemon: Daemon, unused_port: int) -> None:
    """Which knows since when a breach holds; a look of its own would wait for hosts that this site never reads."""
    settings = daemon.settings.model_copy(update={"http": config.Http(port=unused_port)})
    daemon.cloud.boot("vm-1", "h1", project_id=ProjectId("p"))
    daemon.cloud.change_service("h2", enabled=False)

    async def run() -> Cluster:
        async with daemon.looking(), daemon.wired.serving(settings):
            with pytest.raises(TransientError, match="nothing has been seen yet"):
                await asyncio.to_thread(client.fetch, settings.socket.path, "/snapshot")
            await daemon.wired.loop.turn()
            return await asyncio.to_thread(once.snapshot, daemon.file)

    cluster, own = asyncio.run(run()), daemon.wired.loop.memory.seen
    assert own is not None and cluster.breach_since is not None
    assert (cluster.taken_at, cluster.breach_since) == (own.cluster.taken_at, own.cluster.breach_since)
    assert cluster.vms.ids == ("vm-1",)


@pytest.fixture
def unused_port() -> int:
    return free_port()


@pytest.mark.parametrize("host", [64 * "a", "a\0b", "no such host"])
def test_a_host_that_no_page_can_be_served_on_is_bad_input(daemon: Daemon, host: str) -> None:
    settings = daemon.settings.model_copy(update={"http": config.Http(host=host)})

    async def run() -> None:
        with pytest.raises(InputError, match="cannot listen: "):
            async with daemon.wired.serving(settings):
                pass

    asyncio.run(run())


class WrongClock(SystemClock):
    """The machine's, whose time of day is `ahead` of what it will be set to; `passed` seconds are added to its own."""

    ahead = timedelta(0)
    passed = 0.0

    def now(self) -> datetime:
        return super().now() + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.passed


@pytest.mark.parametrize("ahead", [timedelta(days=-1), timedelta(days=1)])
def test_whether_the_loop_turns_is_no_matter_of_the_time_of_day(daemon: Daemon, ahead: timedelta) -> None:
    clock = WrongClock()
    clock.ahead = ahead
    estate = parts.estate(daemon.settings)
    wired = Wired(daemon.settings, estate, journal=daemon.journal, cloud=daemon.cloud, clock=clock)

    async def run() -> None:
        await wired.observer.start()
        await wired.loop.turn()
        await wired.observer.stop()

    asyncio.run(run())
    assert wired.turning()
    clock.passed = 3600.0
    assert not wired.turning()


def test_a_socket_that_cannot_be_made_leaves_no_page_behind(daemon: Daemon, unused_port: int) -> None:
    (daemon.folder / "file").write_text("")
    http, path = config.Http(port=unused_port), config.Socket(path=daemon.folder / "file")
    settings = daemon.settings.model_copy(update={"http": http, "socket": path})

    async def run() -> None:
        with pytest.raises(InputError):
            async with daemon.wired.serving(settings):
                pass
        with pytest.raises(aiohttp.ClientConnectorError):
            await page(unused_port, "healthz")

    asyncio.run(run())


def test_a_mode_of_a_rack_that_there_is_not_is_refused_and_not_forgotten(daemon: Daemon) -> None:
    racks = sorted(small_estate().racks)
    daemon.configure()
    scoped = f"policy: {{mode: auto, scope_modes: {{'rack:{racks[0]}': observe, 'rack:r-typo': observe}}}}\n"
    daemon.file.write_text(daemon.file.read_text().replace("policy: {mode: observe}\n", scoped))
    with pytest.raises(InputError, match=r"^policy\.scope_modes: rack:r-typo is not in the inventory"):
        parts.estate(config.load(daemon.file))


def test_a_reload_of_a_bad_file_keeps_everything(daemon: Daemon, caplog: Any) -> None:
    before = (daemon.wired.loop.policy, daemon.wired.loop.sight.estate)
    for text in (b"version: 1\nestate: nowhere\n", b"version: 2\n", b"{", b"", b"\xff\xfe\x00"):
        caplog.clear()
        daemon.file.write_bytes(text)
        daemon.reload()
        assert (daemon.wired.loop.policy, daemon.wired.loop.sight.estate) == before
        assert "the configuration is not taken over" in caplog.text


def test_a_reload_takes_the_policy_over_and_says_what_waits_for_a_restart(daemon: Daemon, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    estate = small_estate()
    hosts = {name: replace(host, exporters=()) for name, host in estate.hosts.items()}
    dump.write(replace(estate, hosts=hosts), daemon.folder / "other", schema="schema.json")
    daemon.configure("dry_run: true\n", mode="auto")
    daemon.file.write_text(daemon.file.read_text().replace("estate: estate", "estate: other"))
    daemon.reload()
    assert daemon.wired.loop.policy.mode is Mode.AUTO
    waits = [record.waits_for_a_restart for record in caplog.records if hasattr(record, "waits_for_a_restart")]
    assert waits == [("dry_run",)]


def test_a_reload_goes_over_to_another_prometheus_between_two_looks(daemon: Daemon) -> None:
    async def run() -> None:
        async with FakePrometheus() as old, FakePrometheus() as new:
            daemon.configure(f"prometheus: {{url: '{old.url}'}}\n")
            async with daemon.looking() as wired:
                await wired.reload(daemon.file)
                await wired.loop.turn()
                assert old.asked and not new.asked
                daemon.configure(f"prometheus: {{url: '{new.url}', token: t}}\n")
                await wired.reload(daemon.file)
                asked = len(old.asked)
                await wired.loop.turn()
                assert len(old.asked) == asked
                assert set(new.authorization) == {"Bearer t"}

    asyncio.run(run())


def test_a_reload_whose_collectors_cannot_start_keeps_the_old_ones(daemon: Daemon, caplog: Any) -> None:
    async def run() -> None:
        async with FakePrometheus() as old, FakePrometheus() as new:
            daemon.configure(f"prometheus: {{url: '{old.url}'}}\n")
            async with daemon.looking() as wired:
                await wired.reload(daemon.file)
                (daemon.folder / "ca.pem").write_text("no certificate\n")
                daemon.configure(f"prometheus: {{url: '{new.url}', ca_file: ca.pem}}\n", mode="auto")
                await wired.reload(daemon.file)
                await wired.loop.turn()
                assert old.asked and not new.asked
                assert wired.loop.policy.mode is Mode.OBSERVE

    asyncio.run(run())
    assert "the configuration is not taken over" in caplog.text


def test_a_reload_that_changes_no_source_leaves_the_collectors_alone(daemon: Daemon, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    daemon.configure(mode="auto")
    daemon.reload()
    assert "the collectors are built anew" not in caplog.text
    one = "{version: '2c', community: {file: secret}}"
    names = ("bmc-v3", "pdu-v2c", "ups-v2c", "switch-v2c", "switch-v3")
    daemon.configure(f"snmp: {{credentials: {{{', '.join(f'{name}: {one}' for name in names)}}}}}\n")
    (daemon.folder / "secret").write_text("one\n")
    daemon.reload()
    assert caplog.text.count("the collectors are built anew") == 1
    daemon.reload()
    assert caplog.text.count("the collectors are built anew") == 1
    (daemon.folder / "secret").write_text("two\n")
    daemon.reload()
    assert caplog.text.count("the collectors are built anew") == 2


def test_a_reload_goes_over_to_a_renewed_ca_of_the_same_name(daemon: Daemon) -> None:
    (daemon.folder / "ca.pem").write_text("the old one\n")
    daemon.configure("prometheus: {url: 'https://p', ca_file: ca.pem}\n")
    settings, estate = config.load(daemon.file), parts.estate(daemon.settings)
    before = parts.sources(settings, estate)
    assert parts.sources(settings, estate) == before
    (daemon.folder / "ca.pem").write_text("the new one\n")
    assert parts.sources(settings, estate) != before


def test_a_secrets_file_that_is_no_text_ends_a_reload_and_not_the_daemon(daemon: Daemon, caplog: Any) -> None:
    (daemon.folder / "secret").write_bytes(b"\xff\xfe")
    names = ("bmc-v3", "pdu-v2c", "ups-v2c", "switch-v2c", "switch-v3")
    one = "{version: '2c', community: {file: secret}}"
    daemon.configure(f"snmp: {{credentials: {{{', '.join(f'{name}: {one}' for name in names)}}}}}\n")
    daemon.reload()
    assert "the configuration is not taken over" in caplog.text


def test_sighup_reloads_and_systemd_is_told_when_it_is_done(daemon: Daemon) -> None:
    daemon.configure(mode="auto")
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.bind(str(daemon.folder / "notify"))
    told.settimeout(5)
    notifier = Notifier({"NOTIFY_SOCKET": str(daemon.folder / "notify")})

    async def run() -> None:
        async with daemon.looking() as wired:
            reloads = listen_to_signals(wired, daemon.file, notifier)
            os.kill(os.getpid(), signal.SIGHUP)
            while not reloads:  # noqa: ASYNC110 - the signal comes when it comes
                await asyncio.sleep(0)
            await asyncio.gather(*reloads)
            assert wired.loop.policy.mode is Mode.AUTO

    asyncio.run(run())
    assert [told.recv(4096).split(b"=")[0] for _ in range(2)] == [b"RELOADING", b"READY"]
    notifier.close()
    told.close()


def test_no_secret_of_a_configuration_reaches_the_log(daemon: Daemon, caplog: Any) -> None:
    daemon.configure("snmp: {credentials: {bmc: {version: '2c', community: hush-hush, oops: 1}}}\n")
    daemon.reload()
    assert "oops" in "".join(str(record.__dict__) for record in caplog.records)
    assert "hush-hush" not in "".join(str(record.__dict__) for record in caplog.records)


def test_the_folder_of_artifacts_is_there_for_operators_of_the_daemons_group(daemon: Daemon) -> None:
    async def run() -> None:
        async with daemon.wired.campaigns.going_on():
            assert (daemon.folder / "ansible").stat().st_mode & 0o777 == 0o770

    asyncio.run(run())


def test_a_daemon_ends_what_a_killed_one_left_and_no_run_that_somebody_follows(daemon: Daemon) -> None:
    """The other's run is of a campaign whose name begins as this one's does."""
    other, left = f"campaign-test{os.getpid()}-6.1-c1-work-1", f"campaign-test{os.getpid()}-c1-work-1"
    with private.folder(other) as folder, tempfile.TemporaryDirectory(prefix="gdcc-run-", dir=private.home()) as dead:
        with marked.process(mark(other, folder)) as followed, marked.process(left) as orphan:
            Path(dead, "lock").write_text(left)

            async def run() -> None:
                async with daemon.wired.campaigns.going_on():
                    assert await asyncio.to_thread(orphan.wait, 60) == -9

            asyncio.run(run())
            assert followed.poll() is None
        Path(dead).mkdir(exist_ok=True)


def test_artifacts_that_cannot_be_kept_do_not_hold_the_daemon_up(daemon: Daemon, caplog: Any) -> None:
    daemon.configure("ansible: {artifacts: s/file/ansible}\n")
    (daemon.folder / "s").write_text("no folder")

    async def run() -> None:
        settings, estate = config.load(daemon.file), parts.estate(daemon.settings)
        wired = Wired(settings, estate, journal=daemon.journal, cloud=daemon.cloud, clock=daemon.clock)
        async with wired.campaigns.going_on():
            assert "no folder for artifacts" in caplog.text

    asyncio.run(run())


def test_a_second_daemon_on_the_same_journal_refuses(daemon: Daemon) -> None:
    with parts.journal(daemon.settings, "one"):
        with pytest.raises(RefusedError) as refused, parts.journal(daemon.settings, "two"):
            pass
        assert refused.value.rule == "journal-locked"


def test_told_to_stop_the_loop_ends_its_turn_and_leaves(daemon: Daemon) -> None:
    turned: list[str] = []

    async def run() -> None:
        async with daemon.looking():
            running = asyncio.create_task(daemon.wired.loop.run(lambda: turned.append("turned")))
            await asyncio.sleep(0)
            daemon.wired.loop.stop()
            await running

    asyncio.run(run())
    assert turned and daemon.wired.loop.status.turned_at is not None
