"""One playbook on one host of a campaign: what is asked, and what its result means."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta

from controller.engine.ports import Playbooks
from controller.errors import InputError, PermanentError
from controller.model.campaign import Member, Order, Step
from controller.model.ids import HostName
from controller.model.playbook import (
    LONGEST_RUN_ID,
    PlaybookResult,
    PlaybookRun,
    RunId,
    TaskEvent,
    TaskStatus,
    Variable,
)

LOOK = "host-boot-id.yml"
REBOOT = "host-reboot.yml"
VERIFY = "host-verify.yml"

Facts = Mapping[str, object]
"""What a playbook tells of a host (its set_stats)."""

_LOOKING = timedelta(minutes=5)
_VERIFYING = timedelta(minutes=30)
_SERVICES = timedelta(minutes=15)
"""Beyond a reboot itself: until systemd has started everything."""


class HostFailedError(PermanentError):
    """The step failed on the host: the task and what it said. `unreachable`: the host did not answer."""

    def __init__(self, what: str, *, where: str, unreachable: bool = False) -> None:
        super().__init__(what, where=where)
        self.unreachable = unreachable


def asked(member: Member, order: Order, step: Step, now: datetime, boot_id: str) -> PlaybookRun:
    """The run of a step. A repeated step is another run, so the time is in its id."""
    work = order.work
    playbook, timeout, tags, variables = {
        Step.LOOK: (LOOK, _LOOKING, (), {}),
        Step.WORK: (work.playbook or "", timedelta(minutes=work.timeout_minutes), work.tags, work.variables),
        Step.REBOOT: (REBOOT, _rebooting(order), (), _reboot_variables(order, boot_id)),
        Step.VERIFY: (VERIFY, _VERIFYING, (), {}),
    }[step]
    return PlaybookRun(
        id=run_id(member, step, now),
        playbook=playbook,
        hosts=(member.host,),
        timeout=timeout,
        tags=tags,
        variables=variables,
    )


def run_id(member: Member, step: Step, now: datetime) -> RunId:
    return RunId(f"campaign-{member.campaign}-{member.host}-{step}-{now:%Y%m%d%H%M%S%f}")


def check_ids(members: Iterable[Member], now: datetime) -> None:
    """Raises `InputError` where the name of the campaign and that of a host are too long to name the host's runs."""
    for member in members:
        over = max(len(run_id(member, step, now)) for step in Step) - LONGEST_RUN_ID
        if over > 0:
            what = f"the names of the campaign and of {member.host} are {over} characters too long for a run's id"
            raise InputError(what, where=f"campaign {member.campaign}", remedy="give it a shorter name")


def _rebooting(order: Order) -> timedelta:
    return timedelta(minutes=order.work.reboot_minutes) + _SERVICES


def _reboot_variables(order: Order, boot_id: str) -> Mapping[str, Variable]:
    """With the boot id of before, the playbook itself leaves a host alone that has rebooted meanwhile."""
    return {"reboot_boot_id": boot_id, "reboot_timeout_s": int(order.work.reboot_minutes * 60)}


async def run(
    playbooks: Playbooks,
    asked_for: PlaybookRun,
    doing: Callable[[str], None],
    ready: Callable[[], Awaitable[None]] | None = None,
) -> Facts:
    """Runs it to its end and answers the host's facts; `doing` is told each task that begins, `ready` as the port does.

    Raises `HostFailedError`, and what the port raises.
    """

    def progress(event: TaskEvent) -> None:
        if event.status is TaskStatus.STARTED:
            doing(event.task)

    result = await playbooks.run(asked_for, progress, ready)
    return _facts(result, asked_for.hosts[0])


def _facts(result: PlaybookResult, host: HostName) -> Facts:
    found, where = result.hosts[host], f"{host}: {result.run.playbook}"
    if found.failure is not None:
        at = f"{found.failure.task}: " if found.failure.task else ""
        raise HostFailedError(f"{at}{found.failure.said}", where=where, unreachable=found.failure.unreachable)
    if result.stopped is not None or not found.ended:
        raise HostFailedError(result.stopped or "it ended before its last task", where=where)
    return found.facts
