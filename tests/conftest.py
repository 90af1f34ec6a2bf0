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
    """Keeps what stirs the labs in one process, whatever else runs beside it (`-n 2 --dist loadgroup`).

    Each lab's cloud is one for all tests, and both at once are more than two cores bear. Tests of bare hosts come
    first, since the joined lab takes the hosts as they leave them.
    """
    for item in items:
        if isinstance(item, pytest.Function) and _stirs_a_lab(item):
            item.add_marker(pytest.mark.xdist_group("lab"))
    items.sort(key=lambda item: isinstance(item, pytest.Function) and "bare_hosts" not in item.fixturenames)


def _stirs_a_lab(item: pytest.Function) -> bool:
    asked = item.callspec.params.get("given") if hasattr(item, "callspec") else None
    return asked == "lab" or not {"lab", "standing_lab", "standing_hosts"}.isdisjoint(item.fixturenames)
