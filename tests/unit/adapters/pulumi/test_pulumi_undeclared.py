"""What a living cloud has and nobody declares, kind by kind; what another stack declares is none of it."""

import asyncio

import pytest

from controller.adapters.pulumi import finding, undeclared
from controller.errors import RefusedError
from infra import naming
from inventory import generate

PAGE = 2
"""Server groups that the cloud gives at most in one answer."""


class Listings:
    """A cloud's tables by name; of server groups a page at a time, by offset and without a link, as Nova does."""

    def __init__(self, services=(), accounts=None, **tables):
        self.tables, self.services, self.accounts = tables, services, accounts or {}

    async def offers(self, service):
        return service in self.services

    async def containers(self, project):
        if project not in self.accounts:
            raise RefusedError("not yours", rule="policy", where="GET object-store")
        return [{"name": each} for each in self.accounts[project]]

    async def rows(self, service, path, table, params=None):
        rows = list(self.tables.get(table, ()))
        offset = int((params or {}).get("offset", 0))
        return rows[offset : offset + PAGE] if table == "server_groups" else rows


def told(look, *args, **tables):
    found = asyncio.run(look(finding.Cloud(rows=Listings(**tables), region="R"), *args))
    return [(each.kind, each.name) for each in found]


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        ("users", "user"),
        ("groups", "group"),
        ("subnetpools", "subnet pool"),
        ("policies", "network QoS policy"),
        ("qos_specs", "volume QoS"),
        ("images", "public image"),
        ("volume_types", "volume type"),
        ("domains", "domain"),
        ("roles", "role"),
    ],
)
def test_what_stands_in_no_project_is_listed_unless_a_stack_has_it(table, kind):
    rows = [{"id": "1", "name": "forgotten"}, {"id": "2", "name": "ours"}]
    assert told(undeclared.of_the_cloud, {"2"}, **{table: rows}) == [(kind, "forgotten")]


def test_what_stands_in_our_project_is_listed_and_what_stands_in_anothers_is_not():
    volumes = [{"id": each, "name": each, "os-vol-tenant-attr:tenant_id": each} for each in ("p1", "p2")]
    groups = [{"id": each, "name": each, "project_id": "p1"} for each in "abcde"]
    found = told(undeclared.of_projects, {"p1"}, {"e"}, volumes=volumes, server_groups=groups)
    assert found == [*(("server group", each) for each in "abcd"), ("volume", "p1")]


@pytest.mark.parametrize(
    ("table", "kind", "owner", "label"),
    [
        ("floatingips", "floating IP", "project_id", "floating_ip_address"),
        ("address_groups", "address group", "project_id", "name"),
        ("images", "image", "owner", "name"),
        ("snapshots", "snapshot", "os-extended-snapshot-attributes:project_id", "name"),
        ("backups", "backup", "os-backup-project-attr:project_id", "name"),
        ("loadbalancers", "load balancer", "project_id", "name"),
    ],
)
def test_every_kind_of_our_project_is_listed_unless_a_stack_has_it(table, kind, owner, label):
    rows = [{"id": each, label: each, owner: project} for each, project in (("a", "p1"), ("b", "p2"), ("c", "p1"))]
    found = told(undeclared.of_projects, {"p1"}, {"c"}, services=("load-balancer",), **{table: rows})
    assert found == [(kind, "a")]


def test_where_there_is_no_load_balancing_nobody_is_asked_for_it():
    rows = [{"id": "a", "name": "a", "project_id": "p1"}]
    assert told(undeclared.of_projects, {"p1"}, set(), loadbalancers=rows) == []


def test_only_the_security_group_of_every_project_is_built_in_and_nothing_else_of_its_name():
    rows = [{"id": "a", "name": "default", "project_id": "p1"}]
    found = told(undeclared.of_projects, {"p1"}, set(), security_groups=rows, networks=rows)
    assert found == [("network", "default")]
    assert told(undeclared.of_the_cloud, set(), subnetpools=rows, roles=[{"id": "r", "name": "member"}]) == [
        ("subnet pool", "default")
    ]


def test_containers_are_listed_by_account_and_one_that_is_hidden_is_told_as_such():
    accounts = {"p1": ["counts", "forgotten"]}
    found = told(undeclared.of_projects, {"p1", "p2"}, {"counts"}, services=("object-store",), accounts=accounts)
    assert found[0] == ("container", "forgotten")
    assert found[1][0] == "containers" and found[1][1].startswith("nobody can tell: ")


def test_roles_that_were_given_on_our_projects_by_hand_are_listed():
    given = [
        {"role": {"id": "r1", "name": "admin"}, "user": {"id": "u1", "name": "ada"}, "scope": {"project": {"id": p}}}
        for p in ("p1", "p2")
    ]
    declared = {"role": {"id": "r1"}, "group": {"id": "g1"}, "scope": {"project": {"id": "p1"}}}
    found = told(undeclared.of_projects, {"p1"}, {"/p1/g1//r1"}, role_assignments=[*given, declared])
    assert found == [("role assignment", "admin of user ada")]


def test_networks_in_projects_that_no_stack_has_are_listed_and_routers_own_and_external_ones_are_not():
    projects = [{"id": "p1", "name": "filing"}, {"id": "p2", "name": "forgotten"}]
    networks = [
        {"id": "1", "name": "ours", "project_id": "p1"},
        {"id": "2", "name": "theirs", "project_id": "p2"},
        {"id": "3", "name": "HA network tenant p1", "project_id": ""},
        {"id": "4", "name": "out", "project_id": "p2", "router:external": True},
    ]
    found = told(undeclared.elsewhere, {"filing"}, set(), projects=projects, networks=networks)
    assert found == [("network", "theirs")]


def test_what_an_agencys_stack_declares_is_no_stranger_to_the_foundation():
    estate = generate.estate(60, 1)
    agency, system, image = (next(iter(each)) for each in (estate.agencies, estate.systems, estate.images))
    declared = {
        "users": naming.service_user(system),
        "groups": naming.operators_group(agency),
        "subnetpools": naming.subnet_pool(agency),
    }
    tables = {table: [{"id": "1", "name": name}, {"id": "2", "name": "not-ours"}] for table, name in declared.items()}
    tables["groups"].append({"id": "3", "name": naming.auditors_group(agency)})
    tables["images"] = [{"id": estate.images[image].id, "name": "renamed"}]
    found = told(undeclared.of_the_cloud, set(), undeclared.named(estate), **tables)
    assert found == [(kind, "not-ours") for kind in ("subnet pool", "user", "group")]
