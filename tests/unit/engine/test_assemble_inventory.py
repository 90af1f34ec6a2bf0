"""What a snapshot takes from the inventory alone: types of host, flavors, storage, and what hangs on which feed."""

from dataclasses import replace

import numpy as np
import pytest

from controller.adapters.snapshot_file import checks
from controller.engine.assemble import History
from controller.engine.watts import Slope
from controller.model import cluster as model
from controller.model.ids import HostName
from inventory.model import Classification, Flavor
from tests.fakes.looks import Site


@pytest.fixture
def site() -> Site:
    return Site()


def test_a_type_has_what_its_hosts_would_have(site: Site) -> None:
    plain = site.estate.host_types["plain"]
    odd = replace(plain, reserved_vcpus=2, reserved_memory_mib=1024, reserved_disk_gib=100, cpu_ratio=2.0)
    spare = replace(odd, name="spare", post_copy=True, shared_storage=True)
    site.estate = replace(site.estate, host_types={"plain": odd, "spare": spare})
    types = site.cluster().host_types
    assert types.names == ("plain", "spare")
    assert types.vcpus.tolist() == [(32 - 2) * 2.0] * 2
    assert types.memory_mib.tolist() == [131072 - 1024] * 2
    assert types.disk_gib.tolist() == [1900.0] * 2
    assert (types.threads[0], types.physical_memory_mib[0], types.idle_watts[0]) == (32, 131072, 150.0)
    assert (types.post_copy.tolist(), types.shared_storage.tolist()) == ([False, True], [False, True])
    assert types.traits[1] == frozenset({"HW_CPU_X86_AVX2"})


def test_a_types_slope_is_the_fitted_one_where_there_is_one(site: Site) -> None:
    fitted = Slope(watts_per_thread=7.0, error_watts=3.0, samples=99)
    assert site.cluster().host_types.watts_per_thread[0] == pytest.approx(400 / 32)
    site.history = History(slopes={"plain": fitted})
    types = site.cluster().host_types
    assert (types.watts_per_thread[0], types.watts_error[0]) == (7.0, 3.0)


def test_every_declared_flavor_is_in_the_catalog_whether_a_server_of_it_runs_or_not(site: Site) -> None:
    large = Flavor(
        name="large", vcpus=16, memory_mib=65536, disk_gib=200, classification=Classification.SECRET,
        extra_specs={"trait:CUSTOM_FAST": "required"},
    )  # fmt: skip
    pinned = replace(large, name="pinned", extra_specs={"hw:cpu_policy": "dedicated"})
    site.estate = replace(site.estate, flavors={**site.estate.flavors, "pinned": pinned, "large": large})
    cluster = site.cluster()
    catalog = cluster.catalog
    assert catalog.names == ("large", "m2", "m4s", "pinned")
    assert "large" not in cluster.flavors
    assert (catalog.vcpus[0], catalog.memory_mib[0], catalog.disk_gib[0]) == (16, 65536, 200)
    assert catalog.classification[0] == Classification.SECRET
    assert catalog.fit_known.tolist() == [True, True, True, False]
    asked = cluster.requirements[int(catalog.requirement[0])]
    assert asked == model.Requirement(required_traits=frozenset({"CUSTOM_FAST", "CUSTOM_CLEARANCE_SECRET"}))


def test_storage_is_shared_where_the_type_says_so_or_placement_counts_no_disk_of_the_hosts_own(site: Site) -> None:
    assert not site.cluster().hosts.shared_storage.any()
    pooled = [
        replace(each, inventory={k: v for k, v in each.inventory.items() if k != "DISK_GB"}) if n == 0 else each
        for n, each in enumerate(site.facts.providers)
    ]
    site.facts = replace(site.facts, providers=tuple(pooled))
    hosts = site.cluster().hosts
    assert [hosts.names[row] for row in np.flatnonzero(hosts.shared_storage)] == [HostName(pooled[0].host)]
    ceph = replace(site.estate.host_types["plain"], shared_storage=True)
    site.estate = replace(site.estate, host_types={"plain": ceph})
    cluster = site.cluster()
    assert cluster.hosts.shared_storage[cluster.hosts.type >= 0].all()


@pytest.mark.parametrize(("said", "unsaid"), [(None, True), (True, False), (False, False)])
def test_whether_anybody_says_of_storage_that_it_is_shared_is_known(
    site: Site, said: bool | None, unsaid: bool
) -> None:
    kind = replace(site.estate.host_types["plain"], shared_storage=said)
    site.estate = replace(site.estate, host_types={"plain": kind})
    hosts = site.cluster().hosts
    assert set(hosts.unsaid_storage[hosts.type >= 0].tolist()) == {unsaid}


@pytest.mark.parametrize("said", [None, 3200.0])
def test_what_a_storage_path_carries_is_what_the_estate_says_and_else_not_known(site: Site, said: float | None) -> None:
    kind = replace(site.estate.host_types["plain"], storage_mib_s=said)
    site.estate = replace(site.estate, host_types={"plain": kind})
    cluster = site.cluster()
    expected = np.nan if said is None else said
    known = cluster.hosts.storage_mib_s[cluster.hosts.type >= 0]
    np.testing.assert_array_equal(known, np.full(len(known), expected))
    np.testing.assert_array_equal(cluster.host_types.storage_mib_s, [expected])
    assert cluster.hosts.storage_bytes_s.fresh.any() and cluster.vms.storage_bytes_s.fresh.any()


def test_every_pdu_and_phase_hangs_on_its_feed(site: Site) -> None:
    power = site.cluster().power
    feed_of = {name: power.names[row] for name, row in zip(power.names, power.feed.tolist(), strict=True)}
    for name, pdu in site.estate.pdus.items():
        assert feed_of[name] == pdu.feed
        assert {feed_of[f"{name}/{n + 1}"] for n in range(pdu.phases)} == {pdu.feed}
    assert all(feed_of[name] == name for name in site.estate.feeds)


@pytest.mark.parametrize(
    ("feed", "says"), [([1, 1], "of a feed is the feed itself"), ([0, 99], "is row 99 of a table of")]
)
def test_a_snapshot_whose_feeds_are_not_feeds_is_refused(site: Site, feed: list[int], says: str) -> None:
    cluster = site.cluster()
    column = cluster.power.feed.copy()
    column[:2] = feed
    bad = replace(cluster, power=replace(cluster.power, feed=column))
    assert any(what.startswith(says) for where, what in checks.flaws(bad) if where.startswith("$.power.feed"))
