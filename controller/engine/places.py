"""Where hosts stand and whose servers are: the estate, asked by the names that the cloud uses."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from controller.engine.assemble import owners
from controller.model.cloud import CloudFacts, Migration
from controller.model.cluster import Cluster, Group, GroupKind
from controller.model.ids import HostName, ProjectId, ServerId
from controller.model.policy import Limits, Scope, ScopeKind
from controller.planner import canonical, rules
from controller.planner import situation as planner
from inventory.model import Agency, Classification, Domain, Estate, Host, NumaCell, System, host_feeds


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRule:
    """A hard rule that binds servers: at most `max_per_domain` of them in one domain and some of them in at least
    `min_domains`, or (`together`) all in one.
    """

    name: str
    domain: Domain
    together: bool
    max_per_domain: int
    min_domains: int = 1
    members: tuple[ServerId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the guard goes by beside the live facts, from the newest look; replaced as a whole, never changed.

    `systems` are the inventory's, by the cloud's project id. `project_of` is every server's project, so that other
    people's migrations count for the right agency. `groups` are the hard rules by member. `freeze` is why the
    controller makes no moves of its own. `on_battery` are hosts with a feed on battery. `looked` is what the newest
    look comes to for the planner, and `settling` are hosts that our own moves have just touched. `forgotten` are the
    ids of migrations that Nova never ended (`engine.forgotten`).
    """

    estate: Estate
    systems: Mapping[ProjectId, System]
    project_of: Mapping[ServerId, ProjectId]
    groups: Mapping[ServerId, tuple[GroupRule, ...]]
    freeze: str | None = None
    on_battery: frozenset[HostName] = frozenset()
    looked: planner.Situation | None = None
    settling: frozenset[HostName] = frozenset()
    forgotten: frozenset[int] = frozenset()

    def under_way(self, running: Iterable[Migration]) -> tuple[Migration, ...]:
        """Those of the migrations that Nova shows which have not been forgotten."""
        return tuple(record for record in running if record.id not in self.forgotten)

    def host(self, name: HostName) -> Host | None:
        return self.estate.hosts.get(name)

    def system(self, project_id: ProjectId) -> System | None:
        """The system of a project; None where the inventory does not know it."""
        return self.systems.get(project_id)

    def system_of(self, server_id: ServerId) -> System | None:
        project_id = self.project_of.get(server_id)
        return None if project_id is None else self.system(project_id)

    def agency(self, system: System) -> Agency | None:
        return self.estate.agencies.get(system.agency)

    def level(self, system: System | None) -> Classification:
        """What a host must be cleared for; the highest where the system is not known."""
        return max(Classification) if system is None else system.classification

    def rack(self, name: HostName) -> str | None:
        host = self.host(name)
        return None if host is None else host.rack

    def link_mib_s(self, source: HostName, target: HostName, limits: Limits) -> float | None:
        """A copy's share of the slowest link between two hosts (`rules.share_mib_s`); None where one is unknown."""
        leaves, arrives = self.host(source), self.host(target)
        if leaves is None or arrives is None:
            return None
        types, racks = self.estate.host_types, {leaves.rack, arrives.rack}
        across = min(self.estate.racks[rack].uplink_mib_s for rack in racks) if len(racks) > 1 else math.inf
        own, targets = types[leaves.type].migration_mib_s, np.array([types[arrives.type].migration_mib_s])
        return float(rules.share_mib_s(limits, own, targets, np.array([across]))[0])

    def dirty_bytes_s(self, server_id: ServerId) -> float | None:
        """How fast the server wrote to its memory at the newest look; None where that does not hold it."""
        if self.looked is None:
            return None
        row = canonical.row(self.looked.cluster.vms.ids, server_id)
        return None if row is None else float(self.looked.dirty_bytes_s[row])

    def cells(self, name: HostName) -> tuple[NumaCell, ...]:
        """The host's NUMA cells; none where the inventory does not tell them."""
        host = self.host(name)
        return () if host is None else self.estate.host_types[host.type].numa

    def post_copy(self, name: HostName) -> bool:
        """Whether a copy that is forced on this host goes on by post-copy; False where nobody knows."""
        host = self.host(name)
        return host is not None and self.estate.host_types[host.type].post_copy

    def domains(self, name: HostName, domain: Domain) -> frozenset[str]:
        """Names of the fault domains of that kind the host stands in: none unknown, two feeds where it has two."""
        if domain is Domain.HOST:
            return frozenset({name})
        host = self.host(name)
        if host is None:
            return frozenset()
        if domain is Domain.FEED:
            return frozenset(host_feeds(self.estate, host))
        rack = self.estate.racks[host.rack]
        room = self.estate.rooms[rack.room]
        return frozenset(
            {{Domain.RACK: rack.name, Domain.ZONE: rack.zone, Domain.ROOM: room.name}.get(domain, room.site)}
        )

    def scopes(self, system: System | None, hosts: Iterable[HostName]) -> frozenset[Scope]:
        """Every scope that contains the system or one of the hosts."""
        found = {scope for name in hosts for scope in self._host_scopes(name)}
        if system is not None:
            found.add(Scope(kind=ScopeKind.SYSTEM, name=system.name))
            found.add(Scope(kind=ScopeKind.AGENCY, name=system.agency))
        return frozenset(found)

    def _host_scopes(self, name: HostName) -> set[Scope]:
        kinds = {ScopeKind.RACK: Domain.RACK, ScopeKind.ZONE: Domain.ZONE, ScopeKind.ROOM: Domain.ROOM}
        found = {Scope(kind=kind, name=at) for kind, domain in kinds.items() for at in self.domains(name, domain)}
        return found | {Scope(kind=ScopeKind.HOST, name=name)}


def situation(
    estate: Estate, facts: CloudFacts, cluster: Cluster, looked: planner.Situation, settling: frozenset[HostName]
) -> Situation:
    """What the guard goes by after a look: the estate, the cloud's projects and servers, the snapshot's rules."""
    return Situation(
        estate=estate,
        systems=owners.systems_of_projects(estate, facts.projects),
        project_of={server.id: server.project_id for server in facts.servers},
        groups=_rules_by_member(cluster),
        freeze=cluster.freeze,
        on_battery=frozenset(
            name for name, on in zip(looked.cluster.hosts.names, looked.standing.on_battery, strict=True) if on
        ),
        looked=looked,
        settling=settling,
    )


def _rules_by_member(cluster: Cluster) -> Mapping[ServerId, tuple[GroupRule, ...]]:
    found: dict[ServerId, tuple[GroupRule, ...]] = {}
    for group in cluster.groups:
        if group.kind in {GroupKind.AFFINITY, GroupKind.ANTI_AFFINITY}:
            rule = _rule(cluster, group)
            for member in rule.members:
                found[member] = (*found.get(member, ()), rule)
    return found


def _rule(cluster: Cluster, group: Group) -> GroupRule:
    return GroupRule(
        name=group.name,
        domain=group.domain,
        together=group.kind is GroupKind.AFFINITY,
        max_per_domain=group.max_per_domain,
        min_domains=group.min_domains,
        members=tuple(cluster.vms.ids[row] for row in group.members),
    )
