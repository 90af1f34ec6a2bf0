"""Definitions as a draft of an inventory needs them: the services' rows in the inventory's words and units."""

from collections.abc import Iterable, Mapping
from typing import Any

from controller.model.cloud import CatalogFacts

Row = Mapping[str, Any]


def catalog(
    flavors: Iterable[Row], volume_types: Iterable[Row], networks: Iterable[Row], subnets: Iterable[Row]
) -> CatalogFacts:
    """What each service shows of its definitions, sorted by name."""
    cidrs: dict[object, list[str]] = {}
    for subnet in subnets:
        cidrs.setdefault(subnet.get("network_id"), []).append(str(subnet.get("cidr", "")))
    return CatalogFacts(
        flavors=_sorted(_flavor(row) for row in flavors),
        volume_types=_sorted(_volume_type(row) for row in volume_types),
        networks=_sorted(_network(row, sorted(cidrs.get(row.get("id"), ()))) for row in networks),
    )


def _sorted(rows: Iterable[dict[str, object]]) -> tuple[Mapping[str, object], ...]:
    return tuple(sorted(rows, key=lambda row: str(row["name"])))


def _flavor(row: Row) -> dict[str, object]:
    return {
        "name": row.get("name", ""),
        "vcpus": row.get("vcpus"),
        "memory_mib": row.get("ram"),
        "disk_gib": row.get("disk"),
        "extra_specs": dict(row.get("extra_specs") or {}),
    }


def _volume_type(row: Row) -> dict[str, object]:
    specs = dict(row.get("extra_specs") or {})
    return {"name": row.get("name", ""), "backend": specs.get("volume_backend_name"), "extra_specs": specs}


def _network(row: Row, cidrs: list[str]) -> dict[str, object]:
    """A network; `cidr` is its first subnet's, None where it has none, `vlan` None on any other kind of segment."""
    vlan = row.get("provider:segmentation_id") if row.get("provider:network_type") == "vlan" else None
    return {
        "name": row.get("name", ""),
        "cidr": cidrs[0] if cidrs else None,
        "physical_network": row.get("provider:physical_network"),
        "vlan": vlan,
    }
