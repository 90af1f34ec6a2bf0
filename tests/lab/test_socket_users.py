"""The operators' socket against real users: the kernel keeps strangers out and says who the others are.

Needs root (or sudo), to become somebody else.
"""

import asyncio
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.api import operators
from tests.fakes import journals
from tests.fakes.turning import Turning

PAUSE = """
import os, sys
from pathlib import Path
from controller.api import client
from controller.errors import GdccError
socket, uid, *groups = sys.argv[1:]
os.setgroups([int(group) for group in groups])
os.setgid(int(uid))
os.setuid(int(uid))
try:
    print(client.call(Path(socket), "POST", "/pause", {"why": "storm"})["said"])
except GdccError as error:
    print(error)
"""

NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may enter."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Turning]:
    made = Turning(tmp_path)
    yield made
    made.rig.journal.close_store()


def asked_by_nobody(site: Turning, path: Path, *groups: int) -> str:
    """What a process of the user nobody, in these further groups, is told when it pauses everything."""
    become = [] if os.geteuid() == 0 else ["sudo", "-n"]
    words = [*become, sys.executable, "-c", PAUSE, path, NOBODY.pw_uid, *groups]

    async def run() -> str:
        runner = await operators.serve(site.desk, path, None)
        try:
            child = await asyncio.create_subprocess_exec(*map(str, words), stdout=subprocess.PIPE)
            return (await child.communicate())[0].decode()
        finally:
            await runner.cleanup()

    return asyncio.run(run())


def test_another_user_is_refused_and_nothing_is_paused(site: Turning, folder: Path) -> None:
    path = folder / "gdcc.sock"
    assert asked_by_nobody(site, path) == (
        f"{path}: you may not open the daemon's socket (become a member of the socket's group)\n"
    )
    assert site.journal.pauses() == ()


def test_a_member_of_the_group_is_let_in_and_named_by_the_kernel(site: Turning, folder: Path) -> None:
    assert asked_by_nobody(site, folder / "gdcc.sock", os.getgid()).startswith("Paused everything")
    (pause,) = site.journal.pauses()
    assert pause.who == "nobody"
    assert [(who, what) for _, who, what in site.journal.notes(journals.START)] == [
        ("nobody", "paused everything: storm")
    ]
