"""The clouds that keep the same contract: the fake, the twin, and the real one of the lab."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.contract.clouds import GUEST, Given, fake_cloud, lab_cloud, twin_cloud
from tests.lab.fixtures import Lab
from tests.lab.operator import Operator


@pytest.fixture(scope="package")
def tidied_lab(standing_lab: Lab) -> Iterator[Lab]:
    """The lab; the server that these tests made is deleted before other tests begin."""
    yield standing_lab
    asyncio.run(_tidied(standing_lab.operator))


async def _tidied(operator: Operator) -> None:
    made = await operator.find(GUEST)
    if made is not None:
        await operator.delete(made["id"])


@pytest.fixture(params=["fake", "twin", pytest.param("lab", marks=pytest.mark.lab)])
async def given(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Given]:
    """One cloud of each kind, and the means to stir it."""
    kind = request.param
    if kind == "lab":
        request.getfixturevalue("tidied_lab")
        standing = request.getfixturevalue("lab")
    opened = {"fake": fake_cloud, "twin": lambda: twin_cloud(tmp_path), "lab": lambda: lab_cloud(standing)}[kind]()
    async with opened as cloud:
        yield cloud
