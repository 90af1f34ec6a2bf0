"""What a killed run left: what is taken in is completed, and a credential whose secret died is deleted, no other."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from controller.adapters.pulumi import adopting, credentials, default_rules, finding, importing, state
from controller.adapters.pulumi.urns import type_of

PREVIEW = json.loads((Path(__file__).with_name("recorded") / "preview_new.json").read_text())
EVERY = {each.type.rpartition(":")[2]: each for each in importing.declared(PREVIEW)}


def row(each, **inputs):
    return {"urn": each.urn, "type": each.type, "parent": each.parent, "inputs": inputs, "outputs": {}}


def test_what_the_cloud_cannot_tell_is_filled_in_and_what_it_told_stays():
    group = replace(EVERY["SecGroup"], needs=())
    rows = [row(group, name="e4sys-web")]
    deployment = {"resources": rows}
    assert adopting.fill(deployment, {group.urn: group}) == 1
    assert rows[0]["inputs"]["deleteDefaultRules"] is True
    assert rows[0]["outputs"]["deleteDefaultRules"] is True
    rows[0]["inputs"]["deleteDefaultRules"] = False
    assert adopting.fill(deployment, {group.urn: group}) == 0
    assert rows[0]["inputs"]["deleteDefaultRules"] is False


def test_what_pulumi_writes_without_any_inputs_is_filled_in_too():
    group = replace(EVERY["SecGroup"], needs=())
    bare = {"urn": group.urn, "type": group.type}
    assert adopting.fill({"resources": [bare]}, {group.urn: group}) == 1
    assert bare["inputs"] == bare["outputs"] == {"deleteDefaultRules": True}
    network = EVERY["Network"]
    assert adopting.fill({"resources": [{"urn": network.urn, "type": network.type}]}, {network.urn: network}) == 0


@pytest.mark.parametrize(("read", "filled"), [({"cidr": "10.1.0.0/26"}, 1), ({"cidr": "10.1.0.0/24"}, 0), ({}, 0)])
def test_a_prefix_length_that_the_living_subnet_has_not_is_not_filled_in(read, filled):
    subnet = replace(EVERY["Subnet"], needs=(), inputs={"prefixLength": 26})
    rows = [{**row(subnet), "outputs": read}]
    assert adopting.fill({"resources": rows}, {subnet.urn: subnet}) == filled
    assert rows[0]["inputs"] == ({"prefixLength": 26} if filled else {})


def test_what_an_import_that_was_killed_left_is_completed_from_the_preview_that_would_replace_it():
    group = next(step for step in PREVIEW["steps"] if step["urn"] == EVERY["SecGroup"].urn)
    shown = {"steps": [{**group, "op": op} for op in ("create-replacement", "replace")]}
    gone = {"op": "delete-replaced", "urn": group["urn"], "oldState": group["newState"]}
    (standing,) = {each.urn: each for each in importing.standing({"steps": [*shown["steps"], gone]})}.values()
    rows = [row(standing, name="e4sys-web")]
    assert adopting.fill({"resources": rows}, {standing.urn: standing}) == 1
    assert rows[0]["inputs"]["deleteDefaultRules"] is True
    assert importing.declared(shown) == ()


def test_what_is_taken_in_depends_on_what_the_program_says_and_stands_after_it_in_the_state():
    project, network, subnet = (EVERY[kind] for kind in ("Project", "Network", "Subnet"))
    assert network.urn in subnet.needs and project.urn in subnet.needs
    deployment = {"resources": [row(subnet), row(network), row(EVERY["Flavor"])]}
    assert adopting.fill(deployment, {each.urn: each for each in (subnet, network)}) == 1
    kinds = [type_of(each["urn"]).rpartition(":")[2] for each in deployment["resources"]]
    assert kinds == ["Network", "Subnet", "Flavor"]
    completed = deployment["resources"][1]
    assert completed["dependencies"] == [network.urn], "not on what this state does not hold"
    assert completed["propertyDependencies"]["networkId"] == [network.urn]
    assert adopting.fill(deployment, {each.urn: each for each in (subnet, network)}) == 0


class Neutron:
    """Security groups' rules; what is deleted is gone."""

    def __init__(self, *rules):
        self.rules = {each["id"]: each for each in rules}

    async def rows(self, service, path, table, params=None):
        assert (service, path) == ("network", "/security-group-rules")
        return list(self.rules.values())

    async def write(self, service, method, path):
        assert (service, method) == ("network", "DELETE")
        del self.rules[path.rpartition("/")[2]]


def rule(name, group="g1", **changes):
    return {"id": name, "security_group_id": group, "direction": "egress", "ethertype": "IPv4", "protocol": None,
            "remote_ip_prefix": None, "remote_group_id": None, "port_range_min": None, "port_range_max": None,
            **changes}  # fmt: skip


