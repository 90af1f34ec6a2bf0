"""The lab is one for the whole session, whichever folder asks for it first."""

import pytest

from tests.fakes.postgres import postgres
from tests.lab.fixtures import lab, standing_lab
from tests.lab.host_fixtures import bare_hosts, joined_lab, standing_hosts, standing_joined_lab

__all__ = [
    "bare_hosts",
    "joined_lab",
    "lab",
    "postgres",
    "standing_hosts",
    "standing_joined_lab",
    "standing_lab",
]


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps what stirs a lab's one cloud in one process, whatever else runs beside it (`-n 2 --dist loadgroup`).

    Tests of bare hosts come before those of the joined lab, which takes the hosts as they leave them.
    """
    for item in items:
        if isinstance(item, pytest.Function):
            if _stirs_the_lab(item):
                item.add_marker(pytest.mark.xdist_group("lab"))
            elif "standing_hosts" in item.fixturenames:
                item.add_marker(pytest.mark.xdist_group("hosts"))
    items.sort(key=lambda item: isinstance(item, pytest.Function) and "bare_hosts" not in item.fixturenames)


def _stirs_the_lab(item: pytest.Function) -> bool:
    asked = item.callspec.params.get("given") if hasattr(item, "callspec") else None
    return asked == "lab" or not {"lab", "standing_lab"}.isdisjoint(item.fixturenames)
