"""What a preview would create is found by name in a cloud, and becomes a file that `pulumi import` reads."""

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from controller.adapters.pulumi import beside, finding, fixed, importing, state, undeclared
from controller.adapters.pulumi.runs import Run, StepFailedError
from controller.adapters.pulumi.stacks import Verb
from controller.adapters.pulumi.urns import name_of, type_of
from controller.errors import PermanentError, RefusedError

PREVIEW = json.loads((Path(__file__).with_name("recorded") / "preview_new.json").read_text())


class Rows:
    """A cloud's listings: tables by name, and bodies by path. It filters as the services do."""

    def __init__(self, tables, bodies):
        self.tables, self.bodies, self.accounts = tables, bodies, {}

    async def offers(self, service):
        return False

    async def containers(self, project):
        found = self.accounts.get(project, [])
        if isinstance(found, str):
            raise RefusedError(found, rule="policy", where="GET object-store")
        if isinstance(found, PermanentError):
            raise found
        return [{"name": each} for each in found]

    async def rows(self, service, path, table, params=None):
        asked = params or {}
        rows = [row for row in self.tables.get(table, ()) if row.get("device_id") == asked.get("device_id")]
        domains = asked.get("is_domain") == "true"
        return [row for row in rows if table != "projects" or bool(row.get("is_domain")) == domains]

    async def find(self, service, path, params=None):
        return self.bodies.get(path)


@pytest.fixture
def cloud():
    """One that has everything that the recorded preview declares."""
    tables = {
        "projects": [{"id": "p1", "name": "e4sys", "tags": []}],
        "groups": [{"id": "g1", "name": "e4sys-ops"}],
        "roles": [{"id": "r1", "name": "e4sys-role"}],
        "role_assignments": [
            {"role": {"id": "r1"}, "group": {"id": "g1"}, "scope": {"project": {"id": "p1"}}},
            {"role": {"id": "r1"}, "user": {"id": "u1"}, "scope": {"project": {"id": "p1"}}},
        ],
        "flavors": [{"id": "f1", "name": "e4sys-flavor"}],
        "aggregates": [{"id": 7, "name": "e4sys-agg"}],
        "networks": [{"id": "n1", "name": "e4sys-net", "project_id": "p1"}],
        "subnets": [{"id": "s1", "name": "e4sys-sub", "project_id": "p1", "network_id": "n1"}],
        "security_groups": [{"id": "sg1", "name": "e4sys-web", "project_id": "p1"}],
        "security_group_rules": [
            {
                "id": "rule1",
                "security_group_id": "sg1",
                "direction": "ingress",
                "ethertype": "IPv4",
                "protocol": "tcp",
                "port_range_min": 443,
                "port_range_max": 443,
                "remote_ip_prefix": "10.0.0.0/8",
                "remote_group_id": None,
            }
        ],
    }
    return Rows(tables, {"/flavors/f1/os-flavor-access": {"flavor_access": [{"flavor_id": "f1", "tenant_id": "p1"}]}})


def found(rows):
    return asyncio.run(importing.found(finding.Cloud(rows=rows, region="RegionOne"), importing.declared(PREVIEW)))


def by_kind(ids):
    return {type_of(urn).rpartition(":")[2]: each for urn, each in ids.items()}


def test_everything_is_found_and_what_stands_between_two_gets_an_id_of_theirs(cloud):
    answer = found(cloud)
    assert by_kind(answer.ids) == {
        "Project": "p1",
        "GroupV3": "g1",
        "Role": "r1",
        "RoleAssignment": "/p1/g1//r1",
        "Flavor": "f1",
        "FlavorAccess": "f1/p1",
        "AggregateV2": "7",
        "QuotaSetV2": "p1/RegionOne",
        "Network": "n1",
        "Subnet": "s1",
        "SecGroup": "sg1",
        "SecGroupRule": "rule1",
    }
    assert answer.missing == ()


