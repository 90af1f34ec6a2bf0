"""A cloud made by hand through the API is taken under management: nothing of it is replaced or deleted."""

import json
from pathlib import Path
from typing import Any

import pytest

from controller.adapters.pulumi import urns
from infra import naming
from tests.lab import by_hand, census
from tests.lab.estate_fixtures import Cloud, cloud, undone
from tests.lab.stacks import Stacks, steps

__all__ = ["cloud"]

pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]

HARMLESS = {"create", "update"}


def test_a_cloud_made_by_hand_is_imported_and_the_first_up_takes_nothing_away(cloud: Cloud) -> None:
    before = census.taken(cloud.admin)
    stacks = cloud.stacks
    words = ("--agency", "roads")
    systems = stacks.estate / "systems.yaml"
    row = f"- name: {by_hand.SYSTEM}\n"
    text = systems.read_text()
    assert text.count(row) == 1
    systems.write_text(text.replace(row, f"{row}  subnet: {by_hand.SUBNET}\n"))
    with undone(cloud, before):
        by_hand.foundation(cloud.admin, cloud.estate)
        by_hand.agency(cloud.admin, cloud.estate)
        made = census.taken(cloud.admin)
        stacks.log_in_by_clouds_yaml("lab")
        stacks.make_foundation()
        stacks.pulumi("config", "set", "openstack:cloud", "lab", stack="foundation")
        del stacks.env["OS_CLOUD"]  # the foundation's file names it
        foundation = stacks.gdcc("import", "--foundation", "--write")["stacks"][0]
        assert {"openstack:compute/flavor:Flavor", "openstack:networking/network:Network"} <= kinds(foundation["found"])
        assert strangers(foundation, "flavor") == [by_hand.STRANGER]
        assert strangers(foundation, "RBAC policy") == [
            f"access_as_external of network {by_hand.EXTERNAL} for every project"
        ]
        first_up_does_what_was_named(stacks, foundation, "--foundation")
        agency = stacks.gdcc("import", *words, "--write")["stacks"][0]
        assert {
            "openstack:identity/project:Project",
            "openstack:networking/network:Network",
            "openstack:networking/router:Router",
            "openstack:networking/routerInterface:RouterInterface",
            "openstack:networking/subnet:Subnet",
            "openstack:objectstorage/container:Container",
            "openstack:compute/serverGroup:ServerGroup",
        } <= kinds(agency["found"])
        (read, write) = agency["settled"]
        assert read.startswith(f"Container {by_hand.CONTAINER}: .r:*,.rlistings may read it now"), read
        assert f"{by_hand.CONTAINER}: " in write and "may write it now, nobody else" in write, write
        assert strangers(agency, "network") == [by_hand.STRANGER]
        first_up_does_what_was_named(stacks, agency, *words)
        assert acl(cloud) == ("", ""), "whom a living container let in was named, and is let in no more"
        guest = ("--agency", "tourism")
        stacks.gdcc("import", *guest, "--write")
        stacks.gdcc("up", *guest)
        (row,) = stacks.gdcc("up", *words, ok=1)["stacks"]
        assert f"would make a second RbacPolicyV2 {by_hand.SYSTEM}.{by_hand.GUEST}" in row["says"], row
        (again,) = stacks.gdcc("import", *words, "--write")["stacks"]
        assert kinds(again["found"]) == {"openstack:networking/rbacPolicyV2:RbacPolicyV2"}
        stacks.gdcc("up", *words)
        assert gone(census.difference(made, census.taken(cloud.admin))) == []
        assert stacks.changed("up", "--foundation", *words, *guest, "--refresh") == {}
        (subnet,) = cloud.admin.network.subnets(name=naming.subnet(naming.network(by_hand.SYSTEM)))
        assert (subnet.cidr, subnet.subnet_pool_id) == (by_hand.SUBNET, None)
        assert objects(cloud) == ["yesterday"]
        (row,) = stacks.gdcc("destroy", *words, "--yes-destroy", "agency-roads", ok=1)["stacks"]
        assert f"{by_hand.CONTAINER} holds objects" in row["says"], row
        assert objects(cloud, delete=True) == ["yesterday"]
        stacks.destroy()
        cloud.give_quota_back()
        left = census.difference(before, census.taken(cloud.admin))
        assert {kind: [line.split()[2] for line in lines] for kind, lines in left.items()} == {
            "flavors": [by_hand.STRANGER],
            "networks": [by_hand.STRANGER],
        }


def first_up_does_what_was_named(stacks: Stacks, imported: dict[str, Any], *words: str) -> None:
    """What the first `up` makes and changes is what the preview named that the import ended with."""
    preview = json.loads((Path(imported["folder"]) / "check" / "output").read_text())
    ops = [(each["urn"], each["op"]) for each in preview["steps"]]
    named = {(urn, op) for urn, op in ops if op != "same" and urns.type_of(urn).startswith("openstack:")}
    (row,) = stacks.gdcc("up", *words)["stacks"]
    done = steps(Path(row["folder"]) / "up" / "events")
    assert done == named
    assert {op for _, op in named} == HARMLESS, "it makes what was missing, and changes what was otherwise"


def acl(cloud: Cloud) -> tuple[str, str]:
    """Whom the container that was made by hand lets read and write, beside its own project."""
    store = cloud.admin.object_store
    own = store.get_endpoint().replace(cloud.admin.current_project_id, cloud.project_id(by_hand.SYSTEM))
    headers = store.head(f"{own}/{by_hand.CONTAINER}").headers
    return headers.get("X-Container-Read", ""), headers.get("X-Container-Write", "")


def objects(cloud: Cloud, *, delete: bool = False) -> list[str]:
    """What lies in the container that was made by hand; deleted, where asked."""
    project = cloud.project_id(by_hand.SYSTEM)
    store = cloud.admin.object_store
    url = f"{store.get_endpoint().replace(cloud.admin.current_project_id, project)}/{by_hand.CONTAINER}"
    names = [row["name"] for row in store.get(url, params={"format": "json"}).json()]
    for name in names if delete else ():
        store.delete(f"{url}/{name}")
    return names


def kinds(found: dict[str, str]) -> set[str]:
    """The types of what an import found, by URN."""
    return {urn.split("::")[2].rpartition("$")[2] for urn in found}


def strangers(row: dict[str, Any], kind: str) -> list[str]:
    """Names of what an import found and no stack declares."""
    return [each["name"] for each in row["undeclared"] if each["kind"] == kind]


def gone(difference: dict[str, list[str]]) -> list[str]:
    """Ids of what was there and is not; what an update changed has its old line and a new one of the same id."""
    lines = [line.split() for rows in difference.values() for line in rows]
    there = {words[1] for words in lines if words[0] == "+"}
    return [words[1] for words in lines if words[0] == "-" and words[1] not in there]
