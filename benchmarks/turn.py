"""What a turn of the daemon's loop takes, from a look with changed columns to a checked plan: the first and the next.

    python benchmarks/turn.py [VMS] [TURNS]        100,000 VMs on 5,000 hosts, 4 turns

The loop, the sight, the planner and the journal are the daemon's own, in mode recommend; what Nova and the collectors
would answer is drawn from a generated estate before the clock starts. Between two looks every load changes (by some
5 %, so that most of what was wrong stays wrong), 1 % of the VMs change places with others of their kind, and 0.2 %
leave and as many arrive. Whatever breaks a limit counts at once (`sustained` is 0), so that no turn is idle.
"""

import argparse
import asyncio
import platform
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.replay import engine
from benchmarks.replay.engine import INTERVAL
from controller.engine import synthetic
from controller.engine.loop import Loop
from controller.model.cloud import CloudFacts, Server
from controller.model.ids import ServerId
from controller.model.policy import Mode, Policy
from controller.model.sample import Batch, Fault
from controller.planner import plan
from inventory import generate
from inventory.model import Estate

START = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
SEED = 7
MOVED, CHANGED, NOISE = 0.01, 0.002, 0.05
POLICY = Policy(mode=Mode.RECOMMEND, sustained=timedelta(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Seconds of wall by phase and in all, CPU seconds in all, and the planner's alone on the same snapshot."""

    phases: dict[str, float]
    wall: float
    cpu: float
    plan_cpu: float
    moves: int


def main() -> None:
    """Prints one row a turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vms", nargs="?", type=int, default=100_000)
    parser.add_argument("turns", nargs="?", type=int, default=4)
    asked = parser.parse_args()
    estate = generate.estate(asked.vms, SEED)
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}")
    print(f"{len(estate.hosts):,} hosts x {asked.vms:,} VMs\n")
    print("| turn | observe s | judge s | plan s | whole, wall s | whole, CPU s | plan alone, CPU s | moves |")
    print("|---|---|---|---|---|---|---|---|")
    made = []
    for number, turn in enumerate(turns(estate, asked.turns), start=1):
        made.append(turn)
        phases = " | ".join(f"{turn.phases.get(name, 0.0):.2f}" for name in ("observe", "judge", "plan"))
        print(f"| {number} | {phases} | {turn.wall:.2f} | {turn.cpu:.2f} | {turn.plan_cpu:.2f} | {turn.moves} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nPeak {peak:.0f} MiB.")
    if len(made) > 1:
        first, then = made[0], made[1:]
        for what, of in (("whole turn", lambda turn: turn.cpu), ("plan alone", lambda turn: turn.plan_cpu)):
            following = sum(of(turn) for turn in then) / len(then)
            print(f"{what}: first {of(first):.2f} CPU s, following {following:.2f}, ratio {of(first) / following:.1f}")


def turns(estate: Estate, count: int) -> Iterator[Turn]:
    """That many turns of one loop, each after a look in which something has changed."""
    world = World(estate, synthetic.facts(estate, SEED, START), SEED)
    with engine.journal() as kept:
        loop = engine.Engine(estate, world, (world,), world, POLICY, kept).loop
        for _ in range(count):
            yield asyncio.run(_turn(loop))
            world.go_on()


async def _turn(loop: Loop) -> Turn:
    before = loop.memory.seen.tables if loop.memory.seen else None
    began, worked = time.perf_counter(), time.process_time()
    await loop.turn()
    wall, cpu = time.perf_counter() - began, time.process_time() - worked
    seen, proposal = loop.memory.seen, loop.memory.proposal
    assert seen is not None and proposal is not None, loop.status.sentence
    worked = time.process_time()
    made = plan.plan(seen.cluster, loop.policy, seen.look.at, before=before)
    planned = time.process_time() - worked
    assert made.moves == plan.plan(seen.cluster, loop.policy, seen.look.at).moves, "prepared tables changed the plan"
    return Turn(phases=dict(loop.memory.phases), wall=wall, cpu=cpu, plan_cpu=planned, moves=len(proposal.moves))


class World:
    """A cloud, a collector and a clock that say what was drawn beforehand."""

    name = "synthetic"

    def __init__(self, estate: Estate, facts: CloudFacts, seed: int) -> None:
        self._facts = facts
        self._dice = np.random.default_rng(seed)
        self._batches = tuple(synthetic.batches(estate, facts, seed, START))
        self._now = START

    async def facts(self) -> CloudFacts:
        return self._facts

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def collect(self, deadline: timedelta) -> tuple[Sequence[Batch], Sequence[Fault]]:
        return self._batches, ()

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, length: timedelta) -> None:
        await asyncio.sleep(length.total_seconds())

    def go_on(self) -> None:
        """The next look, half a minute later."""
        self._now += INTERVAL
        left = dict(self._changed())
        servers = self._swapped([left.get(server.id, server) for server in self._facts.servers])
        self._facts = replace(self._facts, at=self._now, servers=tuple(servers))
        ids = {old: new.id for old, new in left.items()}
        self._batches = tuple(self._read_again(batch, ids) for batch in self._batches)

    def _changed(self) -> Iterator[tuple[ServerId, Server]]:
        """Servers that leave, and one of the same kind that comes in each one's place."""
        servers = self._facts.servers
        for row in self._dice.choice(len(servers), round(CHANGED * len(servers)), replace=False).tolist():
            came = ServerId(f"{self._dice.integers(16**8):08x}{servers[row].id[8:]}")
            yield servers[row].id, replace(servers[row], id=came)

    def _swapped(self, servers: list[Server]) -> list[Server]:
        """Servers of one system and flavor that change places in pairs."""
        kinds: dict[tuple[str, str], int] = {}
        wanted = round(MOVED * len(servers))
        for row in self._dice.permutation(len(servers)).tolist():
            kind = servers[row].project_id, servers[row].flavor_name
            other = kinds.pop(kind, None)
            if other is None:
                kinds[kind] = row
            elif servers[row].host != servers[other].host and wanted > 0:
                here, there = servers[row], servers[other]
                servers[row], servers[other] = replace(here, host=there.host), replace(there, host=here.host)
                wanted -= 2
        return servers

    def _read_again(self, batch: Batch, ids: dict[ServerId, ServerId]) -> Batch:
        noise = self._dice.normal(1.0, NOISE, len(batch.names)) if len(np.unique(batch.values)) > 3 else 1.0
        names = tuple(ids.get(name, name) for name in batch.names) if batch.kind.value == "vm" else batch.names
        values = batch.values if "celsius" in batch.quantity else np.maximum(batch.values * noise, 0.0)
        return replace(batch, names=names, values=values, at=batch.at + INTERVAL.total_seconds())


if __name__ == "__main__":
    main()