@pytest.mark.parametrize(
    ("living", "why"),
    [
        ({"os-flavor-access:is_public": True}, "its is_public is true, declared is false"),
        ({"vcpus": 64}, "its vcpus is 64, declared is"),
        ({"ram": 1, "disk": 1}, "its ram is 1, declared is"),
        ({"os-flavor-access:is_public": False}, None),
        ({"swap": 1024}, "its swap is 1024, declared is 0"),
        ({"OS-FLV-EXT-DATA:ephemeral": 20}, "its ephemeral is 20, declared is 0"),
        ({"rxtx_factor": 1.5}, "its rxtx_factor is 1.5, declared is 1"),
        ({"swap": "", "OS-FLV-EXT-DATA:ephemeral": 0, "rxtx_factor": 1.0}, None),
    ],
)
def test_a_flavor_that_the_first_up_would_replace_bars_the_import(cloud, living, why):
    cloud.tables["flavors"] = [{"id": "f1", "name": "e4sys-flavor", **living}]
    barred = found(cloud).barred
    assert bool(barred) == (why is not None)
    assert why is None or (why in barred[0] and "e4sys-flavor cannot become what is declared" in barred[0])


@pytest.mark.parametrize(
    ("living", "declared", "resolved", "barred"),
    [
        ({"subnetpool_id": "pool"}, {"subnetpoolId": importing.UNKNOWN}, {"subnetpoolId": "pool"}, False),
        ({"subnetpool_id": None}, {"subnetpoolId": importing.UNKNOWN}, {"subnetpoolId": "pool"}, True),
        ({"subnetpool_id": None}, {"subnetpoolId": importing.UNKNOWN}, {}, True),
        ({"subnetpool_id": "old"}, {"subnetpoolId": importing.UNKNOWN}, {}, True),
        ({"subnetpool_id": None}, {}, {}, False),
        ({"subnetpool_id": "pool"}, {}, {}, True),
        ({"cidr": "10.1.0.0/24"}, {"cidr": "10.1.0.0/24"}, {"cidr": "10.1.0.0/24"}, False),
        ({"cidr": "10.1.0.0/24"}, {"cidr": "10.9.0.0/16"}, {"cidr": "10.9.0.0/16"}, True),
        ({"cidr": "10.1.0.0/24", "subnetpool_id": "old"}, {"cidr": "10.1.0.0/24"}, {"cidr": "10.1.0.0/24"}, False),
        ({"cidr": "10.1.0.0/24"}, {"prefixLength": 24}, {"prefixLength": 24}, False),
        ({"cidr": "10.1.0.0/24"}, {"prefixLength": 26}, {"prefixLength": 26}, True),
    ],
)
def test_a_subnet_of_another_range_or_pool_bars_the_import(living, declared, resolved, barred):
    assert bool(differing("subnets", fixed.SUBNET, living, declared, resolved)) == barred


def test_what_is_told_to_do_about_a_living_thing_can_be_done(cloud):
    (subnet,) = differing("subnets", fixed.SUBNET, {"subnetpool_id": None}, {"subnetpoolId": importing.UNKNOWN}, {})
    assert "declare its range as it is (`subnet` of its system" in subnet
    cloud.tables["flavors"] = [{"id": "f1", "name": "e4sys-flavor", "os-flavor-access:is_public": True}]
    (flavor,) = found(cloud).barred
    assert "delete it (its servers keep the size" in flavor and "resize" not in flavor


def differing(table, kind, living, declared, resolved):
    rows = Rows({table: [{"id": "x1", **living}]}, {})
    cloud = finding.Cloud(rows=rows, region="RegionOne")
    return asyncio.run(fixed.differing(cloud, kind, "x1", declared, resolved))


@pytest.mark.parametrize("living", [{"policy": "affinity"}, {"policies": ["affinity"]}])
@pytest.mark.parametrize(("policy", "barred"), [("affinity", False), ("anti-affinity", True)])
def test_a_server_group_of_another_policy_bars_the_import(living, policy, barred):
    inputs = {"policies": policy}
    assert bool(differing("server_groups", finding.SERVER_GROUP, living, inputs, inputs)) == barred


