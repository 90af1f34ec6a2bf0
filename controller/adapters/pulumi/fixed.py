"""What no update changes: a living thing that differs in it would be replaced by the first `up` after its import.

By type: the inputs that replace (`ForceNew` in the provider's schema) and that tell nothing apart, so that a thing is
found without them, and the fields of the API that hold them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from controller.adapters.pulumi.finding import Cloud, Inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Where the rows of a kind are listed, and the field of each input."""

    service: str
    path: str
    table: str
    fields: Mapping[str, str]
    remedy: str
    params: Mapping[str, str]


_NOT_YET = "one that is not there yet"

FIXED: Mapping[str, Fixed] = {
    "openstack:compute/flavor:Flavor": Fixed(
        service="compute",
        path="/flavors/detail",
        table="flavors",
        fields={"isPublic": "os-flavor-access:is_public", "vcpus": "vcpus", "ram": "ram", "disk": "disk"},
        remedy="declare it under another name, and resize its servers to that one",
        params={"is_public": "None"},
    ),
    "openstack:networking/subnet:Subnet": Fixed(
        service="network",
        path="/subnets",
        table="subnets",
        fields={"subnetpoolId": "subnetpool_id"},
        remedy="leave its network out of the estate until its servers have moved to one that is in the pool",
        params={},
    ),
}


async def differing(cloud: Cloud, kind: str, identity: str, declared: Inputs, resolved: Inputs) -> list[str]:
    """Why this living thing would be replaced, in a sentence for people; empty where it would not.

    `declared` are its inputs as the program says them, `resolved` the same with what is known of other resources: an
    input that is only declared is the id of something that is not there yet.
    """
    fixed = FIXED.get(kind)
    if fixed is None:
        return []
    rows = await cloud.listing(fixed.service, fixed.path, fixed.table, **fixed.params)
    living = next((row for row in rows if str(row["id"]) == identity), {})
    said = {key: _shown(resolved[key]) if key in resolved else _NOT_YET for key in declared if key in fixed.fields}
    there = {key: _shown(living[field]) for key, field in fixed.fields.items() if field in living}
    wrong = [
        f"its {fixed.fields[key].rpartition(':')[2]} is {there[key]}, declared is {wanted}"
        for key, wanted in said.items()
        if key in there and there[key] != wanted
    ]
    name = resolved.get("name") or identity
    return [f"{name} would be replaced, {' and '.join(wrong)}: {fixed.remedy}"] if wrong else []


def _shown(value: object) -> str:
    if value is None or value == "":
        return "none"
    return str(int(value)) if isinstance(value, float) else str(value).lower()
