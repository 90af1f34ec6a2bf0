"""`engine.ports.Playbooks` over ansible-runner.

Known traps of the library that are avoided here: it writes the whole environment into an artifact (so Ansible gets a
chosen one), turns host key checking off where nobody asks for it, puts extra variables on the command line, ignores
settings without a file of them, and ends only Ansible's process group, which its workers have left. Ansible itself
leaves SSH connections open for the next run, which would not look at the host's key again.
"""

import asyncio
import json
import logging
import math
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pexpect
from ansible_runner.config.runner import RunnerConfig
from ansible_runner.exceptions import AnsibleRunnerException
from ansible_runner.runner import Runner

from controller.adapters.ansible import asked, private, processes, vault
from controller.adapters.ansible.artifacts import Artifacts
from controller.adapters.ansible.inventory import Inventory
from controller.adapters.ansible.redaction import Redactor
from controller.adapters.ansible.site import MARK, Site
from controller.adapters.ansible.tally import Tally
from controller.errors import PermanentError
from controller.model.playbook import PlaybookResult, PlaybookRun, TaskEvent

_log = logging.getLogger(__name__)

_POLL_S = 1
"""How often a run that says nothing is asked whether it shall end."""


@dataclass(slots=True, kw_only=True)
class _Job:
    """One run as its thread needs it; its time begins with Ansible's."""

    run: PlaybookRun
    stop: threading.Event
    told: Callable[[TaskEvent], None]
    seconds: Callable[[], float]
    deadline: float = math.inf

    def begin(self) -> None:
        self.deadline = self.seconds() + self.run.timeout.total_seconds()

    @property
    def late(self) -> bool:
        return self.seconds() > self.deadline


class AnsiblePlaybooks:
    """Runs playbooks of one site, each in a thread of its own, `Site.at_once` side by side; others wait, in order.

    `seconds` is the clock by which a run is late.
    """

    def __init__(self, site: Site, seconds: Callable[[], float] = time.monotonic) -> None:
        self._site = site
        self._seconds = seconds
        self._places = asyncio.Semaphore(site.at_once)
        self.inventory = Inventory(site)

    async def run(
        self,
        run: PlaybookRun,
        progress: Callable[[TaskEvent], None],
        ready: Callable[[], Awaitable[None]] | None = None,
    ) -> PlaybookResult:
        """See `engine.ports.Playbooks`. `progress` is called in the event loop's thread."""
        async with self._places:
            if ready is not None:
                await ready()
            return await self._threaded(run, progress)

    async def _threaded(self, run: PlaybookRun, progress: Callable[[TaskEvent], None]) -> PlaybookResult:
        loop = asyncio.get_running_loop()
        stop = threading.Event()

        def told(event: TaskEvent) -> None:
            loop.call_soon_threadsafe(progress, event)

        job = _Job(run=run, stop=stop, told=told, seconds=self._seconds)
        thread = ThreadPoolExecutor(1, thread_name_prefix=f"ansible-{run.id}")
        future = loop.run_in_executor(thread, self._run, job)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.gather(future, return_exceptions=True)
            raise
        finally:
            thread.shutdown(wait=False)

    def _run(self, job: _Job) -> PlaybookResult:
        site = self._site
        asked.check(job.run, site.playbooks, self.inventory.listing())
        run = asked.marked(asked.completed(job.run, site.playbooks), site.playbooks)
        password = None if site.vault is None else site.vault()
        redactor = Redactor(self._secrets(run, password))
        now = datetime.now(UTC)
        with (
            Artifacts(site.artifacts, run, now, kept=site.kept, redactor=redactor) as artifacts,
            private.folder(run.id) as folder,
            vault.handed_over(folder, password) as pipe,
        ):
            tally = Tally(run.hosts, run.playbook)
            ear = _Ear(redactor, artifacts, tally, job.told)
            status = self._play(job, _configured(site, run, folder, pipe), ear)
            result = _result(job, tally, status, artifacts.folder)
            artifacts.close(result)
        _log.info("a playbook ended", extra={"run": run.id, "playbook": run.playbook, "succeeded": result.succeeded})
        return result

    def _secrets(self, run: PlaybookRun, password: str | None) -> frozenset[str]:
        site = self._site
        kept = vault.secrets((site.home, site.playbooks), password)
        given = {os.environ[name] for name in site.environment if name in os.environ}
        return kept | asked.secret_values(run) | given | ({password} if password else set())

    def _play(self, job: _Job, config: RunnerConfig, ear: "_Ear") -> int | None:
        """Ansible's exit status; None where a signal ended it."""
        runner = Runner(config=config, event_handler=ear.heard, cancel_callback=lambda: job.stop.is_set() or job.late)
        job.begin()
        try:
            runner.run()
        except (AnsibleRunnerException, pexpect.ExceptionPexpect, OSError) as error:
            raise PermanentError(f"Ansible could not be run: {error}", where=job.run.playbook) from error
        finally:
            # SSH's shared connections too, whose host keys were looked at for this run alone.
            processes.end(config.env[MARK])
        status: int | None = runner.rc
        return status