@pytest.mark.parametrize(("asked", "left"), [(True, ["in", "kept", "narrow", "other", "tcp"]), (False, None)])
def test_a_group_whose_default_rules_the_killed_run_had_not_deleted_loses_them_and_no_other(asked, left):
    rules = [
        *(rule("v4"), rule("v6", ethertype="IPv6"), rule("kept"), rule("other", group="g2")),
        *(rule("tcp", protocol="tcp"), rule("in", direction="ingress"), rule("narrow", remote_ip_prefix="10.0.0.0/8")),
    ]
    neutron = Neutron(*rules)
    group = replace(EVERY["SecGroup"], inputs={"name": "web", "deleteDefaultRules": asked})
    cloud = finding.Cloud(rows=neutron, region="R")
    asyncio.run(default_rules.delete(cloud, [group, EVERY["Network"]], {group.urn: "g1"}, ["kept"]))
    assert sorted(neutron.rules) == (left or sorted(each["id"] for each in rules))


def test_a_group_that_was_not_created_asks_the_cloud_nothing():
    asyncio.run(default_rules.delete(finding.Cloud(rows=None, region="R"), [EVERY["SecGroup"]], {}, []))


LOGIN = "urn:pulumi:s::gdcc::pulumi:providers:openstack::deployer"
WANTED = importing.Declared(
    urn=f"urn:pulumi:s::gdcc::{finding.APPLICATION_CREDENTIAL}::sys",
    type=finding.APPLICATION_CREDENTIAL,
    custom=True,
    parent="",
    provider=f"{LOGIN}::id",
    inputs={
        "name": "sys-deployer-2026-01-01",
        "description": "deployment tool of sys",
        "unrestricted": False,
        "expiresAt": "2027-01-01T00:00:00Z",
    },
    uses={},
)
ASKED_FOR = {
    "id": "c1",
    "name": "sys-deployer-2026-01-01",
    "description": "deployment tool of sys",
    "project_id": "p1",
    "unrestricted": False,
    "expires_at": "2027-01-01T00:00:00.000000",
}


class Keystone:
    """Two users of one name in two domains, and their application credentials; what is deleted is gone."""

    def __init__(self, *credentials):
        self.credentials = {"u1": list(credentials), "u2": [{**ASKED_FOR, "id": "of-the-other-domain"}]}

    async def rows(self, service, path, table, params=None):
        return {
            "domains": [{"id": "default", "name": "Default"}, {"id": "d2", "name": "other"}],
            "users": [
                {"id": "u1", "name": "sys-deployer", "domain_id": "default"},
                {"id": "u2", "name": "sys-deployer", "domain_id": "d2"},
            ],
        }[table]

    async def find(self, service, path, params=None):
        return {"application_credentials": self.credentials[path.split("/")[2]]}

    async def write(self, service, method, path):
        assert (service, method) == ("identity", "DELETE")
        _, _, user, _, gone = path.split("/")
        self.credentials[user] = [each for each in self.credentials[user] if each["id"] != gone]


def standing():
    inputs = {"userName": "sys-deployer", "userDomainName": "Default", "tenantId": "p1"}
    rows = [{"urn": LOGIN, "type": type_of(LOGIN), "id": "id", "inputs": inputs}]
    return state.parsed({"deployment": {"resources": rows}}).resources


async def settled(keystone, kept=()):
    cloud = finding.Cloud(rows=keystone, region="R")
    orphans = await credentials.asked_for(cloud, [WANTED], standing())
    return await credentials.delete(cloud, orphans, set(kept))


def test_a_credential_that_a_killed_run_asked_for_is_deleted_so_that_it_can_be_made_anew():
    keystone = Keystone(ASKED_FOR, {**ASKED_FOR, "id": "c2", "name": "sys-deployer-2025-01-01"})
    assert asyncio.run(settled(keystone)) == {WANTED.urn: "c1"}
    assert [each["id"] for each in keystone.credentials["u1"]] == ["c2"]
    assert len(keystone.credentials["u2"]) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"name": "sys-deployer-2026-01-02"},
        {"description": "made by hand"},
        {"project_id": "p2"},
        {"unrestricted": True},
        {"expires_at": None},
    ],
)
def test_a_credential_that_differs_in_anything_from_what_was_asked_for_stays(other):
    keystone = Keystone({**ASKED_FOR, **other})
    assert asyncio.run(settled(keystone)) == {}
    assert len(keystone.credentials["u1"]) == 1


def test_a_credential_that_the_state_holds_by_now_stays_for_its_run_ended_well_meanwhile():
    keystone = Keystone(ASKED_FOR)
    assert asyncio.run(settled(keystone, kept={"c1"})) == {}
    assert len(keystone.credentials["u1"]) == 1
