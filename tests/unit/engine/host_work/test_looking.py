"""Results of batches that only looked, put together."""

from datetime import timedelta

import pytest

from controller.engine.host_work import looking
from controller.errors import InputError, PermanentError
from controller.model.ids import HostName
from controller.model.playbook import HostResult, PlaybookResult, PlaybookRun, RunId, TaskEvent, TaskFailure
from tests.fakes.clock import VirtualClock
from tests.fakes.host_work import FakeHosts
from tests.fakes.journals import START

HOSTS = tuple(HostName(f"h{n}") for n in range(5))
RUN = PlaybookRun(id=RunId("look"), playbook="host-verify.yml", hosts=HOSTS, timeout=timedelta(minutes=1))


def ignored(_: TaskEvent) -> None: ...


async def test_one_batch_keeps_the_runs_own_id_and_hosts_count_each_by_itself() -> None:
    clock = VirtualClock(START)
    hosts = FakeHosts(clock, *HOSTS)
    (part,) = [each async for each in looking.results(hosts, RUN, 5, clock, ignored)]
    (run,) = hosts.runs
    assert (run.id, run.hosts, dict(run.where_known)) == ("look", HOSTS, looking.EACH_BY_ITSELF)
    assert not run.variables, "older playbooks, which do not know it, would be refused"
    assert looking.whole(RUN, [part]).succeeded


async def test_what_the_first_batch_raises_is_raised_since_no_other_would_be_better() -> None:
    clock = VirtualClock(START)
    hosts = FakeHosts(clock, *HOSTS)
    hosts.error = InputError("there is no playbook")
    with pytest.raises(InputError):
        async for _ in looking.results(hosts, RUN, 2, clock, ignored):
            pass


async def test_a_batch_that_took_too_long_is_told_of_its_own_hosts_alone() -> None:
    late = TaskFailure(task="Wait", said="it took longer than 60 s")
    cut = PlaybookResult(
        run=RUN, hosts={HOSTS[0]: HostResult(host=HOSTS[0], ended=False, ok=1, failure=late)}, ended_at=START,
        artifacts="", stopped="it took longer than 60 s",
    )  # fmt: skip
    broken = PlaybookResult(
        run=RUN,
        hosts={
            HOSTS[1]: HostResult(host=HOSTS[1], ended=True, ok=1, failure=TaskFailure(task="Prove", said="no")),
            HOSTS[2]: HostResult(host=HOSTS[2], ended=False, ok=1),
        },
        ended_at=START,
        artifacts="",
    )
    found = looking.whole(RUN, [cut, broken]).hosts
    assert found[HOSTS[0]].failure == late
    assert found[HOSTS[2]].failure == TaskFailure(task="", said="it was broken off, since h1 failed")


async def test_a_later_batch_that_cannot_be_run_says_so_for_its_hosts() -> None:
    clock = VirtualClock(START)
    hosts = FakeHosts(clock, *HOSTS)

    def estate_is_edited(run: PlaybookRun) -> None:
        hosts.error = PermanentError("Ansible gave up") if HOSTS[4] in run.hosts else None

    hosts.before = estate_is_edited
    parts = [each async for each in looking.results(hosts, RUN, 2, clock, ignored)]
    found = looking.whole(RUN, parts)
    assert [host for host, each in found.hosts.items() if each.succeeded] == list(HOSTS[:4])
    failure = found.hosts[HOSTS[4]].failure
    assert failure is not None and failure.said == "Ansible gave up"
