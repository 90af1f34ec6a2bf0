"""What a plan fills is filled by what is used at peaks, reckoned anew from the snapshot, one host at a time."""

import math
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given

from controller.model.cluster import Cluster, VmState
from controller.model.policy import Policy
from controller.planner import plan, situation
from tests.builders import NOW
from tests.fakes import arbitrary_clusters
from tests.fakes.arbitrary_clusters import heated, policies, slowly


def known(values: np.ndarray, trust: np.ndarray, row: int) -> float | None:
    return float(max(values[row], 0.0)) if trust[row] == 0 and math.isfinite(values[row]) else None


def peak(cluster: Cluster, vm: int) -> float | None:
    """vCPUs at its most; None where its own use is not measured, and then all that it may use counts."""
    vms = cluster.vms
    if vms.state[vm] == VmState.SHUTOFF:
        return 0.0
    now = known(vms.cpu_vcpus.values, vms.cpu_vcpus.trust, vm)
    if now is None:
        return None
    ahead = known(vms.cpu_ahead_vcpus.values, vms.cpu_ahead_vcpus.trust, vm)
    high = float(vms.cpu_high_vcpus[vm])
    return max(now, ahead or 0.0, high if math.isfinite(high) else 0.0)


def filled_to(cluster: Cluster, policy: Policy, host: int, used: float) -> float:
    hosts, vms = cluster.hosts, cluster.vms
    threads = float(hosts.threads[host])
    high = float(hosts.cpu_high_ratio[host]) * threads
    ahead = 0.0
    for vm in np.flatnonzero(vms.host == host).tolist():
        now = known(vms.cpu_vcpus.values, vms.cpu_vcpus.trust, vm)
        will = known(vms.cpu_ahead_vcpus.values, vms.cpu_ahead_vcpus.trust, vm)
        if now is not None and will is not None and vms.state[vm] != VmState.SHUTOFF:
            ahead += will - now
    more = max(high - used if math.isfinite(high) else 0.0, ahead, 0.0)
    return policy.thresholds.cpu_ratio * threads - more


def filled(cluster: Cluster, policy: Policy) -> Iterator[tuple[float, float]]:
    """Of each host that a plan brings something to, the threads that it then has busy at peaks, and the most of them.

    Not of hosts where one of the terms is not known, or what comes is urgent.
    """
    made = plan.plan(cluster, policy, NOW)
    facts = situation.of_cluster(cluster, policy, NOW)
    cluster = facts.cluster
    arrivals: defaultdict[int, list[int]] = defaultdict(list)
    leavers: defaultdict[int, list[int]] = defaultdict(list)
    for move in made.moves:
        vm = cluster.vms.ids.index(move.vm)
        arrivals[cluster.hosts.names.index(move.target)].append(vm)
        leavers[cluster.hosts.names.index(move.source)].append(vm)
    for host, coming in arrivals.items():
        peaks = [peak(cluster, vm) for vm in coming]
        used = known(cluster.hosts.cpu_ratio.values, cluster.hosts.cpu_ratio.trust, host)
        awaited = (cluster.vms.target == host).any()
        if used is None or used >= 0.97 or awaited or any(each is None for each in peaks) or facts.urgent[coming].any():
            continue
        threads = used * float(cluster.hosts.threads[host])
        brought = [each for each in peaks if each]
        if brought:
            left = sum(float(facts.relieves[0, vm]) for vm in leavers[host])
            yield threads + sum(brought) - left, filled_to(cluster, policy, host, threads)


@slowly
@given(cluster=heated(), policy=policies())
def test_no_host_is_filled_beyond_what_leaves_room_for_peaks(cluster: Cluster, policy: Policy) -> None:
    assert not [host for host in filled(cluster, policy) if host[0] > host[1] + 1e-6]


@pytest.mark.lab
def test_of_busy_clusters_many_have_such_a_host_and_none_is_filled_further() -> None:
    clusters = [arbitrary_clusters.cluster(seed, 8, 40, heat=True) for seed in range(40)]
    hosts = [host for cluster in clusters for host in filled(cluster, Policy())]
    assert len(hosts) >= 10
    assert not [host for host in hosts if host[0] > host[1] + 1e-6]
