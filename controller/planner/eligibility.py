"""Which VMs may move at all, before any target is looked at: on our own account, and in an operator's drain.

An operator's drain may move what we would not: a locked VM, one that rests, one of an unknown project, one whose fit
cannot be shown (Nova and Placement still say no where it does not fit). It keeps an agency's windows and every limit.
"""

from collections.abc import Collection

import numpy as np

from controller.model import cluster as model
from controller.model.sample import IntColumn
from controller.planner.budget import Free, agency_of_vms
from controller.planner.standing import RuleColumn, Standing, first_rule


def live(vms: model.Vms) -> model.BoolColumn:
    """The servers that run, or are paused and could at any moment."""
    return np.isin(vms.state, (model.VmState.ACTIVE, model.VmState.PAUSED))


def on_our_own(cluster: model.Cluster, standing: Standing, places: Free, now_s: float) -> RuleColumn:
    """The first rule that keeps each VM where it is, "" where none does."""
    vms = cluster.vms
    frozen = np.full(len(vms.ids), cluster.freeze is not None)
    return first_rule(
        *_always(cluster, ~live(vms)),
        ("freeze", frozen),
        *_of_host(standing.held, vms.host),
        ("unknown-system", vms.system < 0),
        ("locked", vms.locked),
        ("fit-unknown", ~vms.fit_known),
        ("cooldown", vms.cooldown_until > now_s),
        *_budgets(cluster, places),
    )


def in_a_drain(cluster: model.Cluster, standing: Standing, places: Free, cold: Collection[int]) -> RuleColumn:
    """The same for the VMs of a draining host; `cold` are the hosts whose SHUTOFF servers are moved cold."""
    vms = cluster.vms
    movable = live(vms) | (np.equal(vms.state, model.VmState.SHUTOFF) & np.isin(vms.host, list(cold)))
    return first_rule(*_always(cluster, ~movable), *_of_host(standing.drain_held, vms.host), *_budgets(cluster, places))


def _always(cluster: model.Cluster, unmovable: model.BoolColumn) -> tuple[tuple[str, model.BoolColumn], ...]:
    vms = cluster.vms
    return (
        ("no-host", vms.host < 0),
        ("migrating", vms.target >= 0),
        ("busy", vms.busy),
        ("state", unmovable),
        ("requirement-unknown", vms.requirement < 0),
        ("withheld", np.append(cluster.systems.withheld, False)[vms.system]),
        ("window", ~np.append(cluster.systems.open, True)[vms.system]),
    )


def _of_host(rules: RuleColumn, host: IntColumn) -> tuple[tuple[str, model.BoolColumn], ...]:
    """The rules that hold whole hosts, as masks over VMs."""
    each = np.append(rules, "")[host]
    return tuple((str(rule), each == rule) for rule in np.unique(rules) if rule)


def _budgets(cluster: model.Cluster, places: Free) -> tuple[tuple[str, model.BoolColumn], ...]:
    vms = cluster.vms
    everywhere = np.full(len(vms.ids), places.total <= 0)
    return (
        ("at-once", everywhere),
        ("out-of-host", np.append(places.out_of, 1)[vms.host] <= 0),
        ("agency-budget", np.append(places.agency, 1)[agency_of_vms(cluster)] <= 0),
        ("system-budget", np.append(places.system, 1)[vms.system] <= 0),
    )
