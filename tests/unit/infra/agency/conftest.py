"""The estates that agencies' programs are run for."""

from pathlib import Path

import pytest

import inventory
from infra.agency import keystone
from inventory import load
from inventory.model import Estate

_LAB = Path(__file__).parents[3] / "lab" / "estate-agencies"


@pytest.fixture(scope="session")
def gdcc() -> Estate:
    """The reference estate: 472 agencies, 1,570 systems."""
    return load.load(Path(inventory.__file__).parent / "estates" / "gdcc")


@pytest.fixture(scope="session")
def five() -> Estate:
    """Five agencies: two share a data set and a network, one is confidential, one spreads, one has its own quota."""
    return load.load(_LAB)


@pytest.fixture(autouse=True)
def _logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in keystone.OVERRIDING:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OS_AUTH_URL", "https://keystone.example/v3")
