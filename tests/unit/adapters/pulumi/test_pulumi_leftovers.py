"""What is open to every project is told, each with what to do; what is private is not."""

import asyncio

from controller.adapters.pulumi import finding, leftovers
from controller.errors import RefusedError


class Services:
    """Listings by table; a Neutron that knows no template of its default group refuses to tell it."""

    def __init__(self, **tables):
        self.tables = tables

    async def rows(self, service, path, table, params=None):
        if table == "default_security_group_rules" and table not in self.tables:
            raise RefusedError("no such path", rule="not-found", where=path)
        if table in {"flavors", "volume_types"}:
            assert params == {"is_public": "None"}, "without it only the public ones are listed"
        return self.tables.get(table, [])


def told(**tables):
    found = asyncio.run(leftovers.found(finding.Cloud(rows=Services(**tables), region="R")))
    return list(leftovers.proposals(found))


def test_nothing_is_said_of_a_cloud_in_which_all_is_private():
    flavors = [{"name": "open.1c2g", "os-flavor-access:is_public": False}]
    types = [{"name": "gold", "is_public": False, "os-volume-type-access:is_public": False}]
    within = {"id": "r1", "direction": "ingress", "remote_group_id": "PARENT", "used_in_default_sg": True}
    assert told(flavors=flavors, volume_types=types, default_security_group_rules=[within]) == []
    assert told() == []


def test_each_public_flavor_and_type_is_told_with_what_to_do():
    flavors = [{"name": "m1.tiny", "os-flavor-access:is_public": True}]
    types = [{"name": "__DEFAULT__", "is_public": True}, {"name": "lvm", "os-volume-type-access:is_public": True}]
    flavor, default, lvm = told(flavors=flavors, volume_types=types)
    assert flavor.startswith("flavor m1.tiny is public") and "delete it" in flavor
    assert "default_volume_type in cinder.conf" in default
    assert "openstack volume type set --private lvm" in lvm


def test_a_template_that_lets_everything_out_is_told_by_its_rules_and_others_are_not():
    out = {"direction": "egress", "protocol": None, "remote_ip_prefix": None, "used_in_default_sg": True}
    rules = [
        {"id": "v4", **out},
        {"id": "v6", **out},
        {"id": "web", **out, "protocol": "tcp"},
        {"id": "narrow", **out, "remote_ip_prefix": "10.0.0.0/8"},
        {"id": "elsewhere", **out, "used_in_default_sg": False},
    ]
    (said,) = told(default_security_group_rules=rules)
    assert said.endswith("openstack default security group rule delete v4 v6")


def test_an_up_is_warned_by_a_sentence_for_each_kind_with_no_more_than_three_names():
    open_ = leftovers.Leftovers(flavors=("a", "b", "c", "d", "e"), volume_types=("gold",), template_rules=("r1", "r2"))
    flavors, types, template = leftovers.warnings(open_)
    assert flavors.startswith("5 flavors are public, for projects of every level: a, b, c and 2 more (")
    assert types.startswith("1 volume type is public, for projects of every level: gold (")
    assert template.startswith("Neutron lets everything out")
    assert list(leftovers.warnings(leftovers.Leftovers())) == []
