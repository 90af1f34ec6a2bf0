"""A plain threshold balancer: a host above its limit gives its busiest VM to the least loaded host that Nova admits.

What many write first. It goes by the newest reading alone and remembers nothing. It may make as many moves at once as
we, none out of or into a host that has one; copies take what the twin's links take. Other limits do not bind it.
"""

from datetime import timedelta

import numpy as np

from benchmarks.replay.load import STEP_S
from benchmarks.replay.site import BEGINS, Site
from controller.model.policy import Policy
from controller.twin import scheduling
from controller.twin.machines import Server


class Balancer:
    """Turns as often as the controller does."""

    def __init__(self, site: Site, policy: Policy) -> None:
        self._site, self._policy = site, policy
        self._cpu = site.world.hosts.cpu_ratio.copy()
        self._busy = site.world.hosts.cpu_seconds.copy()
        site.stepped.append(self._read)

    def _read(self) -> None:
        world = self._site.world
        self._cpu = (world.hosts.cpu_seconds - self._busy) / world.topology.threads / STEP_S
        self._busy = world.hosts.cpu_seconds.copy()

    def turn(self) -> None:
        """Asks for the moves of one turn, the hottest host's first."""
        limit, orders = self._policy.thresholds.cpu_ratio, self._site.orders
        flying = [orders.records[number] for number in orders.copies]
        out, into = {each.source for each in flying}, {each.target for each in flying}
        for host in sorted(np.flatnonzero(self._cpu > limit).tolist(), key=lambda row: (-self._cpu[row], row)):
            if len(orders.copies) >= self._policy.limits.at_once:
                return
            if host in out:
                continue
            found = self._move(host, into)
            if found is not None:
                server, target = found
                orders.live_migrate(server, self._site.world.topology.hosts[target], at_once=False)
                out.add(host)
                into.add(target)

    def _move(self, host: int, into: set[int]) -> tuple[Server, int] | None:
        """The busiest VM that may go anywhere, and the least loaded host that takes it."""
        world = self._site.world
        guests = sorted(world.servers_on(host), key=lambda each: (-world.vms.used[each.row], each.id))
        order = sorted(self._site.hosts_in_nova(), key=lambda row: (self._cpu[row], row))
        cooler = [row for row in order if row not in into and self._cpu[row] <= self._policy.thresholds.cpu_ratio]
        for server in guests:
            if server.task_state is None:
                for target in cooler:
                    if scheduling.refusal(world, self._site.orders.claims, server, target) is None:
                        return server, target
        return None


def live(site: Site, policy: Policy, interval: timedelta, length: timedelta) -> None:
    """The whole day, a turn each interval."""
    balancer = Balancer(site, policy)
    turns = int(length / interval)
    for turn in range(1, turns + 1):
        site.until(BEGINS + turn * interval)
        balancer.turn()
