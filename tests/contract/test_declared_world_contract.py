"""The twin and a real OpenStack that hold the same estate tell the engine the same of what it declares.

Planned on the twin, a rule would otherwise hold there by another account than the cloud's own.
"""

import pytest

from controller.model.cloud import CloudFacts
from inventory import load, provider_config
from inventory.model import Estate
from tests.contract.clouds import Declared
from tests.lab.fixtures import ESTATE


@pytest.fixture
def estate() -> Estate:
    return load.load(ESTATE)


@pytest.fixture
async def facts(declared: Declared) -> CloudFacts:
    return await declared.cloud.facts()


def test_every_host_offers_what_its_type_has_and_keeps_back_the_same(facts: CloudFacts, estate: Estate) -> None:
    told = {each.host: each for each in facts.providers}
    for name, host in estate.hosts.items():
        type_, inventory = estate.host_types[host.type], told[name].inventory
        for resource, total, reserved, ratio in (
            ("VCPU", type_.vcpus, type_.reserved_vcpus, type_.cpu_ratio),
            ("MEMORY_MB", type_.memory_mib, type_.reserved_memory_mib, type_.memory_ratio),
            ("DISK_GB", type_.disk_gib, type_.reserved_disk_gib, type_.disk_ratio),
        ):
            amount = inventory[resource]
            assert (amount.total, amount.reserved, amount.ratio) == (total, reserved, ratio), f"{resource} of {name}"


def test_every_host_bears_the_traits_of_its_clearance(facts: CloudFacts, estate: Estate) -> None:
    told = {each.host: each.traits for each in facts.providers}
    for name, host in estate.hosts.items():
        ours = {trait for trait in told[name] if trait.startswith("CUSTOM_")}
        assert ours == set(provider_config.traits(estate, host)), name


def test_every_systems_project_is_there_and_enabled(facts: CloudFacts, estate: Estate) -> None:
    enabled = {each.name for each in facts.projects if each.enabled}
    assert {system.project for system in estate.systems.values()} <= enabled


def test_every_server_has_its_systems_project_and_its_flavors_demands(facts: CloudFacts, estate: Estate) -> None:
    projects = {each.id: each.name for each in facts.projects}
    servers = {each.name: each for each in facts.servers}
    for system in estate.systems.values():
        for vm_set in system.vm_sets:
            flavor = estate.flavors[vm_set.flavor]
            for n in range(1, vm_set.count + 1):
                server = servers[f"{system.name}-{vm_set.role}-{n}"]
                assert projects[server.project_id] == system.project
                size = server.flavor_name, server.vcpus, server.memory_mib, server.disk_gib
                assert size == (flavor.name, flavor.vcpus, flavor.memory_mib, flavor.disk_gib)
                assert dict(server.extra_specs) == dict(flavor.nova_extra_specs)


def test_sets_that_are_spread_over_hosts_are_groups_whose_members_stand_apart(
    facts: CloudFacts, estate: Estate
) -> None:
    servers = {each.id: each for each in facts.servers}
    groups = {each.name: each for each in facts.groups}
    for system in estate.systems.values():
        for vm_set in (each for each in system.vm_sets if each.spreads):
            group = groups[f"{system.name}-{vm_set.role}"]
            assert (group.policy, group.max_server_per_host) == ("anti-affinity", 1)
            members = [servers[member] for member in group.members if member in servers]
            wanted = {f"{system.name}-{vm_set.role}-{n}" for n in range(1, vm_set.count + 1)}
            assert {member.name for member in members} == wanted
            assert len({member.host for member in members}) == len(members)


async def test_an_aggregate_is_told_with_its_hosts_and_its_metadata(declared: Declared) -> None:
    metadata = {"filter_tenant_id": "nobody", "ssd": "true"}
    async with declared.aggregate("contract", "cmp6", metadata):
        found = [each for each in (await declared.cloud.facts()).aggregates if each.name == "contract"]
        assert [(each.hosts, each.availability_zone, dict(each.metadata)) for each in found] == [
            (("cmp6",), None, metadata)
        ]
