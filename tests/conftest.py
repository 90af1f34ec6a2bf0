"""The lab is one for the whole session, whichever folder asks for it first."""

import pytest

from tests.fakes.postgres import postgres
from tests.lab.fixtures import lab, standing_lab

__all__ = ["lab", "postgres", "standing_lab"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps what stirs the lab's one cloud in one process, whatever else runs beside it (`-n 2 --dist loadgroup`)."""
    for item in items:
        if isinstance(item, pytest.Function) and _stirs_the_lab(item):
            item.add_marker(pytest.mark.xdist_group("lab"))


def _stirs_the_lab(item: pytest.Function) -> bool:
    asked = item.callspec.params.get("given") if hasattr(item, "callspec") else None
    return asked == "lab" or not {"lab", "standing_lab"}.isdisjoint(item.fixturenames)
