"""Campaigns beside the loop of a daemon."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

from controller import config
from controller.adapters.ansible import asked, private, shared, tags
from controller.adapters.ansible.playbooks import AnsiblePlaybooks
from controller.adapters.store.journal import SqlJournal
from controller.bootstrap import ansible
from controller.engine.campaign.conductor import Conductor
from controller.engine.campaign.desk import CampaignDesk
from controller.engine.campaign.orders import Variables
from controller.engine.campaign.ports import Fleet
from controller.engine.loop import Loop
from controller.engine.ports import Clock
from controller.errors import GdccError
from controller.model.campaign import Progress

_log = logging.getLogger(__name__)


class Campaigns:
    """The conductor over a loop's parts, and the operators' desk over the conductor."""

    def __init__(
        self, settings: config.Config, *, journal: SqlJournal, fleet: Fleet, loop: Callable[[], Loop], clock: Clock
    ) -> None:
        self._journal = journal
        site = ansible.site(settings)
        self._artifacts = site.artifacts
        self._conductor = Conductor(
            records=journal.campaigns,
            journal=journal,
            fleet=fleet,
            playbooks=AnsiblePlaybooks(site),
            clock=clock,
            seen=lambda: loop().memory.seen,
            policy=lambda: loop().policy,
            dry_run=settings.dry_run,
        )
        self.desk = CampaignDesk(
            records=journal.campaigns,
            journal=journal,
            clock=clock,
            conductor=self._conductor,
            estate=lambda: loop().sight.estate,
            playbooks=lambda: frozenset(path.name for path in site.playbooks.glob("*.yml")),
            variables=lambda: Variables(known=asked.words(site.playbooks), secret=asked.unlogged(site.playbooks)),
            tags=lambda playbook: tags.of(site.playbooks / playbook),
            dry_run=settings.dry_run,
        )

    def newest(self) -> Progress | None:
        """For metrics: nothing where the journal cannot be read now."""
        with contextlib.suppress(GdccError):
            return self.desk.progress(None)
        return None

    @contextlib.asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Carries campaigns on while the block runs; afterwards what was under way waits to be continued.

        Ends playbooks that a killed process of this user left running, and none that somebody follows. Makes the folder
        of artifacts, which operators of the daemon's group cannot make themselves.
        """
        try:
            shared.folder(self._artifacts, there=True)
        except OSError as error:
            _log.error("no folder for artifacts", extra={"where": str(self._artifacts), "error": error.strerror})
        private.sweep(private.home())
        task = asyncio.create_task(self._conductor.run(), name="campaigns")
        task.add_done_callback(self._told)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _told(self, task: "asyncio.Task[None]") -> None:
        """An error that nobody foresaw ends campaigns, not the loop; a restart goes on with them."""
        if not task.cancelled() and task.exception() is not None:
            self._conductor.memory.waits = f"stopped by an error nobody foresaw: {task.exception()!r}"
            _log.critical("campaigns are stopped until a restart", exc_info=task.exception())
