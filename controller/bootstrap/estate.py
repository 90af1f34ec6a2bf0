"""The living cloud for `gdcc estate`: what an import looks through, and what a killed run may have left."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from controller.adapters.pulumi import beside, finding, settling, stack_files, used
from controller.adapters.pulumi.stacks import FOUNDATION
from controller.adapters.pulumi.work import Beside, Settle
from controller.errors import InputError

if TYPE_CHECKING:
    from controller.adapters.openstack import rest, session

DEFAULT_ROLES = ("admin", "member", "reader")


def living(root: Path) -> "LivingCloud":
    """The cloud of `OS_CLOUD`, else of `openstack:cloud` in the foundation's file, else of other `OS_` variables."""
    entry = os.environ.get("OS_CLOUD") or stack_files.setting(root, FOUNDATION, stack_files.CLOUD)
    return LivingCloud(entry=entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class LivingCloud:
    """A cloud as Pulumi's provider sees it: `entry` of clouds.yaml, or what the `OS_` variables say."""

    entry: str | None

    @property
    def named(self) -> bool:
        """Whether anything names a cloud at all."""
        return bool(self.entry or os.environ.get("OS_AUTH_URL"))

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[finding.Cloud]:
        """The cloud to look through.

        Raises `InputError` where none is named, or a region is needed and not named.
        """
        from controller.adapters.openstack import rest  # noqa: PLC0415 - see `_connection`

        connection = self._connection()
        calls = rest.Rest(connection)
        try:
            yield finding.Cloud(rows=calls, region=connection.region or await _only_region(calls))
        finally:
            await calls.close()

    async def default_roles(self) -> Mapping[str, str]:
        """The ids of the roles that every Keystone has from the start, by name."""
        async with self.opened() as found:
            rows = await found.listing("identity", "/roles", "roles")
        return {row["name"]: row["id"] for row in rows if row["name"] in DEFAULT_ROLES and not row.get("domain_id")}

    async def login_project(self) -> str | None:
        """The id of the project that one logs in to here; None where no cloud is named, or no project."""
        if not self.named:
            return None
        connection = self._connection()
        try:
            return await asyncio.to_thread(connection.project_id)
        finally:
            connection.close()

    async def login_quota(self, project: str) -> Mapping[str, int]:
        """What Neutron gives the project, by the provider's inputs; nothing where no cloud is named."""
        if not self.named:
            return {}
        async with self.opened() as found:
            return await used.neutrons(found, project)

    def settler(self) -> Settle:
        """Clears up after a killed run; asks the cloud only when there is something to ask."""
        return settling.settler(self.opened)

    def guard(self) -> Beside:
        """Refuses what an `up` would make beside a living one; asks the cloud only when there is something to ask."""
        return beside.guard(self.opened, usage=self.named)

    def _connection(self) -> "session.Connection":
        from controller.adapters.openstack import session  # noqa: PLC0415 - half a second that few runs need

        return session.open_connection(self.entry, region=os.environ.get("OS_REGION_NAME"))


async def _only_region(calls: "rest.Rest") -> str:
    regions = [str(row["id"]) for row in await calls.rows("identity", "/regions", "regions")]
    if len(regions) != 1:
        remedy = "name one in OS_REGION_NAME, or as region_name in clouds.yaml"
        raise InputError(f"has {len(regions)} regions", where="cloud", remedy=remedy)
    return regions[0]
