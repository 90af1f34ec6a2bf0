"""kill -9 of the controller at any of its steps in a campaign: every host is done exactly once, and no more are out.

A process dies before or after any call to the journal, the fleet or Ansible; its successor goes on. The world counts
what was really done to each host.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.model.campaign import Canaries, HostState, Limits, State
from controller.model.ids import HostName
from tests.fakes.campaign_rig import CampaignRig, order
from tests.fakes.crash import Crash, Mortal

pytestmark = pytest.mark.lab
"""No lab, but too long for every change: a campaign for each instant in which it can die."""

ONCE = ("disable", "patch", "reboot", "enable")


EFFECTS = frozenset({"begin", "end", "save", "save_members", "note", "drain", "enable", "run"})
"""Calls with an effect; to die elsewhere is to have died after the last of them."""


class Death:
    """Kills before or after the effect of that number, counted over all ports, and lets nothing through afterwards."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.steps = 0

    def step(self, name: str, args: tuple[Any, ...], *, done: bool) -> None:
        self.steps += name in EFFECTS
        if self.struck:
            raise Crash

    @property
    def struck(self) -> bool:
        return self.steps >= self.at


@contextlib.contextmanager
def rigged(racks: int, hosts: int) -> Iterator[CampaignRig]:
    """Its journal is in memory where there is such a folder: these are no tests of the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        rig = CampaignRig(Path(folder), racks=racks, hosts=hosts)
        yield rig
        rig.journal.close_store()


async def killed_at(rig: CampaignRig, at: int) -> bool:
    """Lives in a process that dies at that step; whether it died before the campaign ended."""
    death = Death(at)
    rig.restart(lambda port: Mortal(port, death))
    await rig.live(timedelta(hours=6), lambda: death.struck or rig.state() is State.DONE)
    return death.struck


async def finished(rig: CampaignRig) -> None:
    """A last process brings it to its end, and all is as if nobody had died."""
    rig.restart()
    assert await rig.until(State.DONE, State.PAUSED) is State.DONE, rig.why()
    assert rig.failures == []
    assert rig.world.out() == frozenset()
    assert set(rig.states().values()) == {HostState.DONE}
    for host in rig.states():
        assert {what: rig.world.done[HostName(host), what] for what in ONCE} == dict.fromkeys(ONCE, 1), host
    assert rig.journal.drains() == ()


@pytest.mark.parametrize("first", [1, 2])
async def test_a_death_at_any_effect_repeats_nothing_and_loses_nothing(first: int) -> None:
    """Before and after each effect of one host's course, in two parts that can run side by side."""
    at, died = first, True
    while died:
        with rigged(racks=1, hosts=2) as rig:
            await rig.begin(order(hosts=("r1h1",)))
            died = await killed_at(rig, at)
            await finished(rig)
        at += 2
    assert at > 30


@pytest.mark.parametrize("every", [timedelta(seconds=17)])
async def test_a_process_that_is_ended_again_and_again_gets_on_all_the_same(every: timedelta) -> None:
    """SIGTERM in the middle of drains, playbooks and reboots."""
    with rigged(racks=1, hosts=2) as rig:
        await rig.begin()
        for _ in range(20):
            await rig.live(every)
            rig.restart()
        await finished(rig)


@given(
    deaths=st.lists(st.integers(1, 90), min_size=1, max_size=5),
    racks=st.integers(1, 3),
    at_once=st.integers(1, 3),
    canaries=st.integers(0, 2),
)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_many_deaths_in_any_campaign_leave_every_host_done_exactly_once(
    deaths: list[int], racks: int, at_once: int, canaries: int
) -> None:
    async def run() -> None:
        with rigged(racks, hosts=2) as rig:
            await rig.begin(order(limits=Limits(hosts_at_once=at_once), canaries=Canaries(count=canaries)))
            for at in deaths:
                await killed_at(rig, at)
            await finished(rig)

    asyncio.run(run())
