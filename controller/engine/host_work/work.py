"""A verb on some hosts: its steps one after the other, each journaled."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from controller.engine.host_work import looking, resuming, service
from controller.engine.host_work.controller import Controller
from controller.engine.host_work.order import LOOK, PLAYBOOKS, REBOOT, VERIFY, Ended, Order, Outcome
from controller.engine.ports import Clock, Playbooks
from controller.errors import GdccError, RefusedError
from controller.model.host_run import HostRun, HostRunId, HostRunState, HostStep, HostVerb, shortened
from controller.model.ids import HostName
from controller.model.playbook import HostResult, PlaybookResult, PlaybookRun, RunId, TaskEvent

_DISTURBS = frozenset({HostStep.PLAY, HostStep.REBOOT})
_SERVICE = frozenset({HostStep.DRAIN, HostStep.ENABLE})


class Watcher(Protocol):
    """Shown what goes on while it does."""

    def step(self, hosts: Sequence[HostName], step: HostStep) -> None: ...

    def task(self, event: TaskEvent) -> None: ...

    def waits(self, host: HostName, why: str) -> None: ...

    def ended(self, outcome: Outcome) -> None: ...


@dataclass(slots=True)
class _Job:
    """One host's run as it goes on."""

    run: HostRun
    first: HostStep
    outcome: Outcome | None = None
    results: list[HostResult] = field(default_factory=list)

    @property
    def host(self) -> HostName:
        return self.run.host


class HostWork:
    """Does orders, one at a time."""

    def __init__(self, playbooks: Playbooks, controller: Controller, clock: Clock, watcher: Watcher) -> None:
        self._playbooks = playbooks
        self._controller = controller
        self._clock = clock
        self._watcher = watcher

    async def do(self, order: Order) -> tuple[Outcome, ...]:
        """An outcome for each host, in order. Raises `RefusedError` where a run is open that is not this order's."""
        opened = {} if order.check else await self._opened(order)
        batches = [(host,) for host in order.hosts] if order.one_by_one else [order.hosts]
        outcomes: list[Outcome] = []
        for batch in batches:
            if any(outcome.ended is not Ended.DONE for outcome in outcomes):
                said = "not begun, since a host before it failed"
                outcomes += [Outcome(host=host, ended=Ended.NOT_BEGUN, said=said) for host in batch]
            else:
                outcomes += await self._batch(order, [await self._taken_up(order, host, opened) for host in batch])
        return tuple(outcomes)

    async def _opened(self, order: Order) -> dict[HostName, HostRun]:
        """The open runs of these hosts, to be gone on with."""
        found = {run.host: run for run in await self._controller.open_runs() if run.host in order.hosts}
        resuming.require(order, found.values())
        return found

    async def _taken_up(self, order: Order, host: HostName, opened: dict[HostName, HostRun]) -> _Job:
        first = order.steps[0]
        if order.check:
            return _Job(run=_unwritten(order, host, first, self._clock), first=first)
        run = opened.get(host)
        if run is not None:
            return _Job(run=run, first=resuming.first_step(order, run))
        try:
            return _Job(run=await self._controller.begin(host, order.verb, first), first=first)
        except RefusedError as error:
            said = f"{host}: not begun: {str(error).removeprefix(f'{host}: ')}"
            refused = Outcome(host=host, ended=Ended.NOT_BEGUN, said=said)
            self._watcher.ended(refused)
            return _Job(run=_unwritten(order, host, first, self._clock), first=first, outcome=refused)

    async def _batch(self, order: Order, jobs: list[_Job]) -> list[Outcome]:
        for step in order.steps:
            going = [job for job in jobs if job.outcome is None and _not_before(order, step, job.first)]
            if going:
                await self._step(order, step, going)
        for job in jobs:
            if job.outcome is None:
                gone_on = resuming.said(job.run, job.first) if job.first is not order.steps[0] else ""
                await self._end(order, job, Ended.DONE, _done(order, job) + gone_on)
        return [job.outcome for job in jobs if job.outcome is not None]

    async def _step(self, order: Order, step: HostStep, jobs: list[_Job]) -> None:
        if step in {HostStep.LOOK, HostStep.REBOOT} and not _reboots(order, jobs):
            return
        self._watcher.step([job.host for job in jobs], step)
        for job in jobs:
            await self._save(order, job, replace(job.run, step=step))
        if step in _SERVICE:
            for job in jobs:
                await self._service(order, step, job)
            return
        results = self._results(order, step, jobs)
        while True:
            try:
                result = await anext(results, None)
            except GdccError as error:
                for job in jobs:
                    await self._fail(order, job, step, str(error))
                return
            if result is None:
                return
            for job in (job for job in jobs if job.host in result.hosts):
                await self._played(order, step, job, result)

    async def _results(self, order: Order, step: HostStep, jobs: Sequence[_Job]) -> AsyncIterator[PlaybookResult]:
        """Of the step's playbook on all of them; by batches where it only looks. Only the first raises `GdccError`."""
        if order.takes_out and step in _DISTURBS:
            for job in jobs:
                await self._empty(order, job)
        run = _playbook(order, step, jobs, self._clock)
        if not order.check and step is not HostStep.VERIFY:
            yield await self._playbooks.run(run, self._watcher.task)
            return
        async for result in looking.results(self._playbooks, run, order.looks_at_once, self._clock, self._watcher.task):
            yield result

    async def _service(self, order: Order, step: HostStep, job: _Job) -> None:
        try:
            if step is HostStep.DRAIN:
                await self._empty(order, job)
            else:
                said = await service.given_back(self._controller, job.run, asked=order.give_back)
                job.run = replace(job.run, said=said)
        except GdccError as error:
            await self._fail(order, job, step, str(error))
        else:
            await self._save(order, job, job.run)

    async def _empty(self, order: Order, job: _Job) -> None:
        job.run = await service.emptied(self._controller, self._clock, order, job.run, self._watcher.waits)

    async def _played(self, order: Order, step: HostStep, job: _Job, result: PlaybookResult) -> None:
        host = result.hosts[job.host]
        job.results.append(host)
        job.run = replace(job.run, artifacts=result.artifacts)
        boot_id = host.facts.get("boot_id")
        if not host.ended and host.failure is None and result.stopped is None:
            await self._broken_off(order, job, step, looking.broken_off(result))
        elif not host.succeeded:
            await self._fail(order, job, step, _why(result, host))
        elif step is HostStep.LOOK and not boot_id:
            await self._fail(order, job, step, f"{LOOK} told no boot id")
        elif step is HostStep.LOOK:
            job.run = replace(job.run, boot_id=str(boot_id))

    async def _fail(self, order: Order, job: _Job, step: HostStep, why: str) -> None:
        told = f"{job.host}: {step} failed: {why.removeprefix(f'{job.host}: ')}"
        if order.give_back:
            told += "; it was not enabled"
        elif order.takes_out and step is not HostStep.DRAIN and job.host not in order.elsewhere:
            told += f"; it stays disabled: put it right, then gdcc host enable {job.host}, which verifies it first"
        await self._end(order, job, Ended.FAILED, told)

    async def _broken_off(self, order: Order, job: _Job, step: HostStep, why: str) -> None:
        """Ends a host beside which another failed: it is not known to be well, and nothing is known against it."""
        changed = sum(len(result.changes) for result in job.results)
        told = f"{changed} of its tasks had changed it" if changed else "nothing had changed it"
        said = f"{job.host}: {step} is not done: {why}; {told}, and it is not verified"
        await self._end(order, job, Ended.BROKEN_OFF, said)

    async def _end(self, order: Order, job: _Job, ended: Ended, said: str) -> None:
        state = HostRunState.DONE if ended is Ended.DONE else HostRunState.FAILED
        await self._save(order, job, replace(job.run, state=state, said=said))
        job.outcome = Outcome(
            host=job.host, ended=ended, said=said, results=tuple(job.results), artifacts=job.run.artifacts
        )
        self._watcher.ended(job.outcome)

    async def _save(self, order: Order, job: _Job, run: HostRun) -> None:
        job.run = replace(run, changed_at=self._clock.now(), said=shortened(run.said))
        if not order.check:
            await self._controller.save(job.run)


