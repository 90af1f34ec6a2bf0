"""The clouds that keep the same contract: the fake, the twin, and the real one of the lab."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.contract.clouds import GUEST, Declared, Given, fake_cloud, lab_cloud, twin_cloud
from tests.lab.fixtures import Lab


@pytest.fixture(scope="module")
def shared_lab(standing_lab: Lab) -> Iterator[None]:
    """The lab, in which these tests keep a server of their own."""
    with standing_lab.shared(GUEST):
        yield


@pytest.fixture(params=["twin", pytest.param("lab", marks=pytest.mark.lab)])
async def declared(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Declared]:
    """A cloud that holds all that the lab's estate declares: the twin, and the real one."""
    if request.param == "lab":
        request.getfixturevalue("shared_lab")
        async with lab_cloud(request.getfixturevalue("lab")) as cloud:
            yield cloud
    else:
        async with twin_cloud(tmp_path) as cloud:
            yield cloud


@pytest.fixture(params=["fake", "twin", pytest.param("lab", marks=pytest.mark.lab)])
async def given(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Given]:
    """One cloud of each kind, and the means to stir it."""
    kind = request.param
    if kind == "lab":
        request.getfixturevalue("shared_lab")
        standing = request.getfixturevalue("lab")
    opened = {"fake": fake_cloud, "twin": lambda: twin_cloud(tmp_path), "lab": lambda: lab_cloud(standing)}[kind]()
    async with opened as cloud:
        yield cloud
