"""A quota set beneath what its project uses is refused before anything is touched, with what is used."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from controller.adapters.pulumi import beside, finding, state, used
from controller.adapters.pulumi.runs import Run, StepFailedError
from controller.adapters.pulumi.stacks import Verb

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


def step(op, kind, new, old=None):
    urn = f"urn:pulumi:agency-tax::gdcc::{kind}::harbour"
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


def test_the_foundations_own_quotas_follow_from_no_estate_and_are_not_judged(tmp_path):
    lower = step("update", NOVA, {"cores": 1, "projectId": PROJECT}, {"cores": 9})
    assert judged(tmp_path, lower, stack="foundation") == ("", [])
