"""What the cloud offers: nothing written twice, images known by their id, one external network a level."""

import ipaddress
import re
import uuid
from collections.abc import Iterator

from inventory.checks.case import Case
from inventory.model import NetworkUse, Problem, clearance_trait

_CLEARANCE_TRAIT = "trait:CUSTOM_CLEARANCE_"
_CUSTOM_TRAIT = re.compile(r"CUSTOM_[A-Z0-9_]{1,248}")
"""As Placement takes them: https://docs.openstack.org/api-ref/placement/#traits."""


def check(case: Case) -> Iterator[Problem]:
    """Problems of flavors, volume types, images, provider networks and hosts' traits."""
    yield from _flavors(case)
    yield from _volume_types(case)
    yield from _images(case)
    yield from _gateways(case)
    yield from _uses(case)
    yield from _host_traits(case)


def _host_traits(case: Case) -> Iterator[Problem]:
    for host in case.estate.hosts.values():
        for trait in sorted(host.traits):
            if trait.startswith("CUSTOM_CLEARANCE_"):
                what = f"trait {trait} follows from its clearance (leave it out)"
            elif not _CUSTOM_TRAIT.fullmatch(trait):
                what = f"{trait!r} is no trait of a host's own (CUSTOM_, then capital letters, digits and _)"
            else:
                continue
            yield case.problem("hosts", host.name, what, "traits")


def _flavors(case: Case) -> Iterator[Problem]:
    for flavor in case.estate.flavors.values():
        own = f"trait:{clearance_trait(flavor.classification)}"
        for key in flavor.extra_specs:
            if key.startswith(_CLEARANCE_TRAIT):
                again = "repeats its classification" if key == own else "contradicts its classification"
                what = f"{key} {again}, from which the trait follows (leave it out)"
                yield case.problem("flavors", flavor.name, what, "extra_specs")


def _volume_types(case: Case) -> Iterator[Problem]:
    for each in case.estate.volume_types.values():
        if "volume_backend_name" in each.extra_specs:
            what = "volume_backend_name repeats its backend, from which it follows (leave it out)"
            yield case.problem("volume_types", each.name, what, "extra_specs")


def _images(case: Case) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for image in case.estate.images.values():
        try:
            key = str(uuid.UUID(image.id))
        except ValueError:
            what = f"id {image.id!r} is no image's id (write the UUID that 'openstack image list' shows)"
            yield case.problem("images", image.name, what, "id")
            continue
        other = owners.setdefault(key, image.name)
        if other != image.name:
            what = f"id {image.id} is also that of image {other} (correct one of them)"
            yield case.problem("images", image.name, what, "id")


def _gateways(case: Case) -> Iterator[Problem]:
    for network in case.estate.networks.values():
        if network.gateway is None:
            continue
        try:
            usable = _may_be_a_hosts(ipaddress.ip_address(network.gateway), ipaddress.ip_network(network.cidr))
        except ValueError:
            usable = False
        if not usable:
            what = f"gateway {network.gateway!r} is no address of {network.cidr} that a router may have"
            yield case.problem("networks", network.name, f"{what} (correct one of them)", "gateway")


def _may_be_a_hosts(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, cidr: ipaddress.IPv4Network | ipaddress.IPv6Network
) -> bool:
    """Whether it lies within and is neither the network's own address nor, as IPv4 has one, its broadcast address."""
    broadcast = cidr.broadcast_address if cidr.version == 4 else None
    return address in cidr and address not in (cidr.network_address, broadcast)


def _uses(case: Case) -> Iterator[Problem]:
    """A system's router must know its external network, and the control VMs theirs."""
    seen: dict[object, str] = {}
    for network in case.estate.networks.values():
        control = network.use is NetworkUse.CONTROL
        other = seen.setdefault(NetworkUse.CONTROL if control else network.classification, network.name)
        if other != network.name:
            which = "the control network" if control else f"the {network.classification.name.lower()} external network"
            what = f"is {which}, as is {other} (there is one)"
            yield case.problem("networks", network.name, what, "use" if control else "classification")
