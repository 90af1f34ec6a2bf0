"""Agencies' programs against Pulumi's mocks."""

import re
from collections import Counter
from dataclasses import replace

import pulumi
import pytest

from infra import naming
from infra.agency import program
from inventory.model import Agency, Classification, DataSet, Estate
from tests.unit.infra.agency import stack
from tests.unit.infra.agency.stack import Cloud

IN_THE_PROJECT_OF_ITS_PROVIDER = ("ApplicationCredential", "ServerGroup", "Container")


def sample(estate: Estate) -> list[str]:
    """Agencies that share data, one of each level, and the smallest and the largest one."""
    counts = Counter(system.agency for system in estate.systems.values())
    by_size = sorted(counts, key=lambda agency: (counts[agency], agency))
    return ["eeco", "transport", "public-health", "police-region-8", by_size[0], by_size[-1]]


def hold(cloud: Cloud, agency: Agency) -> None:
    """What must be true of every agency's stack."""
    estate = cloud.estate
    systems = [each for each in estate.systems.values() if each.agency == agency.name]
    projects = {f"id of Project {each.name}" for each in systems}
    assert {each["name"] for each in cloud.of("Project").values()} == {each.project for each in systems}
    urns = [(each.typ, each.name) for each in cloud.resources]
    assert len(set(urns)) == len(urns)
    assert "Instance" not in {each.typ.rpartition(":")[2] for each in cloud.resources}
    assert not [each.name for each in cloud.resources if "hypervisorHostname" in each.inputs]
    assert {each["roleId"] for each in cloud.of("RoleAssignment").values()} == {"id of member", "id of reader"}
    for each in cloud.of("ApplicationCredential").values():
        assert each["roles"] == ["member"]
        assert each["unrestricted"] is False
        assert each["expiresAt"] == "2027-01-01T00:00:00Z"
    landed = [each for each in cloud.resources if each.typ.endswith(IN_THE_PROJECT_OF_ITS_PROVIDER)]
    landed += [each for each in cloud.resources if each.inputs.get("action") == "access_as_shared"]
    assert {cloud.project_of(each) for each in landed} == projects
    assert {each.inputs["tenantId"] for each in cloud.resources if "tenantId" in each.inputs} <= projects
    assert cloud.secrets == {program.CREDENTIALS}
    assert set(cloud.outputs[program.CREDENTIALS]) == {each.name for each in systems}
    assert all(each["deleteDefaultRules"] is True for each in cloud.of("SecGroup").values())
    for kind in ("Project", "Network", "User", "GroupV3", "SecGroup", "ServerGroup", "Container"):
        for each in cloud.of(kind).values():
            assert len(each.get("name", "x")) <= (64 if kind in ("Project", "GroupV3") else 255)


def test_the_sample_has_systems_of_every_level(gdcc):
    chosen = sample(gdcc)
    levels = {system.classification for system in gdcc.systems.values() if system.agency in chosen}
    assert levels == set(Classification)


def test_every_sampled_agency_of_the_reference_estate_builds_and_keeps_the_rules(gdcc):
    for agency in sample(gdcc):
        hold(stack.declared(gdcc, agency), gdcc.agencies[agency])


@pytest.mark.lab
def test_every_agency_of_the_reference_estate_builds_and_keeps_the_rules(gdcc):
    systems = 0
    for agency in gdcc.agencies.values():
        cloud = stack.declared(gdcc, agency.name)
        hold(cloud, agency)
        systems += len(cloud.outputs["project_ids"])
    assert (len(gdcc.agencies), systems) == (472, 1570)


def test_a_project_gets_flavors_types_networks_and_quotas_by_the_ids_of_the_foundation(five):
    cloud = stack.declared(five, "clinics")
    project = "id of Project patient-records"
    assert [dict(each) for each in cloud.of("FlavorAccess").values()] == [
        {"flavorId": "flavor small.confidential", "tenantId": project}
    ]
    assert [each["volumeTypeId"] for each in cloud.of("VolumeTypeAccessV3").values()] == ["type confidential-standard"]
    assert cloud.of("Router")["patient-records"]["externalNetworkId"] == "external CONFIDENTIAL"
    assert cloud.of("RbacPolicyV2")["patient-records"] == {
        "action": "access_as_external",
        "objectType": "network",
        "objectId": "external CONFIDENTIAL",
        "targetTenant": project,
    }
    for kind in ("QuotaSetV2", "QuoteSetV3", "QuotaV2"):
        assert cloud.of(kind)["patient-records"]["projectId"] == project


