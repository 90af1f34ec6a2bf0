"""The stacks' state in a real PostgreSQL: its lock is shown, taken away on request, and what was killed goes on."""

from pathlib import Path

import pytest

from tests.fakes.postgres import Postgres
from tests.lab import census
from tests.lab.estate_fixtures import Cloud, cloud, undone
from tests.lab.stacks import Stacks

__all__ = ["cloud"]

pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]


def test_a_killed_up_is_shown_unlocked_and_destroyed_from_postgresql(
    cloud: Cloud, postgres: Postgres, tmp_path: Path
) -> None:
    before, flavor = census.taken(cloud.admin), next(iter(cloud.estate.flavors))
    postgres.sql("CREATE DATABASE pulumi")
    backend = f"postgres://gdcc@/pulumi?host={postgres.folder}&sslmode=disable"
    stacks = Stacks(tmp_path, cloud.lab.env, cloud.stacks.roles, backend=backend)
    with undone(cloud, before):
        stacks.make_foundation()
        stacks.killed("foundation", lambda: cloud.admin.compute.find_flavor(flavor) is not None)
        (row,) = stacks.gdcc("up", "--foundation", ok=1)["stacks"]
        assert row["state"] == "locked" and "its process is gone" in row["says"], row
        words = ("--foundation", "--yes-destroy", "foundation")
        (row,) = stacks.gdcc("destroy", *words, "--unlock", "foundation")["stacks"]
        assert row["changes"]["delete"] > 0
        assert census.difference(before, census.taken(cloud.admin)) == {}
    kept = "SELECT count(*) FROM pulumi_state WHERE key LIKE '%/stacks/gdcc/foundation.json'"
    assert postgres.sql(kept, "pulumi") == "1"
