"""What is judged of each host before any VM is looked at: is it failing, may it receive, may it shed.

Heat is a gate: above the zone's warning a host receives nothing, above critical it counts as failing. When two or more
of a zone's known hosts, and more than `facility_share` of them, are above warning together, it is a facility event:
nothing goes in and nothing of our own comes out.

Failing memory sheds at its first warning, since a corrected error today is an uncorrected one tomorrow. A warning of
power supply, fan or disk is lost redundancy: the host receives nothing and keeps what it has. Failed, it sheds.

Health or inlet that is read no longer, or reads what cannot be, is no sign of health: such a host receives nothing,
since what failed last week has not mended by its BMC going quiet; nor does one whose BMC should tell its health and has
told nothing, for nobody knows what it said before the controller began. Of anything else never read policy decides
(`required_of_hosts`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.model import cluster as model
from controller.model.sample import FloatColumn, Health, IntColumn, Trust
from controller.planner import batteries

RuleColumn = NDArray[np.str_]
"""The first rule that says no, "" where none does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One entry a host, `facility_zones` and `warm_share` one a zone.

    `open`: it may receive. `closed`: the first rule by which it does not, `shut`: each rule that says so, in order.
    `held`: why it sheds nothing on our own account; `drain_held` in an operator's drain.
    `sick`: its hardware fails. `overheated`: its inlet is above critical, and not with its whole zone. `failing`:
    one of these. `on_battery`: a feed of it is (`batteries`).
    """

    open: model.BoolColumn
    closed: RuleColumn
    shut: Mapping[str, model.BoolColumn]
    held: RuleColumn
    drain_held: RuleColumn
    sick: model.BoolColumn
    overheated: model.BoolColumn
    failing: model.BoolColumn
    on_battery: model.BoolColumn
    facility_zones: model.BoolColumn
    warm_share: FloatColumn


def of_hosts(cluster: model.Cluster, zones: IntColumn, facility_share: float) -> Standing:
    """Judges every host; `zones` is each host's zone row, -1 where it has none."""
    hosts = cluster.hosts
    warm = _above(hosts.inlet_celsius, cluster.zones.warning_celsius, zones)
    critical = _above(hosts.inlet_celsius, cluster.zones.critical_celsius, zones)
    warm_hosts, warm_share = _warm(warm & hosts.known, hosts.known, zones, len(cluster.zones.names))
    facility_zones = (warm_hosts >= 2) & (warm_share > facility_share)
    facility = (zones >= 0) & np.append(facility_zones, False)[zones]
    sick, overheated = failing_health(hosts), critical & ~facility
    down, unknown, untrusted = ~hosts.up, ~hosts.known, ~hosts.trusted
    on_battery = batteries.hosts(cluster)
    shut = {
        "down": down,
        "unknown-host": unknown,
        "disabled": ~hosts.enabled,
        "draining": hosts.draining,
        "withheld": hosts.withheld,
        "untrusted": untrusted,
        "failing": sick,
        "health": _weak(hosts),
        "facility": facility,
        "heat": warm,
        "on-battery": on_battery,
        "unsure-health": _unsure(hosts),
        "unread-health": hosts.unread_health,
    }
    return Standing(
        open=~np.logical_or.reduce(list(shut.values())),
        closed=first_rule(*shut.items()),
        shut=shut,
        held=first_rule(
            ("down", down),
            ("withheld", hosts.withheld),
            ("unknown-host", unknown),
            ("untrusted", untrusted),
            ("facility", facility),
        ),
        drain_held=first_rule(("down", down), ("withheld", hosts.withheld)),
        sick=sick,
        overheated=overheated,
        failing=sick | overheated,
        on_battery=on_battery,
        facility_zones=facility_zones,
        warm_share=warm_share,
    )


def failing_health(hosts: model.Hosts) -> model.BoolColumn:
    """Memory at warning or worse; power supply, fan or disk failed."""
    others = (hosts.psu_health, hosts.fan_health, hosts.disk_health)
    sick = _at_least(hosts.memory_health, Health.WARNING)
    for reading in others:
        sick = sick | _at_least(reading, Health.FAILED)
    return sick


def _unsure(hosts: model.Hosts) -> model.BoolColumn:
    """Health or inlet was read, and is stale or implausible now."""
    unsure = np.zeros(len(hosts.names), np.bool_)
    for reading in (hosts.memory_health, hosts.psu_health, hosts.fan_health, hosts.disk_health, hosts.inlet_celsius):
        unsure |= np.equal(reading.trust, Trust.STALE) | np.equal(reading.trust, Trust.IMPLAUSIBLE)
    return unsure


def _weak(hosts: model.Hosts) -> model.BoolColumn:
    weak = np.zeros(len(hosts.names), np.bool_)
    for reading in (hosts.memory_health, hosts.psu_health, hosts.fan_health, hosts.disk_health):
        weak |= _at_least(reading, Health.WARNING)
    return weak


def _at_least(reading: model.Reading, health: Health) -> model.BoolColumn:
    return reading.fresh & np.greater_equal(reading.values, health)


def _above(inlet: model.Reading, limits: FloatColumn, zones: IntColumn) -> model.BoolColumn:
    """Where a fresh inlet is above its zone's limit."""
    limit = np.append(limits, np.nan)[zones]
    above: model.BoolColumn = inlet.fresh & np.greater(inlet.values, limit)
    return above


def _warm(
    warm: model.BoolColumn, known: model.BoolColumn, zones: IntColumn, count: int
) -> tuple[IntColumn, FloatColumn]:
    """For each zone how many of its known hosts are above warning, and what share of them."""
    inside = zones >= 0
    hosts = np.bincount(zones[inside & warm], minlength=count).astype(np.int32)
    whole = np.bincount(zones[inside & known], minlength=count)
    return hosts, hosts / np.maximum(whole, 1)


def first_rule(*rules: tuple[str, model.BoolColumn]) -> RuleColumn:
    """For each row the name of the first rule whose mask says no, "" where none does."""
    names: Sequence[str] = [name for name, _ in rules]
    return np.select([mask for _, mask in rules], names, default="")