def test_an_agency_without_a_pool_has_projects_but_no_networks(five):
    poor = replace(five, agencies={**five.agencies, "grid": replace(five.agencies["grid"], pool=None)})
    cloud = stack.declared(poor, "grid")
    assert cloud.of("Project")
    assert not cloud.of("Network")
    assert not cloud.of("SubnetPool")


def test_an_agency_without_systems_is_its_groups_and_its_pool(five):
    idle = replace(five, systems={name: each for name, each in five.systems.items() if each.agency != "grid"})
    cloud = stack.declared(idle, "grid")
    assert set(cloud.of("GroupV3")) == {"grid-operators", "grid-auditors"}
    assert cloud.outputs["project_ids"] == {}


def test_access_of_an_agency_that_is_not_up_waits_and_says_so(five):
    cloud = stack.declared(five, "roads")
    assert cloud.of("Container")["road-counts"]["containerRead"] == ""
    assert cloud.of("Container")["road-works"]["containerRead"] == ".r:*,.rlistings"
    assert not [each for each in cloud.of("RbacPolicyV2").values() if each["action"] == "access_as_shared"]
    assert cloud.outputs["waiting"] == [
        "network of road-traffic: visitor-guide must wait for the first `up` of agency-tourism",
        "data set road-counts: visitor-guide must wait for the first `up` of agency-tourism",
    ]


def test_access_is_granted_by_id_once_the_other_agency_is_up(five):
    tourism = {"organization/gdcc/agency-tourism": {"project_ids": {"visitor-guide": "p9"}, "credentials": "secret"}}
    cloud = stack.declared(five, "roads", stacks=tourism)
    assert cloud.of("Container")["road-counts"]["containerRead"] == "p9:*"
    assert cloud.of("RbacPolicyV2")["road-traffic.visitor-guide"]["targetTenant"] == "p9"
    assert cloud.outputs["waiting"] == []


def test_two_agencies_that_read_each_other_come_up_one_after_the_other(five):
    back = DataSet(name="guide", system="visitor-guide", classification=Classification.OPEN, readers=("roads",))
    mutual = replace(five, data_sets={**five.data_sets, "guide": back})
    stacks = {}
    for agency in ("roads", "tourism", "roads"):
        cloud = stack.declared(mutual, agency, stacks=stacks)
        stacks[f"organization/gdcc/{naming.agency_stack(agency)}"] = {"project_ids": cloud.outputs["project_ids"]}
        if agency == "tourism":
            assert cloud.of("Container")["guide"]["containerRead"] == "id of Project road-traffic:*"
    assert cloud.outputs["waiting"] == []
    assert cloud.of("Container")["road-counts"]["containerRead"] == "id of Project visitor-guide:*"


def test_a_stack_that_cannot_be_read_fails_the_run_instead_of_taking_access_away(five):
    with pytest.raises(Exception, match="backend is not reachable"):
        stack.declared(five, "roads", refusal="backend is not reachable")


def test_what_the_foundation_lacks_is_named_with_the_stack_to_run(five):
    with pytest.raises(pulumi.RunError, match=re.escape("organization/gdcc/foundation has no flavor_ids: small.open")):
        stack.declared(five, "roads", missing=frozenset({"flavor_ids"}))


def test_a_credential_of_another_project_fails_the_run(five):
    with pytest.raises(pulumi.RunError, match=f"is for project {stack.ADMINISTRATOR}"):
        stack.declared(five, "roads", overridden=True)


def test_nothing_is_declared_where_the_environment_would_log_in_as_the_administrator(five, monkeypatch):
    monkeypatch.setenv("OS_CLOUD", "gdcc")
    cloud = Cloud(estate=five)
    with pytest.raises(pulumi.RunError, match="OS_CLOUD is set"):
        stack.run(cloud, "roads")
    assert not cloud.resources
