"""Evens out: hosts too far above their rack's mean give VMs to others of it, where that is worth the copy."""

import numpy as np

from controller.model.cluster import BoolColumn
from controller.model.plan import Breach, Concern
from controller.model.sample import IntColumn
from controller.planner import amounts, classify, copies, likeness, rules, score
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
    """`gain = min(over, threads moved / threads)`; it must be more than `gain_per_gib` for each GiB copied."""
    over = float(score.unevenness(search.load)[host])
    vms = search.on(host)
    gain = np.minimum(over, search.relief(vms, amounts.CPU) / search.situation.cluster.hosts.threads[host])
    earned = gain - search.situation.policy.limits.gain_per_gib * copies.sent_gib(search.load, vms)
    pays = (earned > 0) & (gain > score.DUST)
    order = search.situation.likeness.vms[vms[pays]]
    worth: IntColumn = vms[pays][np.lexsort((order, likeness.same(-search.prefers.costs(earned[pays]))))]
    worth = worth[search.movable(worth, breach)]
    return any(search.move(vm, breach, _takers(search, vm, host)) for vm in worth.tolist())


def _takers(search: Mover, vm: int, host: int) -> BoolColumn:
    """Hosts of the same rack that the VM would not make uneven."""
    load, rack = search.load, int(search.situation.cluster.hosts.rack[host])
    hosts = search.situation.rack_hosts[rack]
    hosts = hosts[load.in_mean[hosts]]
    after = load.used[0, hosts] + search.situation.brings[0, vm]
    even = score.even_ratio(load, hosts) * search.situation.cluster.hosts.threads[hosts]
    takers = np.zeros(len(load.in_mean), np.bool_)
    takers[hosts[rules.fits(after, even)]] = True
    return takers