@pytest.mark.parametrize(
    ("declared", "rules", "barred"),
    [
        ({"rules": {"maxServerPerHost": 2}}, {"max_server_per_host": 2}, False),
        ({"rules": {"maxServerPerHost": 2}}, {"max_server_per_host": 3}, True),
        ({"rules": {"maxServerPerHost": 2}}, {}, True),
        ({}, {"max_server_per_host": 2}, True),
        ({}, {"max_server_per_host": 1}, False),
        ({}, {}, False),
    ],
)
def test_a_server_group_of_more_or_fewer_on_a_host_bars_the_import(declared, rules, barred):
    inputs = {"policies": "anti-affinity", **declared}
    living = {"policy": "anti-affinity", "rules": rules}
    assert bool(differing("server_groups", finding.SERVER_GROUP, living, inputs, inputs)) == barred


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("openstack:networking/addressScope:AddressScope", "address_scopes"),
        ("openstack:networking/qosPolicy:QosPolicy", "policies"),
    ],
)
def test_a_scope_or_a_limit_of_another_project_is_not_it(kind, table):
    rows = Rows({table: [{"id": "x1", "name": "gdcc", "project_id": "ours"}]}, {})
    cloud = finding.Cloud(rows=rows, region="RegionOne")
    ours, theirs = ({"name": "gdcc", "projectId": project} for project in ("ours", "theirs"))
    assert asyncio.run(finding.FINDERS[kind](cloud, ours)) == ["x1"]
    assert asyncio.run(finding.FINDERS[kind](cloud, theirs)) == []


@pytest.mark.parametrize("owner", finding.INTERFACE_OWNERS)
def test_a_distributed_router_has_one_interface_in_a_subnet(owner):
    there = {"device_id": "r1", "fixed_ips": [{"subnet_id": "s1"}]}
    ports = [
        {"id": "port1", "device_owner": owner, **there},
        {"id": "port2", "device_owner": "network:router_centralized_snat", **there},
    ]
    cloud = finding.Cloud(rows=Rows({"ports": ports}, {}), region="RegionOne")
    find = finding.FINDERS["openstack:networking/routerInterface:RouterInterface"]
    assert asyncio.run(find(cloud, {"routerId": "r1", "subnetId": "s1"})) == ["port1"]


def test_what_needs_a_missing_thing_is_missing_too(cloud):
    cloud.tables["projects"] = []
    assert {type_of(urn).rpartition(":")[2] for urn in found(cloud).missing} == {
        "Project",
        "QuotaSetV2",
        "RoleAssignment",
        "FlavorAccess",
        "Network",
        "Subnet",
        "SecGroup",
        "SecGroupRule",
    }


def test_a_provider_network_is_known_by_its_wire_whoever_owns_it_and_another_wire_is_not_it(cloud):
    inputs = {
        "name": "provider-open",
        "tenantId": "control",
        "segments": [{"networkType": "vlan", "physicalNetwork": "physnet1", "segmentationId": 301}],
    }
    wire = {"provider:network_type": "vlan", "provider:physical_network": "physnet1", "provider:segmentation_id": 301}
    cloud.tables["networks"] = [{"id": "n7", "name": "provider-open", "project_id": "admin", **wire}]
    find = finding.FINDERS["openstack:networking/network:Network"]
    assert asyncio.run(find(finding.Cloud(rows=cloud, region="R"), inputs)) == ["n7"]
    cloud.tables["networks"][0]["provider:segmentation_id"] = 302
    assert asyncio.run(find(finding.Cloud(rows=cloud, region="R"), inputs)) == []


def test_what_opens_our_network_to_everybody_is_told(cloud):
    cloud.tables["rbac_policies"] = [
        {"id": "x1", "action": "access_as_external", "object_type": "network", "object_id": "n1", "target_tenant": "*"},
        {"id": "x2", "action": "access_as_shared", "object_type": "network", "object_id": "n9", "target_tenant": "*"},
    ]
    ids = set(found(cloud).ids.values())
    told = asyncio.run(undeclared.of_the_cloud(finding.Cloud(rows=cloud, region="R"), ids))
    assert [each.name for each in told if each.kind == "RBAC policy"] == [
        "access_as_external of network e4sys-net for every project"
    ]


def test_a_thing_of_the_same_name_in_another_project_is_not_it(cloud):
    cloud.tables["networks"][0]["project_id"] = "p2"
    assert "Network" not in by_kind(found(cloud).ids)


def test_two_of_one_name_are_told_apart_by_tags_and_otherwise_not_at_all(cloud):
    cloud.tables["projects"].append({"id": "p2", "name": "e4sys", "tags": ["agency:x", "system:e4sys"]})
    assert by_kind(found(cloud).ids)["Project"] == "p2"
    cloud.tables["projects"][1]["tags"] = []
    assert {name_of(urn): ids for urn, ids in found(cloud).ambiguous.items()} == {"e4sys": ("p1", "p2")}


