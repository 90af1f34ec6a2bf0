"""The foundation against Pulumi's mocks: on the demo, and on the whole reference estate."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import inventory
from infra import config, naming, program, quota_sets
from infra.foundation import exports, networks, volume_types
from inventory import generate, load
from inventory.model import (
    Classification,
    Estate,
    Lifecycle,
    NetworkUse,
    VolumeType,
    clearance_trait,
)
from tests.unit.infra.foundation import engine
from tests.unit.infra.foundation.engine import Engine

ESTATES = Path(inventory.__file__).parent / "estates"
TODAY = date(2026, 3, 1)
ROLES = {"member": "a" * 32, "reader": "b" * 32, "admin": "c" * 32}
LONGEST: Mapping[str, int] = {"Project": 64, "GroupV3": 64}
"""Keystone's limits; every other name may have 255 characters."""


def settings(**changed: Any) -> config.StackConfig:
    return replace(
        config.StackConfig(stack=config.Stack(name=naming.FOUNDATION, agency=None), estate=Path(), roles=ROLES),
        **changed,
    )


def foundation(estate: Estate, **changed: Any) -> Engine:
    return engine.declared(naming.FOUNDATION, lambda: program.declare(estate, None, settings(**changed), TODAY))


@pytest.fixture(scope="module", params=["demo", "gdcc"])
def built(request: pytest.FixtureRequest) -> tuple[Estate, Engine]:
    estate = load.load(ESTATES / request.param)
    return estate, foundation(estate)


@pytest.fixture(scope="module")
def demo() -> Estate:
    """The demo with few flavors and volume types, for the tests that change something else."""
    estate = generate.demo()
    few = {table: dict(list(getattr(estate, table).items())[:2]) for table in ("flavors", "volume_types")}
    return replace(estate, **few)


Built = tuple[Estate, Engine]


def test_every_flavor_is_private_and_requires_its_own_level(built: Built) -> None:
    estate, declared = built
    flavors = declared.of("Flavor")
    assert flavors.keys() == estate.flavors.keys()
    for name, flavor in flavors.items():
        wanted = estate.flavors[name]
        assert flavor["isPublic"] is False
        assert (flavor["vcpus"], flavor["ram"], flavor["disk"]) == (wanted.vcpus, wanted.memory_mib, wanted.disk_gib)
        assert flavor["extraSpecs"] == {f"trait:{clearance_trait(wanted.classification)}": "required"}


def test_every_volume_type_is_private_on_its_backend_and_held_to_its_limits(built: Built) -> None:
    estate, declared = built
    types, limits = declared.of("VolumeTypeV3"), declared.of("QosV3")
    assert types.keys() == estate.volume_types.keys()
    for name, volume_type in types.items():
        assert volume_type["isPublic"] is False
        assert volume_type["extraSpecs"] == {"volume_backend_name": estate.volume_types[name].backend}
        assert limits[naming.volume_qos(name)]["consumer"] == "front-end"
        association = declared.of("QosAssociationV3")[name]
        assert association["qosId"] == f"id of QosV3 {naming.volume_qos(name)}"
        assert association["volumeTypeId"] == f"id of VolumeTypeV3 {name}"


def test_a_volume_types_limits_are_in_cinders_units_and_none_where_none_is_given() -> None:
    fast = VolumeType(name="fast", classification=Classification.OPEN, backend="b", max_iops=500, max_mib_s=2)
    assert volume_types.qos_specs(fast) == {"total_iops_sec": "500", "total_bytes_sec": "2097152"}
    assert volume_types.qos_specs(replace(fast, max_iops=None, max_mib_s=None)) == {}


def test_a_volume_type_without_limits_has_no_qos(demo: Estate) -> None:
    plain = {name: replace(each, max_iops=None, max_mib_s=None) for name, each in demo.volume_types.items()}
    declared = foundation(replace(demo, volume_types=plain))
    assert declared.of("QosV3") == declared.of("QosAssociationV3") == {}


def test_every_host_stands_in_its_site_its_generation_and_its_clearance(built: Built) -> None:
    estate, declared = built
    aggregates = declared.of("AggregateV2")
    for host in estate.hosts.values():
        generation = estate.host_types[host.type].generation
        mine = {name for name, each in aggregates.items() if host.name in each["hosts"]}
        assert {f"clearance-{host.clearance.name.lower()}", f"generation-{generation}", "site-1"} <= mine
        zones = {aggregates[name]["zone"] for name in mine if aggregates[name].get("zone")}
        assert len(zones) == 1
    assert all(each["hosts"] == sorted(each["hosts"]) for each in aggregates.values())


