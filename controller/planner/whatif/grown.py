"""The same snapshot with more in it: hosts, and servers of an agency.

A new host is healthy, in service and empty, whatever the one that it is like is going through (`like`). It stands where
that one stands, hangs on the same supplies and is in the same aggregates; it draws what that one draws, or what one of
its type draws idle where that is not known. In a zone that is too warm as a whole it is warm too.

A new server stands nowhere yet and is in no group. It is like one that the agency runs of that flavor; where it runs
none, it is what the inventory says of the flavor, of the agency's highest system that may have it, and counts for all
that it may use.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from controller import errors
from controller.model import cluster as model
from controller.model.ids import HostName, ServerId
from controller.model.policy import Policy
from controller.planner import budget, domains, eligibility, standing
from controller.planner.whatif import appended, like
from inventory.model import Classification, Domain, clearance_trait

_OF_TYPE = (
    "vcpus", "memory_mib", "disk_gib", "reserved_vcpus", "reserved_memory_mib", "reserved_disk_gib", "threads",
    "physical_memory_mib", "migration_mib_s", "storage_mib_s", "post_copy", "shared_storage", "watts_per_thread",
    "watts_error",
)  # fmt: skip
"""Columns that a host and its type have alike."""

_IN_SERVICE: Mapping[str, bool] = {
    "enabled": True, "up": True, "known": True, "trusted": True, "draining": False, "withheld": False,
    "unread_health": False,
}  # fmt: skip
_UNREAD = ("memory_health", "psu_health", "fan_health", "disk_health", "memory_pressure_ratio")
_IDLE = ("cpu_ratio", "memory_bytes")
_FLOWS = ("network_bytes_s", "storage_bytes_s")


def with_hosts(cluster: model.Cluster, word: str, count: int, policy: Policy | None = None) -> model.Cluster:
    """`count` more hosts like a host, or of a type (`like`); `InputError` where the snapshot knows neither."""
    zones = domains.of_hosts(cluster)[Domain.ZONE]
    judged = standing.of_hosts(cluster, zones, (policy or Policy()).thresholds.facility_share)
    new, before = like.of_word(cluster, judged, word), len(cluster.hosts.names)
    hosts = appended.copied(cluster.hosts, new.host, count)
    if new.type >= 0:
        hosts = _machine(cluster, hosts, new)
    hosts = _in_service(cluster, hosts, warm=bool(judged.shut["facility"][new.host]))
    hosts = _drawing(cluster, hosts, new)
    names = map(HostName, appended.names(word, count, cluster.hosts.names))
    power, on = cluster.power, cluster.hosts.power[new.host]
    meters = power.power_watts.values.copy()
    meters[on[on >= 0]] += float(np.nan_to_num(hosts.power_watts.values[before])) * count
    added = np.arange(before, before + count, dtype=np.int32)
    return replace(
        cluster,
        hosts=replace(hosts, names=(*cluster.hosts.names, *names)),
        power=replace(power, power_watts=replace(power.power_watts, values=meters)),
        aggregates=tuple(
            replace(each, hosts=np.concatenate([each.hosts, added])) if new.host in each.hosts else each
            for each in cluster.aggregates
        ),
    )


def _machine(cluster: model.Cluster, hosts: model.Hosts, new: like.Like) -> model.Hosts:
    """What the inventory says of the type; Placement's traits where the host beside it is of that type."""
    before, types = len(cluster.hosts.names), cluster.host_types
    columns: dict[str, Any] = {
        name: appended.put(getattr(hosts, name), before, getattr(types, name)[new.type]) for name in _OF_TYPE
    }
    same = int(cluster.hosts.type[new.host]) == new.type
    shown = cluster.hosts.traits[new.host] if same else frozenset[str]()
    clearance = int(cluster.hosts.clearance[new.host])
    cleared = {clearance_trait(level) for level in Classification if level <= clearance}
    traits = shown or types.traits[new.type] | cleared
    return replace(
        hosts,
        type=appended.put(hosts.type, before, new.type),
        unsaid_storage=appended.put(hosts.unsaid_storage, before, False),
        traits=(*cluster.hosts.traits, *(traits,) * (len(hosts.traits) - before)),
        **columns,
    )


def _in_service(cluster: model.Cluster, hosts: model.Hosts, *, warm: bool) -> model.Hosts:
    """Up, healthy and empty; `warm`: its zone is, as a whole."""
    before, at, sources = len(cluster.hosts.names), cluster.taken_at.timestamp(), len(cluster.sources)
    columns: dict[str, Any] = {name: appended.unread(getattr(hosts, name), before) for name in _UNREAD}
    columns |= {name: appended.read(getattr(hosts, name), before, 0.0, at, sources) for name in _IDLE}
    columns |= {name: appended.put(getattr(hosts, name), before, value) for name, value in _IN_SERVICE.items()}
    columns |= {name: _quiet(getattr(hosts, name), before, at, sources) for name in _FLOWS}
    return replace(
        hosts,
        inlet_celsius=hosts.inlet_celsius if warm else appended.unread(hosts.inlet_celsius, before),
        cpu_high_ratio=appended.put(hosts.cpu_high_ratio, before, np.nan),
        network_high_bytes_s=appended.put(hosts.network_high_bytes_s, before, np.nan),
        **columns,
    )