def test_a_rule_that_is_wider_than_declared_is_not_it(cloud):
    cloud.tables["security_group_rules"][0]["remote_ip_prefix"] = None
    assert "SecGroupRule" not in by_kind(found(cloud).ids)


def test_the_import_file_puts_children_below_their_component(cloud):
    answer = found(cloud)
    file = importing.import_file(importing.declared(PREVIEW), answer.ids)
    (component,) = (each for each in file["resources"] if each.get("component"))
    others = [each for each in file["resources"] if not each.get("component")]
    assert component["parent"] in file["nameTable"]
    assert file["nameTable"][component["parent"]].endswith("pulumi:pulumi:Stack::gdcc-foundation")
    assert {each["parent"] for each in others} == {component["name"]}
    assert len({each["name"] for each in file["resources"]}) == len(file["resources"])
    assert {each["version"] for each in others} == {"5.5.3"}
    assert len(others) == 12


def test_nothing_found_is_an_empty_file():
    assert importing.import_file(importing.declared(PREVIEW), {})["resources"] == []


LOGIN = "urn:pulumi:s::gdcc::pulumi:providers:openstack::deployer"
PROJECT = "urn:pulumi:s::gdcc::openstack:identity/project:Project::sys"


def made_by_a_login(kind, **inputs):
    """A preview of a project, a login that is not there yet, and one thing that the login makes."""
    rows = [
        {"urn": PROJECT, "type": type_of(PROJECT), "inputs": {"name": "sys"}, "parent": ""},
        {
            "urn": LOGIN,
            "type": importing.PROVIDER,
            "inputs": {"tenantId": importing.UNKNOWN, "userName": "sys-deployer", "userDomainName": "Default"},
            "propertyDependencies": {"tenantId": [PROJECT]},
            "dependencies": [PROJECT],
        },
        {
            "urn": f"urn:pulumi:s::gdcc::{kind}::web",
            "type": kind,
            "inputs": inputs,
            "provider": f"{LOGIN}::{importing.UNKNOWN}",
        },
    ]
    return {"steps": [{"op": "create", "newState": {"custom": True, **row}, "urn": row["urn"]} for row in rows]}


@pytest.fixture
def living():
    """A cloud with a project, its service user, and another project's server group of the same name."""
    tables = {
        "projects": [{"id": "p1", "name": "sys", "tags": []}],
        "domains": [{"id": "default", "name": "Default"}, {"id": "d2", "name": "other"}],
        "users": [
            {"id": "u1", "name": "sys-deployer", "domain_id": "default"},
            {"id": "u2", "name": "sys-deployer", "domain_id": "d2"},
        ],
        "server_groups": [{"id": "theirs", "name": "web", "project_id": "p2"}],
    }
    return Rows(tables, {})


def looked_for(rows, preview, standing=()):
    cloud = finding.Cloud(rows=rows, region="R")
    return asyncio.run(importing.found(cloud, importing.declared(preview), standing))


def test_a_server_group_is_found_in_its_logins_project_and_imported_once_the_login_is_there(living):
    living.tables["server_groups"].append({"id": "ours", "name": "web", "project_id": "p1"})
    preview = made_by_a_login(finding.SERVER_GROUP, name="web")
    answer = looked_for(living, preview)
    assert (answer.ids, answer.missing) == ({PROJECT: "p1"}, ())
    assert list(answer.later.values()) == ["ours"]
    file = importing.import_file(importing.declared(preview), answer.later)
    (entry,) = file["resources"]
    assert file["nameTable"][entry["provider"]] == LOGIN


def test_a_server_group_of_another_project_is_not_it(living):
    answer = looked_for(living, made_by_a_login(finding.SERVER_GROUP, name="web"))
    assert answer.later == {}
    assert [name_of(urn) for urn in answer.missing] == ["web"]


def test_a_container_is_found_in_its_logins_account_and_imported_by_its_name_once_the_login_is_there(living):
    living.accounts = {"p1": ["counts", "others"], "p2": ["web"]}
    answer = looked_for(living, made_by_a_login(finding.CONTAINER, name="counts"))
    assert (list(answer.later.values()), answer.barred) == (["counts"], ())
    answer = looked_for(living, made_by_a_login(finding.CONTAINER, name="web"))
    assert (answer.later, [name_of(urn) for urn in answer.missing]) == ({}, ["web"])


