"""The operators' API over a real socket: who may open it, who asked, and what each verb says."""

import asyncio
import contextlib
import getpass
import json
import os
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from typer.testing import CliRunner, Result

from controller.api import client, operators
from controller.cli.main import app
from controller.errors import InputError, PermanentError, RefusedError, TransientError
from controller.model.ids import HostName, ServerId
from controller.model.policy import Mode
from tests.fakes import journals
from tests.fakes.turning import Turning

Call = Callable[..., Awaitable[Any]]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Turning]:
    """Two servers on c1, whose memory fails; mode approve."""
    made = Turning(tmp_path, mode=Mode.APPROVE)
    made.sensors.failing = {"c1"}
    yield made
    made.rig.journal.close_store()


@contextlib.asynccontextmanager
async def served(site: Turning, path: Path) -> AsyncIterator[Call]:
    runner = await operators.serve(site.desk, path, None)

    async def call(method: str, at: str, body: dict[str, object] | None = None) -> Any:
        return await asyncio.to_thread(client.call, path, method, at, body)

    try:
        yield call
    finally:
        await runner.cleanup()


async def gdcc(path: Path, *words: str, answer: str = "") -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, [*words, "--socket", str(path)], answer)


def test_an_approval_goes_all_the_way_from_the_command_to_the_move(site: Turning, tmp_path: Path) -> None:
    path = tmp_path / "s" / "gdcc.sock"

    async def run() -> None:
        async with served(site, path) as call:
            await site.turns(1)
            status = await call("GET", "/status")
            plan = status["plan"]["id"]
            assert site.started() == [] and f"Plan {plan} waits for approval." in status["sentence"]
            shown = json.loads((await gdcc(path, "plan", "--json")).stdout)["plan"]
            assert (shown["id"], sorted(move["vm_name"] for move in shown["moves"])) == (plan, ["vm-1", "vm-2"])
            why = await gdcc(path, "explain", "vm-1")
            assert why.exit_code == 0 and "vm-1" in why.stdout and "blackout" in why.stdout
            assert "neither moves nor holds vm-9" in (await gdcc(path, "explain", "vm-9")).stderr
            assert "no scope is in mode recommend" in (await gdcc(path, "plan", "--recommended")).stderr
            said = await gdcc(path, "approve", plan)
            assert (said.exit_code, said.stdout) == (0, f"Plan {plan} is approved: 2 moves.\n")
            await site.turns(5)
            again = await gdcc(path, "approve", plan)
            assert again.exit_code == 1 and "not proposed" in again.stderr
            moves = await gdcc(path, "moves", "--hours", "8000")
            assert moves.exit_code == 0

    asyncio.run(run())
    assert [server for server, _ in site.started()] in (["vm-1", "vm-2"], ["vm-2", "vm-1"])
    assert any(who == getpass.getuser() for _, who, _ in site.journal.notes(journals.START))


def test_the_socket_is_for_its_owner_and_group_only(site: Turning, tmp_path: Path) -> None:
    path = tmp_path / "gdcc.sock"

    async def run() -> None:
        async with served(site, path):
            found = path.stat()
            assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o660, os.getgid())

    asyncio.run(run())


def test_a_socket_left_behind_is_replaced_but_a_file_is_not(site: Turning, tmp_path: Path) -> None:
    path = tmp_path / "gdcc.sock"

    async def run() -> None:
        for _ in range(2):
            async with served(site, path) as call:
                assert (await call("GET", "/drains")) == []

    asyncio.run(run())
    file = tmp_path / "precious"
    file.write_text("data")
    with pytest.raises(InputError, match="no socket"):
        asyncio.run(operators.serve(site.desk, file, None))
    assert file.read_text() == "data"


@pytest.mark.parametrize(("group", "name"), [("no-such-group", "gdcc.sock"), (None, "x" * 200)])
def test_a_socket_that_cannot_be_made_is_bad_input(site: Turning, tmp_path: Path, group: str | None, name: str) -> None:
    with pytest.raises(InputError):
        asyncio.run(operators.serve(site.desk, tmp_path / name, group))


def test_a_request_that_is_not_understood_is_told_what_is_wrong(site: Turning, tmp_path: Path) -> None:
    path = tmp_path / "gdcc.sock"

    async def run() -> None:
        async with served(site, path) as call:
            for body in ({"scpoe": "rack:r1"}, {"why": "x" * 501}, {"scope": "shelf:1"}):
                with pytest.raises(PermanentError):
                    await call("POST", "/pause", body)
            with pytest.raises(PermanentError, match="404"):
                await call("GET", "/nothing")
            with pytest.raises(PermanentError, match="hours"):
                await call("GET", "/moves?hours=nan")

    asyncio.run(run())
    assert site.journal.pauses() == ()


