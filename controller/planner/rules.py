"""What a target must meet to receive a VM. Each rule is a small pure function over an array of hosts.

A rule looks at the load as it stands with the VM still on its source, so that what it admits holds while both copies
are there. Static rules look at the host and the kind of VM alone; the others change as moves are made. A move that
brings nothing of a quantity to a host makes no breach of it worse, and is not refused for it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from controller.model import cluster as model
from controller.model.policy import Limits
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import amounts, completion, precopy
from controller.planner.load import Load
from controller.planner.situation import Links

BRIM = 0.03
"""What leaves a feed, PDU or phase that is hardly over its limit leaves those that it goes to this share below theirs:
filled to the brim they would be over them at the next rise, and send it all back. So does what moves to free a host."""

EVERY = slice(None)
"""All hosts, of whose columns no copy is made: where most of them are asked for, that is quicker than picking rows."""

Admits = Callable[[Load, int, IntColumn], model.BoolColumn]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`admits(load, vm, hosts)`: for each of the hosts, whether this rule lets the VM go there."""

    name: str
    admits: Admits


def fits(load: FloatColumn, limit: FloatColumn) -> model.BoolColumn:
    """`load <= limit`, true where either is not known."""
    return within(load, amounts.bound(limit))


def within(load: FloatColumn, bound: FloatColumn) -> model.BoolColumn:
    """The same of a limit with what is allowed for rounding."""
    over: model.BoolColumn = np.greater(load, bound)
    return ~over


def open_host(load: Load, vm: int, hosts: IntColumn) -> model.BoolColumn:
    """The host is up, enabled, known, trusted, healthy, cool and not draining (`standing`)."""
    return load.situation.standing.open[hosts]


def place_into(load: Load, vm: int, hosts: IntColumn) -> model.BoolColumn:
    """`limits.into_host` less migrations already arriving leaves a place."""
    return np.greater(load.situation.places.into[hosts], 0)


def traits(load: Load, vm: int, hosts: IntColumn) -> model.BoolColumn:
    """Required traits are there, forbidden ones are not."""
    return load.situation.admission.traits(_requirement(load, vm))[hosts]


def availability_zone(load: Load, vm: int, hosts: IntColumn) -> model.BoolColumn:
    """The zone the server asked for is the host's."""
    return load.situation.admission.zone(_requirement(load, vm))[hosts]


def aggregate(load: Load, vm: int, hosts: IntColumn) -> model.BoolColumn:
    """The flavor's aggregate extra specs are met by the host's aggregates."""
    return load.situation.admission.aggregates(_requirement(load, vm))[hosts]


def tenant_isolation(load: Load, vm: int, hosts: IntColumn) -> model.BoolColumn:
    """The host is reserved for nobody, or for this project."""
    return load.situation.admission.tenant(_requirement(load, vm))[hosts]


def numa(load: Load, vm: int, hosts: IntColumn) -> model.BoolColumn:
    """No cell of the guest is larger than every cell of the host, and it has no more of them."""
    return load.situation.admission.numa(_requirement(load, vm))[hosts]


def clearance(load: Load, vm: int, hosts: IntColumn) -> model.BoolColumn:
    """`classification(vm) <= clearance(host)`; the copy in transit counts, so it is never broken on the way."""
    cluster = load.situation.cluster
    cleared: model.BoolColumn = np.greater_equal(cluster.hosts.clearance[hosts], cluster.vms.classification[vm])
    return cleared


def elsewhere(load: Load, vm: int, hosts: IntColumn) -> model.BoolColumn:
    """Not the host it is on."""
    other: model.BoolColumn = np.not_equal(hosts, load.host[vm])
    return other


def refused_by_nova(load: Load, vm: int, hosts: IntColumn | slice) -> model.BoolColumn:
    """Nova has not refused this VM on that host lately."""
    admitted = np.ones(len(load.vms_on), np.bool_)
    admitted[list(load.situation.refused.get(vm, ()))] = False
    return admitted[hosts]


