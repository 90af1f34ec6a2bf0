"""What a day came to, kept by the twin's own truth: it shares no code with the planner, the guard or the journal.

A host-minute is hot by the mean of a step of load, 15 s, as an exporter would have it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from benchmarks.replay.load import HOUR_S, STEP_S, Floats
from benchmarks.replay.site import Site
from controller.model.policy import Policy
from controller.twin import physics, truth
from controller.twin.machines import MIB
from controller.twin.orders import Record

_SHORT_S = 150.0
"""A move off a host that has been hot for less was made for a spike: policy asks for 180 s, readings are 15 s apart."""


@dataclass(slots=True, kw_only=True)
class Account:
    """`hot_minutes` by kind of limit. `spells`: how long each CPU spell of a host lasted, in minutes.

    `hourly`: moves begun in each hour of the day. `again`: VMs that were moved twice within an hour, as often as they
    were. `broken`: rules that held at first and limits of moves at once, broken. `hasty`: moves for hot hosts that had
    not been hot for long.
    """

    hot_minutes: Counter[str] = field(default_factory=Counter)
    spells: list[float] = field(default_factory=list)
    hourly: list[int] = field(default_factory=list)
    moved: int = 0
    failed: int = 0
    again: int = 0
    hasty: int = 0
    copied_gib: float = 0.0
    broken: set[str] = field(default_factory=set)

    @property
    def hot(self) -> float:
        """Minutes of hosts, feeds, PDUs and phases over any limit."""
        return sum(self.hot_minutes.values())

    @property
    def power_minutes(self) -> float:
        """Minutes of feeds, PDUs and phases over what they may carry alone."""
        return sum(self.hot_minutes[kind] for kind in ("feed", "pdu", "phase"))

    def longer_than(self, minutes: float) -> int:
        """How many CPU spells of hosts lasted longer."""
        return sum(length > minutes for length in self.spells)


class Accountant:
    """Watches a site, step by step, and knows every migration that Nova was asked for."""

    def __init__(self, site: Site, policy: Policy) -> None:
        self._site, self._policy = site, policy
        world = site.world
        self.account = Account()
        self._busy = world.hosts.cpu_seconds.copy()
        self._hot_since = np.full(len(world.topology.hosts), np.nan)
        self._cool_steps = np.zeros(len(world.topology.hosts))
        self._counted = 0
        self._at_first = frozenset(self._rules())
        self._moves: tuple[int, frozenset[int]] = (0, frozenset())
        self._hot_for: dict[int, float] = {}
        site.stepped.append(self._step)

    def _step(self) -> None:
        self._judge_moves()
        self._judge_loads()
        moves = (len(self._site.orders.records), frozenset(self._site.orders.copies))
        if moves != self._moves:
            self._moves = moves
            self.account.broken |= set(self._rules()) - self._at_first
            self.account.broken |= set(self._limits())

    def _judge_moves(self) -> None:
        """Moves asked for within this step: whether their source had been hot for long."""
        records = self._site.orders.records
        for number in range(self._counted + 1, len(records) + 1):
            since = float(self._hot_since[records[number].source])
            self._hot_for[number] = records[number].created - since if np.isfinite(since) else 0.0
        self._counted = len(records)

    def _judge_loads(self) -> None:
        world, thresholds, minutes = self._site.world, self._policy.thresholds, STEP_S / 60.0
        topo, hosts = world.topology, world.hosts
        cpu = (hosts.cpu_seconds - self._busy) / topo.threads / STEP_S
        self._busy = hosts.cpu_seconds.copy()
        hot = cpu > thresholds.cpu_ratio
        link = hosts.net_bytes_s - world.copying_bytes_s > thresholds.network_ratio * topo.link_mib_s * MIB
        over = {
            "cpu": hot,
            "memory": hosts.memory_bytes > thresholds.memory_ratio * topo.memory_mib * MIB,
            "network": link,
        }
        for kind, rows in over.items():
            self.account.hot_minutes[kind] += minutes * int(np.count_nonzero(rows))
        for kind, loads, limits in self._power():
            self.account.hot_minutes[kind] += minutes * int(np.count_nonzero(loads > limits))
        self._follow(hot)

    def _power(self) -> list[tuple[str, Floats, Floats]]:
        topo = self._site.world.topology
        alone = physics.failover_watts(self._site.world.hosts.watts, topo)
        return [
            ("feed", alone.feed, topo.feed_limit),
            ("pdu", alone.pdu, topo.pdu_limit),
            ("phase", alone.phase, topo.phase_limit),
        ]

    def _follow(self, hot: "np.typing.NDArray[np.bool_]") -> None:
        """Spells: a host that is cool for less than a minute has not ended its spell."""
        now = self._site.world.now
        begins = hot & np.isnan(self._hot_since)
        self._hot_since[begins] = now - STEP_S
        self._cool_steps = np.where(hot, 0, self._cool_steps + 1)
        ends = ~np.isnan(self._hot_since) & (self._cool_steps * STEP_S >= 60.0)
        for row in np.flatnonzero(ends):
            self.account.spells.append((now - 60.0 - self._hot_since[row]) / 60.0)
        self._hot_since[ends] = np.nan

    def _rules(self) -> list[str]:
        """Rules of placement that do not hold, in the twin's words, and copies on their way where they may not be."""
        cloud, world = self._site.cloud, self._site.world
        found = list(truth.rules_broken(cloud))
        for number in self._site.orders.copies:
            record = self._site.orders.records[number]
            server, host = world.servers[record.server_id], world.estate.hosts[world.topology.hosts[record.target]]
            if host.clearance < world.system_of(server).classification:
                found.append(f"clearance:{server.id} on its way")
        return found

    def _limits(self) -> list[str]:
        """Limits of moves at once that do not hold now."""
        flying = [self._site.orders.records[n] for n in self._site.orders.copies]
        world, limits = self._site.world, self._policy.limits
        systems = [world.servers[each.server_id].system for each in flying]
        held = {
            "at once": (Counter(["all"] * len(flying)), limits.at_once),
            "out of a host": (Counter(each.source for each in flying), limits.out_of_host),
            "into a host": (Counter(each.target for each in flying), limits.into_host),
            "of an agency": (Counter(world.estate.systems[name].agency for name in systems), limits.per_agency),
            "of a system": (Counter(systems), limits.per_system),
        }
        return [f"moves {what}" for what, (counts, most) in held.items() if max(counts.values(), default=0) > most]

    def close(self, rule_of: Callable[[Record], str]) -> Account:
        """The account of the day, once it is over. `rule_of`: what a migration was made for, `cpu` for a hot host."""
        records = list(self._site.orders.records.values())
        ended = {"completed": 0, "failed": 0, "error": 0, "cancelled": 0}
        ended |= Counter(record.status for record in records)
        account, began = self.account, self._site.world.began
        account.moved = ended["completed"]
        account.failed = ended["failed"] + ended["error"] + ended["cancelled"]
        hours = max(1, round(self._site.second / HOUR_S))
        account.hourly = [0] * hours
        for record in records:
            account.hourly[min(hours - 1, int((record.created - began) / HOUR_S))] += 1
        cooling = [number for number, record in self._site.orders.records.items() if rule_of(record) == "cpu"]
        account.hasty = sum(self._hot_for.get(number, 0.0) < _SHORT_S for number in cooling)
        account.again = twice_within_an_hour(records)
        account.copied_gib = sum(record.memory_processed or 0 for record in records) / 2**30
        now = self._site.world.now
        still = self._hot_since[~np.isnan(self._hot_since)]
        account.spells += [(now - since) / 60.0 for since in still.tolist()]
        return account


def twice_within_an_hour(records: list[Record]) -> int:
    """How many moves began within an hour of the beginning of the same VM's move before, whatever became of either."""
    begun: dict[str, list[float]] = defaultdict(list)
    for record in records:
        begun[record.server_id].append(record.created)
    return sum(two - one < HOUR_S for times in begun.values() for one, two in pairwise(sorted(times)))
