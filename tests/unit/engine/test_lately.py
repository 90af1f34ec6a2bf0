"""What was used lately: kept by name, its quantile told once enough was seen, and never more than was fresh."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from controller.engine import lately
from controller.model import cluster as model
from controller.model.policy import Recent
from controller.model.sample import Kind, Trust
from tests import builders
from tests.builders import NOW, Host, Vm

RECENT = Recent(window=timedelta(minutes=15), quantile=0.9)
EVERY = timedelta(seconds=30)


def cluster(*, cpu: float = 1.0, host: str = "h1", names: tuple[str, ...] = ("a",), **of_host: object) -> model.Cluster:
    return builders.cluster(
        hosts=[Host(name="h1", **of_host), Host(name="h2")],
        vms=[Vm(name=name, host=host, vcpus=32, cpu=cpu) for name in names],
    )


def seen(*loads: float, recent: Recent = RECENT, **more: object) -> model.Cluster:
    """The last look's snapshot, after looks half a minute apart at one VM with these loads."""
    kept, found = lately.Lately(), cluster()
    for number, cpu in enumerate(loads):
        kept, found = lately.looked(kept, cluster(cpu=cpu, **more), recent, NOW + number * EVERY)
    return found


def test_nothing_is_told_before_half_of_the_window_was_seen():
    assert np.isnan(seen(*[1.0] * 15).vms.cpu_high_vcpus).all()
    assert seen(*[1.0] * 16).vms.cpu_high_vcpus.tolist() == [1.0]


def test_the_quantile_is_the_smallest_that_so_many_are_not_above():
    """Of 20 samples 18 are not above the eighteenth smallest, and 17 are not enough."""
    loads = [float(n) / 8 for n in range(1, 21)]
    assert seen(*reversed(loads)).vms.cpu_high_vcpus.tolist() == [18 / 8]


def test_what_is_older_than_the_window_is_forgotten():
    assert seen(4.0, *[1.0] * 29).vms.cpu_high_vcpus.tolist() == [1.0]
    highest = replace(RECENT, quantile=1.0)
    assert seen(4.0, *[1.0] * 28, recent=highest).vms.cpu_high_vcpus.tolist() == [4.0]
    assert seen(4.0, *[1.0] * 30, recent=highest).vms.cpu_high_vcpus.tolist() == [1.0]


def test_a_host_is_told_by_its_own_readings():
    found = seen(*[8.0] * 10, *[2.0] * 10)
    assert found.hosts.cpu_high_ratio[0] == pytest.approx(found.hosts.cpu_ratio.values[0] + 6.0 / 64, rel=1e-6)
    assert np.isnan(found.hosts.network_high_bytes_s).all()


def test_only_fresh_readings_count():
    kept = lately.Lately()
    for number in range(20):
        look = cluster(cpu=3.0 if number == 10 else 1.0)
        stale = np.full(1, Trust.STALE if number == 10 else Trust.FRESH, np.int8)
        look = replace(look, vms=replace(look.vms, cpu_vcpus=replace(look.vms.cpu_vcpus, trust=stale)))
        kept, found = lately.looked(kept, look, replace(RECENT, quantile=1.0), NOW + number * EVERY)
    assert found.vms.cpu_high_vcpus.tolist() == [1.0]


def test_a_vm_brings_its_history_along_and_a_new_one_has_none():
    kept = lately.Lately()
    for number in range(20):
        kept, _ = lately.looked(kept, cluster(cpu=2.0), RECENT, NOW + number * EVERY)
    moved = cluster(cpu=1.0, host="h2", names=("a", "b"))
    _, found = lately.looked(kept, moved, RECENT, NOW + 20 * EVERY)
    assert found.vms.cpu_high_vcpus[0] == 2.0 and np.isnan(found.vms.cpu_high_vcpus[1])


def test_looks_that_follow_each_other_closely_add_no_samples():
    kept, found = lately.Lately(), cluster()
    for number in range(600):
        kept, found = lately.looked(kept, cluster(cpu=1.0), RECENT, NOW + timedelta(seconds=number))
    assert len(kept.columns[Kind.VM][0].times) == 20
    assert found.vms.cpu_high_vcpus.tolist() == [1.0]