def _quiet(flow: model.Reading, before: int, at: float, sources: int) -> model.Reading:
    """Nothing flows, where it is read of the host that the new ones are like."""
    return appended.read(flow, before, 0.0, at, sources) if flow.fresh[before] else appended.unread(flow, before)


def _drawing(cluster: model.Cluster, hosts: model.Hosts, new: like.Like) -> model.Hosts:
    """The watts of the host that it is like, where they are known and it is that machine; else its type's, idle."""
    before, watts = len(cluster.hosts.names), cluster.hosts.power_watts
    if new.type < 0 and watts.fresh[new.host]:
        return hosts
    kind = int(hosts.type[before])
    if kind < 0:
        return replace(hosts, power_watts=appended.unread(hosts.power_watts, before))
    idle, at = float(cluster.host_types.idle_watts[kind]), cluster.taken_at.timestamp()
    return replace(hosts, power_watts=appended.read(hosts.power_watts, before, idle, at, len(cluster.sources)))


def with_servers(
    cluster: model.Cluster, agency: str, flavor: str, count: int
) -> tuple[model.Cluster, tuple[ServerId, ...]]:
    """`count` more servers of that flavor and agency, and what they are called.

    Of servers that the agency runs they are like the first of which is known where it fits, the first of all where that
    is known of none. `InputError` where neither they nor the inventory tell what such a server requires of a host.
    """
    if agency not in cluster.agencies.names:
        raise errors.InputError(f"the snapshot knows no agency {agency}")
    if flavor not in cluster.flavors and flavor not in cluster.catalog.names:
        raise errors.InputError(f"the snapshot knows no flavor {flavor}")
    new = tuple(map(ServerId, appended.names(f"{agency}+{flavor}", count, cluster.vms.ids)))
    same = eligibility.live(cluster.vms) & (budget.agency_of_vms(cluster) == cluster.agencies.names.index(agency))
    if flavor in cluster.flavors:
        same &= cluster.vms.flavor == cluster.flavors.index(flavor)
    if flavor in cluster.flavors and same.any():
        known = same & cluster.vms.fit_known & (cluster.vms.requirement >= 0)
        vms = appended.copied(cluster.vms, int(np.flatnonzero(known if known.any() else same)[0]), count)
    elif flavor in cluster.catalog.names:
        cluster, values = _of_catalog(cluster, agency, flavor)
        vms = appended.made(cluster.vms, [values] * count)
    else:
        raise errors.InputError(
            f"agency {agency} has no running server of flavor {flavor}, and the inventory declares none, so nobody "
            "knows what one requires of a host",
            remedy="name a flavor of which it has one, or declare it",
        )
    before = len(cluster.vms.ids)
    vms = replace(
        vms,
        ids=(*cluster.vms.ids, *new),
        names=(*cluster.vms.names, *new),
        host=appended.put(vms.host, before, -1),
        target=appended.put(vms.target, before, -1),
        busy=appended.put(vms.busy, before, value=False),
    )
    return replace(cluster, vms=vms), new


def _of_catalog(cluster: model.Cluster, agency: str, flavor: str) -> tuple[model.Cluster, dict[str, Any]]:
    """A snapshot that knows the flavor and what it requires for the agency, and a new server's columns in it."""
    table, row = cluster.catalog, cluster.catalog.names.index(flavor)
    system = _system(cluster, agency, flavor, int(table.classification[row]))
    asked = cluster.requirements[int(table.requirement[row])]
    requirement = replace(asked, project_id=_project(cluster, system))
    flavors = cluster.flavors if flavor in cluster.flavors else (*cluster.flavors, flavor)
    values = appended.server(table, row, flavors)
    values |= {
        "system": system,
        "classification": cluster.systems.classification[system],
        "requirement": len(cluster.requirements),
    }
    return replace(cluster, flavors=flavors, requirements=(*cluster.requirements, requirement)), values


def _system(cluster: model.Cluster, agency: str, flavor: str, level: int) -> int:
    """The agency's system of the highest level that may have a flavor of this one, the first by name of these."""
    systems = cluster.systems
    own = np.flatnonzero((systems.agency == cluster.agencies.names.index(agency)) & (systems.classification <= level))
    if not len(own):
        level_name = Classification(level).name.lower()
        raise errors.InputError(
            f"no system of agency {agency} may have flavor {flavor}, which holds what is {level_name} at the most"
        )
    return int(min(own, key=lambda row: (-int(systems.classification[row]), systems.names[row])))


def _project(cluster: model.Cluster, system: int) -> str:
    """The system's project where a server of it tells, else none: no host that is kept for some project counts then."""
    servers = np.flatnonzero(cluster.vms.system == system)
    rows = cluster.vms.requirement[servers]
    return next((cluster.requirements[row].project_id for row in rows[rows >= 0].tolist()), "")
