"""Keystone: the projects there are."""

from controller.adapters.openstack import parse
from controller.adapters.openstack.rest import Rest
from controller.model import cloud


class Keystone:
    """The identity API, as an administrator."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def projects(self) -> parse.Parsed[cloud.Project]:
        """All projects of all domains."""
        return parse.parsed("project", await self._rest.rows("identity", "/projects", "projects"), parse.project)