def test_whom_a_living_container_lets_in_and_will_not_after_the_first_up_is_named():
    urn = f"urn:pulumi:s::gdcc::{finding.CONTAINER}::counts"

    def step(old, new, op="update"):
        return {"op": op, "urn": urn, "oldState": {"inputs": old}, "newState": {"inputs": new}}

    living = {"containerRead": ".r:*,.rlistings", "containerWrite": "p9:*"}
    assert importing.closed({"steps": [step(living, {"containerRead": "p1:*"})]}) == (
        "Container counts: .r:*,.rlistings may read it now, p1:* after the next up",
        "Container counts: p9:* may write it now, nobody else after the next up",
    )
    same = step({"containerRead": "p1:*"}, {"containerRead": "p1:*", "metadata": {"system": "x"}})
    assert importing.closed({"steps": [same, step({}, {}, op="same"), step({}, {"containerRead": "p1:*"})]}) == ()


def test_a_container_in_an_account_that_nobody_can_see_bars_the_way(living):
    living.accounts = {"p1": "not for you"}
    (said,) = looked_for(living, made_by_a_login(finding.CONTAINER, name="counts")).barred
    assert "whether project p1 has a container counts already" in said and "reseller_admin_role" in said
    living.tables["projects"] = []
    assert looked_for(living, made_by_a_login(finding.CONTAINER, name="counts")).barred == ()


def test_a_container_of_a_store_that_names_no_account_bars_an_import_alone_and_an_up_is_warned(living, tmp_path):
    living.accounts = {"p1": PermanentError("its URL names no account", where="GET object-store")}
    preview = made_by_a_login(finding.CONTAINER, name="counts")
    answer = looked_for(living, preview)
    (said,) = answer.unasked
    assert answer.barred == () and "p1 has a container counts already" in said and "names no account" in said
    run = Run(stack="agency-tax", verb=Verb.UP, folder=tmp_path)
    run.output("preview").parent.mkdir()
    run.output("preview").write_text(json.dumps({"steps": preview["steps"][2:]}))

    @asynccontextmanager
    async def opened():
        yield finding.Cloud(rows=living, region="R")

    login = standing(LOGIN, {"tenantId": "p1", "userName": "sys-deployer", "userDomainName": "Default"})
    asyncio.run(beside.guard(opened)(run, state.State(resources=login, pending=())))
    assert run.settled == (f"warning: made all the same: {said}",)


SHARED = {
    "objectType": "network", "objectId": "n1", "action": "access_as_shared", "targetTenant": "p2",
}  # fmt: skip


def shared_by(project):
    return {"id": "rbac1", "object_type": "network", "object_id": "n1", "action": "access_as_shared",
            "target_tenant": "p2", "project_id": project}  # fmt: skip


def test_a_sharing_of_the_logins_project_is_found_and_anothers_of_the_same_bars_the_way(living):
    preview = made_by_a_login(finding.RBAC_POLICY, **SHARED)
    assert looked_for(living, preview).barred == ()
    living.tables["rbac_policies"] = [shared_by("p1")]
    assert list(looked_for(living, preview).later.values()) == ["rbac1"]
    living.tables["rbac_policies"] = [shared_by("admins")]
    answer = looked_for(living, preview)
    assert (answer.later, [name_of(urn) for urn in answer.missing]) == ({}, ["web"])
    (said,) = answer.barred
    assert said.startswith("RBAC policy rbac1 is project admins's and opens network n1 to p2 as declared: delete it")


@pytest.mark.parametrize("project", ["p1", "admins"])
def test_an_up_that_would_make_a_sharing_that_lives_is_refused_before_neutron_refuses_it_in_the_middle(living, project):
    """As the second pass of agencies that were both imported: no preview before it showed the policy."""
    wanted = importing.declared({"steps": made_by_a_login(finding.RBAC_POLICY, **SHARED)["steps"][2:]})
    login = standing(LOGIN, {"tenantId": "p1", "userName": "sys-deployer", "userDomainName": "Default"})
    asked = beside.questions(wanted, login)
    assert asked == wanted
    living.tables["rbac_policies"] = [shared_by(project)]
    found = asyncio.run(importing.found(finding.Cloud(rows=living, region="R"), asked, login))
    with pytest.raises(StepFailedError, match="rbac1"):
        beside.refuse("agency-tax", found)
    unborn = made_by_a_login(finding.RBAC_POLICY, **{**SHARED, "objectId": importing.UNKNOWN})
    assert beside.questions(importing.declared(unborn), ()) == ()


