"""The inventory as many threads ask for it at once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from controller.adapters.ansible.inventory import Inventory, Listing
from controller.adapters.ansible.site import Site
from controller.errors import InputError, TransientError
from controller.model.ids import HostName
from tests.fakes.ansible_site import site

THREADS = 12


@dataclass
class Reader:
    """Lists an inventory of no hosts once it is `let`; counts how often, and how many did so at once."""

    error: Exception | None = None
    let: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    times: int = 0
    together: int = 0
    most: int = 0

    def __call__(self, site: Site) -> Listing:
        self.times += 1
        self.together += 1
        self.most = max(self.most, self.together)
        self.begun.set()
        self.let.wait()
        self.together -= 1
        if self.error is not None:
            raise self.error
        return Listing(where=str(site.inventory), hosts=(), groups={})


@pytest.fixture
def place(tmp_path: Path) -> Site:
    return site(tmp_path, {})


def asked_by_many(inventory: Inventory, reader: Reader) -> list[Listing | Exception]:
    """What each of many threads is answered that ask while the first listing goes on."""
    waiting = threading.Barrier(THREADS)

    def ask(first: bool) -> Listing | Exception:
        if not first:
            reader.begun.wait()
            waiting.wait()
        try:
            return inventory.listing()
        except (InputError, TransientError) as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(ask, first) for first in (True, *[False] * (THREADS - 1))]
        reader.begun.wait()
        waiting.wait()
        reader.let.set()
        return [future.result() for future in futures]


def test_threads_that_ask_at_once_share_one_listing(place: Site) -> None:
    reader = Reader()
    answers = asked_by_many(Inventory(place, reader), reader)
    assert reader.times == 1
    assert len({id(answer) for answer in answers}) == 1


@pytest.mark.parametrize("error", [TransientError("took long"), InputError("cannot be read")])
def test_a_listing_that_fails_is_tried_one_at_a_time_and_again_by_who_comes_later(
    place: Site, error: TransientError | InputError
) -> None:
    reader = Reader(error)
    inventory = Inventory(place, reader)
    assert asked_by_many(inventory, reader) == [error] * THREADS
    assert reader.most == 1
    assert reader.times < THREADS
    reader.error = None
    assert inventory.listing().hosts == ()


def test_hosts_of_a_rack_come_together_and_those_of_none_last() -> None:
    names = ("c1", "c2", "c3", "c4")
    racks = {"rack": {*names}, "rack_r1": {"c2", "c4"}, "rack_r2": {"c1"}, "room_rack_1": {"c1"}}
    listing = Listing(
        where="here", hosts=tuple(map(HostName, names)), groups={name: frozenset(each) for name, each in racks.items()}
    )
    assert listing.by_rack(listing.hosts) == ("c2", "c4", "c1", "c3")


@pytest.mark.parametrize("change", [lambda path: path.write_text("all:\n"), lambda path: path.unlink()])
def test_a_file_that_changed_is_listed_anew_and_nothing_else(place: Site, change: Callable[[Path], None]) -> None:
    reader = Reader()
    reader.let.set()
    inventory = Inventory(place, reader)
    assert inventory.listing() is inventory.listing()
    change(place.inventory)
    inventory.listing()
    assert reader.times == 2
