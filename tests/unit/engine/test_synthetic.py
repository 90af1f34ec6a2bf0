from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from controller.adapters import snapshot_file
from controller.engine import synthetic
from controller.errors import InputError
from controller.model.cluster import Cluster, PowerKind
from inventory import generate
from inventory.model import Domain, Estate, Spread, VmSet
from tests.fakes.looks import NOW
from tests.fakes.small_estate import small_estate


@pytest.fixture(scope="module")
def estate() -> Estate:
    return generate.demo()


@pytest.fixture(scope="module")
def cluster(estate: Estate) -> Cluster:
    return synthetic.snapshot(estate, 1, NOW)


def test_every_vm_of_the_estate_stands_on_a_host_cleared_for_it(cluster: Cluster, estate: Estate) -> None:
    asked = sum(vm_set.count for system in estate.systems.values() for vm_set in system.vm_sets)
    assert len(cluster.vms.ids) == asked
    assert (cluster.vms.host >= 0).all() and (cluster.vms.system >= 0).all()
    assert (cluster.hosts.clearance[cluster.vms.host] >= cluster.vms.classification).all()
    for vm, (host, row) in enumerate(zip(cluster.vms.host, cluster.vms.requirement, strict=True)):
        assert cluster.requirements[row].required_traits <= cluster.hosts.traits[host], vm


def test_what_needs_a_licence_stands_on_the_hosts_that_have_it(estate: Estate) -> None:
    licence = frozenset({"CUSTOM_LICENCE_ORACLE"})
    small = min(estate.flavors.values(), key=lambda flavor: flavor.memory_mib)
    flavor = replace(small, name="oracle", extra_specs={**small.extra_specs, "trait:CUSTOM_LICENCE_ORACLE": "required"})
    name = next(n for n, system in estate.systems.items() if system.classification == small.classification)
    vm_set = VmSet(role="licensed", flavor="oracle", count=3)
    system = replace(estate.systems[name], vm_sets=(*estate.systems[name].vm_sets, vm_set))
    hosts = [host for host in estate.hosts.values() if host.clearance >= small.classification][:2]
    made = synthetic.snapshot(
        replace(
            estate,
            flavors={**estate.flavors, "oracle": flavor},
            systems={**estate.systems, name: system},
            hosts={**estate.hosts, **{host.name: replace(host, traits=licence) for host in hosts}},
        ),
        1,
        NOW,
    )
    on = {
        made.hosts.names[made.vms.host[row]]
        for row, vm in enumerate(made.vms.names)
        if vm.startswith(f"{name}-licensed-")
    }
    assert on and on <= {host.name for host in hosts}


def test_no_host_is_over_its_capacity(cluster: Cluster) -> None:
    for asked, has in (
        (cluster.vms.vcpus, cluster.hosts.vcpus),
        (cluster.vms.memory_mib, cluster.hosts.memory_mib),
        (cluster.vms.disk_gib, cluster.hosts.disk_gib),
    ):
        assert (np.bincount(cluster.vms.host, weights=asked, minlength=len(has)) <= has).all()


def test_every_spread_rule_holds(cluster: Cluster) -> None:
    checked = 0
    for group in cluster.groups:
        hosts = cluster.vms.host[group.members]
        domain = {Domain.HOST: hosts, Domain.RACK: cluster.hosts.rack[hosts]}.get(group.domain)
        if domain is not None:
            assert max(Counter(domain.tolist()).values()) <= group.max_per_domain, group.name
            checked += 1
    assert checked


def test_everything_is_read_and_believable(cluster: Cluster) -> None:
    assert cluster.hosts.trusted.all()
    for reading in (cluster.hosts.power_watts, cluster.hosts.inlet_celsius, cluster.vms.cpu_vcpus,
                    cluster.vms.dirty_bytes_s, cluster.power.power_watts):  # fmt: skip
        assert reading.fresh.all()


def test_there_is_trouble_to_plan_for(cluster: Cluster) -> None:
    assert cluster.hosts.cpu_ratio.values.max() > 0.8
    assert (cluster.hosts.memory_health.values == 2).sum() == 1
    loads = cluster.power.base_watts.copy()
    for row, watts in zip(cluster.hosts.power, cluster.hosts.power_watts.values, strict=True):
        loads[row[row >= 0]] += watts
    over = loads > cluster.power.limit_watts
    assert over[cluster.power.kind == PowerKind.FEED].any()


def test_the_same_seed_gives_the_same_snapshot_and_another_another(estate: Estate, cluster: Cluster) -> None:
    again, other = synthetic.snapshot(estate, 1, NOW), synthetic.snapshot(estate, 2, NOW)
    assert again.vms.ids == cluster.vms.ids != other.vms.ids
    np.testing.assert_array_equal(again.hosts.cpu_ratio.values, cluster.hosts.cpu_ratio.values)
    np.testing.assert_array_equal(again.vms.dirty_bytes_s.at, cluster.vms.dirty_bytes_s.at)


def test_it_can_be_written_and_read(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("synthetic") / "cluster.json"
    snapshot_file.write(cluster, path)
    assert snapshot_file.read(path).vms.names == cluster.vms.names


def test_vms_that_fit_nowhere_are_refused_with_the_system_and_the_set() -> None:
    estate = small_estate()
    wide = VmSet(role="db", flavor="m4s", count=5, spreads=(Spread(domain=Domain.HOST, max_per_domain=1),))
    clinic = replace(estate.systems["clinic"], vm_sets=(wide,))
    with pytest.raises(InputError, match=r"system clinic: no host can take another VM of set db"):
        synthetic.snapshot(replace(estate, systems={**estate.systems, "clinic": clinic}), 1, NOW)


def test_an_estate_without_vms_is_a_snapshot_without_vms() -> None:
    cluster = synthetic.snapshot(replace(small_estate(), systems={}), 1, NOW)
    assert len(cluster.vms.ids) == 0 and cluster.hosts.trusted.all()


def test_a_set_with_several_rules_is_seated_by_all_of_them() -> None:
    estate = small_estate()
    rules = (Spread(domain=Domain.HOST, max_per_domain=2), Spread(domain=Domain.RACK, at_least=2))
    wide = VmSet(role="db", flavor="m4s", count=4, spreads=rules)
    clinic = replace(estate.systems["clinic"], vm_sets=(wide,))
    made = synthetic.snapshot(replace(estate, systems={**estate.systems, "clinic": clinic}), 1, NOW)
    by_name = {group.name: group for group in made.groups}
    hosts = made.vms.host[by_name["clinic-db"].members]
    assert max(Counter(hosts.tolist()).values()) <= 2
    assert len(set(made.hosts.rack[hosts].tolist())) >= by_name["clinic-db by rack"].min_domains == 2
