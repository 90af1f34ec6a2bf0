"""The checker's account of what Nova's scheduler would say: of a VM where it stands, and of one at its target.

Hosts whose traits, zone, aggregates' metadata and type are the same are of one class, and judged once for each kind of
server, so that thousands of projects on hundreds of hosts stay cheap.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np

from controller.model import cluster as model
from controller.model.plan import Plan
from controller.model.policy import ADMISSION_RULES, Policy
from controller.model.sample import IntColumn
from controller.planner import extra_specs, numa

_UNZONED = (None, model.DEFAULT_AVAILABILITY_ZONE)

Rules = tuple[str, ...]
_Specs = dict[str, tuple[str, ...]]


class Verdicts:
    """What speaks against servers on hosts, remembered by kind of server and class of host."""

    def __init__(self, cluster: model.Cluster) -> None:
        self._cluster = cluster
        specs: defaultdict[int, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for aggregate in cluster.aggregates:
            for host in aggregate.hosts.tolist():
                for key, text in aggregate.metadata.items():
                    specs[host][key] += [part.strip() for part in text.split(",")]
        merged = [{key: tuple(sorted(of)) for key, of in specs[row].items()} for row in range(len(cluster.hosts.names))]
        hosts, numbers = cluster.hosts, dict[object, int]()
        kinds = zip(hosts.traits, hosts.availability_zone, hosts.type.tolist(), merged, strict=True)
        self._of_host = np.array(
            [numbers.setdefault((traits, zone, row, tuple(sorted(of.items()))), len(numbers))
             for traits, zone, row, of in kinds], np.int64,
        )  # fmt: skip
        self._one_of = np.unique(self._of_host, return_index=True)[1].tolist()
        self._specs = [merged[host] for host in self._one_of]
        self._tenants = [_tenants(of) for of in self._specs]
        self._known: dict[tuple[int, int], Rules] = {}

    def admits(self, requirement: int, host: int) -> bool:
        """Whether a server of this kind may be sent there."""
        asked, hosts, kind = self._cluster.requirements[requirement], self._cluster.hosts, int(self._of_host[host])
        traits, zone, row = hosts.traits[host], asked.availability_zone, int(hosts.type[host])
        return (
            asked.required_traits <= traits
            and not asked.forbidden_traits & traits
            and zone in {None, hosts.availability_zone[host]}
            and (row < 0 or numa.could_hold(self._cluster.host_types.numa[row], asked.numa))
            and not any(self._by_aggregates(asked, kind))
        )

    def possible(self, requirement: int) -> model.BoolColumn:
        """The hosts (H,) where a server of this kind might stand, by class of host."""
        of_class = np.array([self.admits(requirement, host) for host in self._one_of], np.bool_)
        return of_class[self._of_host]

    def against(self, host: IntColumn) -> list[tuple[int, Rules]]:
        """Each VM that stands where Nova would not put it, by what was read of the host, and the rules against it.

        `host`: where each VM stands, -1 for nowhere.
        """
        asked = self._cluster.vms.requirement
        known = np.flatnonzero((host >= 0) & (asked >= 0))
        kinds = len(self._one_of)
        pairs = asked[known].astype(np.int64) * kinds + self._of_host[host[known]] if kinds else known
        distinct, which = np.unique(pairs, return_inverse=True)
        found = [self._of_kind(*divmod(pair, kinds)) for pair in distinct.tolist()]
        wrong = np.array([bool(rules) for rules in found], np.bool_)
        rows = np.flatnonzero(wrong[which]) if len(known) else known
        return [(int(known[row]), found[int(which[row])]) for row in rows.tolist()]

    def _of_kind(self, requirement: int, kind: int) -> Rules:
        if (requirement, kind) not in self._known:
            self._known[requirement, kind] = tuple(self._said(self._cluster.requirements[requirement], kind))
        return self._known[requirement, kind]

    def _said(self, asked: model.Requirement, kind: int) -> Iterator[str]:
        """Without traits, without one of an operator's where one is asked for, without a zone: not read, or held to
        none.
        """
        hosts, host = self._cluster.hosts, self._one_of[kind]
        traits, zone = hosts.traits[host], hosts.availability_zone[host]
        misses = not asked.required_traits <= traits or asked.forbidden_traits & traits
        if misses and any(_own(traits) if _own(asked.required_traits) else traits):
            yield "traits"
        if zone not in _UNZONED and asked.availability_zone not in {None, zone}:
            yield "availability-zone"
        yield from self._by_aggregates(asked, kind)

    def _by_aggregates(self, asked: model.Requirement, kind: int) -> Iterator[str]:
        specs, tenants = self._specs[kind], self._tenants[kind]
        if not all(
            any(extra_specs.matches(value, wanted) for value in specs.get(key, ()))
            for key, wanted in asked.aggregate_specs.items()
        ):
            yield "aggregate"
        if tenants is not None and asked.project_id not in tenants:
            yield "tenant-isolation"


class Misfits:
    """Who misfits at first, and who of them is moved for it."""

    def __init__(self, cluster: model.Cluster, policy: Policy, verdicts: Verdicts) -> None:
        self._cluster, self._policy, self._verdicts = cluster, policy, verdicts

    @cached_property
    def moved(self) -> frozenset[int]:
        """The VMs that rules of policy move, unless too many of them misfit at once."""
        rules, placed = self._policy.admission, int(np.count_nonzero(self._cluster.vms.host >= 0))
        found = [vm for vm, against in self._verdicts.against(self._cluster.vms.host) if rules.moves & {*against}]
        return frozenset(found if len(found) <= max(rules.at_least, rules.most_share * placed) else ())

    def told(self, host: IntColumn) -> tuple[list[int], Mapping[str, int]]:
        """With the VMs on these hosts: those that misfit and are moved for it, and how many else by the key of what is
        told of them together.
        """
        alone, together = list[int](), dict[str, int]()
        for vm, against in self._verdicts.against(host):
            if vm in self.moved and self._policy.admission.moves & {*against}:
                alone.append(vm)
            elif vm not in self.moved:
                key = f"misfits:{'+'.join(rule for rule in ADMISSION_RULES if rule in against)}"
                together[key] = together.get(key, 0) + 1
        return alone, together

    def problems(self, plan: Plan) -> Iterator[str]:
        """Each move that is made for a VM which is not to be moved for where it stands, or has not misfitted for long
        enough.
        """
        ids, since = self._cluster.vms.ids, self._cluster.breach_since
        keys = {f"admission:{ids[vm]}" for vm in self.moved}
        latest = (plan.created_at - self._policy.sustained).timestamp()
        for move in plan.moves:
            if move.rule == "admission" and move.breach not in keys:
                yield f"move {move.n}: {move.breach} is none that VMs are moved for"
            elif move.rule == "admission" and since is not None and not since.get(move.breach, np.inf) <= latest + 1e-3:
                yield f"move {move.n}: {move.breach} has not lasted long enough"


def _own(traits: frozenset[str]) -> list[str]:
    return [trait for trait in traits if trait.startswith("CUSTOM_")]


def _tenants(specs: _Specs) -> frozenset[str] | None:
    """Projects that hosts are reserved for; None where for nobody."""
    named = [values for key, values in specs.items() if key.startswith("filter_tenant_id")]
    return frozenset(value for values in named for value in values) if named else None
