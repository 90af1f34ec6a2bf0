"""Every test here needs the lab; those of single roles, many runs of Ansible each, belong to `make soak`."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROLES = HERE / "hosts"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what stands in this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("lab")
        if ROLES in item.path.parents:
            item.add_marker("soak")
