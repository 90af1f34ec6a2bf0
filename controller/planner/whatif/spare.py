"""What hosts have left for servers that start on them: a table that is worked out once for any number of what-ifs.

Seven rows a host. Three are hard, what Placement admits: vCPUs, memory, disk. Four are safety limits: busy threads,
memory in use, traffic, reads and writes. `room` is what is left of each, `share` makes a part of the whole of it, and

    slack(vm, host) = min over the rows that the server needs of (room - amount) * share

is below zero where it does not fit, and the greater the emptier the host would still be.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from controller.model import cluster as model
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import rules
from controller.planner.amounts import Table
from controller.planner.load import Load
from controller.planner.situation import Situation

HARD = 3
"""The first rows of the table; the others are safety limits."""

PLACES = tuple(rule for rule in rules.STATIC if rule.name != "into-host")
"""What a host must be to start a server of that kind at all. How many at once is a matter of time, not of place."""

_UNBOUNDED = 1e18


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What hosts have left (7, H), and supplies may still carry (P + 1,), while hosts are `down` and some `arrived`."""

    room: Table
    watts: FloatColumn
    arrived: model.BoolColumn
    down: model.BoolColumn


class Spare:
    """`amount` (7, V), `room` and `share` (7, H), `watts` (P + 1,): what supplies may still carry, the last unbounded.

    `load`: as things stand. `size` (V,): how large a part of the largest host each server asks for.
    `servers_of_system` (S,). Nothing of it changes once it is made.
    """

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.load = load = Load(situation)
        whole = np.concatenate([situation.capacity, situation.limit])
        bound = np.concatenate([situation.bounds.capacity, situation.bounds.limit])
        room = bound - np.concatenate([load.asked, load.used])
        unknown = ~np.isfinite(room)
        self.share: Table = 1.0 / np.where(unknown, _UNBOUNDED, np.maximum(whole, 1.0))
        self.room: Table = np.where(unknown, _UNBOUNDED, room)
        self.amount: Table = np.concatenate([situation.asked, situation.brings])
        watts = np.append(situation.cluster.power.limit_watts - load.most, np.inf)
        self.watts: FloatColumn = np.where(np.isnan(watts), np.inf, watts)
        self.members = load.members
        largest = situation.capacity.max(axis=1, initial=1.0)
        self.size: FloatColumn = (situation.asked / largest[:, None]).max(axis=0)
        self._emptiness: FloatColumn = (self.room * self.share).min(axis=0)
        self._open: dict[tuple[int, int], IntColumn] = {}
        self._same: dict[bytes, IntColumn] = {}
        vms = situation.cluster.vms
        self.servers_of_system = np.bincount(vms.system + 1, minlength=len(situation.cluster.systems.names) + 1)[1:]
        self._by_host = np.argsort(vms.host, kind="stable").astype(np.int32)
        self._starts = np.searchsorted(vms.host[self._by_host], np.arange(len(situation.cluster.hosts.names) + 1))

    def now(self) -> Left:
        """What is left as things stand."""
        nothing = np.zeros(len(self.situation.cluster.hosts.names), np.bool_)
        return Left(room=self.room, watts=self.watts, arrived=nothing, down=nothing)

    def servers_on(self, hosts: model.BoolColumn) -> list[int]:
        """The servers that stand on any of the hosts (H,), in the order of their hosts."""
        return [
            vm
            for host in np.flatnonzero(hosts).tolist()
            for vm in self._by_host[self._starts[host] : self._starts[host + 1]].tolist()
        ]

    def open_to(self, vm: int) -> IntColumn:
        """The hosts that may start a server of this kind, whatever they have left; the emptiest first.

        One array for all kinds to which the same hosts are open.
        """
        kind = self.kind(vm)
        if kind not in self._open:
            every = np.arange(len(self.situation.cluster.hosts.names), dtype=np.int32)
            hosts = rules.admitted(self.load, vm, every, PLACES) if kind[0] >= 0 else every[:0]
            emptiest_first = hosts[np.argsort(-self._emptiness[hosts], kind="stable")]
            self._open[kind] = self._same.setdefault(hosts.tobytes(), emptiest_first)
        return self._open[kind]

    def in_reach(self, vm: int, hosts: IntColumn) -> IntColumn:
        """Those of the hosts to which a copy of the server, which runs or is off, would end in time."""
        return hosts[rules.pre_copy(self.load, vm, hosts)]

    def kind(self, vm: int) -> tuple[int, int]:
        """What it asks of a host, its size aside; the same hosts are open to all servers of a kind."""
        vms = self.situation.cluster.vms
        return int(vms.requirement[vm]), int(vms.classification[vm])

    def closed_by(self, vm: int, hosts: IntColumn) -> dict[str, int]:
        """How many of the hosts each rule closes to this kind of server, by the first that does.

        Hosts that may receive nothing count by what closes them (`standing.closed`).
        """
        counts: Counter[str] = Counter()
        for rule in PLACES:
            admitted = rule.admits(self.load, vm, hosts)
            out = hosts[~admitted]
            closed = rule.name == "closed"
            counts.update(self.situation.standing.closed[out].tolist() if closed else [rule.name] * len(out))
            hosts = hosts[admitted]
        return dict(counts)
