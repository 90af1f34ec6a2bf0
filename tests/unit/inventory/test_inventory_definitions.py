"""What follows from an estate for the cloud's definitions: aggregates, quotas, hosts' traits."""

from dataclasses import fields, replace

import pytest
import yaml

from inventory import aggregates, generate, provider_config, quotas
from inventory.model import Aggregate, Classification, Estate, Lifecycle, Quota, Storage, System, VmSet


@pytest.fixture(scope="module")
def demo() -> Estate:
    return generate.demo()


def with_lifecycle(estate: Estate, name: str, lifecycle: Lifecycle) -> Estate:
    return replace(estate, hosts={**estate.hosts, name: replace(estate.hosts[name], lifecycle=lifecycle)})


@pytest.mark.parametrize("lifecycle", list(Lifecycle))
def test_a_host_is_in_all_its_aggregates_while_nova_lists_it_and_in_none_else(
    demo: Estate, lifecycle: Lifecycle
) -> None:
    found = aggregates.of(with_lifecycle(demo, "cmp0001", lifecycle))
    mine = {each.name for each in found if "cmp0001" in each.hosts}
    listed = lifecycle in {Lifecycle.REGISTERED, Lifecycle.IN_SERVICE, Lifecycle.MAINTENANCE}
    assert mine == ({"az-room-1", "site-1", "generation-gen1", "clearance-secret"} if listed else set())


def test_clearances_and_generations_part_the_hosts(demo: Estate) -> None:
    for prefix in ("clearance-", "generation-"):
        names = [host for each in aggregates.of(demo) if each.name.startswith(prefix) for host in each.hosts]
        assert sorted(names) == sorted(demo.hosts)


def test_a_site_makes_an_availability_zone_only_where_none_is_listed(demo: Estate) -> None:
    zones = {each.name: each.availability_zone for each in aggregates.of(demo)}
    assert (zones["site-1"], zones["az-room-1"]) == (None, "az-room-1")
    zones = {each.name: each.availability_zone for each in aggregates.of(replace(demo, aggregates={}))}
    assert zones["site-1"] == "site-1"
    assert [name for name, zone in zones.items() if zone] == ["site-1"]


def test_a_listed_aggregate_stands_for_the_derived_one_of_its_name(demo: Estate) -> None:
    own = Aggregate(name="clearance-secret", hosts=("cmp0013", "cmp0001"), metadata={"ssd": "true"})
    found = {each.name: each for each in aggregates.of(replace(demo, aggregates={own.name: own}))}
    assert found[own.name].hosts == ("cmp0001", "cmp0013")
    assert found[own.name].metadata == {"ssd": "true"}


def test_a_host_carries_its_own_level_and_every_lower_one(demo: Estate) -> None:
    levels = {host.clearance: provider_config.traits(demo, host) for host in demo.hosts.values()}
    assert levels.keys() == set(Classification)
    assert levels[Classification.INTERNAL] == ("CUSTOM_CLEARANCE_INTERNAL", "CUSTOM_CLEARANCE_OPEN")
    for level, traits in levels.items():
        assert {f"CUSTOM_CLEARANCE_{each.name}" for each in Classification if each <= level} == set(traits)


def test_the_providers_file_is_what_nova_compute_reads(demo: Estate) -> None:
    host = demo.hosts["cmp0003"]
    type_ = replace(demo.host_types[host.type], traits=frozenset({"CUSTOM_SSD", "HW_CPU_X86_AVX2"}))
    written = yaml.safe_load(provider_config.text(replace(demo, host_types={host.type: type_}), host))
    assert written["meta"] == {"schema_version": "1.0"}
    (provider,) = written["providers"]
    assert provider["identification"] == {"uuid": "$COMPUTE_NODE"}
    assert provider["traits"]["additional"] == ["CUSTOM_CLEARANCE_INTERNAL", "CUSTOM_CLEARANCE_OPEN", "CUSTOM_SSD"]
    licensed = replace(host, traits=frozenset({"CUSTOM_LICENCE_ORACLE"}))
    assert set(provider_config.traits(demo, licensed)) - set(provider_config.traits(demo, host)) == licensed.traits


def system(estate: Estate, *vm_sets: VmSet) -> System:
    return replace(estate.systems["e-office"], vm_sets=vm_sets, storage=(), quota=None)


def test_a_quota_holds_what_is_asked_for_and_a_fifth_more(demo: Estate) -> None:
    asked = (VmSet(role="web", flavor="internal.4c8g", count=10), VmSet(role="db", flavor="internal.8c32g", count=5))
    held = quotas.limits(demo, system(demo, *asked))
    assert (held.instances, held.cores) == (18, 96)
    assert held.memory_mib == 1.2 * (10 * 8 + 5 * 32) * 1024
    assert (held.volumes, held.volume_gib, held.backups) == (0, 0, 0)
    assert held.floating_ips == 10


def test_a_small_system_has_room_to_replace_its_largest_vm(demo: Estate) -> None:
    held = quotas.limits(demo, system(demo, VmSet(role="db", flavor="internal.16c64g", count=1)))
    assert (held.instances, held.cores, held.memory_mib) == (2, 32, 128 * 1024)


def test_a_system_that_asks_for_nothing_can_run_nothing(demo: Estate) -> None:
    held = quotas.limits(demo, system(demo))
    assert (held.instances, held.cores, held.memory_mib, held.volume_gib) == (0, 0, 0, 0)


def test_storage_is_granted_to_the_gib_and_opens_volumes(demo: Estate) -> None:
    wanted = replace(
        system(demo, VmSet(role="app", flavor="internal.2c4g", count=5)),
        storage=(
            Storage(volume_type="internal-fast", size_gib=200),
            Storage(volume_type="internal-standard", size_gib=50),
        ),
    )
    held = quotas.limits(demo, wanted)
    assert (held.volume_gib, held.backup_gib) == (250, 250)
    assert held.volumes == held.snapshots == held.backups == 12


def test_what_a_system_says_itself_stands_and_the_rest_is_derived(demo: Estate) -> None:
    plain = system(demo, VmSet(role="app", flavor="internal.2c4g", count=5))
    own = quotas.limits(demo, replace(plain, quota=Quota(instances=40, floating_ips=0)))
    derived = quotas.limits(demo, plain)
    assert (own.instances, own.floating_ips) == (40, 0)
    assert replace(own, instances=derived.instances, floating_ips=derived.floating_ips) == derived


def test_a_complete_quota_has_the_fields_of_a_stated_one() -> None:
    assert [each.name for each in fields(quotas.Limits)] == [each.name for each in fields(Quota)]


def test_no_derived_quota_of_the_reference_estates_is_above_what_cleared_hosts_hold(demo: Estate) -> None:
    for each in demo.systems.values():
        held = quotas.limits(demo, each)
        cleared = [demo.host_types[host.type] for host in demo.hosts.values() if host.clearance >= each.classification]
        assert held.cores <= sum((type_.vcpus - type_.reserved_vcpus) * type_.cpu_ratio for type_ in cleared)
        assert held.memory_mib <= sum(type_.memory_mib - type_.reserved_memory_mib for type_ in cleared)
