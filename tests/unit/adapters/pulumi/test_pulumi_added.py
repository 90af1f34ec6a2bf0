"""What was added by hand to what a stack holds, from the cloud's listings and the events of a look for drift."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from controller.adapters.pulumi import added, drift, finding

RECORDED = Path(__file__).with_name("recorded")
GROUP, NETWORK, ROUTER, PROJECT = (
    f"openstack:{each}" for each in (
        "networking/secGroup:SecGroup", "networking/network:Network",
        "networking/router:Router", "identity/project:Project",
    )
)  # fmt: skip


class Listings:
    """A cloud's tables by name, each row once by what was asked of it."""

    def __init__(self, **tables):
        self.tables = tables

    async def rows(self, service, path, table, params=None):
        owner = (params or {}).get("device_owner")
        return [row for row in self.tables.get(table, ()) if owner is None or row["device_owner"] == owner]

    async def find(self, service, path, params=None):
        return self.tables.get(path)


def held(kind, resource_id, stack="agency-tax"):
    urn = f"urn:pulumi:{stack}::gdcc::gdcc:agency:System${kind}::tax-return"
    return drift.Held(urn=urn, type=kind, id=resource_id, inputs={})


def told(holding, shared=(), **tables):
    cloud = finding.Cloud(rows=Listings(**tables), region="R")
    found = asyncio.run(added.to(cloud, holding, shared))
    return {stack: [str(each) for each in rows] for stack, rows in found.items()}


RULE = {
    "id": "rule9", "security_group_id": "sg1", "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp",
    "port_range_min": 22, "port_range_max": 22, "remote_ip_prefix": "10.0.0.0/8", "remote_group_id": None,
}  # fmt: skip
ROLE = {
    "role": {"id": "r1", "name": "member"},
    "user": {"id": "u1", "name": "eve"},
    "scope": {"project": {"id": "p1", "name": "tax"}},
}
SUBNET = {"id": "s9", "name": "side-door", "cidr": "10.9.0.0/24", "network_id": "n1"}
PORT = {
    "id": "port9", "device_id": "ro1", "device_owner": "network:router_interface_distributed",
    "fixed_ips": [{"subnet_id": "s9", "ip_address": "10.9.0.1"}],
}  # fmt: skip
OPENING = {
    "id": "x9", "action": "access_as_shared", "object_type": "network", "object_id": "n1", "target_tenant": "p7",
}  # fmt: skip
FLAVORS = [
    {"id": "f1", "name": "small.open", "os-flavor-access:is_public": False},
    {"id": "f2", "name": "old", "os-flavor-access:is_public": True},
]
TYPES = [{"id": "t1", "name": "open-standard", "os-volume-type-access:is_public": False}]


def test_a_flavor_and_a_volume_type_that_a_project_was_let_into_are_told_and_those_of_its_stack_are_not():
    flavor_access = "openstack:compute/flavorAccess:FlavorAccess"
    tables = {
        "flavors": FLAVORS,
        "volume_types": TYPES,
        "/flavors/f1/os-flavor-access": {"flavor_access": [{"flavor_id": "f1", "tenant_id": "p1"}]},
        "/types/t1/os-volume-type-access": {
            "volume_type_access": [{"volume_type_id": "t1", "project_id": project} for project in ("p1", "p7")]
        },
    }
    added_type = "access to volume type open-standard: added by hand to Project tax-return"
    both = ["access to flavor small.open: added by hand to Project tax-return", added_type]
    assert told({"agency-tax": [held(PROJECT, "p1")]}, **tables) == {"agency-tax": both}
    declared = [held(PROJECT, "p1"), held(flavor_access, "f1/p1")]
    assert told({"agency-tax": declared}, **tables) == {"agency-tax": [added_type]}