def test_every_line_of_a_request_carries_its_id(site: Turning, tmp_path: Path) -> None:
    path, opened = tmp_path / "gdcc.sock", []

    @contextlib.contextmanager
    def bound(**fields: object) -> Iterator[None]:
        opened.append(fields)
        yield

    async def run() -> None:
        runner = await operators.serve(site.desk, path, None, bound=bound)
        try:
            for _ in range(2):
                await asyncio.to_thread(client.call, path, "GET", "/drains", None)
        finally:
            await runner.cleanup()

    asyncio.run(run())
    assert [each["path"] for each in opened] == ["/drains", "/drains"]
    assert len({each["request"] for each in opened}) == 2


def test_a_refusal_keeps_its_rule_over_the_wire(site: Turning, tmp_path: Path) -> None:
    path = tmp_path / "gdcc.sock"

    async def run() -> None:
        async with served(site, path) as call:
            with pytest.raises(TransientError, match="nothing has been seen"):
                await call("POST", "/hosts/c1/drain", {})
            with pytest.raises(RefusedError) as refused:
                await call("POST", client.path("plans", "a/b?", "approve"), {})
            assert (refused.value.rule, refused.value.where) == ("superseded", "a/b?")

    asyncio.run(run())


def test_without_a_daemon_the_verbs_say_so_and_end_with_1(tmp_path: Path) -> None:
    ended = asyncio.run(gdcc(tmp_path / "none.sock", "status"))
    assert ended.exit_code == 1
    assert "no daemon answers" in ended.stderr


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """As a user without rights, where the tests run as root."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(mine)


def test_a_socket_that_one_may_not_open_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "gdcc.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        path.chmod(0)
        with as_nobody(), pytest.raises(PermanentError, match="may not open"):
            client.call(path, "GET", "/status")


def test_a_daemon_that_fails_is_not_taken_for_one_that_is_down(tmp_path: Path) -> None:
    async def broken(_: web.Request) -> web.Response:
        return web.Response(status=500, text="<h1>no</h1>")

    async def run() -> None:
        server = web.Application()
        server.router.add_get("/status", broken)
        runner = web.AppRunner(server)
        await runner.setup()
        await web.UnixSite(runner, str(tmp_path / "s.sock")).start()
        with pytest.raises(PermanentError, match="500"):
            await asyncio.to_thread(client.call, tmp_path / "s.sock", "GET", "/status")
        await runner.cleanup()

    asyncio.run(run())


def test_a_drain_by_command_is_confirmed_followed_and_undone(site: Turning, tmp_path: Path) -> None:
    path = tmp_path / "gdcc.sock"
    first = site.cloud.servers[ServerId("vm-1")]
    site.cloud.servers[first.id] = replace(first, name="[/red] web", status="SUSPENDED")
    site.cloud.change("vm-2", status="SUSPENDED")

    async def run() -> None:
        async with served(site, path):
            await site.turns(1)
            no = await gdcc(path, "drain", "c1", answer="n\n")
            assert no.exit_code == 1 and "nothing was done" in no.stderr and "[/red] web" in no.stdout
            assert site.journal.drains() == ()
            yes = await gdcc(path, "drain", "c1", "--no-wait", "--yes", "--why", "x" * 400)
            assert yes.exit_code == 1 and "owner: resume" in yes.stdout and "[/red] web" in yes.stdout
            assert len(site.cloud.services[HostName("c1")].disabled_reason or "") == 255
            shown = await gdcc(path, "status")
            assert shown.exit_code == 0 and "drain of c1: stuck" in shown.stdout
            back = await gdcc(path, "enable", "c1")
            assert (back.exit_code, back.stdout) == (0, "c1 is enabled.\n")

    asyncio.run(run())


@pytest.mark.parametrize(
    "words",
    [
        ("pause", "--scope", "shelf:1"),
        ("pause", "--scope", "rack:"),
        ("moves", "--hours", "-1"),
        ("moves", "--hours", "many"),
        ("approve",),
        ("status", "--nonsense"),
        ("no-such-verb",),
    ],
)
def test_wrong_use_ends_with_2_and_asks_nobody(words: tuple[str, ...], tmp_path: Path) -> None:
    assert asyncio.run(gdcc(tmp_path / "none.sock", *words)).exit_code == 2


def test_a_scope_that_the_inventory_does_not_know_is_refused(site: Turning, tmp_path: Path) -> None:
    path = tmp_path / "gdcc.sock"

    async def run() -> None:
        async with served(site, path):
            ended = await gdcc(path, "pause", "--scope", "rack:r99")
            assert ended.exit_code == 1 and "no such thing in the inventory" in ended.stderr
            fine = await gdcc(path, "pause", "--scope", "rack:r1", "--why", "[/] cabling")
            assert fine.exit_code == 0
            status = await gdcc(path, "status", "--json")
            assert '"[/] cabling"' in status.stdout
            assert (await gdcc(path, "resume", "--scope", "rack:r1")).exit_code == 0
            assert (await gdcc(path, "resume", "--scope", "rack:r1")).exit_code == 1

    asyncio.run(run())
