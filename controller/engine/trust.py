"""How far a snapshot can be trusted, and whether the controller may act on it at all. Pure.

A freeze binds the controller's own moves, never an operator's drain.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from controller.engine import census
from controller.engine.status import ReadingCount
from controller.model import cluster as model
from controller.model.extent import Extent
from controller.model.ids import HostName
from controller.model.policy import TrustPolicy
from controller.model.sample import Quantity, Trust
from inventory.model import IN_NOVA, Estate

_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How the look went, beside its snapshot.

    `facts_at`: when the cloud was last read. `facts_error`: why it could not be read this time. `unread_members`: its
    servers and server groups that could not be understood, in words. `most`: the most there was of each lately (see
    `extents`); None at the first look ever, and when an operator accepts a smaller estate. `settling`: hosts that a
    move touched a moment ago, whose readings do not count yet and that nobody should worry about.
    """

    facts_at: datetime
    facts_error: str | None = None
    unread_members: tuple[str, ...] = ()
    most: Extent | None = None
    settling: frozenset[HostName] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustReport:
    """`untrusted`: each known host without the readings policy asks for, and why. `unknown_hosts`: in the cloud and not
    in the inventory. `missing_hosts`: expected by the inventory and not in the cloud. `unknown_vms`: their project is
    in no inventory. `freeze`: why the controller makes no moves of its own, in a sentence. `extent`: how much there
    was, to be noted for the looks to come; None where this look is no measure.
    """

    readings: tuple[ReadingCount, ...]
    untrusted: tuple[tuple[HostName, str], ...]
    unknown_hosts: tuple[HostName, ...]
    missing_hosts: tuple[str, ...]
    unknown_vms: int
    freeze: str | None
    extent: Extent | None


def report(cluster: model.Cluster, estate: Estate, policy: TrustPolicy, sight: Sight) -> TrustReport:
    """Judges one snapshot at its own time."""
    expected = [name for name, host in estate.hosts.items() if host.lifecycle in IN_NOVA]
    extent = Extent(expected_hosts=len(expected), hosts=len(cluster.hosts.names), vms=len(cluster.vms.ids))
    shrunk = tuple(_shrunk(extent, sight.most, policy))
    untrusted = tuple(_untrusted(cluster, policy))
    reasons = [
        *_unseen(cluster, policy, sight),
        *shrunk,
        *_too_few_trusted(cluster, untrusted, policy, sight.settling),
    ]
    bad = shrunk or sight.facts_error is not None
    return TrustReport(
        readings=census.readings(cluster),
        untrusted=untrusted,
        unknown_hosts=tuple(n for n, known in zip(cluster.hosts.names, cluster.hosts.known, strict=True) if not known),
        missing_hosts=tuple(sorted(set(expected) - set(cluster.hosts.names))),
        unknown_vms=int(np.count_nonzero(cluster.vms.system < 0)),
        freeze="; ".join(reasons) or None,
        extent=None if bad else extent,
    )


def _unseen(cluster: model.Cluster, policy: TrustPolicy, sight: Sight) -> Iterator[str]:
    age = (cluster.taken_at - sight.facts_at).total_seconds()
    if sight.facts_error is not None:
        yield f"the cloud could not be read ({sight.facts_error}); what is known of it is {age:.0f} s old"
    elif age > policy.default_max_age.total_seconds():
        yield f"what is known of the cloud is {age:.0f} s old"
    if sight.unread_members:
        count, first = len(sight.unread_members), sight.unread_members[0]
        yield (
            f"{count} of the cloud's servers and server groups could not be understood, so no group rule can be "
            f"relied on: {first}"
        )
    if not cluster.hosts.known.any():
        yield f"none of the cloud's {len(cluster.hosts.names)} hosts is in the inventory"


def _shrunk(extent: Extent, most: Extent | None, policy: TrustPolicy) -> Iterator[str]:
    if most is None:
        return
    minutes = policy.freeze_shrink_window.total_seconds() / 60
    for what, now, before in (
        ("hosts that the inventory expects", extent.expected_hosts, most.expected_hosts),
        ("hosts that the cloud shows", extent.hosts, most.hosts),
        ("VMs that the cloud shows", extent.vms, most.vms),
    ):
        share = 1.0 - now / before if before else 0.0
        if share > policy.freeze_shrink_share:
            yield (
                f"the {what} shrank from {before} to {now}, by {share:.0%} where policy allows "
                f"{policy.freeze_shrink_share:.0%} within {minutes:g} minutes: check that this is true, then resume"
            )


def _too_few_trusted(
    cluster: model.Cluster,
    untrusted: tuple[tuple[HostName, str], ...],
    policy: TrustPolicy,
    settling: frozenset[HostName],
) -> Iterator[str]:
    """Hosts that are switched off on purpose (disabled and down) and those that settle after a move do not count."""
    hosts = cluster.hosts
    counted = {
        name
        for name, counts in zip(hosts.names, hosts.known & (hosts.enabled | hosts.up), strict=True)
        if counts and name not in settling
    }
    without = [(name, why) for name, why in untrusted if name in counted]
    if counted and len(without) / len(counted) > policy.freeze_untrusted_share:
        shown = ", ".join(f"{name} ({why})" for name, why in without[:_SHOWN])
        more = f" and {len(without) - _SHOWN} more" if len(without) > _SHOWN else ""
        yield (
            f"{len(without)} of {len(counted)} hosts have no trusted readings, more than the "
            f"{policy.freeze_untrusted_share:.0%} that policy allows: {shown}{more}"
        )


def _untrusted(cluster: model.Cluster, policy: TrustPolicy) -> Iterator[tuple[HostName, str]]:
    hosts, now = cluster.hosts, cluster.taken_at.timestamp()
    required = [(quantity, getattr(hosts, quantity)) for quantity in sorted(policy.required_of_hosts)]
    for row in np.flatnonzero(hosts.known & ~hosts.trusted):
        flaws = [_flaw(quantity, reading, int(row), now) for quantity, reading in required if not reading.fresh[row]]
        yield hosts.names[row], ", ".join(flaws) or "Placement does not show its CPU and memory"


def _flaw(quantity: Quantity, reading: model.Reading, row: int, now: float) -> str:
    trust = Trust(int(reading.trust[row]))
    if trust is Trust.ABSENT:
        return f"{quantity} absent"
    if trust is Trust.STALE:
        return f"{quantity} stale, taken {now - reading.at[row]:.0f} s ago"
    return f"{quantity} implausible, {reading.values[row]:g}"
