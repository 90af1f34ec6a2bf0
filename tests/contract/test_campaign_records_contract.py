"""Campaigns in the journal on SQLite and on PostgreSQL: what is written comes back, what may not be is refused."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.store import journal
from controller.errors import InvariantError, RefusedError
from controller.model.campaign import (
    NEXT,
    OPEN,
    Campaign,
    Canaries,
    HostState,
    Limits,
    Member,
    Order,
    Reboot,
    State,
    Step,
    StepRecord,
    Work,
)
from controller.model.ids import HostName
from inventory import windows
from tests.fakes import journals
from tests.fakes.host_work import host_run
from tests.fakes.journals import START
from tests.fakes.postgres import Postgres

MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.lab)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[journal.SqlJournal]:
    """An empty, upgraded journal."""
    if request.param == "sqlite":
        address = journals.address(tmp_path)
    else:
        server: Postgres = request.getfixturevalue("postgres")
        address = server.new_journal()
    with journal.open_journal(address) as opened:
        yield opened


def campaign(name: str = "c1", state: State = State.NEW) -> Campaign:
    order = Order(
        name=name,
        hosts=("rack:r1", "h9"),
        work=Work(playbook="host-patch.yml", reboot=Reboot.ALWAYS, variables={"a": ("x", 1, None), "b": True}),
        limits=Limits(hosts_at_once=3, failure_budget=2),
        canaries=Canaries(count=1, soak_minutes=5),
        windows=(windows.window("Mon-Fri 22:00-05:00"),),
        keep_shutoff=True,
    )  # fmt: skip
    return Campaign(id=name, order=order, who="op", created_at=START, state=state)


def members(name: str = "c1") -> tuple[Member, ...]:
    return tuple(Member(campaign=name, host=HostName(host), domain="r1", canary=host == "h2") for host in ("h2", "h1"))


def step(host: str, which: Step, **values: object) -> StepRecord:
    known: dict[str, object] = {"campaign": "c1", "host": HostName(host), "attempt": 1, "step": which}
    return StepRecord(**known | {"began_at": START} | values)  # type: ignore[arg-type]


def test_a_campaign_and_its_hosts_come_back_as_they_were_written_and_in_their_order(store: journal.SqlJournal) -> None:
    made = campaign()
    store.campaigns.add(made, members())
    assert store.campaigns.campaign("c1") == made
    assert store.campaigns.members("c1") == members()
    assert store.campaigns.campaign("c2") is None
    with pytest.raises(RefusedError, match="of this name"):
        store.campaigns.add(made, members())


@pytest.mark.parametrize("before", sorted(State))
@pytest.mark.parametrize("after", sorted(State))
def test_only_the_states_of_the_life_of_a_campaign_follow_each_other(
    store: journal.SqlJournal, before: State, after: State
) -> None:
    store.campaigns.add(campaign(state=before), members())
    if after is before or after in NEXT[before]:
        store.campaigns.save(campaign(state=after))
        assert store.campaigns.campaign("c1") == campaign(state=after)
    else:
        with pytest.raises(InvariantError, match="cannot become"):
            store.campaigns.save(campaign(state=after))


@pytest.mark.parametrize("going", sorted(OPEN))
def test_a_second_campaign_does_not_go_on_beside_an_open_one(store: journal.SqlJournal, going: State) -> None:
    store.campaigns.add(campaign("c1", going), members("c1"))
    store.campaigns.add(campaign("c2"), members("c2"))
    with pytest.raises(RefusedError) as refused:
        store.campaigns.save(campaign("c2", State.RUNNING))
    assert refused.value.rule == "one-campaign"
    assert [each.id for each in store.campaigns.campaigns()] == ["c2", "c1"]


def test_a_step_and_what_it_makes_of_its_host_are_written_together(store: journal.SqlJournal) -> None:
    store.campaigns.add(campaign(), members())
    first, _ = members()
    store.campaigns.begin(step("h2", Step.LOOK))
    assert store.campaigns.steps_of(first) == (step("h2", Step.LOOK),)
    ended = step("h2", Step.LOOK, ended_at=START + MINUTE, succeeded=True, said="ok", boot_id="b1")
    done = replace(first, state=HostState.DONE, ended_at=START + MINUTE)
    store.campaigns.end(ended, done)
    assert store.campaigns.steps("c1", 10) == (ended,)
    assert store.campaigns.members("c1")[0] == done
    with pytest.raises(InvariantError, match="never began"):
        store.campaigns.end(step("h1", Step.WORK), replace(done, host=HostName("h1")))
    assert store.campaigns.members("c1")[1].state is HostState.WAITING


def test_the_newest_steps_are_told_oldest_first_and_an_attempt_has_its_own(store: journal.SqlJournal) -> None:
    store.campaigns.add(campaign(), members())
    for which in (Step.DRAIN, Step.LOOK, Step.WORK):
        store.campaigns.begin(step("h2", which))
    store.campaigns.begin(step("h2", Step.DRAIN, attempt=2))
    assert [each.step for each in store.campaigns.steps("c1", 2)] == [Step.WORK, Step.DRAIN]
    assert [each.step for each in store.campaigns.steps_of(replace(members()[0], attempt=2))] == [Step.DRAIN]


def test_members_are_saved_all_or_none(store: journal.SqlJournal) -> None:
    store.campaigns.add(campaign(), members())
    first, second = members()
    stranger = replace(second, host=HostName("h9"))
    with pytest.raises(InvariantError, match="h9 is no host"):
        store.campaigns.save_members([replace(first, state=HostState.FAILED), stranger])
    assert store.campaigns.members("c1") == members()


def test_a_campaign_and_its_members_are_saved_all_or_none(store: journal.SqlJournal) -> None:
    store.campaigns.add(campaign(), members())
    first, second = members()
    failed, stranger = replace(first, state=HostState.FAILED), replace(second, host=HostName("h9"))
    with pytest.raises(InvariantError, match="h9 is no host"):
        store.campaigns.save(campaign(state=State.RUNNING), [failed, stranger])
    with pytest.raises(InvariantError, match="cannot become"):
        store.campaigns.save(campaign(state=State.DONE), [failed])
    assert (store.campaigns.campaign("c1"), store.campaigns.members("c1")) == (campaign(), members())
    store.campaigns.save(campaign(state=State.RUNNING), [failed])
    assert store.campaigns.campaign("c1") == campaign(state=State.RUNNING)
    assert store.campaigns.members("c1") == (failed, second)


def test_nobody_else_works_on_a_host_while_a_campaign_has_it_under_way(store: journal.SqlJournal) -> None:
    store.campaigns.add(campaign(), members())
    first, second = members()
    store.host_runs.begin(host_run("before", second.host))
    store.campaigns.save(campaign(state=State.RUNNING))
    store.campaigns.save_members([replace(first, state=HostState.UNDER_WAY)])
    with pytest.raises(RefusedError, match="h2: campaign c1 works on it") as refused:
        store.host_runs.begin(host_run("now", first.host))
    assert refused.value.rule == "host-in-campaign"
    store.campaigns.save_members([replace(first, state=HostState.FAILED)])
    store.host_runs.begin(host_run("to mend it", first.host))
    assert [run.id for run in store.host_runs.open_runs()] == ["before", "to mend it"]
