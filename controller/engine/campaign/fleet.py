"""Hosts out of service and back by the controller's drains: campaigns' own way, and that operators keep off theirs."""

from collections.abc import Callable

from controller.engine import vacancy
from controller.engine.campaign.ports import Records
from controller.engine.drain import Drainer
from controller.errors import RefusedError
from controller.model.campaign import OPEN, HostState
from controller.model.ids import HostName
from controller.model.operation import Drain


class LoopFleet:
    """`ports.Fleet` over a loop in this process, which is woken by `wake`."""

    def __init__(self, drainer: Drainer, wake: Callable[[], None]) -> None:
        self._drainer = drainer
        self._wake = wake

    async def drain(self, host: HostName, who: str, why: str, *, keep_shutoff: bool) -> Drain:
        drain = await self._drainer.begin(host, who=who, why=why, keep_shutoff=keep_shutoff)
        self._wake()
        return drain

    async def look(self, drain: Drain) -> Drain:
        return await vacancy.looked_at(self._drainer, drain)

    async def holds(self, host: HostName, why: str) -> bool:
        return await self._drainer.holds(host, why)

    async def enable(self, host: HostName, who: str, *, force: bool) -> str:
        said = await self._drainer.enable(host, who=who, force=force)
        self._wake()
        return said


def require_free(records: Records, host: HostName) -> None:
    """Raises `RefusedError` (rule `host-in-campaign`) where the campaign that goes on has the host under way."""
    campaign = next((each for each in records.campaigns() if each.state in OPEN), None)
    if campaign is None:
        return
    under_way = {each.host for each in records.members(campaign.id) if each.state is HostState.UNDER_WAY}
    if host in under_way:
        raise RefusedError(
            f"campaign {campaign.id} by {campaign.who} has it under way and gives it back once it is verified",
            rule="host-in-campaign",
            where=host,
            remedy=(
                f"see gdcc campaign show {campaign.id}; to have it back earlier gdcc campaign abort {campaign.id}, "
                "to begin no other host pause it"
            ),
        )
