"""An estate of any size from a few numbers: same numbers and seed, same estate, to the byte."""

import random
from collections.abc import Iterable
from typing import Any

from inventory.checks.tenants import domain_count
from inventory.model import Classification, Domain, Estate
from inventory.modelled import catalogue
from inventory.modelled.addressing import LOOPBACK, PRIVATE, Addressing
from inventory.modelled.places import HOST_TYPES, Places, places
from inventory.modelled.sizes import DEMO, Sizes, sizes
from inventory.modelled.tenants import tenants

MODELLED = (
    "Public: VMs in all, 472 agencies and 1,570 systems of phase one, the names of the named systems, the number of "
    "shared data sets.",
    "Modelled: sites, rooms, racks, feeds, PDUs and their ratings, switches and their uplinks, host types, their "
    "watts, ports and firmware, clearances, addresses, the hosts' own networks, flavors, networks, and of every system "
    "its level, tier, size, spread, budget and windows.",
)
DEMO_MODELLED = ("Everything but the names and titles of the named systems: a made-up estate that fits a laptop.",)


def estate(vms: int, seed: int, *, loopback: bool = False) -> Estate:
    """An estate whose VM sets add up to exactly `vms`. Raises `ValueError` for fewer than one.

    `loopback` gives its devices and exporters addresses on 127.x, where the twin can answer for them.
    """
    addressing = LOOPBACK if loopback else PRIVATE
    rng = random.Random(seed)  # noqa: S311 - a model, no secret
    return _estate(f"gdcc-{vms}", MODELLED, sizes(vms), addressing, rng)


def demo() -> Estate:
    """The estate of `estates/demo`: 48 hosts and 600 VMs on loopback addresses."""
    return _estate("demo", DEMO_MODELLED, DEMO, LOOPBACK, random.Random(1))  # noqa: S311 - a model, no secret


def _estate(name: str, modelled: tuple[str, ...], wanted: Sizes, addressing: Addressing, rng: random.Random) -> Estate:
    place = places(wanted, addressing)
    hosts_only = Estate(name=name, **_tables(place))
    known: dict[tuple[Domain, Classification], int] = {}

    def domains(domain: Domain, level: Classification) -> int:
        if (domain, level) not in known:
            known[(domain, level)] = domain_count(hosts_only, domain, level)
        return known[(domain, level)]

    asked = tenants(wanted, domains, rng)
    return Estate(
        name=name,
        vm_target=wanted.vms,
        modelled=modelled,
        **_tables(place),
        host_networks=_by_name(addressing.host_networks()),
        aggregates=_by_name(catalogue.availability_zones(place.racks, place.hosts)),
        flavors=_by_name(catalogue.flavors()),
        images=_by_name(catalogue.images()),
        storage_backends=_by_name(catalogue.storage_backends(wanted.vms)),
        volume_types=_by_name(catalogue.volume_types()),
        networks=_by_name(catalogue.networks()),
        operators=_by_name(catalogue.operators()),
        agencies=_by_name(asked.agencies),
        systems=_by_name(asked.systems),
        data_sets=_by_name(asked.data_sets),
    )


def _tables(place: Places) -> dict[str, Any]:
    return {
        "sites": _by_name(place.sites),
        "rooms": _by_name(place.rooms),
        "zones": _by_name(place.zones),
        "feeds": _by_name(place.feeds),
        "racks": _by_name(place.racks),
        "pdus": _by_name(place.pdus),
        "devices": _by_name(place.devices),
        "host_types": _by_name(HOST_TYPES),
        "hosts": _by_name(place.hosts),
    }


def _by_name(values: Iterable[Any]) -> dict[str, Any]:
    return {value.name: value for value in values}