def across_rack(load: Load, vm: int, hosts: IntColumn | slice) -> model.BoolColumn:
    """The copy crosses no uplink, or both racks' uplinks have a place (`limits.across_rack`)."""
    rack = load.situation.cluster.hosts.rack
    source = int(rack[load.origin[vm]])
    room = np.append(np.greater(load.situation.places.across, 0), True)
    allowed = room & room[source]
    allowed[source] = True
    of_hosts: model.BoolColumn = allowed[rack[hosts]]
    return of_hosts


def pre_copy(load: Load, vm: int, hosts: IntColumn | slice) -> model.BoolColumn:
    """`B / L + M / (L - D) <= limits.max_copy`, in an operator's drain `<= migration.give_up_after`, when it would be
    aborted; `B` where the disk is not shared.

    Or so long when it is forced to its end (`completion`). A server that is off always passes. A disk of which nobody
    says whether it is shared holds nothing on a host that fails or is drained, but no end is forced beside it.
    """
    if load.situation.cluster.vms.state[vm] == model.VmState.SHUTOFF:
        return np.ones_like(load.vms_on[hosts], np.bool_)
    links = _links(load, vm)
    longest, of_host = longest_copy_s(load, vm), links.of_host[hosts]
    admits = np.less_equal(np.minimum(*live_copy_s(load, vm, links.bytes_s)), longest)[of_host]
    if load.situation.asked[2, vm] > 0 and not (shared := shares_disk(load, vm, hosts)).all():
        disk = disk_bytes(load, vm)
        with_disk = np.less_equal(np.minimum(*live_copy_s(load, vm, links.bytes_s, disk)), longest)[of_host]
        alone = np.less_equal(live_copy_s(load, vm, links.bytes_s)[0], longest)[of_host]
        admits = np.where(shared, admits, with_disk | (alone & may_share_disk(load, vm, hosts)))
    return admits


def shares_disk(load: Load, vm: int, hosts: IntColumn | slice) -> model.BoolColumn:
    """Whether the VM's own disk stands where each of the hosts reaches it, so that a live migration copies none."""
    shared = load.situation.cluster.hosts.shared_storage
    reached: model.BoolColumn = shared[hosts] & shared[load.origin[vm]]
    return reached


def may_share_disk(load: Load, vm: int, hosts: IntColumn | slice) -> model.BoolColumn:
    """Whether the VM must leave its host, and its disk may be shared with each of the hosts: nobody says it is not."""
    table, origin = load.situation.cluster.hosts, load.origin[vm]
    may = table.shared_storage | table.unsaid_storage
    must = load.situation.standing.failing[origin] | table.draining[origin]
    reached: model.BoolColumn = may[hosts] & may[origin] & must
    return reached


def disk_bytes(load: Load, vm: int) -> float:
    """All of its own disk: root where it boots from an image, ephemeral and swap."""
    return float(load.situation.asked[2, vm]) * amounts.GIB


def live_copy_s(load: Load, vm: int, links: FloatColumn, disk_bytes: float = 0.0) -> tuple[FloatColumn, FloatColumn]:
    """How long a live copy takes at the most over each of the links: by pre-copy alone, and forced to its end.

    `disk_bytes`: what of disks is copied with it.
    """
    situation = load.situation
    memory = float(situation.asked[1, vm]) * amounts.MIB
    alone = precopy.longest_s(memory, float(situation.dirty_bytes_s[vm]), links, disk_bytes)
    pause_s = float(situation.pause_s[vm])
    forced = completion.longest_s(pause_s, memory, links, situation.policy.migration, disk_bytes)
    return alone, forced


def longest_copy_s(load: Load, vm: int) -> float:
    """How long a copy of the VM may take: never longer than until it would be given up, which is all in a drain."""
    policy, most = load.situation.policy, load.situation.policy.migration.give_up_after
    return (most if load.situation.drained(vm) else min(most, policy.limits.max_copy)).total_seconds()


def capacity(load: Load, vm: int, hosts: IntColumn | slice) -> model.BoolColumn:
    """`asked(host) + asked(vm) <= (total - reserved) * ratio` for vCPUs, memory and disk, as Placement counts."""
    held = np.ones_like(load.asked[0, hosts], np.bool_)
    asked_for = load.situation.asked[:, vm].tolist()
    for amount, asked, bound in zip(asked_for, load.asked, load.situation.bounds.capacity, strict=True):
        if amount != 0:
            held &= within(asked[hosts] + amount, bound[hosts])
    return held


