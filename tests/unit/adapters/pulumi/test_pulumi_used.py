"""A quota set beneath what its project uses is refused before anything is touched, with what is used."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from controller.adapters.pulumi import beside, finding, state, used
from controller.adapters.pulumi.runs import Run, StepFailedError
from controller.adapters.pulumi.stacks import Verb
from controller.errors import PermanentError

PROJECT = "a1" * 16
NOVA = "openstack:compute/quotaSetV2:QuotaSetV2"
CINDER = "openstack:blockstorage/quoteSetV3:QuoteSetV3"
NEUTRON = "openstack:networking/quotaV2:QuotaV2"


class Usage:
    """Three services that tell what a project uses."""

    def __init__(self):
        self.asked = []

    async def find(self, service, path, params=None):
        self.asked.append(path)
        return {
            "compute": {"quota_set": {"cores": {"in_use": 12, "reserved": 2}, "ram": {"in_use": 8192}}},
            "block-storage": {"quota_set": {"gigabytes_gold": {"in_use": 200, "reserved": 0}}},
            "network": {"quota": {"port": {"used": 30}}},
        }[service]


def step(op, kind, new, old=None, name="harbour"):
    urn = f"urn:pulumi:agency-tax::gdcc::{kind}::{name}"
    made = {"op": op, "urn": urn, "newState": {"urn": urn, "type": kind, "custom": True, "inputs": new}}
    return {**made, "oldState": {"inputs": old}} if old is not None else made


def judged(tmp_path, *steps, usage=True, stack="agency-tax"):
    """What an `up` is refused for, and what the cloud was asked."""
    run = Run(stack=stack, verb=Verb.UP, folder=tmp_path)
    run.output("preview").parent.mkdir()
    run.output("preview").write_text(json.dumps({"steps": steps}))
    cloud = Usage()

    @asynccontextmanager
    async def opened():
        yield finding.Cloud(rows=cloud, region="R")

    said = ""
    try:
        asyncio.run(beside.guard(opened, usage=usage)(run, state.State(resources=(), pending=())))
    except StepFailedError as failed:
        said = failed.said
    return said, cloud.asked


@pytest.mark.parametrize(
    ("kind", "new", "old", "said"),
    [
        (NOVA, {"cores": 13, "ram": 4096}, {"cores": 99, "ram": 9999}, "cores 13 where 14 are in use, ram 4096 MiB "),
        (NOVA, {"cores": 13}, {"cores": -1}, "cores 13 where 14"),
        (NOVA, {"cores": 13}, {"cores": 12}, "cores 13 where 14"),
        (CINDER, {"volumeTypeQuota": {"gigabytes_gold": "100"}}, {"gigabytes": 300}, "100 GiB where 200 GiB"),
        (NEUTRON, {"port": 20}, {"port": 50}, "port 20 where 30 are in use"),
        (NEUTRON, {"port": 20}, None, "port 20 where 30 are in use"),
    ],
)
def test_a_quota_beneath_what_is_used_is_refused_with_what_is_used(tmp_path, kind, new, old, said):
    of = {"projectId": PROJECT}
    found, _ = judged(tmp_path, step("update" if old else "create", kind, {**new, **of}, old and {**old, **of}))
    assert found.startswith(f"{kind.rpartition(':')[2]} harbour would allow ") and said in found
    assert "raise the quota in the estate" in found


@pytest.mark.parametrize(
    ("op", "new", "old"),
    [
        ("update", {"cores": 14}, {"cores": 99}),
        ("update", {"cores": 9, "ram": 8192}, {"cores": 9, "ram": 9999}),
        ("update", {"cores": -1}, {"cores": 99}),
        ("same", {"cores": 1}, {"cores": 99}),
    ],
)
def test_a_quota_that_holds_what_is_used_or_stays_as_it_was_may_be_written(tmp_path, op, new, old):
    of = {"projectId": PROJECT}
    assert judged(tmp_path, step(op, NOVA, {**new, **of}, {**old, **of}))[0] == ""


def test_a_project_that_is_made_now_and_a_cloud_that_nobody_named_are_not_asked(tmp_path):
    new = step("create", NOVA, {"cores": 1, "projectId": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"})
    assert used.changed({"steps": [new]}) == ()
    lower = step("update", NOVA, {"cores": 1, "projectId": PROJECT}, {"cores": 9})
    assert judged(tmp_path, lower, usage=False) == ("", [])


def test_the_control_projects_quotas_follow_from_no_estate_and_are_not_judged(tmp_path):
    lower = step("update", NOVA, {"cores": 1, "projectId": PROJECT}, {"cores": 9})
    assert judged(tmp_path, lower, stack="foundation") == ("", [])


def test_the_quota_of_pulumis_own_project_is_judged_and_it_is_said_where_it_is_raised(tmp_path):
    lower = step("create", NEUTRON, {"port": 20, "projectId": PROJECT}, name="login")
    said, _ = judged(tmp_path, lower, stack="foundation")
    assert "QuotaV2 login would allow port 20 where 30 are in use: raise gdcc:loginQuota" in said


@pytest.mark.parametrize("answer", [None, {}, {"quota": {}}])
def test_a_neutron_that_tells_no_quota_of_the_logins_project_is_an_error_of_its_own(answer):
    class Neutron:
        async def find(self, service, path, params=None):
            return answer

    with pytest.raises(PermanentError, match=f"tells no quota of project {PROJECT}"):
        asyncio.run(used.neutrons(finding.Cloud(rows=Neutron(), region="R"), PROJECT))


def test_what_the_logins_project_has_is_what_it_may_or_uses_whichever_is_more():
    class Neutron:
        async def find(self, service, path, params=None):
            assert (service, path) == ("network", f"/quotas/{PROJECT}/details")
            rows = {"network": (100, 7), "port": (500, 900), "router": (-1, 3)}
            return {
                "quota": {key: {"limit": limit, "used": used, "reserved": 0} for key, (limit, used) in rows.items()}
            }

    found = asyncio.run(used.neutrons(finding.Cloud(rows=Neutron(), region="R"), PROJECT))
    assert found == {"network": 100, "port": 900, "router": -1}
