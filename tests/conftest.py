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

NICE = {"hosts": 0, "lab": 3}
"""How nice a process is that stirs a lab, by the lab: of what runs side by side the longest in a row goes first."""
BEHIND = 8
"""How nice one is that stirs none."""

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
    """Marks what needs hosts, and keeps what stirs a lab in one process of its own (`--dist loadgroup`).

    Each lab's cloud is one for all tests. Tests of bare hosts come first, since the joined lab takes the hosts as they
    leave them; those that empty the plain lab's cloud come last.
    """
    for item in items:
        turn = _turn(item)
        if turn < len(_HOSTS):
            item.add_marker("hosts")
        if turn < len(_TURNS):
            item.add_marker(pytest.mark.xdist_group("hosts" if turn < len(_HOSTS) else "lab"))
    items.sort(key=_turn)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keeps the garbage collector off what stays to the end: that took a tenth to a third of the tests' time.

    And has it look less often at what tests leave behind, most of which goes without it.
    """
    gc.freeze()
    gc.set_threshold(*RARELY)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Has a process wait for the processor behind those whose tests take longer in a row.

    It grows nicer alone, as the tests that stir a lab come first.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        stirred = item.get_closest_marker("xdist_group")
        wanted = NICE[stirred.args[0]] if stirred else BEHIND
        os.nice(max(0, wanted - os.nice(0)))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Collects what a file's tests left in cycles, while it can still be told whose it was: a warning is an error."""
    if nextitem is None or nextitem.path != item.path:
        gc.collect(1)


def _turn(item: pytest.Item) -> int:
    if not isinstance(item, pytest.Function):
        return len(_TURNS)
    given = item.callspec.params.values() if hasattr(item, "callspec") else ()
    asked = {
        *item.fixturenames,
        *(value for value in given if isinstance(value, str)),
    }  # clouds are given by a lab's name
    return next((turn for turn, name in enumerate(_TURNS) if name in asked), len(_TURNS))