def cpu(load: Load, vm: int, hosts: IntColumn | slice) -> model.BoolColumn:
    """`threads busy + brought <= cpu_ratio * threads - what it uses more at its peaks` (`amounts.filled_to`)."""
    return _stays_cool(load, vm, hosts, amounts.CPU)


def memory(load: Load, vm: int, hosts: IntColumn | slice) -> model.BoolColumn:
    """`memory in use + brought <= memory_ratio * physical memory`."""
    return _stays_cool(load, vm, hosts, amounts.MEMORY)


def network(load: Load, vm: int, hosts: IntColumn | slice) -> model.BoolColumn:
    """`traffic + brought <= network_ratio * link - what it has more at its peaks`, where its traffic is measured."""
    return _stays_cool(load, vm, hosts, amounts.NETWORK)


def storage(load: Load, vm: int, hosts: IntColumn | slice) -> model.BoolColumn:
    """`read and written + brought <= storage_ratio * path`, where those are read and the path is known.

    Both copies count, of storage that is shared too.
    """
    return _stays_cool(load, vm, hosts, amounts.STORAGE)


def power(load: Load, vm: int, hosts: IntColumn) -> model.BoolColumn:
    """`load + watts_per_thread * brought + margin <= limit` on every row of the host (`power`)."""
    added = added_watts(load, vm, hosts)
    return fits(added, headroom_watts(load, hosts)) | np.equal(added, 0)


def group(load: Load, vm: int, hosts: IntColumn) -> model.BoolColumn:
    """Apart: a domain with fewer than `max_per_domain` members, and none that leaves its members in fewer domains than
    `min_domains` and than now. Together: the anchor. Or the domain it is in anyway.
    """
    admitted = np.ones(len(hosts), np.bool_)
    for number in load.situation.bonds_of.get(vm, ()):
        bond = load.situation.bonds[number]
        if bond.hard:
            there, here = bond.domain_of[hosts], int(bond.domain_of[load.host[vm]])
            admitted &= bond.admits(load.members[number], there, bond.anchor) | (np.equal(there, here) & (here >= 0))
            if bond.wants_several:
                admitted &= bond.keeps_domains(load.members[number], here, there)
    return admitted


def reserve(load: Load, vm: int, hosts: IntColumn) -> model.BoolColumn:
    """`needed + asked(vm) <= free` of each pool of the host that the VM fills (`failover`)."""
    if load.failover is None:
        return np.ones(len(hosts), np.bool_)
    return load.failover.admits(vm, int(load.host[vm]), hosts)


SAME_HOST = Rule(name="same-host", admits=elsewhere)

STATIC = (
    Rule(name="closed", admits=open_host),
    Rule(name="into-host", admits=place_into),
    Rule(name="clearance", admits=clearance),
    Rule(name="traits", admits=traits),
    Rule(name="availability-zone", admits=availability_zone),
    Rule(name="aggregate", admits=aggregate),
    Rule(name="tenant-isolation", admits=tenant_isolation),
    Rule(name="numa", admits=numa),
)
"""Rules of the host and the kind of VM alone; the first stands for the reason in `standing.closed`."""

_OF_VM = (refused_by_nova, across_rack, pre_copy)
PER_VM = tuple(Rule(name=admits.__name__.replace("_", "-"), admits=admits) for admits in _OF_VM)

_AMOUNTS = (capacity, cpu, memory, network, storage)
_SHARED = tuple(Rule(name=admits.__name__, admits=admits) for admits in (power, group, reserve))
DYNAMIC = (*(Rule(name=admits.__name__, admits=admits) for admits in _AMOUNTS), *_SHARED)
"""Rules that earlier moves can change; held again when moves are put into waves."""


def targets(load: Load, vm: int) -> IntColumn:
    """The hosts that may receive the VM now, in order."""
    open_ = _open_to(load, vm)
    for admits in _AMOUNTS[: 1 + load.situation.judged]:
        open_ = open_ & admits(load, vm, EVERY)
    return admitted(load, vm, np.flatnonzero(open_).astype(np.int32), _SHARED)


def places(load: Load, vm: int) -> IntColumn:
    """The hosts that no rule keeps the VM from but those of what they carry, in order."""
    return np.flatnonzero(_open_to(load, vm)).astype(np.int32)