def test_another_policy_counts_at_once_and_a_window_of_nothing_forgets():
    kept = lately.Lately()
    for number in range(20):
        kept, _ = lately.looked(kept, cluster(cpu=1.0 + number), RECENT, NOW + number * EVERY)
    at = NOW + 19 * EVERY
    kept, found = lately.looked(kept, cluster(), replace(RECENT, quantile=0.5), at)
    assert found.vms.cpu_high_vcpus.tolist() == [10.0]
    kept, found = lately.looked(kept, cluster(), replace(RECENT, window=timedelta(0)), at)
    assert np.isnan(found.vms.cpu_high_vcpus).all() and not kept.columns


def test_a_clock_that_was_set_back_begins_anew():
    kept = lately.Lately()
    for number in range(20):
        kept, _ = lately.looked(kept, cluster(cpu=4.0), RECENT, NOW + timedelta(days=1) + number * EVERY)
    _, found = lately.looked(kept, cluster(cpu=1.0), RECENT, NOW)
    assert np.isnan(found.vms.cpu_high_vcpus).all()


def looks(*clusters: model.Cluster, recent: Recent = RECENT) -> model.Cluster:
    """The last one's snapshot, after looks half a minute apart."""
    kept = lately.Lately()
    for number, look in enumerate(clusters):
        kept, found = lately.looked(kept, look, recent, NOW + number * EVERY)
    return found


def two(*, on: str, other: str = "h2", waits: bool = True, cpu: float = 8.0) -> model.Cluster:
    """A VM that uses 8 threads at its most on a host, and another that uses 4."""
    vms = [Vm(name="a", host=on, vcpus=32, cpu=cpu)] + ([Vm(name="b", host=other, vcpus=32, cpu=4.0)] if waits else [])
    return builders.cluster(hosts=[Host(name="h1"), Host(name="h2")], vms=vms)


def test_what_comes_to_a_host_brings_its_peaks_and_what_leaves_takes_them_away():
    """Residents' own peaks stay what they are: an arrival does not eat what was kept for them."""
    highest = replace(RECENT, quantile=1.0)
    before = [two(on="h1"), *[two(on="h1", cpu=2.0)] * 19]
    staying = looks(*before, two(on="h1", cpu=2.0), recent=highest)
    moved = looks(*before, two(on="h2", cpu=2.0), recent=highest)
    kept, came = (64.0 * found.hosts.cpu_high_ratio for found in (staying, moved))
    assert came[0] == pytest.approx(kept[0] - 8.0, abs=0.01)
    assert came[1] == pytest.approx(kept[1] + 8.0, abs=0.01)


def test_a_vm_without_history_counts_with_what_it_uses_now_and_one_that_is_gone_no_more():
    before = [two(on="h1", waits=False)] * 20
    new = looks(*before, two(on="h1"))
    assert 64.0 * (new.hosts.cpu_high_ratio - looks(*before, before[0]).hosts.cpu_high_ratio) == pytest.approx([0, 4.0])
    gone = looks(*[two(on="h1")] * 20, two(on="h1", waits=False))
    assert 64.0 * gone.hosts.cpu_high_ratio == pytest.approx(64.0 * looks(*before, before[0]).hosts.cpu_high_ratio)


def test_while_a_copy_runs_its_hosts_are_not_sampled():
    quiet = builders.cluster(
        hosts=[Host(name="h1", network_mib_s=10.0), Host(name="h2", network_mib_s=10.0), Host(name="h3")],
        vms=[Vm(name="a", host="h1")],
    )
    copying = builders.cluster(
        hosts=[Host(name="h1", network_mib_s=1150.0), Host(name="h2", network_mib_s=1150.0), Host(name="h3")],
        vms=[Vm(name="a", host="h1", target="h2", busy=True)],
    )
    found = looks(*[quiet] * 10, *[copying] * 5, *[quiet] * 6, recent=replace(RECENT, quantile=1.0))
    assert found.hosts.network_high_bytes_s[:2].tolist() == pytest.approx([10 * 2.0**20] * 2)
    kept = lately.Lately()
    for number in range(20):
        kept, found = lately.looked(kept, quiet, RECENT, NOW + number * EVERY, moving=("h1",))
    assert np.isnan(found.hosts.network_high_bytes_s[0]) and found.hosts.network_high_bytes_s[1] > 0
