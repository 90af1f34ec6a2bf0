"""The journal on real disks that fill and fail, under a running loop: no move without a journaled intent.

Needs root (or sudo), to mount.
"""

import asyncio
import contextlib
import errno
import logging
import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.exposition.registry import registry
from controller.adapters.store import schema
from controller.errors import GdccError
from controller.model.migration import State
from tests.fakes import journals
from tests.fakes.turning import Turning

MIB = 1 << 20


def as_root(*command: object) -> None:
    words = [str(word) for word in command]
    subprocess.run(words if os.geteuid() == 0 else ["sudo", "-n", *words], check=True)


@contextlib.contextmanager
def mounted(at: Path, *how: object) -> Iterator[Path]:
    """A file system of this test's own."""
    at.mkdir()
    as_root("mount", *how, at)
    try:
        as_root("chmod", "0777", at)
        yield at
    finally:
        as_root("umount", "-l", at)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """One MiB of tmpfs."""
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", f"size={MIB}", "gdcc-test") as folder:
        yield folder


@pytest.fixture
def failing_disk(tmp_path: Path) -> Iterator[Path]:
    """An ext4 of 4 MiB that goes read-only on its first error."""
    image = tmp_path / "image"
    image.write_bytes(bytes(4 * MIB))
    subprocess.run(["/usr/sbin/mkfs.ext4", "-q", "-F", image], check=True)
    with mounted(tmp_path / "disk", "-o", "loop,errors=remount-ro", image) as folder:
        yield folder


def fill(disk: Path) -> Path:
    """Takes every byte that is left; the file to remove for room."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC
    return filler


def break_down(disk: Path) -> None:
    """Has the kernel find an error in the file system, which then takes no write any more."""
    device = subprocess.run(["findmnt", "-n", "-o", "SOURCE", disk], check=True, capture_output=True, text=True)
    switch = f"/sys/fs/ext4/{Path(device.stdout.strip()).name}/trigger_fs_error"
    as_root("sh", "-c", f"echo gdcc-test > {switch}")


@contextlib.contextmanager
def site(disk: Path) -> Iterator[Turning]:
    """Two servers on a host whose memory fails, mode auto, the journal on that disk."""
    made = Turning(disk)
    made.sensors.failing = {"c1"}
    try:
        yield made
    finally:
        made.rig.journal.close_store()


def stopped_metric(site: Turning) -> float | None:
    value: float | None = registry(lambda: site.published[-1]).get_sample_value("gdcc_loop_stopped")
    return value


def assert_every_start_is_journaled(site: Turning) -> None:
    entries = site.rig.journal.entries_since(journals.START - timedelta(days=1))
    assert sorted(site.started()) == sorted((entry.intent.server_id, entry.intent.target) for entry in entries)


def test_on_a_full_disk_nothing_is_moved_and_status_metric_and_log_say_why(
    disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with site(disk) as full, caplog.at_level(logging.WARNING):
        fill(disk)
        asyncio.run(full.turns(3))
        assert full.started() == []
        assert "the disk under the journal is full" in (full.loop.status.stopped or "")
        assert "the disk under the journal is full" in full.loop.status.sentence
        assert stopped_metric(full) == 1
        assert any("disk under the journal is full" in record.error for record in caplog.records)


def test_with_room_again_the_loop_goes_on_by_itself(disk: Path) -> None:
    with site(disk) as full:
        filler = fill(disk)
        asyncio.run(full.turns(2))
        filler.unlink()
        asyncio.run(full.turns(8))
        assert {full.host_of("vm-1"), full.host_of("vm-2")}.isdisjoint({"c1"})
        assert full.loop.status.stopped is None and stopped_metric(full) == 0
        assert_every_start_is_journaled(full)


def test_a_disk_that_fills_while_a_move_runs_leaves_it_to_be_adopted_and_repeats_nothing(disk: Path) -> None:
    with site(disk) as full:

        async def run() -> None:
            await full.loop.turn()
            await full.settle(timedelta(seconds=2))
            begun = full.started()
            assert len(begun) == 1
            filler = fill(disk)
            await full.turns(4)
            assert full.started() == begun
            assert "the disk under the journal is full" in (full.loop.status.stopped or "")
            filler.unlink()
            await full.turns(8)

        asyncio.run(run())
        assert len({server for server, _ in full.started()}) == len(full.started()) == 2
        assert_every_start_is_journaled(full)
        entries = full.rig.journal.entries_since(journals.START - timedelta(days=1))
        assert {entry.state for entry in entries} == {State.SUCCEEDED}


def test_a_disk_that_goes_read_only_moves_nothing_and_says_why(failing_disk: Path) -> None:
    with site(failing_disk) as broken:
        break_down(failing_disk)
        asyncio.run(broken.turns(3))
        assert broken.started() == []
        assert "the journal's disk failed to read or write" in (broken.loop.status.stopped or "")
        assert stopped_metric(broken) == 1


def test_on_a_full_disk_the_daemon_does_not_start_and_says_why(disk: Path) -> None:
    fill(disk)
    with pytest.raises(GdccError, match=r"disk under the journal is full|journal cannot be opened"):
        schema.upgrade(f"sqlite:///{disk}/journal.db")
