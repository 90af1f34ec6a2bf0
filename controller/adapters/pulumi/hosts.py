"""What the estate says of its hosts against those that Nova lists: edits for people to make, and none made here."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from controller.adapters.pulumi import urns
from controller.adapters.pulumi.finding import Cloud
from inventory.model import LISTED_IN_NOVA, Estate, Lifecycle

AGGREGATE = "openstack:compute/aggregateV2:AggregateV2"

_BEFORE_NOVA = frozenset({Lifecycle.PLANNED, Lifecycle.INSTALLED})


async def listed(cloud: Cloud) -> frozenset[str]:
    """The hosts of Nova's compute services, whatever their state: those that an aggregate can take in."""
    rows = await cloud.listing("compute", "/os-services", "services", binary="nova-compute")
    return frozenset(str(row["host"]) for row in rows)


def proposals(estate: Estate, names: Collection[str], where: Callable[[str], str]) -> Iterator[str]:
    """A sentence for each host whose lifecycle and Nova's list differ. `where` gives a host's `file:line`."""
    for host in sorted(estate.hosts.values(), key=lambda each: each.name):
        if host.name in names and host.lifecycle in _BEFORE_NOVA:
            said = f"host {host.name} is listed by Nova and is `{host.lifecycle}` in {where(host.name)}"
            yield f"{said}: set lifecycle: {Lifecycle.REGISTERED}"
        elif host.name in names and host.lifecycle is Lifecycle.DECOMMISSIONED:
            said = f"host {host.name} is `{host.lifecycle}` in {where(host.name)} and Nova still lists it"
            yield f"{said}: delete its compute service"
        elif host.name not in names and host.lifecycle in LISTED_IN_NOVA:
            said = f"host {host.name} is `{host.lifecycle}` in {where(host.name)} and Nova does not list it"
            yield f"{said}: start its nova-compute, or set lifecycle: {Lifecycle.INSTALLED}"


def entering(preview: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The hosts that a preview would put into aggregates, by host the aggregates' names."""
    found: dict[str, tuple[str, ...]] = {}
    for step in preview.get("steps") or ():
        if urns.type_of(step["urn"]) == AGGREGATE and step["op"] in {"create", "update"}:
            for host in sorted(_hosts(step.get("newState")) - _hosts(step.get("oldState"))):
                found[host] = (*found.get(host, ()), urns.name_of(step["urn"]))
    return found


def _hosts(state: Mapping[str, Any] | None) -> set[str]:
    hosts = ((state or {}).get("inputs") or {}).get("hosts")
    return set(hosts) if isinstance(hosts, list) else set()
