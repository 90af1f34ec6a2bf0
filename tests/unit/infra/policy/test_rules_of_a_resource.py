"""Each rule of one resource: what breaks it, and the nearest thing that does not."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from infra.policy import every, kinds
from infra.policy.declared import UNKNOWN, Resource
from infra.policy.rule import ResourceRule
from infra.policy.rules import (
    admin_ports,
    credentials,
    flavor_clearance,
    host_pinning,
    packet_filters,
    private_types,
    project_tags,
    protection,
    quota_fields,
    rebuild,
    secret_inputs,
    tenant_servers,
)
from inventory.model import Classification, clearance_trait
from tests.unit.infra.policy.declaring import broken, project, resource

TRAIT = f"trait:{clearance_trait(Classification.CONFIDENTIAL)}"
FULL = {kind: dict.fromkeys(fields, 5) for kind, fields in quota_fields.FIELDS.items()}
RULE_22 = {"direction": "ingress", "protocol": "tcp", "portRangeMin": 22, "portRangeMax": 22}


def rule_of(**inputs: object) -> Resource:
    return resource(kinds.SECURITY_RULE, **{**RULE_22, "remoteIpPrefix": "0.0.0.0/0", **inputs})


BROKEN: list[tuple[ResourceRule, Resource, str]] = [
    (host_pinning.RULE, resource(kinds.INSTANCE, hypervisorHostname="cmp0001"), "hypervisorHostname"),
    (host_pinning.RULE, resource(kinds.INSTANCE, hypervisorHostname=UNKNOWN), "hypervisorHostname"),
    (host_pinning.RULE, resource(kinds.INSTANCE, availabilityZone="room-1:cmp0001"), "availabilityZone"),
    (host_pinning.RULE, resource(kinds.INSTANCE, availabilityZoneHints="room-1:cmp0001"), "availabilityZoneHints"),
    (host_pinning.RULE, resource(kinds.INSTANCE, schedulerHints=[{"sameHosts": ["a"]}]), "sameHosts"),
    (host_pinning.RULE, resource(kinds.INSTANCE, schedulerHints=[{"queries": ["=", "$host", "c"]}]), "queries"),
    (host_pinning.RULE, resource(kinds.PORT, binding={"hostId": "cmp0001"}), "hostId"),
    (tenant_servers.RULE, resource(kinds.INSTANCE), "agency's stack"),
    (quota_fields.RULE, resource(kinds.QUOTA_SET, **{**FULL[kinds.QUOTA_SET], "cores": None}), "cores not set"),
    (quota_fields.RULE, resource(kinds.NETWORK_QUOTA, port=5), "rbacPolicy"),
    (quota_fields.RULE, resource(kinds.VOLUME_QUOTA, **{**FULL[kinds.VOLUME_QUOTA], "gigabytes": -1}), "gigabytes -1"),
    (
        quota_fields.RULE,
        resource(kinds.VOLUME_QUOTA, **{**FULL[kinds.VOLUME_QUOTA], "volumeTypeQuota": {"gigabytes_gold": "-1"}}),
        "gigabytes_gold -1",
    ),
    (packet_filters.RULE, resource(kinds.SECURITY_GROUP), "deleteDefaultRules"),
    (packet_filters.RULE, resource(kinds.SECURITY_GROUP, deleteDefaultRules=False), "deleteDefaultRules"),
    (packet_filters.RULE, resource(kinds.NETWORK, portSecurityEnabled=False), "portSecurityEnabled"),
    (packet_filters.RULE, resource(kinds.PORT, portSecurityEnabled=False), "portSecurityEnabled"),
    (packet_filters.RULE, resource(kinds.PORT, noSecurityGroups=True), "noSecurityGroups"),
    *(
        (packet_filters.RULE, resource(kinds.PORT, allowedAddressPairs=[{"ipAddress": address}]), address)
        for address in ("0.0.0.0/0", "10.0.0.0/24", "fd00::/64", "anywhere")
    ),
    (project_tags.RULE, resource(kinds.PROJECT, tags=["agency:tax", "system:r", "tier:basic"]), "classification"),
    (project_tags.RULE, resource(kinds.PROJECT), "0 tags 'agency"),
    (project_tags.RULE, project("internal", tags=[*project().inputs["tags"], "system:other"]), "2 tags 'system"),
    (project_tags.RULE, project("top-secret"), "classification:top-secret"),
    (admin_ports.RULE, rule_of(), "SSH"),
    (admin_ports.RULE, rule_of(remoteIpPrefix="::/0"), "SSH"),
    (admin_ports.RULE, rule_of(remoteIpPrefix="128.0.0.0/1"), "SSH"),
    (admin_ports.RULE, rule_of(remoteIpPrefix=None), "any address"),
    (admin_ports.RULE, rule_of(portRangeMin=3000, portRangeMax=4000), "RDP"),
    (admin_ports.RULE, rule_of(portRangeMin=None, portRangeMax=None), "SSH"),
    (admin_ports.RULE, rule_of(protocol=None, portRangeMin=0, portRangeMax=0), "SSH"),
    (admin_ports.RULE, rule_of(protocol="udp", portRangeMin=623, portRangeMax=623), "IPMI"),
    (admin_ports.RULE, rule_of(remoteIpPrefix="8.0.0.0/8"), "22 (SSH) open to 8.0.0.0/8"),
    (admin_ports.RULE, rule_of(remoteIpPrefix="::/1"), "22 (SSH)"),
    (admin_ports.RULE, rule_of(portRangeMin=5901, portRangeMax=5901), "console"),
    (admin_ports.RULE, rule_of(portRangeMin=5432, portRangeMax=5432), "PostgreSQL"),
    (rebuild.RULE, resource(kinds.INSTANCE, imageName="ubuntu"), "imageName"),
    (rebuild.RULE, resource(kinds.INSTANCE, imageId="1-2"), "imageId"),
    (private_types.RULE, resource(kinds.FLAVOR, isPublic=True), "public"),
    (private_types.RULE, resource(kinds.VOLUME_TYPE), "public"),
    (flavor_clearance.RULE, resource(kinds.FLAVOR, extraSpecs={"hw:cpu_policy": "shared"}), "no clearance"),
    (flavor_clearance.RULE, resource(kinds.FLAVOR, extraSpecs={TRAIT: "forbidden"}), "forbidden"),
    (credentials.RULE, resource(kinds.APPLICATION_CREDENTIAL, roles=["member"]), "never ends"),
    (
        credentials.RULE,
        resource(kinds.APPLICATION_CREDENTIAL, roles=["member"], expiresAt="2026-12-01T00:00:00Z", unrestricted=True),
        "unrestricted",
    ),
    (credentials.RULE, resource(kinds.APPLICATION_CREDENTIAL, expiresAt="2026-12-01T00:00:00Z"), "roles not named"),
    (
        credentials.RULE,
        resource(kinds.APPLICATION_CREDENTIAL, roles=["Admin"], expiresAt="2026-12-01T00:00:00Z"),
        "role Admin",
    ),
    (protection.RULE, project(), "not protected"),
]

HOLDING: list[tuple[ResourceRule, Resource]] = [
    (host_pinning.RULE, resource(kinds.INSTANCE, availabilityZone="room-1", schedulerHints=[{"group": "g"}])),
    (host_pinning.RULE, resource(kinds.PORT, binding={"vnicType": "normal"})),
    (tenant_servers.RULE, resource(kinds.INSTANCE, stack="foundation")),
    *((quota_fields.RULE, resource(kind, **values)) for kind, values in FULL.items()),
    (quota_fields.RULE, resource(kinds.QUOTA_SET, **{**FULL[kinds.QUOTA_SET], "fixedIps": -1, "cores": UNKNOWN})),
    (packet_filters.RULE, resource(kinds.SECURITY_GROUP, deleteDefaultRules=True)),
    (packet_filters.RULE, resource(kinds.PORT, allowedAddressPairs=[{"ipAddress": "10.0.0.7"}, UNKNOWN])),
    (project_tags.RULE, project("secret")),
    (project_tags.RULE, resource(kinds.PROJECT, tags=UNKNOWN)),
    (host_pinning.RULE, resource(kinds.INSTANCE, schedulerHints=UNKNOWN)),
    (host_pinning.RULE, resource(kinds.PORT, binding=UNKNOWN)),
    (flavor_clearance.RULE, resource(kinds.FLAVOR, extraSpecs=UNKNOWN)),
    (project_tags.RULE, resource(kinds.PROJECT, isDomain=True)),
    (admin_ports.RULE, rule_of(remoteIpPrefix="10.0.0.0/8")),
    (admin_ports.RULE, rule_of(direction="egress")),
    (admin_ports.RULE, rule_of(remoteIpPrefix=None, remoteGroupId=UNKNOWN)),
    (admin_ports.RULE, rule_of(portRangeMin=443, portRangeMax=443)),
    (admin_ports.RULE, rule_of(protocol="icmp", portRangeMin=8, portRangeMax=0)),
    (admin_ports.RULE, rule_of(remoteIpPrefix=UNKNOWN)),
    (rebuild.RULE, resource(kinds.INSTANCE, imageId="1-2", ignored_changes=["imageId"])),
    (rebuild.RULE, resource(kinds.INSTANCE, blockDevices=[{"uuid": "1-2"}])),
    (private_types.RULE, resource(kinds.FLAVOR, isPublic=False)),
    (flavor_clearance.RULE, resource(kinds.FLAVOR, extraSpecs={TRAIT: "required", "hw:mem_page_size": "large"})),
    (
        credentials.RULE,
        resource(kinds.APPLICATION_CREDENTIAL, roles=["member"], expiresAt="2026-12-01T00:00:00Z", unrestricted=False),
    ),
    (protection.RULE, project(protect=True)),
]


@pytest.mark.parametrize(("rule", "declared", "word"), BROKEN)
def test_a_rule_refuses_what_breaks_it_and_names_it(rule: ResourceRule, declared: Resource, word: str) -> None:
    assert [what for what in broken(rule, declared) if word in what], broken(rule, declared)


@pytest.mark.parametrize(("rule", "declared"), HOLDING)
def test_a_rule_lets_the_nearest_lawful_thing_pass(rule: ResourceRule, declared: Resource) -> None:
    assert broken(rule, declared) == []


def test_every_rule_of_a_resource_is_broken_and_held_by_an_example() -> None:
    def named(rules: Iterable[ResourceRule]) -> set[str]:
        return {rule.name for rule in rules}

    every_rule = named(every.RESOURCE_RULES)
    assert every_rule == named(rule for rule, _, _ in BROKEN) == named(rule for rule, _ in HOLDING)


def test_a_rule_open_on_all_ports_is_told_in_one_sentence() -> None:
    (what,) = broken(admin_ports.RULE, rule_of(portRangeMin=1, portRangeMax=65535))
    assert what.startswith("22 (SSH)")
    assert f"and {len(admin_ports.PORTS) - 3} more" in what


@pytest.mark.filterwarnings("ignore:openstack:DeprecationWarning")
def test_quota_fields_are_all_that_the_provider_has() -> None:
    from pulumi_openstack import blockstorage, compute, networking

    made = {
        kinds.QUOTA_SET: compute.QuotaSetV2,
        kinds.VOLUME_QUOTA: blockstorage.QuoteSetV3,
        kinds.NETWORK_QUOTA: networking.QuotaV2,
    }
    for kind, of in made.items():
        translated = {
            getattr(each.fget, "_pulumi_name", "") for each in vars(of).values() if isinstance(each, property)
        }
        assert set(quota_fields.FIELDS[kind]) == translated - {"projectId", "region"}


def test_a_secret_given_in_clear_is_named_and_one_left_out_is_not() -> None:
    marked = {"password": True, "applicationCredentialSecret": False}
    assert secret_inputs.in_clear(kinds.PROVIDER, marked) == ("applicationCredentialSecret",)


def test_every_rule_file_is_in_the_pack() -> None:
    files = {path.stem for path in (Path(every.__file__).parent / "rules").glob("*.py")} - {"__init__"}
    listed = {rule.broken.__module__.rpartition(".")[2] for rule in (*every.RESOURCE_RULES, *every.STACK_RULES)}
    assert files == listed | {"secret_inputs"}