def _open_to(load: Load, vm: int) -> model.BoolColumn:
    """The same as a mask over all hosts."""
    remembered, count = load.situation.open_to, len(load.situation.cluster.hosts.names)
    if vm not in remembered:
        open_ = _candidates(load, vm)
        for admits in _OF_VM:
            open_ = open_ & admits(load, vm, EVERY)
        remembered[vm] = np.packbits(open_)
    mask = np.unpackbits(remembered[vm], count=count).view(np.bool_)
    if load.host[vm] >= 0:
        mask[load.host[vm]] = False
    return mask


def _candidates(load: Load, vm: int) -> model.BoolColumn:
    situation = load.situation
    kind = _requirement(load, vm), int(situation.cluster.vms.classification[vm])
    if kind not in situation.candidates:
        every = np.arange(len(situation.cluster.hosts.names), dtype=np.int32)
        situation.candidates[kind] = np.isin(every, admitted(load, vm, every, STATIC))
    return situation.candidates[kind]


def admitted(load: Load, vm: int, hosts: IntColumn, rules: tuple[Rule, ...]) -> IntColumn:
    """Those of the hosts that all the rules let the VM go to."""
    for rule in rules:
        if not len(hosts):
            break
        hosts = hosts[rule.admits(load, vm, hosts)]
    return hosts


def has_room(load: Load, vm: int, host: int) -> bool:
    """Whether the host may receive the VM by the rules of what it carries."""
    return len(admitted(load, vm, np.array([host], np.int32), DYNAMIC)) == 1


def ruled_out_by(load: Load, vm: int, hosts: IntColumn) -> list[str]:
    """For each host the first rule that keeps the VM from it, "" where none does."""
    verdicts, open_ = np.full(len(hosts), "", object), _open_to(load, vm)[hosts]
    for rules, which in (((SAME_HOST, *STATIC, *PER_VM), ~open_), (DYNAMIC, open_)):
        left = np.flatnonzero(which)
        for rule in rules:
            if not len(left):
                break
            admits = rule.admits(load, vm, hosts[left])
            out = left[~admits]
            verdicts[out] = load.situation.standing.closed[hosts[out]] if rule.name == "closed" else rule.name
            left = left[admits]
    return list(map(str, verdicts))


def added_watts(load: Load, vm: int, hosts: IntColumn) -> FloatColumn:
    """What the VM would add to each host's rows: its threads by the host's slope, and what is left of its margin."""
    brought = float(load.situation.brings[amounts.CPU, vm])
    first = np.equal(load.arrivals[hosts], 0) & (brought > 0)
    return load.situation.watts.added(brought, hosts, ~first) - np.where(first, load.unsure[hosts], 0.0)


def below_brim(load: Load, vm: int, hosts: IntColumn, brim: float) -> IntColumn:
    """Those of the hosts whose rows would stay this share below their limits with the VM there (`power`)."""
    added = added_watts(load, vm, hosts)
    return hosts[fits(added, headroom_watts(load, hosts, brim)) | np.equal(added, 0)]


def hardly_over(load: Load, row: int) -> bool:
    """Whether a supply is so little over its limit that others are not filled to the brim for it."""
    return bool(load.least[row] <= (1.0 + BRIM) * load.situation.cluster.power.limit_watts[row])


def below_fill(load: Load, vm: int, hosts: IntColumn) -> IntColumn:
    """Those of the hosts that may be filled so far to free another one:

    `asked + asked(vm) <= fill_ratio * capacity` and `used + brought <= fill_ratio * (limit - what it uses more at its
    peaks)`, of what the VM brings.
    """
    situation, fill = load.situation, load.situation.policy.consolidation.fill_ratio
    used = counted(load, vm)
    tables = ((load.asked, situation.asked[:, vm], situation.capacity), (used.carried, used.brought, used.limit))
    for carried, brought, limits in tables:
        for amount, row, limit in zip(brought.tolist(), carried, limits, strict=True):
            if amount != 0:
                hosts = hosts[fits(row[hosts] + amount, fill * limit[hosts])]
    return hosts


