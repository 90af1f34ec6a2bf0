"""What goes wrong on hosts at night, in a campaign and in a verb: host, task and line are told, and it stays out."""

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.ansible.inventory import Listing
from controller.engine.host_work.order import Ended, Order
from controller.engine.host_work.work import HostWork
from controller.errors import InputError
from controller.model.campaign import HostState, Limits, State
from controller.model.host_run import HostVerb
from controller.model.ids import HostName
from tests.fakes.ansible_failures import MISHAPS, Mishap
from tests.fakes.campaign_rig import CampaignRig, order
from tests.fakes.clock import VirtualClock
from tests.fakes.host_work import FakeController, FakeHosts, Silent
from tests.fakes.journals import START

NO_PASSWORD = InputError("is encrypted, and no vault password is given", where="group_vars/all/vault.yml")
EVERY = pytest.mark.parametrize("mishap", MISHAPS.values(), ids=MISHAPS.keys())


@pytest.fixture
def rig() -> Iterator[CampaignRig]:
    """Its journal is in memory where there is such a folder: these are no tests of the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        made = CampaignRig(Path(folder), racks=1, hosts=2)
        yield made
        made.journal.close_store()


class Night:
    """Hosts c1 and c2 and `gdcc host`."""

    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        self.hosts = FakeHosts(self.clock, "c1", "c2")
        self.controller = FakeController(self.clock)

    async def patched(self, *, reboot: bool) -> list[tuple[Ended, str]]:
        asked = Order(
            verb=HostVerb.PATCH, hosts=(HostName("c1"), HostName("c2")), timeout=timedelta(hours=1), reboot=reboot
        )
        outcomes = await HostWork(self.hosts, self.controller, self.clock, Silent()).do(asked)
        return [(outcome.ended, outcome.said) for outcome in outcomes]


@EVERY
async def test_a_campaign_pauses_and_names_the_host_the_task_and_the_line(rig: CampaignRig, mishap: Mishap) -> None:
    rig.world.failures[HostName("r1h1"), mishap.playbook] = mishap.failure(HostName("r1h1"))
    await rig.begin(order(limits=Limits(hosts_at_once=1)))
    assert await rig.until(State.PAUSED, State.DONE) is State.PAUSED
    assert f"r1h1: {mishap.playbook}: {mishap.task}: " in rig.why()
    assert mishap.line in rig.why()
    assert rig.states() == {"r1h1": HostState.FAILED, "r1h2": HostState.WAITING}
    assert rig.world.out() == {"r1h1"}
    assert rig.world.done[HostName("r1h1"), "enable"] == 0


async def test_a_campaign_without_its_vaults_password_pauses_and_names_the_file(rig: CampaignRig) -> None:
    rig.world.errors["host-patch.yml"] = NO_PASSWORD
    await rig.begin(order(limits=Limits(hosts_at_once=1)))
    assert await rig.until(State.PAUSED, State.DONE) is State.PAUSED
    assert "r1h1: work: group_vars/all/vault.yml: is encrypted, and no vault password is given" in rig.why()
    assert rig.world.done[HostName("r1h1"), "patch"] == 0
    assert rig.world.out() == {"r1h1"}


@EVERY
async def test_a_verb_stops_and_names_the_host_the_task_and_the_line(mishap: Mishap) -> None:
    night = Night()
    night.hosts.reboot_required = {"c1", "c2"}
    night.hosts.failures[mishap.playbook, HostName("c1")] = mishap.failure(HostName("c1"))
    (ended, said), second = await night.patched(reboot=True)
    assert ended is Ended.FAILED
    assert said.startswith("c1: ") and f" failed: {mishap.task}: " in said and mishap.line in said
    assert "it stays disabled" in said
    assert second == (Ended.NOT_BEGUN, "not begun, since a host before it failed")
    assert night.controller.enabled == []
    assert night.controller.empty("c1")


async def test_a_verb_without_its_vaults_password_enables_nothing() -> None:
    night = Night()
    night.hosts.error = NO_PASSWORD
    (ended, said), _ = await night.patched(reboot=True)
    assert ended is Ended.FAILED
    assert "vault.yml: is encrypted, and no vault password is given" in said
    assert night.controller.enabled == []


async def test_a_playbook_that_breaks_off_at_half_its_hosts_succeeded_on_neither() -> None:
    night = Night()
    night.hosts.failing = {"host-patch.yml": {"c1"}}
    first, second = await night.patched(reboot=False)
    assert first == (Ended.FAILED, "c1: play failed: Prove it: declared 9000, found 1500")
    why = "it was broken off, since c1 failed; 1 of its tasks had changed it, and it is not verified"
    assert second == (Ended.BROKEN_OFF, f"c2: play is not done: {why}")
    assert [run.playbook for run in night.hosts.runs] == ["host-patch.yml"]


def test_hosts_and_groups_that_are_not_known_are_told_all_at_once() -> None:
    listing = Listing(where="estate/gdcc.yml", hosts=(HostName("c1"),), groups={"rack_r1": frozenset({"c1"})})
    assert listing.meant(["rack:r1", "c1"]) == ("c1",)
    with pytest.raises(InputError, match=r"estate/gdcc.yml: has no c17, rack:r9, planet:earth"):
        listing.meant(["c1", "c17", "rack:r9", "planet:earth"])
