"""What no update changes: a living thing that differs in it would be replaced by the first `up` after its import, or
stay as it is though another is declared.

By type: the inputs that replace (`ForceNew` in the provider's schema) and that tell nothing apart, so that a thing is
found without them, and how the API's rows tell them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.adapters.pulumi.finding import SERVER_GROUP, Cloud, Inputs, Row

SUBNET = "openstack:networking/subnet:Subnet"
_WHATEVER = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """What people call it, how a row tells it (`KeyError`: it does not), and what an input that is not given means.

    `said` takes out of an input what the row tells. Where the input `unless` is given, this one is taken over as it is.
    """

    called: str
    read: Callable[[Row], object]
    unsaid: object = _WHATEVER
    said: Callable[[Any], object] = lambda value: value
    unless: str = ""
    remedy: str = ""


def _of(key: str, unsaid: object = _WHATEVER, *, unless: str = "", remedy: str = "") -> _Field:
    called = key.rpartition(":")[2]
    return _Field(called=called, read=lambda row: row[key], unsaid=unsaid, unless=unless, remedy=remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Where the rows of a kind are listed, and the field of each input; `remedy` where a field has none of its own."""

    service: str
    path: str
    table: str
    fields: Mapping[str, _Field]
    remedy: str
    params: Mapping[str, str] = field(default_factory=dict)


def prefix_length(row: Row) -> int:
    """That of a subnet's own range. Raises `KeyError` where the row tells none."""
    return int(str(row["cidr"]).rpartition("/")[2])


def _policy(row: Row) -> object:
    """Nova tells one policy since 2.64, and a list of one before."""
    return row["policy"] if "policy" in row else "".join(row["policies"])


_NOT_YET = "one that is not there yet"

FIXED: Mapping[str, Fixed] = {
    "openstack:compute/flavor:Flavor": Fixed(
        service="compute",
        path="/flavors/detail",
        table="flavors",
        fields={
            "isPublic": _of(
                "os-flavor-access:is_public",
                remedy="delete it (its servers keep the size they were built with), and `up` makes it anew, private",
            ),
            "vcpus": _of("vcpus"),
            "ram": _of("ram"),
            "disk": _of("disk"),
            "swap": _Field(called="swap", read=lambda row: row["swap"] or 0, unsaid=0),
            "ephemeral": _of("OS-FLV-EXT-DATA:ephemeral", unsaid=0),
            "rxTxFactor": _of("rxtx_factor", unsaid=1),
        },
        remedy="declare it under another name, and resize its servers to that one",
        params={"is_public": "None"},
    ),
    SERVER_GROUP: Fixed(
        service="compute",
        path="/os-server-groups",
        table="server_groups",
        fields={
            "policies": _Field(called="policy", read=_policy),
            "rules": _Field(
                called="most servers on a host",
                read=lambda row: (row["rules"] or {}).get("max_server_per_host", 1),
                unsaid=1,
                said=lambda rules: rules.get("maxServerPerHost", 1),
            ),
        },
        remedy="declare the spread that it has; or give the VM set another role, and build its servers anew",
        params={"all_projects": "true"},
    ),
    SUBNET: Fixed(
        service="network",
        path="/subnets",
        table="subnets",
        fields={
            "subnetpoolId": _of("subnetpool_id", unsaid=None, unless="cidr"),
            "cidr": _of("cidr"),
            "prefixLength": _Field(called="prefix length", read=prefix_length),
        },
        remedy="declare its range as it is (`subnet` of its system, `cidr` of a provider network): it is then taken "
        "over, whatever pool it is of",
    ),
}


async def differing(cloud: Cloud, kind: str, identity: str, declared: Inputs, resolved: Inputs) -> list[str]:
    """Why this living thing cannot become what is declared, in a sentence for people; empty where it can.

    `declared` are its inputs as the program says them, `resolved` the same with what is known of other resources: an
    input that is only declared is the id of something that is not there yet.
    """
    fixed = FIXED.get(kind)
    if fixed is None:
        return []
    rows = await cloud.listing(fixed.service, fixed.path, fixed.table, **fixed.params)
    living = next((row for row in rows if str(row["id"]) == identity), {})
    wrong, remedies = [], dict[str, None]()
    for key, each in fixed.fields.items():
        if each.unless and declared.get(each.unless) is not None:
            continue
        wanted, there = _wanted(each, key, declared, resolved), _told(each, living)
        if wanted is not None and there is not None and wanted != there:
            wrong.append(f"its {each.called} is {there}, declared is {wanted}")
            remedies[each.remedy or fixed.remedy] = None
    name = resolved.get("name") or identity
    said = f"{name} cannot become what is declared, {' and '.join(wrong)}: {'; '.join(remedies)}"
    return [said] if wrong else []


def _wanted(each: _Field, key: str, declared: Inputs, resolved: Inputs) -> str | None:
    """What the program asks for; None where any will do."""
    if declared.get(key) is not None:
        return _shown(each.said(resolved[key])) if key in resolved else _NOT_YET
    return None if each.unsaid is _WHATEVER else _shown(each.unsaid)


def _told(each: _Field, living: Row) -> str | None:
    """What the cloud has; None where it does not tell."""
    try:
        return _shown(each.read(living))
    except KeyError:
        return None


def _shown(value: object) -> str:
    if value is None or value == "":
        return "none"
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return str(whole).lower()
