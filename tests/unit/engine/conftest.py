from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """The acting half, over an empty cloud of hosts c1 to c4."""
    made = Rig(tmp_path)
    yield made
    made.journal.close_store()
