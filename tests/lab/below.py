"""What a project of a high level is refused: the flavors and volume types of the levels below its own."""

from typing import Any

from tests.lab import census
from tests.lab.estate_fixtures import Cloud
from tests.lab.tenant import Tenant

DEFAULT_TYPE = "__DEFAULT__"
"""Cinder's own volume type, and public; no project has room in it."""

OVER_QUOTA = 413


def refused(declared: Cloud, tenant: Tenant) -> None:
    """What is refused is the flavor and the volume type: the same words with the project's own are accepted."""
    assert tenant.sees("compute", "flavors") == {"small.confidential"}
    wanted = {"name": "below", "imageRef": declared.image.id, "networks": "none"}
    for name in ("small.open", "small.internal"):
        flavor = declared.admin.compute.find_flavor(name, ignore_missing=False).id
        status, said = boot(tenant, {**wanted, "flavorRef": flavor})
        assert status == 400 and f"Flavor {flavor} could not be found" in said, said
    own = declared.admin.compute.find_flavor("small.confidential", ignore_missing=False).id
    status, said = boot(tenant, {**wanted, "flavorRef": own})
    assert status == 202, said
    declared.clear()
    assert tenant.sees("block_storage", "types") == {"confidential-standard", DEFAULT_TYPE}
    types = {each["name"]: each["id"] for each in census.volume_types(declared.admin)}
    for name in ("open-standard", "internal-standard"):
        status, said = volume(tenant, {"size": 1, "volume_type": types[name]})
        assert status == 404 and f"Volume type {types[name]} could not be found" in said, said
    for default in ({"size": 1}, {"size": 1, "volume_type": types[DEFAULT_TYPE]}):
        assert volume(tenant, default)[0] == OVER_QUOTA
    assert not list(declared.admin.block_storage.volumes(all_projects=True))


def boot(tenant: Tenant, server: dict[str, Any]) -> tuple[int, str]:
    return tenant.answer("compute", "POST", "/servers", json={"server": server}, microversion="2.37")


def volume(tenant: Tenant, wanted: dict[str, Any]) -> tuple[int, str]:
    return tenant.answer("block_storage", "POST", "/volumes", json={"volume": wanted})
