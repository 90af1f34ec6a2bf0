"""`gdcc host --direct`: the same work in this process, over a fake cloud; and the parts that the settings name."""

import asyncio
import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from controller import config
from controller.bootstrap import ansible, host
from controller.engine.host_work.order import Ended, Order
from controller.engine.host_work.work import HostWork
from controller.errors import InputError, PermanentError, RefusedError
from controller.model.host_run import HostRunState, HostStep, HostVerb
from controller.model.ids import HostName, ProjectId, ServerId
from controller.model.operation import Drain, DrainState
from tests.fakes.host_work import FakeHosts, Silent
from tests.unit.controller.bootstrap.test_daemon_wiring import Daemon
from tests.unit.controller.bootstrap.test_direct_drain import Sensors

H1 = HostName("h1")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A server on h1."""
    made = Daemon(tmp_path)
    made.cloud.projects = {ProjectId("p"): "roads-buses"}
    made.cloud.boot("vm-1", "h1", project_id=ProjectId("p"), memory_mib=512, disk_gib=0)
    yield made
    made.journal.close_store()


async def rebooted(daemon: Daemon, hosts: FakeHosts) -> list[HostRunState]:
    """The states of the runs that the journal has once h1 was rebooted by this process's own loop."""
    order = Order(verb=HostVerb.REBOOT, hosts=(H1,), timeout=timedelta(hours=1))
    await daemon.wired.observer.take_over((Sensors(daemon),), timedelta(seconds=5))
    controller = host.DirectController(daemon.journal, daemon.wired)
    async with host.turning(daemon.wired, order.hosts):
        (outcome,) = await HostWork(hosts, controller, daemon.clock, Silent()).do(order)
    assert outcome.ended is Ended.DONE, outcome.said
    return [run.state for run in await controller.runs()]


def test_the_drains_of_other_hosts_wait_for_the_daemon(daemon: Daemon) -> None:
    daemon.cloud.boot("vm-3", "h3", project_id=ProjectId("p"), memory_mib=512, disk_gib=0)
    other = Drain(
        id="drain-h3-1", host=HostName("h3"), who="malee", why="campaign kernel-6.1", keep_shutoff=False,
        since=daemon.clock.now(), state=DrainState.EMPTYING,
    )  # fmt: skip
    daemon.journal.save_drain(other)
    asyncio.run(rebooted(daemon, FakeHosts(daemon.clock, "h1")))
    assert [start.server_id for start in daemon.cloud.starts] == ["vm-1"]
    assert other in daemon.journal.drains()


def test_a_reboot_without_a_daemon_drains_through_this_processs_own_loop(daemon: Daemon) -> None:
    hosts = FakeHosts(daemon.clock, "h1")
    assert asyncio.run(rebooted(daemon, hosts)) == [HostRunState.DONE]
    assert daemon.cloud.servers[ServerId("vm-1")].host != H1
    assert daemon.cloud.services[H1].enabled
    assert hosts.boots[H1] == 2


def test_without_a_loop_nothing_is_taken_out_of_service(daemon: Daemon) -> None:
    controller = host.DirectController(daemon.journal, None)

    async def run() -> None:
        begun = await controller.begin(H1, HostVerb.VERIFY, HostStep.VERIFY)
        assert await controller.open_runs() == (begun,)
        with pytest.raises(RefusedError, match="is open"):
            await controller.begin(H1, HostVerb.VERIFY, HostStep.VERIFY)
        with pytest.raises(PermanentError, match="takes no host out of service"):
            await controller.drain(H1, "why", keep_shutoff=True)

    asyncio.run(run())


def settings(tmp_path: Path, given: str) -> config.Config:
    path = tmp_path / "controller.yaml"
    path.write_text(f"version: 1\nestate: estate\nstate_dir: state\nansible: {given}\n")
    return config.load(path)


def test_the_estates_own_inventory_is_used_where_none_is_named(tmp_path: Path) -> None:
    site = ansible.site(settings(tmp_path, "{}"))
    assert site.inventory == tmp_path / "estate" / "gdcc.yml"
    assert site.artifacts == tmp_path / "state" / "ansible"
    assert site.vault is None
    assert (site.playbooks / "site.yml").is_file()


def test_playbooks_side_by_side_are_bounded_by_the_settings_and_else_by_the_processors(tmp_path: Path) -> None:
    assert ansible.site(settings(tmp_path, "{at_once: 3}")).at_once == 3
    assert ansible.site(settings(tmp_path, "{}")).at_once == 4 * (os.cpu_count() or 1)
    with pytest.raises(InputError, match=r"ansible\.at_once"):
        settings(tmp_path, "{at_once: 0}")


def test_a_vaults_password_is_what_its_command_prints(tmp_path: Path) -> None:
    command = f"[{sys.executable}, -c, 'print(\"sesame\")']"
    site = ansible.site(settings(tmp_path, f"{{vault_command: {command}}}"))
    assert site.vault is not None
    assert site.vault() == "sesame"


@pytest.mark.parametrize(
    ("program", "said"),
    [("import sys; sys.exit('the agent is locked')", "the agent is locked"), ("pass", "is empty")],
)
def test_a_vault_command_that_tells_no_password_is_refused_with_its_words(
    tmp_path: Path, program: str, said: str
) -> None:
    site = ansible.site(settings(tmp_path, f'{{vault_command: [{sys.executable}, -c, "{program}"]}}'))
    assert site.vault is not None
    with pytest.raises(InputError, match=said):
        site.vault()
