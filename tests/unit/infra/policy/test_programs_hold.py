"""The estate's own programs hold every policy, in a preview that knows no id yet and once everything has one."""

import functools
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi_openstack import compute, identity, objectstorage

from infra import naming
from infra import program as stacks
from infra.config import Stack, StackConfig
from infra.foundation import exports
from infra.policy import exceptions, kinds
from infra.policy.meanings import Meanings
from inventory import load
from inventory.model import Classification, Estate
from tests.unit.infra.policy import programs

TODAY = date(2026, 3, 1)
ROLES = {"member": "a1" * 16, "reader": "b2" * 16, "admin": "c3" * 16}
LOGIN = {
    "OS_AUTH_URL": "http://127.0.0.1:1/v3",
    "OS_USERNAME": "admin",
    "OS_PASSWORD": "x",
    "OS_PROJECT_NAME": "admin",
    "OS_REGION_NAME": "RegionOne",
}


@pytest.fixture(scope="module")
def estate() -> Estate:
    return load.load(Path(__file__).parents[4] / "inventory/estates/demo")


@pytest.fixture(autouse=True)
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in LOGIN.items():
        monkeypatch.setenv(key, value)


def settings(agency: str | None) -> StackConfig:
    name = naming.FOUNDATION if agency is None else naming.agency_stack(agency)
    return StackConfig(
        stack=Stack(name=name, agency=agency),
        estate=Path(),
        seed="ab" * 32,
        credentials_from=date(2026, 1, 1),
        roles=ROLES,
    )


def told(estate: Estate) -> Mapping[str, Mapping[str, Any]]:
    """What every stack exports once it is up, as far as others read it."""
    projects: dict[str, dict[str, str]] = {agency: {} for agency in estate.agencies}
    for system in estate.systems.values():
        projects[system.agency][system.name] = f"project-{system.name}"
    return {
        **{naming.agency_stack(agency): {"project_ids": ids} for agency, ids in projects.items()},
        naming.FOUNDATION: {
            exports.FLAVOR_IDS: {name: f"flavor-{name}" for name in estate.flavors},
            exports.VOLUME_TYPE_IDS: {name: f"type-{name}" for name in estate.volume_types},
            exports.IMAGE_IDS: {name: each.id for name, each in estate.images.items()},
            exports.ROLE_IDS: ROLES,
            exports.EXTERNAL_NETWORK_IDS: {level.name.lower(): f"net-{level}" for level in Classification},
            exports.ADDRESS_SCOPE_ID: "scope",
        },
    }


def made_by_foundation(estate: Estate, *, preview: bool = False, **changed: Any) -> list[programs.Registered]:
    build = functools.partial(stacks.declare, estate, None, replace(settings(None), **changed), TODAY)
    return programs.run(naming.FOUNDATION, build, told={}, preview=preview)


@pytest.mark.parametrize("preview", [True, False])
def test_the_foundation_holds_every_policy(estate: Estate, preview: bool) -> None:
    made = made_by_foundation(estate, preview=preview)
    assert len(made) > 50
    assert programs.reports(made) == []


def test_the_reference_estates_foundation_holds_every_policy() -> None:
    estate = load.load(Path(__file__).parents[4] / "inventory/estates/gdcc")
    made = made_by_foundation(estate, login_project="d" * 32, login_quota={"network": -1})
    assert {kinds.NETWORK, kinds.FLAVOR, kinds.VOLUME_TYPE, kinds.AGGREGATE} <= {each.request.type for each in made}
    assert programs.reports(made) == []


def made_by_agency(estate: Estate, agency: str, *, preview: bool = False, **changed: Any) -> list[programs.Registered]:
    config = replace(settings(agency), **changed)
    build = functools.partial(stacks.declare, estate, estate.agencies[agency], config, TODAY)
    return programs.run(config.stack.name, build, told=told(estate), preview=preview)


@pytest.mark.parametrize("agency", ["eeco", "police-region-8", "provincial-administration", "transport"])
def test_an_agency_of_the_demo_holds_every_policy_once_it_is_up(estate: Estate, agency: str) -> None:
    """Agencies of all levels, that publish data to everybody and to each other."""
    made = made_by_agency(estate, agency)
    assert len(made) > 20
    assert programs.reports(made) == []


