import functools
from dataclasses import replace

import numpy as np
import pytest

from controller.engine import watts
from controller.model import cluster as model
from controller.model.sample import Trust
from inventory.model import HostType
from tests.fakes.looks import Site

TYPE = HostType(name="plain", vcpus=32, memory_mib=131072, disk_gib=2000, idle_watts=150.0, peak_watts=550.0)
LOOKS = 20


@functools.cache
def seen_hosts() -> model.Hosts:
    return Site().cluster().hosts


def hosts_at(busy: np.ndarray, power: np.ndarray, at: float) -> model.Hosts:
    hosts = seen_hosts()
    fresh = np.zeros(len(hosts.names), np.int8)
    times = np.full(len(hosts.names), at)
    return replace(
        hosts,
        cpu_ratio=replace(hosts.cpu_ratio, values=busy / 32.0, trust=fresh, at=times),
        power_watts=replace(hosts.power_watts, values=power, trust=fresh, at=times),
    )


def fitted(samples: watts.Samples) -> watts.Slope:
    return watts.slopes(samples, {"plain": TYPE}, dict.fromkeys(samples.names, "plain"))["plain"]


def seen(*, slope: float, noise: float = 0.0, spread: float = 6.0, liar: bool = False) -> watts.Samples:
    rng = np.random.default_rng(1)
    samples, intercepts = watts.no_samples(), rng.uniform(120, 240, 8)
    for look in range(LOOKS):
        busy = np.clip(rng.normal(14.0, spread, 8), 0.0, 32.0)
        power = intercepts + slope * busy + rng.normal(0.0, noise, 8)
        if liar:
            power[0] = 900.0 - 20.0 * busy[0]
        samples = watts.remembered(samples, hosts_at(busy, power, 1000.0 + look))
    return samples


def test_the_slope_is_found_though_every_host_has_its_own_base() -> None:
    slope = fitted(seen(slope=9.0))
    assert slope.fitted
    assert slope.watts_per_thread == pytest.approx(9.0)
    assert slope.error_watts == pytest.approx(0.0, abs=0.01)


def test_noise_becomes_margin() -> None:
    calm, noisy = fitted(seen(slope=9.0, noise=2.0)), fitted(seen(slope=9.0, noise=15.0))
    assert noisy.watts_per_thread == pytest.approx(9.0, rel=0.15)
    assert 2.0 < calm.error_watts < noisy.error_watts
    assert noisy.error_watts == pytest.approx(2 * 15.0, rel=0.4)


def test_a_lying_sensor_does_not_tilt_the_line() -> None:
    assert fitted(seen(slope=9.0, noise=2.0, liar=True)).watts_per_thread == pytest.approx(9.0, rel=0.1)


def test_without_spread_the_nameplate_counts_with_its_margin() -> None:
    slope = fitted(seen(slope=9.0, spread=0.1))
    assert not slope.fitted
    assert slope == watts.nameplate(TYPE)
    assert slope.watts_per_thread == pytest.approx(400.0 / 32)
    assert slope.error_watts == pytest.approx(60.0)


def test_a_slope_that_cannot_be_true_is_not_believed() -> None:
    assert not fitted(seen(slope=-4.0)).fitted
    assert not fitted(seen(slope=80.0)).fitted


def test_only_fresh_pairs_count_and_one_reading_counts_once() -> None:
    busy, power = np.full(8, 10.0), np.full(8, 300.0)
    hosts = hosts_at(busy, power, 1000.0)
    stale = replace(hosts.power_watts, trust=np.full(8, Trust.STALE, np.int8))
    samples = watts.remembered(watts.no_samples(), replace(hosts, power_watts=stale))
    assert not np.isfinite(samples.watts).any()
    samples = watts.remembered(watts.remembered(samples, hosts), hosts)
    assert np.isfinite(samples.watts).sum() == 8


def test_memory_is_bounded_and_follows_hosts_that_come_and_go() -> None:
    samples = watts.no_samples()
    for look in range(watts.KEPT_LOOKS + 5):
        samples = watts.remembered(samples, hosts_at(np.full(8, 1.0 + look % 7), np.full(8, 200.0), 1000.0 + look))
    assert samples.watts.shape == (watts.KEPT_LOOKS, 8)
    hosts = hosts_at(np.full(8, 1.0), np.full(8, 200.0), 5000.0)
    renamed = replace(hosts, names=(*hosts.names[:-1], "new"))
    samples = watts.remembered(samples, renamed)
    assert np.isfinite(samples.watts[:, 0]).all()
    assert np.isfinite(samples.watts[:, -1]).sum() == 1


def test_a_reading_of_a_clock_that_was_set_back_is_a_sample_like_any_other() -> None:
    busy, power = np.full(8, 4.0), np.full(8, 200.0)
    samples = watts.remembered(watts.no_samples(), hosts_at(busy, power, 9000.0))
    samples = watts.remembered(samples, hosts_at(busy, power, 9000.0))
    samples = watts.remembered(samples, hosts_at(busy, power, 60.0))
    assert np.isfinite(samples.watts).all(axis=1).tolist() == [True, False, True]
