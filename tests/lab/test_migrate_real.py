"""Moves, drains and crashes through the real Nova: its own list of migrations is held against the journal."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.adapters.clock import SystemClock
from controller.engine.adopt import Adopter
from controller.engine.follow import Follower
from controller.engine.migrate import Migrator
from controller.engine.order import Order, Result
from controller.engine.places import Situation
from controller.engine.ports import Cloud, Journal
from controller.model.cloud import Migration, Server
from controller.model.ids import HostName, MoveId, PlanId, ServerId
from controller.model.migration import Entry, Outcome, State
from controller.model.policy import Limits, MigrationPolicy, Mode, Policy
from inventory import load
from inventory.model import Estate, Tier
from tests.fakes import journals
from tests.fakes.crash import Crash, Mortal, Trap
from tests.lab.administrator import Administrator
from tests.lab.fixtures import ESTATE, Lab

GUEST, SYSTEM = "acting", "smart-bus-terminal"
HURRIED = MigrationPolicy(
    intent_deadline=timedelta(seconds=1),
    request_timeout=timedelta(seconds=3),
    poll=timedelta(milliseconds=300),
    stall_after=timedelta(seconds=3),
    cooldown=timedelta(0),
)


class Acting:
    """The acting half over the lab's cloud, with one server of its own; `restart` is a new process."""

    def __init__(self, lab: Lab, cloud: Cloud, folder: Path, estate: Estate, situation: Situation) -> None:
        self.lab = lab
        self.cloud = cloud
        self.policy = Policy(mode=Mode.AUTO, migration=HURRIED, limits=Limits(out_of_host=9, into_host=9, per_system=9))
        self._folder = folder
        self._situation = situation
        self._clock = SystemClock()
        self.journal = journals.opened(folder)
        self.start(cloud, self.journal)

    def start(self, cloud: Cloud, journal: Journal) -> None:
        epoch = journal.open_epoch("test", self._clock.now())
        follower = Follower(cloud, journal, self._clock, lambda: self.policy, lambda: self._situation)
        self.adopter = Adopter(journal, follower)
        self.migrator = Migrator(
            cloud,
            journal,
            self._clock,
            policy=lambda: self.policy,
            situation=lambda: self._situation,
            follower=follower,
            epoch=epoch,
        )

    def restart(self) -> None:
        self.journal.close_store()
        self.journal = journals.opened(self._folder)
        self.start(self.cloud, self.journal)

    async def guest(self) -> Server:
        """The server, ACTIVE and at rest; made anew where a test left it otherwise."""
        owner = Administrator(self.lab.env, project=SYSTEM)
        row = await self.lab.admin.find(GUEST)
        if row is not None and (row["status"], row["OS-EXT-STS:task_state"]) != ("ACTIVE", None):
            await self.lab.admin.delete(row["id"])
            row = None
        row = row or await owner.boot(GUEST, "open.2c4g")
        server = await self.cloud.server(ServerId(row["id"]))
        assert server is not None
        return server

    async def records(self, server: Server) -> tuple[Migration, ...]:
        return await self.cloud.migrations_of(server.id)


