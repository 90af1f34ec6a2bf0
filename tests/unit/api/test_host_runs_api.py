"""Records of work on hosts over the operators' socket."""

import asyncio
import contextlib
import getpass
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.api import client, operators
from controller.api.controller_client import SocketController
from controller.errors import PermanentError, RefusedError
from controller.model.host_run import HostRunState, HostStep, HostVerb
from controller.model.ids import HostName
from controller.model.operation import DrainState
from tests.fakes.turning import Turning

C1 = HostName("c1")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Turning]:
    """Two servers on c1."""
    made = Turning(tmp_path)
    yield made
    made.rig.journal.close_store()


@contextlib.asynccontextmanager
async def served(site: Turning, path: Path) -> AsyncIterator[SocketController]:
    runner = await operators.serve(site.desk, path, None)
    try:
        yield SocketController(path)
    finally:
        await runner.cleanup()


async def test_a_run_is_begun_by_whom_the_kernel_names_and_saved_to_its_end(site: Turning, tmp_path: Path) -> None:
    async with served(site, tmp_path / "s") as controller:
        run = await controller.begin(C1, HostVerb.REBOOT, HostStep.DRAIN)
        assert run.who == getpass.getuser()
        with pytest.raises(RefusedError, match=f"run {run.id} of this host is open"):
            await controller.begin(C1, HostVerb.PATCH, HostStep.DRAIN)
        further = replace(run, step=HostStep.REBOOT, boot_id="b1", drained=True)
        await controller.save(further)
        (found,) = await controller.open_runs()
        assert replace(found, changed_at=run.changed_at) == further
        assert [one.id for one in site.desk.status().host_runs] == [run.id]
        await controller.save(replace(further, state=HostRunState.DONE, said="c1 is enabled."))
        assert await controller.open_runs() == ()
        assert [one.said for one in await controller.runs()] == ["c1 is enabled."]
        with pytest.raises(RefusedError, match="no run of this id is open"):
            await controller.save(further)


async def test_a_drain_is_begun_followed_and_ended_through_the_socket(site: Turning, tmp_path: Path) -> None:
    async with served(site, tmp_path / "s") as controller:
        await site.turns(1)
        assert isinstance(await controller.unknowns(C1), tuple)
        drain = await controller.drain(C1, "gdcc host reboot", keep_shutoff=True)
        begun = await controller.emptying(drain)
        assert begun.drain is not None
        await site.desk.pause(None, "op", "storm", abort=False)
        assert (begun.paused, (await controller.emptying(drain)).paused) == ("", "everything is paused by op: storm")
        site.desk.resume(None, "op")
        await site.turns(4)
        ended = await controller.emptying(drain)
        assert ended.drain is not None
        assert ended.drain.state is DrainState.EMPTY
        assert (ended.moves, ended.moving) == (2, False)
        assert ended.steps > begun.steps
        assert await controller.enable(C1) == "c1 is enabled."
        assert (await controller.emptying(drain)).drain is None


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/host-runs", {"host": "c1", "verb": "explode", "step": "drain"}),
        ("/host-runs", {"host": "", "verb": "reboot", "step": "drain"}),
        ("/host-runs", {"host": "c1", "verb": "reboot", "step": "drain", "who": "root"}),
        ("/host-runs/any", {"step": "nowhere"}),
    ],
)
async def test_what_is_not_understood_is_told(
    site: Turning, tmp_path: Path, path: str, body: dict[str, object]
) -> None:
    async with served(site, tmp_path / "s"):
        with pytest.raises(PermanentError, match="the request is not understood"):
            await asyncio.to_thread(client.call, tmp_path / "s", "POST", path, body)