def _unwritten(order: Order, host: HostName, step: HostStep, clock: Clock) -> HostRun:
    """A run of a check, which no journal keeps."""
    now = clock.now()
    return HostRun(
        id=HostRunId(f"check-{host}"), host=host, verb=order.verb, who="", since=now, step=step,
        state=HostRunState.OPEN, changed_at=now,
    )  # fmt: skip


def _not_before(order: Order, step: HostStep, first: HostStep) -> bool:
    return order.steps.index(step) >= order.steps.index(first)


def _reboots(order: Order, jobs: Sequence[_Job]) -> bool:
    """A reboot always does; a patch where a package asked for it, or where it was already on its way."""
    if order.verb is not HostVerb.PATCH:
        return True
    return any(
        job.run.step in {HostStep.LOOK, HostStep.REBOOT} or bool(_facts(job).get("reboot_required")) for job in jobs
    )


def _facts(job: _Job) -> dict[str, object]:
    return {name: value for result in job.results for name, value in result.facts.items()}


def _playbook(order: Order, step: HostStep, jobs: Sequence[_Job], clock: Clock) -> PlaybookRun:
    names = {HostStep.VERIFY: VERIFY, HostStep.LOOK: LOOK, HostStep.REBOOT: REBOOT}
    own = step is HostStep.PLAY or (step is HostStep.REBOOT and order.verb is HostVerb.REBOOT)
    variables = dict(order.variables) if own else {}
    if own and order.verb is HostVerb.DECOMMISSION:
        variables["decommission_host"] = jobs[0].host
    if step is HostStep.REBOOT:
        variables["reboot_boot_id"] = jobs[0].run.boot_id
    return PlaybookRun(
        id=RunId(f"{clock.now():%Y%m%dT%H%M%S%f}-{order.verb}-{step}"),
        playbook=names.get(step, PLAYBOOKS[order.verb]),
        hosts=tuple(job.host for job in jobs),
        timeout=order.timeout,
        tags=order.tags if step is HostStep.PLAY else (),
        variables=variables,
        check=order.check,
    )


def _why(result: PlaybookResult, host: HostResult) -> str:
    if host.failure is not None:
        at = f"{host.failure.task}: " if host.failure.task else ""
        return f"{at}{host.failure.said}"
    return looking.broken_off(result)


def _done(order: Order, job: _Job) -> str:
    if job.run.said and HostStep.ENABLE in order.steps:
        return job.run.said
    facts = _facts(job)
    changed = sum(len(result.changes) for result in job.results)
    told = f"{job.host}: {'would change' if order.check else 'changed'} {changed}"
    if facts.get("reboot_required") and not order.reboot:
        by = facts.get("reboot_required_by")
        told += f"; a reboot is asked for by {', '.join(map(str, by)) if isinstance(by, list) and by else 'a package'}"
    if order.verb is HostVerb.DECOMMISSION and not order.check:
        told += "; it stays disabled, and its lifecycle in the inventory is yours to change"
    return told