def test_a_host_is_in_its_aggregates_from_registered_on_and_not_before(demo: Estate) -> None:
    stages = dict(zip(demo.hosts, Lifecycle, strict=False))
    moved = {name: replace(host, lifecycle=stages.get(name, host.lifecycle)) for name, host in demo.hosts.items()}
    declared = foundation(replace(demo, hosts=moved))
    there = {host for each in declared.of("AggregateV2").values() for host in each["hosts"]}
    assert {stages[name] for name in stages if name in there} == {
        Lifecycle.REGISTERED,
        Lifecycle.IN_SERVICE,
        Lifecycle.MAINTENANCE,
    }


def test_no_network_is_shared_and_none_is_external_to_any_project_but_the_operators(built: Built) -> None:
    estate, declared = built
    made = declared.of("Network")
    assert made.keys() == estate.networks.keys()
    for name, network in made.items():
        assert network["shared"] is False
        assert "external" not in network
        assert network["tenantId"] == f"id of Project {naming.CONTROL_PROJECT}"
        (segment,) = network["segments"]
        assert segment["segmentationId"] == estate.networks[name].vlan
    opened = declared.of("RbacPolicyV2")
    assert opened.keys() == {n for n, each in estate.networks.items() if each.use is NetworkUse.EXTERNAL}
    for name, policy in opened.items():
        assert policy["action"] == "access_as_external"
        assert policy["objectId"] == f"id of Network {name}"
        assert policy["targetTenant"] == f"id of Project {naming.CONTROL_PROJECT}"


def test_a_networks_ports_are_held_to_its_limit_both_ways(demo: Estate) -> None:
    declared = foundation(demo)
    network = demo.networks["provider-open"]
    kbps = networks.limit_kbps(network)
    assert (network.max_mib_s, kbps) == (600, 5_033_165)
    rules = declared.of("QosBandwidthLimitRule")
    for direction in ("egress", "ingress"):
        rule = rules[f"{naming.qos_policy(network.name)}-{direction}"]
        assert (rule["direction"], rule["maxKbps"]) == (direction, kbps)
        assert 0 < rule["maxBurstKbps"] < kbps
    assert declared.of("Network")["provider-open"]["qosPolicyId"] == "id of QosPolicy provider-open-limit"
    assert "qosPolicyId" not in declared.of("Network")["control"]


def test_a_subnets_gateway_is_its_first_address_or_the_given_one(demo: Estate) -> None:
    network = demo.networks["control"]
    assert networks.gateway_ip(network) == "10.20.0.1"
    assert networks.gateway_ip(replace(network, gateway="10.20.0.254")) == "10.20.0.254"


def test_only_the_control_network_hands_out_addresses_itself(built: Built) -> None:
    _, declared = built
    served = {name for name, subnet in declared.of("Subnet").items() if subnet["enableDhcp"]}
    assert served == {"control"}


def test_a_provider_network_may_be_of_ipv6(demo: Estate) -> None:
    six = replace(demo.networks["control"], cidr="fd00:20::/64")
    declared = foundation(replace(demo, networks={"control": six}))
    subnet = declared.of("Subnet")["control"]
    assert (subnet["ipVersion"], subnet["gatewayIp"]) == (6, "fd00:20::1")
    assert {rule["ethertype"] for rule in declared.of("SecGroupRule").values()} == {"IPv6"}


def test_a_network_without_a_vlan_is_flat(demo: Estate) -> None:
    flat = replace(demo.networks["control"], vlan=None)
    declared = foundation(replace(demo, networks={**demo.networks, "control": flat}))
    assert declared.of("Network")["control"]["segments"] == [
        {"networkType": "flat", "physicalNetwork": flat.physical_network}
    ]


def test_control_vms_take_in_nothing_but_what_is_written(built: Built) -> None:
    estate, declared = built
    groups, rules = declared.of("SecGroup"), declared.of("SecGroupRule")
    assert all(group["deleteDefaultRules"] is True for group in groups.values())
    for rule in (each for each in rules.values() if each["direction"] == "ingress"):
        assert rule["portRangeMin"] == rule["portRangeMax"]
        sources = {rule.get("remoteGroupId"), rule.get("remoteIpPrefix")} - {None}
        assert len(sources) == 1
        assert sources <= {*(f"id of SecGroup {name}" for name in groups), estate.networks["control"].cidr}


def test_an_estate_without_a_control_network_has_no_control_groups(demo: Estate) -> None:
    external = {n: each for n, each in demo.networks.items() if each.use is NetworkUse.EXTERNAL}
    declared = foundation(replace(demo, networks=external))
    assert declared.of("SecGroup") == declared.of("SecGroupRule") == {}


