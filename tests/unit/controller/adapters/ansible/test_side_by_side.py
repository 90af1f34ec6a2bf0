"""How many of Ansible's processes go on at once, and from when a run's time counts.

Ansible itself is a small program here that stands in its place: it ends when it is told to.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.ansible.inventory import Inventory, Listing
from controller.adapters.ansible.playbooks import AnsiblePlaybooks
from controller.adapters.ansible.site import Site
from controller.errors import PermanentError
from controller.model.ids import HostName
from controller.model.playbook import PlaybookResult, PlaybookRun, RunId
from tests.fakes.ansible_site import site

GOOD = HostName("good")
RUNS = 6

PROGRAM = """\
import os, pathlib, time
here = pathlib.Path(__file__).parents[1]
mine = here / "now" / str(os.getpid())
mine.touch()
(here / "seen" / str(os.getpid())).write_text(str(len(list((here / "now").iterdir()))))
while not (here / "end").exists():
    time.sleep(0.01)
mine.unlink()
"""
"""Writes how many go on as it begins, and goes on until there is a file `end`. It says nothing, as a killed Ansible."""


@pytest.fixture
def place(tmp_path: Path) -> Site:
    files = {"root/ansible/__init__.py": "", "root/ansible/__main__.py": PROGRAM}
    made = site(tmp_path, {"work.yml": "[]\n"}, files=files)
    for name in ("now", "seen"):
        (made.root / name).mkdir()
    return made


@dataclass
class Clock:
    """Tells what the test sets."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def playbooks(place: Site, clock: Clock | None = None, listing_minutes: float = 0) -> AnsiblePlaybooks:
    """Over an inventory of one host, which takes so long to list by that clock."""
    seconds = clock or Clock()

    def listed(_: Site) -> Listing:
        seconds.now += 60 * listing_minutes
        return Listing(where="here", hosts=(GOOD,), groups={})

    made = AnsiblePlaybooks(place, seconds)
    made.inventory = Inventory(place, listed)
    return made


def asked(name: str, minutes: float = 10) -> PlaybookRun:
    return PlaybookRun(id=RunId(name), playbook="work.yml", hosts=(GOOD,), timeout=timedelta(minutes=minutes))


async def ended(made: AnsiblePlaybooks, run: PlaybookRun) -> PlaybookResult | None:
    """None where Ansible said nothing of its hosts."""
    try:
        return await made.run(run, lambda _: None)
    except PermanentError:
        return None


async def begun(place: Site, count: int) -> None:
    """Returns once so many of Ansible's processes have begun."""
    while len(list((place.root / "seen").iterdir())) < count:  # noqa: ASYNC110 - another process tells it by a file
        await asyncio.sleep(0.01)


async def test_no_more_playbooks_go_on_side_by_side_than_may(place: Site) -> None:
    made = playbooks(replace(place, at_once=2))
    runs = [asyncio.create_task(ended(made, asked(f"run-{number}"))) for number in range(RUNS)]
    await begun(place, 2)
    (place.root / "end").touch()
    await asyncio.gather(*runs)
    together = [int(each.read_text()) for each in (place.root / "seen").iterdir()]
    assert len(together) == RUNS
    assert max(together) == 2


async def test_a_run_asks_before_it_begins_and_only_once_it_waits_for_no_other(place: Site) -> None:
    made, told = playbooks(replace(place, at_once=1)), list[str]()

    async def agrees() -> None:
        told.append("first")

    async def refuses() -> None:
        told.append("second")
        raise PermanentError("is not empty any more")

    first = asyncio.create_task(made.run(asked("first"), lambda _: None, agrees))
    await begun(place, 1)
    second = asyncio.create_task(made.run(asked("second"), lambda _: None, refuses))
    await asyncio.sleep(0)
    assert told == ["first"]
    (place.root / "end").touch()
    with pytest.raises(PermanentError, match="Ansible gave up"):
        await first
    with pytest.raises(PermanentError, match="not empty any more"):
        await second
    assert told == ["first", "second"]
    assert len(list((place.root / "seen").iterdir())) == 1


async def test_the_time_of_a_run_begins_when_ansible_does_and_not_while_others_go_on(place: Site) -> None:
    clock = Clock()
    made = playbooks(replace(place, at_once=1), clock)
    first = asyncio.create_task(ended(made, asked("first", minutes=600)))
    await begun(place, 1)
    second = asyncio.create_task(ended(made, asked("second")))
    await asyncio.sleep(0)
    clock.now += timedelta(minutes=20).total_seconds()
    (place.root / "end").touch()
    assert [await first, await second] == [None, None], "the second was ended for time in which it only waited"


async def test_a_listing_that_takes_long_takes_nothing_from_the_time_of_its_run(place: Site) -> None:
    clock = Clock()
    made = playbooks(place, clock, listing_minutes=20)
    (place.root / "end").touch()
    assert await ended(made, asked("late")) is None


async def test_a_run_whose_time_is_over_is_ended(place: Site) -> None:
    clock = Clock()
    run = asyncio.create_task(ended(playbooks(place, clock), asked("slow")))
    await begun(place, 1)
    clock.now += timedelta(minutes=20).total_seconds()
    result = await run
    assert result is not None
    assert result.stopped == "it took longer than 600 s"
