"""The lab is one for the whole session, whichever folder asks for it first."""

import gc
import os

import pytest

from tests.fakes.postgres import postgres
from tests.lab.fixtures import lab, standing_lab
from tests.lab.host_fixtures import bare_hosts, joined_lab, standing_hosts, standing_joined_lab
from tests.lab.vm_fixtures import bare_vm, standing_vm

_HOSTS = ("bare_vm", "standing_vm", "bare_hosts", "standing_hosts")
_TURNS = (*_HOSTS, "lab", "standing_lab")
"""What of the labs tests ask for, in the order in which they run; those that ask for nothing of it come after them."""

BEHIND = 5
"""How nice a process is that works beside the one that stirs a lab, whose tests take the longest in a row."""

RARELY = (20_000, 20, 20)
"""Objects made, and collections of younger ones, before the garbage collector runs."""

__all__ = [
    "bare_hosts",
    "bare_vm",
    "joined_lab",
    "lab",
    "postgres",
    "standing_hosts",
    "standing_joined_lab",
    "standing_lab",
    "standing_vm",
]


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what needs hosts, and keeps what stirs the labs in one process (`--dist loadgroup`) beside all else.

    Each lab's cloud is one for all tests, and both at once are more than two cores bear: side by side they take as long
    as one after the other. Tests of bare hosts come first, since the joined lab takes the hosts as they leave them;
    those that empty the plain lab's cloud come last.
    """
    for item in items:
        turn = _turn(item)
        if turn < len(_TURNS):
            item.add_marker(pytest.mark.xdist_group("lab"))
        if turn < len(_HOSTS):
            item.add_marker("hosts")
    items.sort(key=_turn)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keeps the garbage collector off what stays to the end: that took a tenth to a third of the tests' time.

    And has it look less often at what tests leave behind, most of which goes without it.
    """
    gc.freeze()
    gc.set_threshold(*RARELY)
    session.stash[_STIRRED] = any(map(_stirs, session.items))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Has a process that works beside the one that stirs a lab wait for the processor rather than that one.

    Whoever stirs begins with that, since those tests come first, and has then no other to wait for.
    """
    beside = item.session.stash.get(_STIRRED, False) and "PYTEST_XDIST_WORKER" in os.environ
    item.session.stash[_STIRRED] = False
    if beside and not _stirs(item):
        os.nice(BEHIND)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Collects what a file's tests left in cycles, while it can still be told whose it was: a warning is an error."""
    if nextitem is None or nextitem.path != item.path:
        gc.collect(1)


_STIRRED = pytest.StashKey[bool]()


def _stirs(item: pytest.Item) -> bool:
    return item.get_closest_marker("xdist_group") is not None


def _turn(item: pytest.Item) -> int:
    if not isinstance(item, pytest.Function):
        return len(_TURNS)
    given = item.callspec.params.values() if hasattr(item, "callspec") else ()
    asked = {
        *item.fixturenames,
        *(value for value in given if isinstance(value, str)),
    }  # clouds are given by a lab's name
    return next((turn for turn, name in enumerate(_TURNS) if name in asked), len(_TURNS))