def test_operators_hold_their_roles_in_their_own_domain_only(built: Built) -> None:
    estate, declared = built
    assert declared.of("RoleAssignment") == {}
    held = declared.of("InheritRoleAssignment")
    assert len(held) == sum(len(group.roles) for group in estate.operators.values())
    domain = f"id of Project {naming.OPERATORS_DOMAIN}"
    assert {each["domainId"] for each in (*held.values(), *declared.of("GroupV3").values())} == {domain}
    assert held["platform-engineers-admin"]["roleId"] == ROLES["admin"]


def test_roles_that_the_cloud_has_are_not_made_again(built: Built) -> None:
    _, declared = built
    assert declared.of("Role").keys() == {"gdcc-on-call"}
    assert declared.outputs[exports.ROLE_IDS] == {**ROLES, "gdcc-on-call": "id of Role gdcc-on-call"}


def test_every_name_is_its_own_and_one_that_openstack_takes(built: Built) -> None:
    _, declared = built
    seen: set[tuple[str, str]] = set()
    for each in declared.of_the_cloud():
        kind = each.typ.rpartition(":")[2]
        assert (each.typ, each.name) not in seen
        seen.add((each.typ, each.name))
        name = each.inputs.get("name")
        if name is not None:
            assert 0 < len(name) <= LONGEST.get(kind, 255)
            assert ("name", f"{kind} {name.casefold()}") not in seen
            seen.add(("name", f"{kind} {name.casefold()}"))


def test_every_export_is_there_whole(built: Built) -> None:
    estate, declared = built
    names = {value for key, value in vars(exports).items() if key.isupper()}
    assert declared.outputs.keys() == names
    assert declared.outputs[exports.FLAVOR_IDS].keys() == estate.flavors.keys()
    assert declared.outputs[exports.EXTERNAL_NETWORK_IDS].keys() == {level.name.lower() for level in Classification}
    assert declared.outputs[exports.IMAGE_IDS] == {name: image.id for name, image in estate.images.items()}
    assert declared.outputs[exports.DOMAIN_IDS]["operators"] == f"id of Project {naming.OPERATORS_DOMAIN}"


def test_the_order_of_the_files_changes_nothing(demo: Estate) -> None:
    turned = ("hosts", "flavors", "volume_types", "networks", "operators")
    tables = {table: dict(reversed(list(getattr(demo, table).items()))) for table in turned}
    straight, other = foundation(demo), foundation(replace(demo, **tables))
    assert sorted((each.typ, each.name, repr(each.inputs)) for each in straight.of_the_cloud()) == sorted(
        (each.typ, each.name, repr(each.inputs)) for each in other.of_the_cloud()
    )


FOUND = {"network": 400, "port": -1, "floatingip": 3}


def test_the_logins_project_has_room_for_every_grant_and_pool_of_the_estate(built: Built) -> None:
    estate, declared = built
    assert set(declared.of("QuotaV2")) == {"control"}
    (said,) = (each for each in declared.of("QuotaV2").values())
    assert all(said[key] is not None for key in ("network", "rbacPolicy", "subnetpool", "securityGroupRule"))
    raised = foundation(replace(estate, flavors={}), login_project="d" * 32, login_quota=FOUND).of("QuotaV2")["login"]
    pools = [agency for agency in estate.agencies.values() if agency.pool is not None]
    outward = [system for system in estate.systems.values() if estate.agencies[system.agency] in pools]
    assert raised["projectId"] == "d" * 32
    assert raised["subnetpool"] >= len(pools)
    assert raised["rbacPolicy"] >= len(outward) + len(declared.of("RbacPolicyV2"))
    assert {key: raised[key] for key in ("network", "port", "floatingip")} == {
        "network": 400, "port": quota_sets.MOST, "floatingip": 50,
    }, "what it has is raised where agencies take more, and never lowered"  # fmt: skip


def test_the_control_projects_quotas_are_complete_and_hold_its_networks_and_groups(built: Built) -> None:
    _, declared = built
    limits = declared.of("QuotaV2")["control"]
    assert limits["network"] >= len(declared.of("Network"))
    assert limits["securityGroup"] > len(declared.of("SecGroup"))
    assert limits["securityGroupRule"] > len(declared.of("SecGroupRule"))
    project = "id of Project gdcc-control"
    assert {declared.of(kind)["control"]["projectId"] for kind in ("QuotaSetV2", "QuoteSetV3")} == {project}