def test_an_up_that_would_make_a_container_over_a_living_one_is_refused(living):
    wanted = importing.declared({"steps": made_by_a_login(finding.CONTAINER, name="web")["steps"][2:]})
    login = standing(LOGIN, {"tenantId": "p1", "userName": "sys-deployer", "userDomainName": "Default"})
    assert beside.questions(wanted, login) == wanted
    living.accounts = {"p1": ["web"]}
    found = asyncio.run(importing.found(finding.Cloud(rows=living, region="R"), wanted, login))
    with pytest.raises(StepFailedError, match=r"second Container web beside web, which lives.*import --agency tax"):
        beside.refuse("agency-tax", found)
    with pytest.raises(StepFailedError, match="import --foundation --write"):
        beside.refuse("foundation", found)


def test_only_what_the_logins_hang_on_is_made_before_the_rest_is_imported(living):
    living.tables["server_groups"].append({"id": "ours", "name": "web", "project_id": "p1"})
    preview = made_by_a_login(finding.SERVER_GROUP, name="web")
    later = looked_for(living, preview).later
    assert importing.logins(preview, later) == (PROJECT, LOGIN)
    preview["steps"][0]["op"] = "update"
    assert importing.logins(preview, later) == (LOGIN,)


def test_a_credential_that_is_left_over_bars_the_way_and_is_told_with_what_to_do(living):
    preview = made_by_a_login(finding.APPLICATION_CREDENTIAL, name="sys-deployer-2026-01-01")
    assert looked_for(living, preview).barred == ()
    living.bodies["/users/u1/application_credentials"] = {
        "application_credentials": [{"id": "c0", "name": "another"}, {"id": "c1", "name": "sys-deployer-2026-01-01"}]
    }
    (said,) = looked_for(living, preview).barred
    assert "DELETE /v3/users/u1/application_credentials/c1" in said and "gdcc:credentialsFrom" in said


@pytest.mark.parametrize(("living", "missing"), [("10.8.0.0/26", []), ("10.8.0.64/26", ["SecGroupRule"])])
def test_a_rule_whose_peer_is_a_subnet_is_found_by_that_ones_range(cloud, living, missing):
    preview = json.loads(json.dumps(PREVIEW))
    states = {step["newState"]["type"]: step["newState"] for step in preview["steps"] if step.get("newState")}
    subnet, rule = states["openstack:networking/subnet:Subnet"], states[finding.SECURITY_RULE]
    rule["inputs"]["remoteIpPrefix"] = importing.UNKNOWN
    rule["propertyDependencies"]["remoteIpPrefix"] = [subnet["urn"]]
    cloud.tables["subnets"][0]["cidr"] = "10.8.0.0/26"
    cloud.tables["security_group_rules"][0]["remote_ip_prefix"] = living
    looked = finding.Cloud(rows=cloud, region="RegionOne")
    wanted = importing.declared(preview)
    wanted = (*(each for each in wanted if each.urn != rule["urn"]), *(w for w in wanted if w.urn == rule["urn"]))
    answer = asyncio.run(importing.found(looked, wanted))
    assert [type_of(urn).rpartition(":")[2] for urn in answer.missing] == missing


def test_a_rule_in_other_words_that_neutron_would_refuse_beside_ours_bars_the_way(cloud):
    preview = json.loads(json.dumps(PREVIEW))
    (rule,) = (each for each in preview["steps"] if each.get("newState", {}).get("type") == finding.SECURITY_RULE)
    rule["newState"]["inputs"]["remoteIpPrefix"] = "0.0.0.0/0"
    cloud.tables["security_group_rules"][0]["remote_ip_prefix"] = None
    answer = asyncio.run(importing.found(finding.Cloud(rows=cloud, region="R"), importing.declared(preview)))
    (said,) = answer.barred
    assert said.startswith("rule rule1 of security group sg1 says no range where 0.0.0.0/0 is declared")


