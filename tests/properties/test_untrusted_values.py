"""No value that the trust gate did not pass ever changes what the planner sees or does."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.model.cluster import Cluster, Reading
from controller.model.plan import Plan
from controller.planner import plan
from tests.fakes.looks import NOW, Site


def spoiled(site: Site, rng: np.random.Generator) -> None:
    """Makes some readings stale, some implausible, and takes some away, at random."""
    batches = []
    for batch in site.batches:
        chance = rng.random(len(batch.names))
        batch.at[chance < 0.12] -= 1000.0
        batch.values[(chance > 0.12) & (chance < 0.2)] = rng.choice([np.nan, np.inf, -99.0, 1e15])
        keep = np.flatnonzero(chance < 0.93)
        names = tuple(batch.names[row] for row in keep)
        batches.append(replace(batch, names=names, values=batch.values[keep], at=batch.at[keep]))
    site.batches = batches


def rewritten(table: Any, rng: np.random.Generator) -> Any:
    """The table with other values wherever a reading is not fresh."""
    changes = {}
    for field in fields(table):
        reading = getattr(table, field.name)
        if isinstance(reading, Reading):
            lies = rng.choice([0.0, 1.0, 1e12, -5.0], len(reading.values))
            changes[field.name] = replace(reading, values=np.where(reading.fresh, reading.values, lies))
    return replace(table, **changes)


def lied_to(cluster: Cluster, rng: np.random.Generator) -> Cluster:
    names = ("hosts", "vms", "zones", "power")
    return replace(cluster, **{name: rewritten(getattr(cluster, name), rng) for name in names})


def decided(found: Plan) -> tuple[object, ...]:
    return found.moves, found.holds, found.breaches_before, found.limits, found.score_before, found.sentence


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_is_not_fresh_changes_no_plan(seed: int) -> None:
    rng = np.random.default_rng(seed)
    site = Site(seed=seed % 5)
    spoiled(site, rng)
    cluster = site.cluster()
    truth = decided(plan.plan(cluster, site.policy, NOW))
    assert decided(plan.plan(lied_to(cluster, rng), site.policy, NOW)) == truth


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_host_that_is_not_trusted_receives_nothing_and_sheds_nothing(seed: int) -> None:
    site = Site(seed=seed % 5)
    spoiled(site, np.random.default_rng(seed))
    cluster = site.cluster()
    trusted = {name for name, yes in zip(cluster.hosts.names, cluster.hosts.trusted, strict=True) if yes}
    for move in plan.plan(cluster, site.policy, NOW).moves:
        assert {move.source, move.target} <= trusted


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_fresh_value_is_always_a_number_with_a_time_and_a_source(seed: int) -> None:
    site = Site()
    spoiled(site, np.random.default_rng(seed))
    cluster = site.cluster()
    for table in (cluster.hosts, cluster.vms, cluster.zones, cluster.power):
        for field in fields(table):
            reading = getattr(table, field.name)
            if isinstance(reading, Reading):
                fresh = reading.fresh
                assert np.isfinite(reading.values[fresh]).all(), field.name
                assert (NOW.timestamp() - reading.at[fresh] <= 90).all(), field.name
                assert (reading.source[fresh] >= 0).all(), field.name
