"""The living cloud for `gdcc estate`: what an import looks through, and what a killed run may have left."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from controller.adapters.pulumi import beside, finding, settling
from controller.adapters.pulumi.work import Beside, Settle
from controller.errors import InputError

if TYPE_CHECKING:
    from controller.adapters.openstack import rest, session

DEFAULT_ROLES = ("admin", "member", "reader")


def named() -> bool:
    """Whether the environment names a cloud at all."""
    return bool(os.environ.get("OS_CLOUD") or os.environ.get("OS_AUTH_URL"))


@asynccontextmanager
async def cloud() -> AsyncIterator[finding.Cloud]:
    """The cloud of the environment's `OS_CLOUD` or `OS_*`, as Pulumi's provider sees it.

    Raises `InputError` where the environment names none, or a region is needed and not named.
    """
    from controller.adapters.openstack import rest  # noqa: PLC0415 - see `_connection`

    calls = rest.Rest(_connection())
    try:
        yield finding.Cloud(rows=calls, region=await _region(calls))
    finally:
        await calls.close()


def _connection() -> "session.Connection":
    from controller.adapters.openstack import session  # noqa: PLC0415 - half a second that few runs need

    return session.open_connection(os.environ.get("OS_CLOUD"), region=os.environ.get("OS_REGION_NAME"))


async def _region(calls: "rest.Rest") -> str:
    named = os.environ.get("OS_REGION_NAME")
    if named:
        return named
    regions = [str(row["id"]) for row in await calls.rows("identity", "/regions", "regions")]
    if len(regions) != 1:
        raise InputError(f"has {len(regions)} regions", where="cloud", remedy="name one in OS_REGION_NAME")
    return regions[0]


async def default_roles() -> Mapping[str, str]:
    """The ids of the roles that every Keystone has from the start, by name."""
    async with cloud() as found:
        rows = await found.listing("identity", "/roles", "roles")
    return {row["name"]: row["id"] for row in rows if row["name"] in DEFAULT_ROLES and not row.get("domain_id")}


async def login_project() -> str | None:
    """The id of the project that this environment logs in to; None where it names no cloud, or no project."""
    if not named():
        return None
    connection = _connection()
    try:
        return await asyncio.to_thread(connection.project_id)
    finally:
        connection.close()


def settler() -> Settle:
    """Clears up after a killed run; asks the cloud only when there is something to ask."""
    return settling.settler(cloud)


def guard() -> Beside:
    """Refuses what an `up` would make beside a living one; asks the cloud only when there is something to ask."""
    return beside.guard(cloud, usage=named())
