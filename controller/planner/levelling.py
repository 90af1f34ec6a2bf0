"""Evens out: hosts too far above their rack's mean give VMs to others of it, where that is worth the copy."""

import numpy as np

from controller.model.cluster import BoolColumn
from controller.model.plan import Breach, Concern
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import classify, copies, likeness, rules, score
from controller.planner.load import Load
from controller.planner.mover import Mover


def level(search: Mover) -> None:
    """Uneven hosts give VMs to others of their rack, where the move earns more than it costs."""
    found = [b for b in classify.breaches(search.load) if b.concern is Concern.UNEVEN]
    like = search.situation.likeness
    for breach in sorted(found, key=lambda b: (likeness.nearly(b.limit - b.amount), like.of_breach(b), b.key)):
        if search.asked_to_stop():
            return
        if classify.lasting(search.load, breach):
            while _level_once(search, breach, search.hosts[breach.subject]):
                pass


def _level_once(search: Mover, breach: Breach, host: int) -> bool:
    """One VM more goes, of those that pay the one that earns most and has a target."""
    vms = search.on(host)
    earned = earns(search.load, host, vms)
    pays = earned > 0
    order = search.situation.likeness.vms[vms[pays]]
    worth: IntColumn = vms[pays][np.lexsort((order, likeness.same(-search.prefers.costs(earned[pays]))))]
    worth = worth[search.movable(worth, breach)]
    return any(search.move(vm, breach, takers(search.load, vm, host)) for vm in worth.tolist())


def earns(load: Load, host: int, vms: IntColumn) -> FloatColumn:
    """For each VM on an uneven host `gain - gain_per_gib * GiB copied`; minus infinity where nothing is gained.

    `gain = min(over, what leaves / threads)`, both by what is balanced
    """
    facts = load.situation
    over = float(score.unevenness(load)[host])
    at_home = np.equal(load.origin[vms], host)
    leaving = np.where(at_home, facts.relieves[:, vms], facts.brings[:, vms])
    gain = np.minimum(over, facts.balance.brought(leaving, host) / facts.cluster.hosts.threads[host])
    earned: FloatColumn = gain - facts.policy.limits.gain_per_gib * copies.sent_gib(load, vms)
    return np.where(gain > score.DUST, earned, -np.inf)


def takers(load: Load, vm: int, host: int) -> BoolColumn:
    """Hosts of the same rack that the VM would not make uneven."""
    facts = load.situation
    hosts = facts.rack_hosts[int(facts.cluster.hosts.rack[host])]
    hosts = hosts[load.in_mean[hosts]]
    after = facts.balance.busy(load.used, hosts) + facts.balance.brought(facts.brings[:, [vm]], hosts)
    even = score.even_ratio(load, hosts) * facts.cluster.hosts.threads[hosts]
    mask = np.zeros(len(load.in_mean), np.bool_)
    mask[hosts[rules.fits(after, even)]] = True
    return mask