def test_an_agencys_preview_that_knows_no_id_yet_holds_every_policy(estate: Estate) -> None:
    assert programs.reports(made_by_agency(estate, "public-health", preview=True)) == []


def kept(made: list[programs.Registered]) -> dict[tuple[str, str], bool]:
    """Whether Pulumi's engine keeps it, by kind and name, of all that the cloud has."""
    found = {(each.request.type, each.request.name): each.request.protect for each in made}
    return {key: protect for key, protect in found.items() if key[0].startswith("openstack:")}


def test_the_engine_keeps_all_of_the_protected_kinds_and_nothing_else(estate: Estate) -> None:
    """So plain `pulumi up` refuses to delete or replace it, with a policy pack or without."""
    found = {**kept(made_by_foundation(estate)), **kept(made_by_agency(estate, "public-health"))}
    assert {key for key, protect in found.items() if protect != (key[0] in kinds.PROTECTED)} == set()
    kept_kinds = {kind for kind, _ in found if kind in kinds.PROTECTED}
    assert {kinds.ROUTER, kinds.SUBNET_POOL, kinds.FLAVOR, kinds.ADDRESS_SCOPE, kinds.SERVER_GROUP} <= kept_kinds
    assert {kinds.USER, kinds.GROUP, kinds.PROJECT, kinds.NETWORK, kinds.VOLUME_TYPE} <= kept_kinds


def test_a_stack_for_trials_keeps_nothing(estate: Estate) -> None:
    assert not any(kept(made_by_foundation(estate, protect=False)).values())


@pytest.mark.parametrize("until", [TODAY, date(2026, 2, 28)])
@pytest.mark.parametrize("resource", ["open.1c2g", f"urn:pulumi:foundation::gdcc::x${kinds.FLAVOR}::open.1c2g"])
def test_a_named_exception_lets_its_resource_go_through_its_last_day(
    estate: Estate, resource: str, until: date
) -> None:
    named = exceptions.Named(rule=exceptions.PROTECTED, resource=resource, reason="retired", until=until)
    other = exceptions.Named(rule=exceptions.HOSTS, resource="open.2c4g", reason="moved", until=TODAY)
    found = kept(made_by_foundation(estate, exceptions=(named, other)))
    assert found[kinds.FLAVOR, "open.1c2g"] is (until < TODAY)
    assert found[kinds.FLAVOR, "open.2c4g"] is True


def test_an_agencys_program_tells_the_policies_the_level_of_each_image(estate: Estate) -> None:
    made = made_by_agency(estate, "public-health")
    (told_levels,) = (dict(each.request.object["levels"]) for each in made if each.request.type == kinds.MEANINGS)
    levels = {image.id: image.classification.name.lower() for image in estate.images.values()}
    assert "confidential" in levels.values()
    assert levels.items() <= told_levels.items()


@pytest.mark.parametrize("preview", [True, False])
def test_what_breaks_policies_in_a_program_is_reported_by_them(estate: Estate, preview: bool) -> None:
    """A program of one of each mistake, judged through the SDK's own values."""

    def program() -> None:
        Meanings("told", estate=estate, role_ids=ROLES, flavor_ids={"open.1c2g": "low"})
        tags = ["agency:tax", "classification:secret", "system:return", "tier:basic"]
        project = identity.Project("return", tags=tags, opts=pulumi.ResourceOptions(protect=True))
        user = identity.User("deployer", password="from the seed", default_project_id=project.id)
        compute.FlavorAccess("low", flavor_id="low", tenant_id=project.id)
        identity.RoleAssignment("root", role_id=ROLES["admin"], user_id=user.id, project_id=project.id)
        objectstorage.Container("data", metadata={"classification": "secret"}, container_sync_key="in clear")
        compute.Instance("vm", flavor_id="low", hypervisor_hostname="cmp0001", image_name="ubuntu")

    made = programs.run("agency-tax", program, told={}, preview=preview)
    assert sorted({": ".join(each.split(": ")[:2]) for each in programs.reports(made)}) == [
        "agencies-own-their-things: data",
        "flavors-cleared-for-project: low",
        "no-admin-role: root",
        "no-host-pinning: vm",
        "no-rebuild: vm",
        "no-tenant-servers: vm",
        *(f"protect-is-on: {each}" for each in ("data", "deployer", "vm")),
        "quotas-for-every-project: return",
        "secrets-are-secret: data",
    ]
