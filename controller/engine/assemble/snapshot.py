"""Puts the tables together."""

from collections.abc import Mapping
from datetime import datetime

from controller.engine.assemble import history as memory
from controller.engine.assemble import rules
from controller.engine.assemble.catalog import catalog
from controller.engine.assemble.host_table import host_table
from controller.engine.assemble.owners import owners
from controller.engine.assemble.places import places, rows_of
from controller.engine.assemble.vm_table import vm_table
from controller.engine.assemble.zones import with_inlets
from controller.engine.gate import Gate
from controller.engine.readings import Readings
from controller.model import cluster as model
from controller.model.cloud import CloudFacts
from controller.model.policy import Policy
from inventory.model import Estate


def assemble(
    estate: Estate,
    facts: CloudFacts,
    readings: Readings,
    policy: Policy,
    now: datetime,
    *,
    history: memory.History | None = None,
) -> model.Cluster:
    """The snapshot at `now` (aware). Same input, same snapshot, in whatever order rows came.

    `freeze` is left None: `trust.report` judges the whole of it.
    """
    history = history or memory.History()
    gate = Gate(readings=readings, sources=readings.sources, policy=policy.trust, now=now.timestamp())
    settled_hosts, settled_vms = memory.settled_at(history.entries, policy.migration)
    moved = memory.started_since(history.entries, now - memory.HOUR)
    its_places = places(estate, gate, history.slopes)
    its_owners = owners(estate, facts.projects, moved, now, policy.migration)
    hosts = host_table(estate, facts, gate, its_places, history=history, settled_at=settled_hosts)
    host_rows = rows_of(hosts.names)
    rest = memory.cooldown_until(history.entries, policy.migration)
    servers = vm_table(facts, gate, its_owners, host_rows=host_rows, rest=rest, settled_at=settled_vms)
    flavors, requirements = catalog(estate, facts, servers.requirements)
    return model.Cluster(
        taken_at=now,
        estate=estate.name,
        sources=gate.sources,
        flavors=servers.flavors,
        catalog=flavors,
        hosts=hosts,
        host_types=its_places.host_types,
        vms=servers.vms,
        racks=its_places.racks,
        rooms=its_places.rooms,
        zones=with_inlets(its_places.zones, its_places.racks, hosts),
        power=its_places.power,
        systems=its_owners.systems,
        agencies=its_owners.agencies,
        requirements=requirements,
        aggregates=rules.aggregates(facts.aggregates, host_rows),
        groups=rules.groups(estate, facts.groups, servers.vms, its_owners),
        refusals=_refusals(history, now, host_rows, rows_of(servers.vms.ids)),
        breach_since=history.breach_since,
        moved_last_hour=len(moved),
    )


def _refusals(
    history: memory.History, now: datetime, host_rows: Mapping[str, int], vm_rows: Mapping[str, int]
) -> tuple[model.LearnedRefusal, ...]:
    return tuple(
        model.LearnedRefusal(vm=vm_rows[server], host=host_rows[host], until=until.timestamp(), rule=rule)
        for server, host, rule, until in sorted(history.refusals)
        if until > now and server in vm_rows and host in host_rows
    )
