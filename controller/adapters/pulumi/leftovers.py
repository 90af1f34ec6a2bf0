"""What is open to every project whatever its level, and no stack can close; edits for people, none made here."""

from collections.abc import Iterator
from dataclasses import dataclass

from controller.adapters.pulumi.finding import Cloud, Row
from controller.errors import RefusedError

CINDERS_OWN = "__DEFAULT__"

_NAMED = 3
"""How many things of a kind a warning names."""

_REMEDY = "gdcc estate preview --foundation says what to do"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """Names of public flavors and volume types, and ids of the rules by which Neutron lets everything out of `default`.

    No flavor or volume type that the estate declares is public.
    """

    flavors: tuple[str, ...] = ()
    volume_types: tuple[str, ...] = ()
    template_rules: tuple[str, ...] = ()


async def found(cloud: Cloud) -> Leftovers:
    """Asks Nova, Cinder and Neutron."""
    flavors = await cloud.listing("compute", "/flavors/detail", "flavors", is_public="None")
    types = await cloud.listing("block-storage", "/types", "volume_types", is_public="None")
    return Leftovers(
        flavors=tuple(sorted(str(row["name"]) for row in flavors if row.get("os-flavor-access:is_public"))),
        volume_types=tuple(sorted(str(row["name"]) for row in types if _is_public(row))),
        template_rules=tuple(sorted(str(row["id"]) for row in await _template(cloud) if _lets_all_out(row))),
    )


def _is_public(row: Row) -> bool:
    return bool(row.get("os-volume-type-access:is_public", row.get("is_public")))


async def _template(cloud: Cloud) -> list[dict[str, object]]:
    """The rules of each new project's group; none where this Neutron (before 2023.2) cannot tell them."""
    try:
        return await cloud.listing("network", "/default-security-group-rules", "default_security_group_rules")
    except RefusedError as error:
        if error.rule == "not-found":
            return []
        raise


def _lets_all_out(row: Row) -> bool:
    peers = ("remote_ip_prefix", "remote_group_id", "remote_address_group_id", "protocol")
    return (
        row.get("direction") == "egress"
        and bool(row.get("used_in_default_sg", True))
        and all(row.get(each) is None for each in peers)
    )


def warnings(open_: Leftovers) -> Iterator[str]:
    """A sentence for each kind, for runs that cannot change it."""
    for kind, names in (("flavor", open_.flavors), ("volume type", open_.volume_types)):
        if names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            count = f"1 {kind} is" if len(names) == 1 else f"{len(names)} {kind}s are"
            shown = ", ".join(names[:_NAMED])
            yield f"{count} public, for projects of every level: {shown}{more} ({_REMEDY})"
    if open_.template_rules:
        yield f"Neutron lets everything out of each new project's group default ({_REMEDY})"


def proposals(open_: Leftovers) -> Iterator[str]:
    """A sentence for each."""
    for name in open_.flavors:
        yield (
            f"flavor {name} is public, so every project boots by it whatever its level: declare it in the estate (then "
            "`up` makes it private anew), or delete it; its servers keep the size that they were built with"
        )
    for name in open_.volume_types:
        said = f"volume type {name} is public, and of no classification"
        if name == CINDERS_OWN:
            yield f"{said}: set another default_volume_type in cinder.conf, and delete it (infra/README.md)"
        else:
            yield f"{said}: make it private (openstack volume type set --private {name}), or delete it"
    if open_.template_rules:
        ids = " ".join(open_.template_rules)
        yield (
            "Neutron lets everything out of each new project's group default, which a server without a group gets: "
            f"openstack default security group rule delete {ids}"
        )
