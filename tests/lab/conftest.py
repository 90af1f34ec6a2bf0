"""Every test here needs the lab."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what stands in this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("lab")
