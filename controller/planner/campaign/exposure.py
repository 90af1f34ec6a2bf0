"""How many replicas of each group hosts carry: what would be in flight, or lost, if they went together.

For a group that keeps its members apart, `max_per_domain` members on the hosts of one wave are allowed; where a single
host carries more, that many. Of a group that wants several domains it is no more than one of them can hold while each
other one holds a member, `members - (min_domains - 1)`. A wave of which every drain fails at once therefore costs no
group more than its rule.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controller.model.cluster import Cluster
from controller.model.ids import HostName
from controller.planner.groups import APART


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """`carried`: members of each group (by number) on each host. `allowed`: members of a group in one wave."""

    carried: Mapping[HostName, Mapping[int, int]]
    allowed: Mapping[int, int]
    names: tuple[str, ...]

    def of(self, host: HostName) -> Mapping[int, int]:
        """The groups on a host and how many members of each."""
        return self.carried.get(host, {})


def exposure(cluster: Cluster) -> Exposure:
    """Of every host of the snapshot; a server under migration counts on both."""
    carried: dict[HostName, Counter[int]] = {}
    allowed: dict[int, int] = {}
    for number, group in enumerate(cluster.groups):
        if group.kind not in APART:
            continue
        rows = group.members
        for column in (cluster.vms.host[rows], cluster.vms.target[rows]):
            for row in column[column >= 0].tolist():
                carried.setdefault(cluster.hosts.names[row], Counter())[number] += 1
        several = group.min_domains - 1
        allowed[number] = min(group.max_per_domain, max(1, len(rows) - several)) if several else group.max_per_domain
    for counts in carried.values():
        for number, count in counts.items():
            allowed[number] = max(allowed[number], count)
    return Exposure(carried=carried, allowed=allowed, names=tuple(group.name for group in cluster.groups))


class Budget:
    """What hosts taken together still leave of each group's rule."""

    def __init__(self, exposed: Exposure, taken: Iterable[HostName] = ()) -> None:
        self._exposed = exposed
        self._used: Counter[int] = Counter()
        for host in taken:
            self.take(host)

    def refuses(self, host: HostName) -> str | None:
        """The name of a group that this host's going too would cost too much; None for none."""
        for number, count in self._exposed.of(host).items():
            if self._used[number] and self._used[number] + count > self._exposed.allowed[number]:
                return self._exposed.names[number]
        return None

    def take(self, host: HostName) -> None:
        """Counts the host as gone."""
        self._used.update(self._exposed.of(host))