def standing(urn, inputs):
    return state.parsed(
        {"deployment": {"resources": [{"urn": urn, "type": type_of(urn), "id": "x", "inputs": inputs}]}}
    ).resources


def test_an_up_that_would_make_a_second_group_in_a_living_project_is_refused(living):
    preview = made_by_a_login(finding.SERVER_GROUP, name="web")
    wanted = importing.declared({"steps": preview["steps"][2:]})
    assert beside.questions(wanted, ()) == ()
    assert beside.questions(importing.declared(preview), ()) == (), "in a project of this run nothing stands yet"
    login = standing(LOGIN, {"tenantId": "p1", "userName": "sys-deployer", "userDomainName": "Default"})
    asked = beside.questions(wanted, login)
    assert asked == wanted
    cloud = finding.Cloud(rows=living, region="R")
    beside.refuse("agency-tax", asyncio.run(importing.found(cloud, asked, login)))
    living.tables["server_groups"].append({"id": "ours", "name": "web", "project_id": "p1"})
    cloud = finding.Cloud(rows=living, region="R")
    with pytest.raises(StepFailedError, match=r"second ServerGroup web beside ours.*import --agency tax"):
        beside.refuse("agency-tax", asyncio.run(importing.found(cloud, asked, login)))
    barred = importing.Found(ids={"u::v::k:ServerGroup::web": "ours"}, missing=(), ambiguous={}, barred=("replaced",))
    with pytest.raises(StepFailedError, match="second ServerGroup"):  # what bars its import, that import tells
        beside.refuse("agency-tax", barred)


def test_what_is_declared_nowhere_is_named_and_what_services_make_by_themselves_is_not(cloud):
    cloud.tables["networks"].append({"id": "n2", "name": "by-hand", "project_id": "p1"})
    cloud.tables["networks"].append({"id": "n3", "name": "not-ours", "project_id": "p9"})
    cloud.tables["security_groups"].append({"id": "sg0", "name": "default", "project_id": "p1"})
    ids = set(found(cloud).ids.values())
    strangers = asyncio.run(undeclared.of_projects(finding.Cloud(rows=cloud, region="R"), {"p1"}, ids))
    told = [(each.kind, each.name) for each in strangers]
    assert told == [("network", "by-hand"), ("role assignment", "r1 of user u1")]


def test_projects_that_the_estate_does_not_name_are_told(cloud):
    cloud.tables["projects"] += [{"id": "p3", "name": "forgotten"}, {"id": "p4", "name": "gdcc-control"}]
    strangers = asyncio.run(undeclared.projects(finding.Cloud(rows=cloud, region="R"), {"e4sys"}, {"p4"}))
    assert [each.name for each in strangers] == ["forgotten"]


def test_a_project_that_acts_as_a_domain_is_found_though_keystone_lists_it_only_when_asked(cloud):
    cloud.tables["projects"].append({"id": "d1", "name": "gdcc-operators", "is_domain": True})
    row = {
        "urn": "urn:pulumi:s::gdcc::openstack:identity/project:Project::gdcc-operators",
        "type": "openstack:identity/project:Project",
        "custom": True,
        "inputs": {"name": "gdcc-operators", "isDomain": True},
    }
    wanted = importing.declared({"steps": [{"op": "create", "newState": row}]})
    answer = asyncio.run(importing.found(finding.Cloud(rows=cloud, region="R"), wanted))
    assert list(answer.ids.values()) == ["d1"]


def test_a_network_is_found_though_the_limit_it_is_to_get_does_not_exist_yet() -> None:
    limited = importing.Declared(
        urn="urn:pulumi:foundation::gdcc::openstack:networking/network:Network::provider-open",
        type="openstack:networking/network:Network",
        custom=True,
        parent="",
        provider="",
        inputs={"name": "provider-open", "qosPolicyId": importing.UNKNOWN},
        uses={"qosPolicyId": ("urn:of:a:policy",)},
    )
    assert importing.resolved(limited, {}) == {"name": "provider-open"}
    assert importing.resolved(limited, {"urn:of:a:policy": "q1"}) == {"name": "provider-open", "qosPolicyId": "q1"}