class Counted(NamedTuple):
    """What hosts carry (4, H), what a VM adds (4,), up to what, and that with what is allowed for rounding (4, H)."""

    carried: amounts.Table
    brought: FloatColumn
    limit: amounts.Table
    bound: amounts.Table


def counted(load: Load, vm: int) -> Counted:
    """What is counted for the VM: amounts at their peaks, unless it is urgent."""
    situation = load.situation
    if situation.urgent[vm]:
        return Counted(load.used, situation.brings[:, vm], situation.limit, situation.bounds.limit)
    return Counted(load.at_peaks, situation.at_peaks[:, vm], situation.filled_to, situation.bounds.filled_to)


def headroom_watts(load: Load, hosts: IntColumn, brim: float = 0.0) -> FloatColumn:
    """For each of the hosts the least watts still free on any of its rows, up to `brim` below its limit.

    Infinite where none is measured.
    """
    cords = load.situation.watts.cords
    free = np.append((1.0 - brim) * load.situation.cluster.power.limit_watts - load.most, np.inf)
    free[np.isnan(free)] = np.inf
    least: FloatColumn = free[cords.sets].min(axis=1, initial=np.inf)
    return least[cords.set_of[hosts]]


def link_bytes_s(load: Load, vm: int, hosts: IntColumn) -> FloatColumn:
    """The share of the slowest link between the VM's host and each target when all allowed copies run together."""
    links = _links(load, vm)
    return links.bytes_s[links.of_host[hosts]]


def _links(load: Load, vm: int) -> Links:
    source, remembered, hosts_table = int(load.origin[vm]), load.situation.links, load.situation.cluster.hosts
    speed = float(hosts_table.migration_mib_s[source])
    alike = int(hosts_table.rack[source]), -1.0 if math.isnan(speed) else speed
    if alike not in remembered:
        bytes_s, of_host = np.unique(_links_bytes_s(load, source), return_inverse=True)
        remembered[alike] = Links(bytes_s=bytes_s, of_host=of_host.astype(np.int32))
    return remembered[alike]


def _links_bytes_s(load: Load, source: int) -> FloatColumn:
    cluster, hosts = load.situation.cluster, load.situation.cluster.hosts
    uplink, racks = np.append(cluster.racks.uplink_mib_s, np.inf), hosts.rack
    slower = np.minimum(uplink[racks], uplink[racks[source]])
    across = np.where(racks == racks[source], np.inf, slower)
    own = float(hosts.migration_mib_s[source])
    shared = share_mib_s(load.situation.policy.limits, own, hosts.migration_mib_s, across)
    bytes_s: FloatColumn = np.nan_to_num(shared, nan=0.0, posinf=0.0) * amounts.MIB
    return bytes_s


def share_mib_s(limits: Limits, source: float, targets: FloatColumn, uplinks: FloatColumn) -> FloatColumn:
    """A copy's share of the slowest link from a host to each target when all allowed copies run together:

    `min(source / out_of_host, target / into_host)`, and across racks also `uplink / across_rack` of both. `uplinks`:
    the slower of both racks', infinite where a copy crosses none.
    """
    hosts = np.minimum(source / sharing(limits, limits.out_of_host), targets / sharing(limits, limits.into_host))
    return np.minimum(hosts, uplinks / sharing(limits, limits.across_rack))


def leaving_bytes_s(load: Load, vms: IntColumn) -> FloatColumn:
    """The share of its own host's link that each VM's copy has when all allowed copies run together."""
    limits, own = load.situation.policy.limits, load.situation.cluster.hosts.migration_mib_s[load.origin[vms]]
    return own / sharing(limits, limits.out_of_host) * amounts.MIB


def sharing(limits: Limits, allowed: int) -> int:
    """How many copies may run over one link together."""
    return max(1, min(allowed, limits.at_once))


def _stays_cool(load: Load, vm: int, hosts: IntColumn | slice, quantity: int) -> model.BoolColumn:
    used = counted(load, vm)
    carried, brought = used.carried[quantity, hosts], used.brought[quantity]
    if brought == 0:
        return np.ones_like(carried, np.bool_)
    return within(carried + brought, used.bound[quantity, hosts])


def _requirement(load: Load, vm: int) -> int:
    return int(load.situation.cluster.vms.requirement[vm])
