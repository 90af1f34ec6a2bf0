"""Where the assignment core has VMs stand, on arbitrary clusters: only where rules of places let them, within what
hosts admit; and what a search makes of it passes what every plan passes.
"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from controller.model import cluster as model
from controller.model.policy import Policy
from controller.planner import assigned, groups, plan, rules, search, situation, whim
from controller.planner.load import Load
from inventory.model import Domain
from tests import builders
from tests.fakes import arbitrary_clusters
from tests.fakes.arbitrary_clusters import seldom

HOSTS_OWN = ("health", "inlet", "drain", "capacity", "cpu", "memory", "network", "storage")
UNITS = 64
"""So many roundings to a whole unit may come together on a host."""


def loaded(cluster: model.Cluster, policy: Policy) -> Load:
    return Load(situation.of_cluster(cluster, policy, builders.NOW))


@seldom
@given(cluster=arbitrary_clusters.pressed(), policy=arbitrary_clusters.policies(), seed=st.integers(1, 9))
def test_a_placement_keeps_to_places_capacity_and_groups_that_stand_apart(cluster, policy, seed):
    load = loaded(cluster, policy)
    facts = load.situation
    movable = np.array([facts.held(vm) == "" for vm in range(len(load.host))], np.bool_)
    placed = assigned.placement(load, movable, range(len(facts.cluster.hosts.names)), seed, search.never)
    placed = load.host if placed is None else placed
    moved = np.flatnonzero(placed != load.host).tolist()
    assert all(movable[vm] and placed[vm] in rules.places(load, vm) for vm in moved)
    asked = load.asked.copy()
    for vm in moved:
        asked[:, load.host[vm]] -= facts.asked[:, vm]
        asked[:, placed[vm]] += facts.asked[:, vm]
    received = sorted({int(placed[vm]) for vm in moved})
    admitted = (
        facts.capacity * (1 + UNITS / assigned.UNIT) + UNITS / assigned.UNIT * facts.capacity.mean(axis=1)[:, None]
    )
    assert (asked <= np.maximum(admitted, load.asked))[:, received].all()
    for bond in facts.bonds:
        group = bond.group
        if group.kind is model.GroupKind.ANTI_AFFINITY and group.domain is Domain.HOST and group.max_per_domain == 1:
            came = [int(placed[vm]) for vm in group.members.tolist() if vm in moved]
            there = placed[group.members].tolist()
            assert all(there.count(host) == 1 for host in came)


@seldom
@given(cluster=arbitrary_clusters.pressed(), policy=arbitrary_clusters.policies(), seed=st.integers(1, 9))
def test_a_plan_with_a_direction_passes_the_check_and_leaves_nothing_worse(cluster, policy, seed):
    facts = situation.of_cluster(cluster, policy, builders.NOW)
    found = search.choices(facts, prefers=whim.Whim(seed=seed))
    assert all(facts.held(choice.vm) == "" for choice in found.choices)
    made = plan.proved(facts, found, cluster, policy, builders.NOW)
    assert made.score_after <= made.score_before
    going = {move.vm: move for move in made.moves}
    for move in made.moves:
        if move.room_for is not None:
            assert going[move.room_for].target == move.source
        elif move.rule in HOSTS_OWN:
            assert move.breach == f"{move.rule}:{move.source}"


def test_groups_that_the_problem_cannot_hold_stay_out_of_it():
    kinds = {kind for kind in model.GroupKind if kind in groups.HARD}
    for kind in kinds:
        cluster = builders.cluster(
            hosts=[builders.Host(name=f"c{n}", rack=f"r{n}") for n in (1, 2, 3)],
            vms=[builders.Vm(name=name, host="c1") for name in ("a", "b", "free")],
            racks=[builders.Rack(name=f"r{n}") for n in (1, 2, 3)],
            groups=[builders.Group(name="g", members=("a", "b"), kind=kind, domain=Domain.RACK)],
        )
        load = loaded(cluster, Policy())
        everything = np.ones(3, np.bool_)
        placed = assigned.placement(load, everything, (), 1, search.never)
        assert placed is not None
        assert placed[:2].tolist() == load.host[:2].tolist()
