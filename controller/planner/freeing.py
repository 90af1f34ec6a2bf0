"""Frees whole hosts, so that they can be powered down: those first that save most idle watts for each GiB copied.

A host is freed wholly or not at all: every VM on it finds a target, or all stay where they were. Targets are hosts in
use that every rule admits and that stay within `fill_ratio`, the fullest of them first, so that VMs gather and do not
fill the host that would be freed next. What counts more in policy's objective is no worse after each host, and the
reserve of every kind of host that gave or took holds (`reserve`). No guest is paused for it: what would have to be
forced to its end stays. A VM that was sent to a host that is then freed is sent on, at no further cost.
"""

from collections.abc import Iterator

import numpy as np

from controller.model.cluster import BoolColumn
from controller.model.plan import Breach, Concern
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import copies, likeness, preference, reserve, rules, score
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
        while sum(self._freed_one(why, host) for why, host in self._worth_it()):
            pass

    def _freed_one(self, why: Breach, host: int) -> bool:
        most = self._search.load.situation.policy.consolidation.max_hosts
        if self._search.asked_to_stop() or self._tries <= 0 or len(self._freed) >= most:
            return False
        if self._left(why, host):
            self._tries -= 1
            return False
        self._freed.add(host)
        return True

    def obstacle(self, host: int) -> str:
        """Why this host is not emptied as everything stands, "" where it could be; it then is."""
        situation = self._search.load.situation
        least, watts = situation.policy.consolidation.watts_per_gib, float(situation.saving.idle_watts[host])
        stays, gib = self._copied()
        if not np.isfinite(gib[host]):
            return "a VM on it writes faster than it could be copied"
        if stays[host]:
            return "a VM on it may not move now"
        if watts < least * gib[host]:
            return f"it would save {watts:.0f} W for {gib[host]:.0f} GiB copied, and {least:g} W a GiB are asked for"
        return self._left(NO_MATTER, host)

    def _worth_it(self) -> Iterator[tuple[Breach, int]]:
        """The hosts that would save enough for what is copied, and all of whose VMs may move; the best first."""
        load = self._search.load
        situation, saving = load.situation, load.situation.saving
        stays, gib = self._copied()
        hosts = np.flatnonzero(score.in_use(load) & ~stays & np.isfinite(gib)).astype(np.int32)
        least = situation.policy.consolidation.watts_per_gib
        hosts = hosts[saving.idle_watts[hosts] >= least * gib[hosts]]
        for_each = self._search.prefers.costs(gib[hosts] / saving.idle_watts[hosts])
        order = np.lexsort((situation.likeness.hosts[hosts], likeness.same(for_each)))
        for host in hosts[order].tolist():
            name = situation.cluster.hosts.names[host]
            yield _breach(name, float(saving.idle_watts[host]), float(gib[host]), least), host

    def _copied(self) -> tuple[BoolColumn, FloatColumn]:
        """Of each host whether anything on it stays, and how many GiB moving all that is on it would copy."""
        search, load = self._search, self._search.load
        count = len(load.situation.saving.freeable)
        vms = np.flatnonzero(load.host >= 0).astype(np.int32)
        stays = np.bincount(load.host[vms[~search.movable(vms, NO_MATTER)]], minlength=count) > 0
        stays[list(search.made_room())] = True
        copied = np.where(search.sent(vms), 0.0, copies.sent_gib(load, vms))
        return stays, np.bincount(load.host[vms], weights=copied, minlength=count).astype(np.float64)

    def _left(self, breach: Breach, host: int) -> str:
        """Sends every VM on the host elsewhere; where that cannot be, or should not, leaves them there and says why."""
        search, load = self._search, self._search.load
        kinds = load.situation.saving.kind
        if not reserve.holds(load, [int(kinds[host])], without=host):
            return "the hosts in use of its kind would keep too little free without it (consolidation.spare_hosts)"
        above = load.situation.policy.rank(Concern.CONSOLIDATION)
        before, gone, why = score.of_load(load)[:above], list[tuple[int, Breach | None]](), ""
        vms, touched = search.on(host), {int(kinds[host])}
        largest = -search.prefers.costs(load.situation.asked[1, vms])
        order = np.lexsort((load.situation.likeness.vms[vms], largest))
        for vm in vms[order].tolist():
            target, why = self._target(vm, breach)
            if target is None:
                break
            gone.append((vm, search.reason(vm)))
            search.send(vm, target, breach)
            touched.add(int(kinds[target]))
        if not why and score.of_load(load)[:above] > before:
            why = "what counts more in policy's objective would be worse without it"
        if not why and not reserve.holds(load, touched):
            why = "the hosts in use of a kind that would take its VMs would keep too little free"
        if why:
            for vm, reason in reversed(gone):
                search.send(vm, host, reason or breach)
        return why

    def _target(self, vm: int, breach: Breach) -> tuple[int | None, str]:
        """The fullest host in use that may take the VM, stays below what policy lets be filled, and does not become
        uneven by it, where that counts more; never the one where it stood at first, which something urgent may have
        sent it from. Where there is none, why.
        """
        search, load = self._search, self._search.load
        name = load.situation.cluster.vms.names[vm]
        if not search.movable(np.array([vm], np.int32), breach)[0]:
            return None, f"the moves that are left in this hour or plan do not reach as far as {name}"
        hosts = rules.places(load, vm)
        hosts = hosts[(load.vms_on[hosts] > 0) & (hosts != load.origin[vm])]
        for left, why in self._stages(vm, hosts):
            if not len(left):
                return None, f"{name} has no target: {why}"
            hosts = left
        costs = preference.costs(load, vm, hosts) - 2.0 * preference.fullest_after(load, vm, hosts)
        target = preference.best(load, hosts, search.prefers.costs(costs + 2.0))
        if copies.forced(load, vm, target):
            return None, f"the copy of {name} would have to be forced to its end"
        return target, ""

    def _stages(self, vm: int, hosts: IntColumn) -> Iterator[tuple[IntColumn, str]]:
        """What each rule leaves of the hosts, and what it means where it leaves none."""
        load, policy = self._search.load, self._search.load.situation.policy
        yield hosts, "no other host in use may receive it"
        count, hosts = len(hosts), rules.admitted(load, vm, hosts, rules.DYNAMIC)
        yield hosts, f"none of {count} hosts in use has room for it within its limits"
        count, hosts = len(hosts), rules.below_fill(load, vm, hosts)
        fill = policy.consolidation.fill_ratio
        yield hosts, f"all {count} that have room would be filled beyond {fill:.0%} (consolidation.fill_ratio)"
        count, hosts = len(hosts), rules.below_brim(load, vm, hosts, rules.BRIM)
        yield hosts, f"a feed, PDU or phase of all {count} left would be within {rules.BRIM:.0%} of its limit"
        if policy.rank(Concern.UNEVEN) < policy.rank(Concern.CONSOLIDATION):
            count, hosts = len(hosts), hosts[~(preference.uneven_after(load, vm, hosts) > score.DUST)]
            yield hosts, f"all {count} left would become uneven"


def _breach(name: str, watts: float, gib: float, least: float) -> Breach:
    """What moves that free the host are for: what it saves idle for each GiB copied, against the least."""
    return Breach(
        key=f"free:{name}", concern=Concern.CONSOLIDATION, rule="free", subject=name,
        amount=watts / gib if gib > 0 else watts, limit=least, unit="W/GiB",
        why=f"frees {name}: {watts:.0f} W idle saved for {gib:.0f} GiB copied",
    )  # fmt: skip


NO_MATTER = _breach("", 0.0, 0.0, 0.0)
"""For asking what may move to free a host, whichever it is."""
