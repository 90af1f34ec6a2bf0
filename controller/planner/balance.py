"""By what hosts are evened out: how busy each is, one number of its resources by their weights.

    busy(host) = threads(host) * sum over resources of weight * used / whole        the weights sum to 1

So it is in threads whatever is weighed, and with CPU alone (the default) it is the busy threads. A host of which a
weighed resource is not read, or not declared, has no such number. What a VM brings depends on its host: 8 GiB are more
of a smaller one.
"""

from dataclasses import dataclass

import numpy as np

from controller.model import cluster as model
from controller.model.policy import BalanceWeights
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import amounts

NAMES = {"cpu": "CPU", "memory": "memory", "network": "link", "storage": "storage path"}
"""For people, by what the weights are called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """`rows`: the quantities that weigh anything; `threads_each` (Q, H): what one unit of each comes to, in threads.
    `alone`: CPU is all that is weighed. `what`: the resources for people.
    """

    rows: tuple[int, ...]
    threads_each: amounts.Table
    alone: bool
    what: str

    def busy(self, used: amounts.Table, hosts: IntColumn) -> FloatColumn:
        """Of each of the hosts, where it carries `used` (Q, H)."""
        found: FloatColumn = sum(
            (used[row, hosts] * self.threads_each[row, hosts] for row in self.rows), start=np.zeros(len(hosts))
        )
        return found

    def brought(self, moved: amounts.Table, hosts: int | IntColumn) -> FloatColumn:
        """What the amounts come to: of several VMs (Q, V) on one host (V,), or of one (Q, 1) on several hosts (H,)."""
        found: FloatColumn = sum(
            (moved[row] * self.threads_each[row, hosts] for row in self.rows), start=np.zeros(moved.shape[1:])
        )
        return found

    def on_host(self, amount: FloatColumn, host: int) -> float:
        """What one amount of each quantity (Q,) comes to on a host."""
        return sum(float(amount[row]) * float(self.threads_each[row, host]) for row in self.rows)


def of_hosts(hosts: model.Hosts, weights: BalanceWeights) -> Balance:
    """By policy's weights."""
    given = [getattr(weights, name) for name in amounts.MEASURED]
    shares = np.array(given) / sum(given)
    whole = amounts.whole(hosts)
    each = shares[:, None] * hosts.threads / np.where(whole > 0, whole, np.nan)
    each[amounts.CPU] = shares[amounts.CPU]
    rows = tuple(np.flatnonzero(shares > 0).tolist())
    return Balance(
        rows=rows,
        threads_each=each,
        alone=rows == (amounts.CPU,),
        what=" and ".join(NAMES[amounts.MEASURED[row]] for row in rows),
    )