class _Ear:
    """Hears every event: takes the secrets out, keeps it, counts it and tells of it."""

    def __init__(
        self, redactor: Redactor, artifacts: Artifacts, tally: Tally, told: Callable[[TaskEvent], None]
    ) -> None:
        self._redactor = redactor
        self._artifacts = artifacts
        self._tally = tally
        self._told = told

    def heard(self, event: Mapping[str, Any]) -> bool:
        """False, so that ansible-runner keeps nothing itself."""
        clean = self._redactor.data(dict(event))
        self._artifacts.add(clean)
        seen = self._tally.take(clean)
        if seen is not None:
            self._told(seen)
        return False


def _configured(site: Site, run: PlaybookRun, folder: Path, pipe: Path | None) -> RunnerConfig:
    """ansible-runner's settings of this run, after it has read its own."""
    config = RunnerConfig(
        private_data_dir=str(folder),
        project_dir=str(site.root),
        ident=run.id,
        playbook=str(site.playbooks / run.playbook),
        inventory=str(site.inventory),
        tags=",".join(run.tags) or None,
        forks=site.forks,
        quiet=True,
        fact_cache_type="memory",
        suppress_env_files=True,
    )
    config.prepare()
    arguments = ["--diff", "--limit", f"@{_file(folder / 'hosts', _lines(run))}"]
    if run.variables:
        arguments += ["--extra-vars", f"@{_file(folder / 'variables.json', json.dumps(dict(run.variables)))}"]
    if pipe is not None:
        arguments += ["--vault-password-file", str(pipe)]
    if run.check:
        arguments.append("--check")
    config.command = [sys.executable, "-m", "ansible", "playbook", *arguments, *config.command[1:]]
    config.env = {**{name: config.env[name] for name in _NEEDED}, **site.environ(folder, run.id)}
    config.pexpect_timeout = _POLL_S
    config.suppress_output_file = True
    return config


_NEEDED = (
    "ANSIBLE_CALLBACK_PLUGINS",
    "ANSIBLE_STDOUT_CALLBACK",
    "AWX_ISOLATED_DATA_DIR",
    "RUNNER_OMIT_EVENTS",
    "RUNNER_ONLY_FAILED_EVENTS",
)
"""What ansible-runner must set to hear its events; the rest of its environment is ours and `ansible.cfg`'s."""


def _lines(run: PlaybookRun) -> str:
    return "".join(f"{host}\n" for host in run.hosts)


def _file(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path


def _result(job: _Job, tally: Tally, status: int | None, folder: Path) -> PlaybookResult:
    """Raises `PermanentError` where Ansible gave up before it had begun with the hosts, in its own words."""
    if tally.complete:
        stopped = tally.stopped_by(status)
    elif job.late:
        stopped = f"it took longer than {job.run.timeout.total_seconds():.0f} s"
    elif job.stop.is_set():
        stopped = "it was asked to stop"
    else:
        what = f"Ansible gave up: {tally.words or 'it said nothing'}"
        raise PermanentError(what, where=job.run.playbook, remedy=f"see {folder}")
    hosts = tally.results(stopped)
    return PlaybookResult(run=job.run, hosts=hosts, ended_at=datetime.now(UTC), artifacts=str(folder), stopped=stopped)
