"""Agencies' programs against Pulumi's mocks."""

import re
from collections import Counter
from dataclasses import replace

import pulumi
import pytest

from infra import naming
from infra.agency import readers
from inventory.model import Classification, DataSet, Estate
from tests.unit.infra.agency import every, stack
from tests.unit.infra.agency.rules_of_a_stack import hold
from tests.unit.infra.agency.stack import Cloud


def sample(estate: Estate) -> list[str]:
    """Agencies that share data, one of each level, and the smallest and the largest one."""
    counts = Counter(system.agency for system in estate.systems.values())
    by_size = sorted(counts, key=lambda agency: (counts[agency], agency))
    return ["eeco", "transport", "public-health", "police-region-8", by_size[0], by_size[-1]]


def test_the_sample_has_systems_of_every_level(gdcc):
    chosen = sample(gdcc)
    levels = {system.classification for system in gdcc.systems.values() if system.agency in chosen}
    assert levels == set(Classification)


def test_every_sampled_agency_of_the_reference_estate_builds_and_keeps_the_rules(gdcc):
    for agency in sample(gdcc):
        hold(stack.declared(gdcc, agency), gdcc.agencies[agency])


@pytest.mark.lab
def test_every_agency_of_the_reference_estate_builds_keeps_the_rules_and_holds_every_policy():
    """Two minutes of a processor: beside the lab's tests, in processes of its own."""
    done = every.all_held()
    assert [problem for each in done for problem in each.problems] == []
    assert (sum(each.agencies for each in done), sum(each.systems for each in done)) == (472, 1570)
    assert sum(each.resources for each in done) > 50_000


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


def test_a_subnet_that_was_there_before_is_declared_by_its_range_and_stays_in_whatever_pool(five):
    older = replace(five.systems["grid-meters"], subnet="10.77.0.0/24")
    cloud = stack.declared(replace(five, systems={**five.systems, "grid-meters": older}), "grid")
    (subnet,) = cloud.of("Subnet").values()
    assert subnet["cidr"] == "10.77.0.0/24"
    assert "subnetpoolId" not in subnet and "prefixLength" not in subnet
    (subnet,) = stack.declared(five, "grid").of("Subnet").values()
    assert "cidr" not in subnet and subnet["subnetpoolId"]


def test_a_systems_rules_name_the_subnets_of_its_agency_that_the_lattice_allows(five):
    named = {"name": "grid-news", "project": "grid-news"}
    lower = replace(five.systems["grid-meters"], classification=Classification.OPEN, **named)
    cloud = stack.declared(replace(five, systems={**five.systems, "grid-news": lower}), "grid")
    peers = {name: each.get("remoteIpPrefix") for name, each in cloud.of("SecGroupRule").items()}
    meters, news = (str(cloud.subnets[name]) for name in ("grid-meters", "grid-news"))
    assert peers["grid-meters.app.ingress-tcp-22-grid-meters"] == meters != news
    of_meters = {peer for name, peer in peers.items() if name.startswith("grid-meters.")}
    assert of_meters == {meters, "10.202.0.0/24", "169.254.169.254/32"}
    assert {peer for name, peer in peers.items() if name.startswith("grid-news.")} == {"10.160.48.0/20", None}


def test_rules_of_an_agency_of_one_level_name_its_pool(five):
    rules = stack.declared(five, "clinics").of("SecGroupRule")
    assert rules["patient-records.db.ingress-tcp-22-10.160.32.0/20"]["remoteIpPrefix"] == "10.160.32.0/20"


def test_a_rule_of_a_neighbours_subnet_is_not_made_without_its_range(five):
    lower = replace(five.systems["grid-meters"], classification=Classification.OPEN, name="news", project="news")
    mixed = replace(five, systems={**five.systems, "news": lower})
    with pytest.raises(pulumi.RunError, match="tells no range of a subnet"):
        stack.declared(mixed, "grid", rangeless=True)


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


HALF = "invocation of pulumi:pulumi:readStackOutputs returned an error: failed to load checkpoint: EOF"


def test_a_stack_that_is_being_written_is_read_again_a_moment_later(five, monkeypatch):
    monkeypatch.setattr(readers, "PAUSES_S", (0.0, 0.0))
    tourism = {"organization/gdcc/agency-tourism": {"project_ids": {"visitor-guide": "p9"}}}
    cloud = stack.declared(five, "roads", stacks=tourism, refusal=HALF, refusals=2)
    assert cloud.of("Container")["road-counts"]["containerRead"] == "p9:*"
    with pytest.raises(Exception, match="EOF"):
        stack.declared(five, "roads", stacks=tourism, refusal=HALF, refusals=3)


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
