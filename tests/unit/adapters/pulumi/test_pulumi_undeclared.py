"""What a living cloud has and nobody declares, kind by kind; what another stack declares is none of it."""

import asyncio

import pytest

from controller.adapters.pulumi import finding, undeclared
from infra import naming
from inventory import generate

PAGE = 2
"""Server groups that the cloud gives at most in one answer."""


class Listings:
    """A cloud's tables by name; of server groups a page at a time, by offset and without a link, as Nova does."""

    def __init__(self, **tables):
        self.tables = tables

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
