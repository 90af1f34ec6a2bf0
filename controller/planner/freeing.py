"""Frees whole hosts, so that they can be powered down: those first that save most idle watts for each GiB copied.

A host is freed wholly or not at all: every VM on it finds a target, or all stay where they were. Targets are hosts in
use that every rule admits and that stay within `fill_ratio`, the fullest of them first, so that VMs gather and do not
fill the host that would be freed next. What counts more in policy's objective is no worse after each host, and the
reserve of every kind of host that gave or took holds (`reserve`). No guest is paused for it: what would have to be
forced to its end stays. A VM that was sent to a host that is then freed is sent on, at no further cost.
"""

from collections.abc import Iterator

import numpy as np

from controller.model.plan import Breach, Concern
from controller.planner import copies, preference, reserve, rules, score
from controller.planner.mover import Mover

TRIES = 100
"""Hosts that could not be emptied, after so many of which a search looks at no further one."""


class Freeing:
    """The hosts freed by one search, and how often it still tries."""

    def __init__(self, search: Mover) -> None:
        self._search = search
        self._freed: set[int] = set()
        self._tries = TRIES

    def free(self) -> None:
        """Empties hosts until none is left that can be, or policy allows no more."""
        while sum(self._freed_one(breach, host) for breach, host in self._worth_it()):
            pass

    def _freed_one(self, breach: Breach, host: int) -> bool:
        most = self._search.load.situation.policy.consolidation.max_hosts
        if self._search.asked_to_stop() or self._tries <= 0 or len(self._freed) >= most:
            return False
        if not self._emptied(breach, host):
            self._tries -= 1
            return False
        self._freed.add(host)
        return True

    def _worth_it(self) -> Iterator[tuple[Breach, int]]:
        """The hosts that would save enough for what is copied, and all of whose VMs may move; the best first."""
        search, load = self._search, self._search.load
        situation, saving = load.situation, load.situation.saving
        count = len(saving.freeable)
        vms = np.flatnonzero(load.host >= 0).astype(np.int32)
        probe = _breach("", 0.0, 0.0, 0.0)
        stays = np.bincount(load.host[vms[~search.movable(vms, probe)]], minlength=count) > 0
        stays[list(search.made_room())] = True
        copied = np.where(search.sent(vms), 0.0, search.prefers.costs(copies.sent_gib(load, vms)))
        gib = np.bincount(load.host[vms], weights=copied, minlength=count)
        hosts = np.flatnonzero(score.in_use(load) & ~stays & np.isfinite(gib))
        least = situation.policy.consolidation.watts_per_gib
        hosts = hosts[saving.idle_watts[hosts] >= least * gib[hosts]]
        order = np.lexsort((hosts, gib[hosts] / saving.idle_watts[hosts]))
        for host in hosts[order].tolist():
            name = situation.cluster.hosts.names[host]
            yield _breach(name, float(saving.idle_watts[host]), float(gib[host]), least), host

    def _emptied(self, breach: Breach, host: int) -> bool:
        """Sends every VM on the host elsewhere; if that cannot be, or should not, it leaves them all there."""
        search, load = self._search, self._search.load
        kinds = load.situation.saving.kind
        if not reserve.holds(load, [int(kinds[host])], without=host):
            return False
        above = load.situation.policy.rank(Concern.CONSOLIDATION)
        before, gone = score.of_load(load)[:above], list[tuple[int, Breach | None]]()
        vms, touched = search.on(host), {int(kinds[host])}
        order = np.lexsort((vms, -search.prefers.costs(load.situation.asked[1, vms])))
        for vm in vms[order].tolist():
            target = self._target(vm, breach)
            if target is None:
                break
            gone.append((vm, search.reason(vm)))
            search.send(vm, target, breach)
            touched.add(int(kinds[target]))
        whole = len(gone) == len(vms)
        if whole and score.of_load(load)[:above] <= before and reserve.holds(load, touched):
            return True
        for vm, reason in reversed(gone):
            search.send(vm, host, reason or breach)
        return False

    def _target(self, vm: int, breach: Breach) -> int | None:
        """The fullest host in use that may take the VM, stays below what policy lets be filled, and does not become
        uneven by it, where that counts more; never the one where it stood at first, which something urgent may have
        sent it from.
        """
        search, load = self._search, self._search.load
        policy = load.situation.policy
        if not search.movable(np.array([vm], np.int32), breach)[0]:
            return None
        hosts = rules.places(load, vm)
        hosts = hosts[(load.vms_on[hosts] > 0) & (hosts != load.origin[vm])]
        hosts = rules.admitted(load, vm, hosts, rules.DYNAMIC)
        hosts = rules.below_brim(load, vm, rules.below_fill(load, vm, hosts), rules.BRIM)
        if policy.rank(Concern.UNEVEN) < policy.rank(Concern.CONSOLIDATION):
            hosts = hosts[~(preference.uneven_after(load, vm, hosts) > 0.0)]
        if not len(hosts):
            return None
        costs = preference.costs(load, vm, hosts) - 2.0 * preference.fullest_after(load, vm, hosts)
        target = int(hosts[np.argmin(search.prefers.costs(costs + 2.0))])
        return None if copies.forced(load, vm, target) else target


def _breach(name: str, watts: float, gib: float, least: float) -> Breach:
    return Breach(
        key=f"free:{name}", concern=Concern.CONSOLIDATION, rule="free", subject=name,
        amount=watts / gib if gib > 0 else watts, limit=least, unit="W/GiB",
        why=f"frees {name}: {watts:.0f} W idle saved for {gib:.0f} GiB copied",
    )  # fmt: skip
