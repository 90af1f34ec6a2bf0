"""`gdcc campaign` from the command to the journal, over a real socket; and campaign files."""

import asyncio
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from controller.adapters import campaign_file
from controller.api import client, operators
from controller.cli.campaign import asking
from controller.cli.main import app
from controller.errors import InputError
from controller.model.campaign import Canaries, HostState, Reboot, State
from controller.model.ids import HostName
from inventory import windows
from tests.fakes.campaign_rig import CampaignRig, order
from tests.fakes.turning import Turning

FILE = """\
version: 1
campaign:
  name: kernel-6.1
  hosts: [rack:r1, r2h1]
  work:
    playbook: host-patch.yml
    reboot: always
    variables: {patch_packages: [linux-image-amd64], patch_lock_timeout_s: 600}
  limits: {hosts_at_once: 2, domain: rack, failure_budget: 1}
  canaries: {hosts: [r2h1], soak_minutes: 5}
  windows: ["Sat,Sun 00:00-24:00"]
"""


@pytest.fixture
def rig() -> Iterator[CampaignRig]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        made = CampaignRig(Path(folder))
        yield made
        made.journal.close_store()


async def gdcc(path: Path, *words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, ["campaign", *words, "--socket", str(path)])


async def test_a_campaign_goes_all_the_way_from_the_command_to_its_end(rig: CampaignRig, tmp_path: Path) -> None:
    path = tmp_path / "gdcc.sock"
    site = Turning(tmp_path)
    runner = await operators.serve(site.desk, path, None, rig.desk)
    try:
        empty = await gdcc(path, "show")
        assert (empty.exit_code, "there is no campaign" in empty.stderr) == (1, True)
        words = ("--verb", "patch", "--hosts", "rack:r1,r2h1", "--name", "p1", "--at-once", "2", "--canaries", "1")
        made = await gdcc(path, "new", *words)
        assert made.stdout.startswith("Campaign p1: 3 hosts in 2 fault domains (rack), 1 of them canaries."), (
            made.output
        )
        assert (await gdcc(path, "pause", "p1")).exit_code == 1
        assert (await gdcc(path, "start", "p1")).stdout == "Campaign p1 is started.\n"
        rig.world.broken[HostName("r1h1"), "host-verify.yml"] = "swappiness is 60, declared 10"
        assert await rig.until(State.PAUSED, name="p1") is State.PAUSED
        shown = await gdcc(path, "show")
        assert "0 of 3 hosts done; 1 failed, 2 waiting" in shown.stdout
        assert "swappiness is 60" in shown.stdout and "r1h1" in shown.stdout
        rig.mend("r1h1")
        refused = await gdcc(path, "resume", "p1")
        assert refused.exit_code == 1 and "use --retry, or abort it" in refused.stderr
        assert (await gdcc(path, "resume", "p1", "--retry")).stdout.endswith("1 hosts are tried again.\n")
        assert "swappiness is 60" in (await gdcc(path, "show")).stdout, "it is out of service until it is begun again"
        rig.restart()
        assert await rig.until(State.DONE, State.PAUSED, name="p1") is State.DONE
        data = json.loads((await gdcc(path, "show", "p1", "--json")).stdout)
        assert [member["state"] for member in data["members"]] == ["done"] * 3
        over = (await gdcc(path, "show", "p1")).stdout
        assert "3 of 3 hosts done; none left" in over and "ended 20" in over and "waves left" not in over
        assert "p1" in (await gdcc(path, "show", "--all")).stdout
    finally:
        await runner.cleanup()
        site.rig.journal.close_store()


async def test_an_order_with_a_key_that_nobody_knows_is_refused_by_the_daemon(rig: CampaignRig, tmp_path: Path) -> None:
    path = tmp_path / "gdcc.sock"
    site = Turning(tmp_path)
    runner = await operators.serve(site.desk, path, None, rig.desk)
    try:
        body: dict[str, object] = {"name": "x", "hosts": ["r1h1"], "work": {"reboot": "always"}, "hurry": True}
        with pytest.raises(Exception, match=r"not understood: .*hurry"):
            await asyncio.to_thread(client.call, path, "POST", "/campaigns", body)
        unknown = await gdcc(path, "abort", "nothing")
        assert unknown.exit_code == 1 and "no campaign of this name" in unknown.stderr
    finally:
        await runner.cleanup()
        site.rig.journal.close_store()


