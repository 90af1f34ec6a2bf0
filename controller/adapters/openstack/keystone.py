"""Keystone: the projects there are."""

import time
from collections.abc import Callable, Set

from controller.adapters.openstack import parse
from controller.adapters.openstack.rest import Rest
from controller.model import cloud
from controller.model.ids import ProjectId

KEPT_S = 300.0
"""For so long projects are not asked for again, but when a server has an owner that nobody asked for yet."""


class Keystone:
    """The identity API, as an administrator."""

    def __init__(self, rest: Rest, now: Callable[[], float] = time.monotonic) -> None:
        self._rest = rest
        self._now = now
        self._until = now()
        self._sought: Set[ProjectId] = frozenset()
        self._projects: parse.Parsed[cloud.Project] = parse.Parsed(values=())

    async def projects(self, owners: Set[ProjectId] = frozenset()) -> parse.Parsed[cloud.Project]:
        """All projects of all domains, those that own servers (`owners`) among them; a name may be KEPT_S old."""
        known = {project.id for project in self._projects.values}
        if self._now() >= self._until or not owners <= known | self._sought:
            rows = await self._rest.rows("identity", "/projects", "projects")
            self._projects = parse.parsed("project", rows, parse.project)
            self._until, self._sought = self._now() + KEPT_S, frozenset(owners)
        return self._projects
