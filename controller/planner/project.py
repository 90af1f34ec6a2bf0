"""The cluster as a plan would leave it, every reading moved along with the VMs: what the next look should show."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import numpy as np

from controller.model import cluster as model
from controller.model.ids import HostName, ServerId
from controller.model.policy import Policy
from controller.model.sample import FloatColumn
from controller.planner import amounts, situation
from controller.planner.load import Load


class Placement(Protocol):
    """A VM and the host it goes to."""

    @property
    def vm(self) -> ServerId: ...
    @property
    def target(self) -> HostName: ...


def project(cluster: model.Cluster, policy: Policy, moves: Iterable[Placement], now: datetime) -> model.Cluster:
    """After these moves, in canonical order of rows. Watts keep the margin that the prediction had.

    A supply's fresh meter moves by the watts that the plan takes off it and puts on it, so that the greater of model
    and meter, which its limit is held against, is what the plan says of it. A host without a fresh reading of its own
    shows no watts before and none after. Cooldowns and the moves of the last hour are left as they were.
    """
    facts = situation.of_cluster(cluster, policy, now)
    hosts = {name: row for row, name in enumerate(facts.cluster.hosts.names)}
    vms = {vm: row for row, vm in enumerate(facts.cluster.vms.ids)}
    before, after = Load(facts), Load(facts)
    watts = np.zeros(len(hosts))
    for move in moves:
        vm, target = vms[move.vm], hosts[move.target]
        watts[target] += _watts_in(after, vm, target)
        watts[int(after.host[vm])] -= _watts_out(after, vm, int(after.host[vm]))
        after.move(vm, target)
    moved = facts.cluster
    return replace(
        moved,
        hosts=_hosts(moved.hosts, after.used - before.used, watts),
        vms=replace(moved.vms, host=after.host.copy()),
        power=replace(moved.power, power_watts=_changed(moved.power.power_watts, after.least - before.least)),
    )


def _watts_in(load: Load, vm: int, host: int) -> float:
    watts, threads = load.situation.watts, float(load.situation.brings[amounts.CPU, vm])
    margin = float(watts.margin[host]) if threads > 0 and load.arrivals[host] == 0 else 0.0
    return float(watts.per_thread_in[host]) * threads + margin


def _watts_out(load: Load, vm: int, host: int) -> float:
    return float(load.situation.watts.per_thread_out[host] * load.situation.relieves[amounts.CPU, vm])


def _hosts(hosts: model.Hosts, change: amounts.Table, watts: FloatColumn) -> model.Hosts:
    threads, memory, network, storage = change
    ratio = np.divide(threads, hosts.threads, out=np.zeros(len(threads)), where=hosts.threads > 0)
    return replace(
        hosts,
        cpu_ratio=_changed(hosts.cpu_ratio, ratio),
        cpu_high_ratio=np.maximum(hosts.cpu_high_ratio + np.nan_to_num(ratio, nan=0.0), 0.0),
        memory_bytes=_changed(hosts.memory_bytes, memory),
        network_bytes_s=_changed(hosts.network_bytes_s, network),
        network_high_bytes_s=np.maximum(hosts.network_high_bytes_s + np.nan_to_num(network, nan=0.0), 0.0),
        storage_bytes_s=_changed(hosts.storage_bytes_s, storage),
        power_watts=_changed(hosts.power_watts, watts),
    )


def _changed(reading: model.Reading, change: FloatColumn) -> model.Reading:
    """Fresh values move; the others are not known before and not after."""
    values = np.where(reading.fresh, np.maximum(reading.values + np.nan_to_num(change, nan=0.0), 0.0), reading.values)
    return replace(reading, values=values)