def test_a_file_becomes_the_order_it_says(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(FILE)
    order = campaign_file.read(tmp_path / "c.yaml")
    assert (order.name, order.hosts, order.work.reboot) == ("kernel-6.1", ("rack:r1", "r2h1"), Reboot.ALWAYS)
    assert order.work.variables == {"patch_packages": ("linux-image-amd64",), "patch_lock_timeout_s": 600}
    assert order.canaries == Canaries(hosts=("r2h1",), soak_minutes=5)
    assert order.windows == (windows.window("Sat,Sun 00:00-24:00"),)
    (tmp_path / "c.json").write_text(json.dumps({"version": 1, "campaign": {"name": "j", "hosts": ["a"], "work": {}}}))
    assert campaign_file.read(tmp_path / "c.json").name == "j"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("version: 1", "version: 2", "c.yaml:1: version is '2', this program reads version 1 of campaigns"),
        ("version: 1\n", "", "c.yaml:1: version is missing"),
        ("  hosts:", "  hostz:", "c.yaml:4: campaign kernel-6.1: unknown key 'hostz' (did you mean 'hosts'?)"),
        ("hosts_at_once: 2", "hosts_at_once: 0", "c.yaml:9: campaign kernel-6.1: limits: hosts_at_once is 0"),
        ("domain: rack", "domain: rak", "c.yaml:9: campaign kernel-6.1: limits: domain is 'rak' (write one of: host,"),
        ("reboot: always", "reboot: maybe", "c.yaml:7: campaign kernel-6.1: work: reboot is 'maybe'"),
        ("600}", "{a: 1}}", "c.yaml:8: campaign: work: variables patch_lock_timeout_s must be text, a number"),
        ("Sat,Sun 00:00-24:00", "Caturday", "c.yaml:11: campaign kernel-6.1: windows: 'Caturday' is not a time"),
        ("rack:r1", "!gap", "is a"),
        (FILE, "- a\n", "c.yaml:1: is not a mapping"),
        (FILE, "version: 1\n", "c.yaml:1: campaign is missing"),
        (FILE, "version: 1\ncampaign: [", "is not valid YAML"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_its_line(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    (tmp_path / "c.yaml").write_text(FILE.replace(before, after))
    with pytest.raises(InputError) as refused:
        campaign_file.read(tmp_path / "c.yaml")
    assert said in str(refused.value) or after == "!gap"


def test_a_verb_stands_for_its_work_and_an_unknown_one_is_refused() -> None:
    now = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
    asked = asking.Asked(verb="reboot", hosts="c1, c2", canaries="c1", windows=("Sat 00:00-24:00",))
    order = asking.order(asked, now)
    assert (order.name, order.hosts, order.work.playbook) == ("reboot-20261121-0500", ("c1", "c2"), None)
    assert order.canaries.hosts == ("c1",)
    with pytest.raises(InputError, match="'fly' is no verb"):
        asking.order(asking.Asked(verb="fly", hosts="c1"), now)
    with pytest.raises(InputError, match="--window: 'now'"):
        asking.order(asking.Asked(verb="patch", hosts="c1", windows=("now",)), now)


async def test_the_table_tells_who_is_under_way_and_at_what(rig: CampaignRig, tmp_path: Path) -> None:
    path = tmp_path / "gdcc.sock"
    site = Turning(tmp_path)
    runner = await operators.serve(site.desk, path, None, rig.desk)
    try:
        await rig.begin()
        seen: list[str] = []

        def look() -> bool:
            found = rig.desk.progress(None)
            seen.extend(found.doing.values() if found else ())
            return "work: Begin" in seen

        await rig.live(timedelta(hours=3), look)
        assert "drain: servers are being moved off" in seen and "work: Begin" in seen
        shown = (await gdcc(path, "show")).stdout
        assert "under-way" in shown and "2 hosts at once in one rack" in shown
        assert rig.states()["r1h1"] is HostState.UNDER_WAY
    finally:
        await runner.cleanup()
        site.rig.journal.close_store()


async def test_canaries_are_counted_as_hosts_and_not_as_patterns(rig: CampaignRig, tmp_path: Path) -> None:
    site = Turning(tmp_path)
    runner = await operators.serve(site.desk, tmp_path / "gdcc.sock", None, rig.desk)
    try:
        await rig.begin(order(canaries=Canaries(hosts=("rack:r1",), soak_minutes=60)))
        assert "2 canaries, which soak 60 min" in (await gdcc(tmp_path / "gdcc.sock", "show")).stdout
    finally:
        await runner.cleanup()
        site.rig.journal.close_store()