@pytest.mark.parametrize(
    ("kind", "resource_id", "table", "row", "said"),
    [
        (GROUP, "sg1", "security_group_rules", RULE, "security group rule ingress IPv4 tcp 22-22 10.0.0.0/8"),
        (PROJECT, "p1", "role_assignments", ROLE, "role member of user eve"),
        (NETWORK, "n1", "subnets", SUBNET, "subnet side-door 10.9.0.0/24"),
        (ROUTER, "ro1", "ports", PORT, "router interface 10.9.0.1"),
        (NETWORK, "n1", "rbac_policies", OPENING, "RBAC policy access_as_shared for project p7"),
    ],
)
def test_what_was_added_to_a_thing_of_a_stack_is_told_with_what_it_was_added_to(kind, resource_id, table, row, said):
    holding = {"agency-tax": [held(kind, resource_id)], "agency-roads": [held(kind, "another")]}
    word = f"{kind.rpartition(':')[2]} tax-return"
    assert told(holding, **{table: [row]}) == {
        "agency-tax": [f"{said}: added by hand to {word}"],
        "agency-roads": [],
    }


def test_what_a_stack_declares_was_not_added_whichever_stack_it_is():
    role = held("openstack:identity/roleAssignment:RoleAssignment", "/p1//u1/r1")
    rule = held("openstack:networking/secGroupRule:SecGroupRule", "rule9", stack="agency-roads")
    holding = {"agency-tax": [held(PROJECT, "p1"), held(GROUP, "sg1"), role], "agency-roads": [rule]}
    assert told(holding, role_assignments=[ROLE], security_group_rules=[RULE]) == {"agency-tax": [], "agency-roads": []}


def test_a_role_in_a_domain_of_ours_is_told_as_well():
    row = {**ROLE, "scope": {"domain": {"id": "d1", "name": "operators"}}}
    assert told({"foundation": [held(PROJECT, "d1", "foundation")]}, role_assignments=[row])["foundation"]


@pytest.mark.parametrize("declared", ["RoleAssignment", "InheritRoleAssignment"])
def test_a_direct_role_and_one_that_is_inherited_are_told_apart(declared):
    direct = {**ROLE, "scope": {"domain": {"id": "d1"}}}
    inherited = {**ROLE, "scope": {"domain": {"id": "d1"}, "OS-INHERIT:inherited_to": "projects"}}
    ours = held(f"openstack:identity/{declared[0].lower()}{declared[1:]}:{declared}", "d1///u1/r1", "foundation")
    holding = {"foundation": [held(PROJECT, "d1", "foundation"), ours]}
    (said,) = told(holding, role_assignments=[direct, inherited])["foundation"]
    assert ("inherited by projects" in said) == (declared == "RoleAssignment")


def test_of_a_stack_that_others_share_only_what_opens_it_to_everybody_is_told():
    holding = {"foundation": [held(NETWORK, "n1", "foundation")]}
    everybody = {**OPENING, "id": "x8", "target_tenant": "*"}
    assert told(holding, shared=("foundation",), rbac_policies=[OPENING, everybody])["foundation"] == [
        "RBAC policy access_as_shared for every project: added by hand to Network tax-return"
    ]


def events(name):
    return (RECORDED / f"{name}.jsonl").read_text().splitlines()


def test_what_a_stack_holds_is_read_from_its_look_for_drift_what_is_gone_too():
    recorded = json.loads((RECORDED / "state.json").read_text())["deployment"]["resources"]
    wanted = {row["id"] for row in recorded if row.get("id") and row["type"].startswith("openstack:")}
    found = {each.id for each in drift.held(events("refresh_no_drift")) if each.type.startswith("openstack:")}
    assert len(found) == len(wanted) and found
    assert "SecGroupRule e4sys-web-https" in map(str, drift.held(events("refresh_drift")))


def test_the_first_credential_to_end_is_the_one_that_counts():
    kind = finding.APPLICATION_CREDENTIAL
    ends = ["2027-03-01T00:00:00Z", "2027-01-01T00:00:00Z", None]
    rows = [drift.Held(urn=f"u::v::{kind}::c", type=kind, id="c", inputs={"expiresAt": each}) for each in ends]
    assert drift.credentials_end(rows) == datetime(2027, 1, 1, tzinfo=UTC)
    assert drift.credentials_end(rows[2:]) is None