def order(server: Server, *, target: str | None = None, **changes: object) -> Order:
    """An order to move the server to the target, by default one of two hosts that it is not on."""
    assert server.host is not None
    made = Order(
        id=MoveId("p1-1"),
        by_operator=False,
        plan_id=PlanId("p1"),
        server_id=server.id,
        server_name=server.name,
        source=server.host,
        target=HostName(target or ("cmp5" if server.host != "cmp5" else "cmp6")),
        cold=False,
        rule="cpu",
        why="a test",
        flavor_name=server.flavor_name,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def shared_lab(standing_lab: Lab) -> Iterator[None]:
    """The lab, in which these tests keep a server of their own."""
    with standing_lab.shared(GUEST):
        yield


@pytest.fixture
async def acting(shared_lab: None, lab: Lab, tmp_path: Path) -> AsyncIterator[Acting]:
    cloud, estate = lab.cloud, load.load(ESTATE)
    facts = await cloud.facts()
    by_project = {system.project: system for system in estate.systems.values()}
    situation = Situation(
        estate=estate,
        systems={p.id: by_project[p.name] for p in facts.projects if p.name in by_project},
        project_of={server.id: server.project_id for server in facts.servers},
        groups={},
    )
    made = Acting(lab, cloud, tmp_path, estate, situation)
    yield made
    made.journal.close_store()


def ended(result: Result) -> Outcome:
    assert result.refusal is None, result.refusal
    assert result.entry is not None and result.entry.outcome is not None
    return result.entry.outcome


async def test_a_move_ends_verified_with_what_it_cost(acting: Acting) -> None:
    server = await acting.guest()
    before = len(await acting.records(server))
    outcome = ended(await acting.migrator.execute(order(server)))
    assert (outcome.state, outcome.rule) == (State.SUCCEEDED, ""), outcome.why
    assert outcome.copied_bytes and outcome.seconds and outcome.blackout_estimate is not None
    records = await acting.records(server)
    assert len(records) == before + 1 and records[0].status == "completed"


@pytest.mark.parametrize(
    ("fault", "state", "rule"),
    [
        ("pre", State.FAILED, "migration-failed"),
        ("copy", State.FAILED, "migration-failed"),
        ("stall", State.ABORTED, "stalled"),
        ("error", State.FAILED, "server-error"),
    ],
)
async def test_a_migration_that_does_not_end_well_is_told_as_what_it_was(
    acting: Acting, fault: str, state: State, rule: str
) -> None:
    server = await acting.guest()
    before = len(await acting.records(server))
    acting.lab.fault(GUEST, fault)
    outcome = ended(await acting.migrator.execute(order(server)))
    assert (outcome.state, outcome.rule) == (state, rule), outcome.why
    assert len(await acting.records(server)) == before + 1
    after = await acting.cloud.server(server.id)
    assert after is not None and after.host == server.host


async def test_a_target_that_nova_refuses_is_learned_and_not_asked_again(acting: Acting) -> None:
    server = await acting.guest()
    acting.lab.fault(GUEST, "check")
    outcome = ended(await acting.migrator.execute(order(server)))
    assert outcome.state in {State.REFUSED, State.FAILED}, outcome
    again = await acting.migrator.execute(order(server, id=MoveId("p2-1")))
    assert again.refusal is not None and again.refusal.rule == "learned"


async def test_a_stall_is_forced_where_the_tier_allows_it(acting: Acting) -> None:
    acting.policy = replace(acting.policy, migration=replace(HURRIED, force_complete_tiers=frozenset({Tier.BASIC})))
    server = await acting.guest()
    acting.lab.fault(GUEST, "stall")
    assert ended(await acting.migrator.execute(order(server))).state is State.SUCCEEDED


async def test_a_stopped_server_is_moved_cold_and_confirmed(acting: Acting) -> None:
    server = await acting.guest()
    await acting.lab.admin.act(server.id, "os-stop", "SHUTOFF")
    outcome = ended(await acting.migrator.execute(order(server, cold=True, by_operator=True)))
    assert outcome.state is State.SUCCEEDED, outcome.why
    after = await acting.cloud.server(server.id)
    assert after is not None and (after.status, after.host) == ("SHUTOFF", order(server).target)


CRASHES = {
    "after the intent, before the request": (Trap("live_migrate", "cmp", done=False), State.NOT_SENT),
    "after the request, before its answer is journaled": (Trap("live_migrate", "cmp", done=True), State.SUCCEEDED),
    "when it is sent": (Trap("advance", State.SENT, done=True), State.SUCCEEDED),
    "when it is running": (Trap("advance", State.RUNNING, done=True), State.SUCCEEDED),
    "when it is being verified": (Trap("advance", State.VERIFYING, done=True), State.SUCCEEDED),
}


@pytest.mark.parametrize("when", CRASHES)
async def test_a_crash_repeats_no_move_in_novas_own_list(acting: Acting, when: str) -> None:
    trap, state = CRASHES[when]
    server = await acting.guest()
    before = len(await acting.records(server))
    asked = order(server)
    trap = Trap(trap.name, asked.target if trap.name == "live_migrate" else trap.argument, done=trap.done)
    acting.start(Mortal(acting.cloud, trap), Mortal(acting.journal, trap))  # type: ignore[arg-type]
    with contextlib.suppress(Crash):
        await acting.migrator.run_wave([asked])
    assert trap.sprung
    acting.restart()
    (entry,) = await acting.adopter.adopt()
    assert isinstance(entry, Entry) and entry.state is state, entry
    assert len(await acting.records(server)) == before + (1 if state is State.SUCCEEDED else 0)
    if state is State.NOT_SENT:
        assert ended(await acting.migrator.execute(order(server, id=MoveId("p2-1")))).state is State.SUCCEEDED
