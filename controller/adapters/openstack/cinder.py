"""Cinder: the volume types there are."""

from typing import Any

from controller.adapters.openstack.rest import Rest

SERVICE = "block-storage"


class Cinder:
    """The block storage API, which a cloud may do without."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def volume_types(self) -> list[dict[str, Any]]:
        """Volume types, private ones too, as Cinder's rows; none where the cloud has no block storage."""
        if not await self._rest.offers(SERVICE):
            return []
        return await self._rest.rows(SERVICE, "/types", "volume_types", {"is_public": "None", "limit": "500"})
