"""The checker's account of consolidation: hosts are freed wholly, and what stays in use could lose the largest of it.

Fill is proved beside the other loads of a wave (`check_loads`). What is proved here, of the cluster as the plan leaves
it: no VM stands on a freed host, none goes there; and for each kind of host that gave or took,

    sum over hosts in use of free >= sum of the `spare_hosts` largest of (asked + free)

for vCPUs, memory and disk, where a host that may not receive has nothing free.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence

from controller.model import cluster as model
from controller.model.plan import Concern, Move, Plan
from controller.model.policy import Policy
from controller.planner import check_moves
from controller.planner.check_rows import Rows

SLACK = 1e-6
"""Sums made in another order differ."""


def problems(cluster: model.Cluster, policy: Policy, plan: Plan, rows: Rows) -> Iterator[str]:
    """What is wrong with the moves that free hosts, and with the hosts said to be freed."""
    moves = [move for move in plan.moves if move.concern is Concern.CONSOLIDATION]
    freed = {freed.host for freed in plan.frees}
    if freed != {move.source for move in moves} or len(freed) != len(plan.frees):
        yield "the hosts said to be freed are not those that moves free"
        return
    if not moves:
        return
    if not policy.consolidation.enabled or len(freed) > policy.consolidation.max_hosts:
        yield f"{len(freed)} hosts are freed, more than policy allows"
    facility = check_moves.facility_zones(cluster, policy)
    end = _End(cluster, policy, plan, rows, facility)
    for name in sorted(freed):
        host = rows.hosts[name]
        if end.standing[host] or end.arriving[host]:
            yield f"{name} is said to be freed and is not empty in the end"
        if any(move.target == name for move in plan.moves):
            yield f"something goes to {name}, which is freed"
        if any(check_moves.of_target(cluster, host, facility)):
            yield f"{name} is freed, though it could not take back what leaves it"
    yield from _saved(cluster, policy, plan, rows)
    yield from end.short(moves)


def _saved(cluster: model.Cluster, policy: Policy, plan: Plan, rows: Rows) -> Iterator[str]:
    """Each freed host whose saving is not what it draws idle, or is too little for what is copied, or copied for less
    than its VMs' memory.
    """
    memory = defaultdict[str, float](float)
    for move in plan.moves:
        if move.concern is Concern.CONSOLIDATION:
            memory[move.source] += float(cluster.vms.memory_mib[rows.vms[move.vm]]) / 1024.0
    for freed in plan.frees:
        idle = check_moves.idle_watts(cluster, rows.hosts[freed.host])
        if abs(idle - freed.idle_watts) > SLACK * (1.0 + idle):
            yield f"{freed.host} draws {idle:.6g} W idle, and is said to save {freed.idle_watts:.6g} W"
        if freed.copied_gib < memory[freed.host] * (1.0 - SLACK):
            yield f"{freed.copied_gib:.6g} GiB are said to be copied to free {freed.host}, of {memory[freed.host]:.6g}"
        if idle < policy.consolidation.watts_per_gib * memory[freed.host] * (1.0 - SLACK):
            yield f"{freed.host} saves {idle:.6g} W for {memory[freed.host]:.6g} GiB, less than policy asks for"


class _End:
    """Who stands where once the plan is carried out, and what hosts of each kind then have free."""

    def __init__(
        self, cluster: model.Cluster, policy: Policy, plan: Plan, rows: Rows, facility: frozenset[int]
    ) -> None:
        self._cluster, self._rows = cluster, rows
        self._spare = policy.consolidation.spare_hosts
        self._facility = facility
        vms = cluster.vms
        host = vms.host.copy()
        for move in plan.moves:
            host[rows.vms[move.vm]] = rows.hosts[move.target]
        placed = list(zip(vms.vcpus.tolist(), vms.memory_mib.tolist(), vms.disk_gib.tolist(), strict=True))
        self._asked: defaultdict[int, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        self.standing, self.arriving = Counter[int](), Counter[int]()
        for vm, (on, to) in enumerate(zip(host.tolist(), vms.target.tolist(), strict=True)):
            self.standing[on] += 1
            self.arriving[to] += int(to >= 0)
            for each in {on, to} - {-1}:
                self._asked[each] = [sum(pair) for pair in zip(self._asked[each], placed[vm], strict=True)]

    def short(self, moves: Sequence[Move]) -> Iterator[str]:
        """The kinds of host, of those that gave or took, that keep too little free."""
        if not self._spare:
            return
        metadata = self._metadata()
        kinds: defaultdict[Hashable, list[int]] = defaultdict(list)
        for host in range(len(self._cluster.hosts.names)):
            kinds[self._kind(host, metadata)].append(host)
        touched = {self._rows.hosts[name] for move in moves for name in (move.source, move.target)}
        for alike in kinds.values():
            if touched & set(alike) and not self._keeps_its_reserve(alike):
                named = self._cluster.hosts.names[min(touched & set(alike))]
                yield f"hosts like {named} would keep too little free to lose {self._spare} of them"

    def _keeps_its_reserve(self, alike: Sequence[int]) -> bool:
        in_use = [host for host in alike if self.standing[host]]
        free = {host: self._free(host) for host in in_use if self._is_open(host)}
        for quantity in range(3):
            lost = sorted(self._asked[host][quantity] + free.get(host, (0.0,) * 3)[quantity] for host in in_use)
            needed, left = sum(lost[-self._spare :]), sum(each[quantity] for each in free.values())
            if needed > left + SLACK * (1.0 + left):
                return False
        return bool(free)

    def _is_open(self, host: int) -> bool:
        return not any(check_moves.of_target(self._cluster, host, self._facility))

    def _free(self, host: int) -> tuple[float, ...]:
        hosts = self._cluster.hosts
        admitted = (float(hosts.vcpus[host]), float(hosts.memory_mib[host]), float(hosts.disk_gib[host]))
        return tuple(max(0.0, may - asked) for may, asked in zip(admitted, self._asked[host], strict=True))

    def _metadata(self) -> dict[int, set[tuple[str, str]]]:
        """Of each host the keys of its aggregates and their values, one by one."""
        found: defaultdict[int, set[tuple[str, str]]] = defaultdict(set)
        for aggregate in self._cluster.aggregates:
            pairs = {(k, part.strip()) for k, v in aggregate.metadata.items() for part in v.split(",")}
            for host in aggregate.hosts.tolist():
                found[host] |= pairs
        return found

    def _kind(self, host: int, metadata: dict[int, set[tuple[str, str]]]) -> Hashable:
        hosts = self._cluster.hosts
        return (
            int(hosts.type[host]), int(hosts.clearance[host]), hosts.availability_zone[host], hosts.traits[host],
            frozenset(metadata.get(host, ())),
        )  # fmt: skip
