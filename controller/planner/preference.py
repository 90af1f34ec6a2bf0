"""Which of several possible targets is best: the one that is least full afterwards, other things being equal.

cost(host) = the fullest of asked / capacity (vCPUs, memory, disk) and used / limit (CPU, memory, network, storage)
             after
           + ACROSS_RACK, where the copy crosses an uplink
           + SOFT_GROUP for each member too many (soft anti-affinity), or where none is (soft affinity)
           + how far the host would stand above its rack's mean and the tolerance
"""

import functools

import numpy as np

from controller.model.sample import FloatColumn, IntColumn
from controller.planner import amounts, groups, likeness, rules, score
from controller.planner.load import Load

ACROSS_RACK = 0.02
SOFT_GROUP = 0.05


def costs(load: Load, vm: int, hosts: IntColumn) -> FloatColumn:
    """Lower is better, one for each of the hosts."""
    rack = load.situation.cluster.hosts.rack
    crossing = np.not_equal(rack[hosts], rack[load.origin[vm]])
    uneven = np.fmax(uneven_after(load, vm, hosts), 0.0)  # 0 where it is not known
    cost: FloatColumn = fullest_after(load, vm, hosts) + ACROSS_RACK * crossing + _soft(load, vm, hosts) + uneven
    return cost


def best(load: Load, hosts: IntColumn, costs: FloatColumn) -> int:
    """The host of the least cost; of equal ones the first by what they are (`likeness`)."""
    return int(hosts[likeness.least(costs, load.situation.likeness.hosts[hosts])])


def order(load: Load, hosts: IntColumn, costs: FloatColumn) -> IntColumn:
    """Where in `hosts` they stand, those of the least cost first."""
    return np.lexsort((load.situation.likeness.hosts[hosts], likeness.same(costs))).astype(np.int32)


def fullest_after(load: Load, vm: int, hosts: IntColumn) -> FloatColumn:
    """The fullest of the host's resources with the VM on it, as a share of its capacity or limit."""
    situation = load.situation
    of_most = 2 * len(hosts) > len(load.vms_on)
    at = rules.EVERY if of_most else hosts
    asked = _shares(load.asked, situation.asked[:, vm], situation.capacity, at, 1.0)
    counted = rules.counted(load, vm)
    judged = slice(situation.judged)
    used = _shares(counted.carried[judged], counted.brought[judged], counted.limit[judged], at, 1e-9)
    fullest: FloatColumn = functools.reduce(np.fmax, (functools.reduce(np.maximum, asked), *used))
    return fullest[hosts] if of_most else fullest


def _shares(
    carried: amounts.Table, added: FloatColumn, limit: amounts.Table, hosts: IntColumn | slice, least: float
) -> list[FloatColumn]:
    """What each of the hosts would carry, as a share of its limit, one column a quantity."""
    rows = zip(carried, added.tolist(), limit, strict=True)
    return [(load[hosts] + more) / np.maximum(most[hosts], least) for load, more, most in rows]


def uneven_after(load: Load, vm: int, hosts: IntColumn) -> FloatColumn:
    """How far each host would stand above its rack's mean and the tolerance; NaN where that is not known."""
    situation = load.situation
    threads = np.maximum(situation.cluster.hosts.threads[hosts], 1.0)
    balance = situation.balance
    after = balance.busy(load.used, hosts) + balance.brought(situation.brings[:, [vm]], hosts)
    over: FloatColumn = after / threads - score.even_ratio(load, hosts)
    return over


def _soft(load: Load, vm: int, hosts: IntColumn) -> FloatColumn:
    cost = np.zeros(len(hosts))
    for number in load.situation.bonds_of.get(vm, ()):
        bond, members = load.situation.bonds[number], load.members[number]
        if bond.hard:
            continue
        there = np.array([members[int(domain)] for domain in bond.domain_of[hosts]])
        apart = bond.group.kind in groups.APART
        cost += SOFT_GROUP * (np.maximum(there + 1 - bond.group.max_per_domain, 0) if apart else np.equal(there, 0))
    return cost
