"""Where VMs had best stand all at once, and how a search goes there."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.parts import small_instances
from controller.model.cluster import Cluster
from controller.model.plan import WRONG, Concern, Plan
from controller.model.policy import Limits, Mode, Policy
from controller.planner import assigned, check, classify, mending, plan, rearranging, room, search, situation, whim
from controller.planner.assignment import objective, permission
from controller.planner.load import Load
from inventory.model import Classification
from tests import builders
from tests.builders import NOW, Group, Host, Vm
from tests.fakes import chained

POLICY = Policy(mode=Mode.AUTO, balance=False)


def placed(cluster: Cluster, *, wrong: tuple[int, ...] = (), seed: int = 1) -> dict[str, str]:
    """The host that each VM is given."""
    load = Load(situation.of_cluster(cluster, POLICY, NOW))
    facts = load.situation
    movable = np.array([facts.held(vm) == "" for vm in range(len(facts.cluster.vms.ids))])
    found = assigned.placement(load, movable, wrong, seed, search.never)
    assert found is not None
    names = facts.cluster.hosts.names
    return {vm: names[host] for vm, host in zip(facts.cluster.vms.names, found.tolist(), strict=True)}


def test_what_fails_or_is_not_cleared_is_left_and_what_may_not_move_stays():
    found = placed(
        builders.cluster(
            hosts=[
                Host(name="c1", memory_health=2),
                Host(name="c2", clearance=Classification.OPEN),
                Host(name="c3"),
                Host(name="c4", draining=True),
            ],
            vms=[
                Vm(name="a", host="c1"),
                Vm(name="held", host="c1", locked=True),
                Vm(name="secret", host="c2", classification=Classification.CONFIDENTIAL),
                Vm(name="open", host="c2", classification=Classification.OPEN),
                Vm(name="d", host="c4"),
            ],
        )
    )
    assert found["held"] == "c1" and found["secret"] == "c3" and found["open"] == "c2"
    assert found["a"] in {"c2", "c3"} and found["d"] in {"c2", "c3"}


def test_members_of_a_group_that_stands_apart_get_hosts_of_their_own():
    vms = [Vm(name=f"m{n}", host="c1" if n < 2 else "c2") for n in range(3)]
    cluster = builders.cluster(
        hosts=[Host(name=f"c{n}") for n in range(1, 5)],
        vms=[*vms, Vm(name="fixed", host="c3", locked=True)],
        groups=[Group(name="apart", members=("fixed", "m0", "m1", "m2"))],
    )
    found = placed(cluster)
    assert len(set(found.values())) == 4 and found["fixed"] == "c3"


def test_a_seed_gives_one_placement_and_a_stop_ends_it_at_once():
    cluster = builders.cluster(
        hosts=[Host(name=f"c{n}", memory_health=2 * (n == 0)) for n in range(6)],
        vms=[Vm(name=f"v{n}", host="c0", memory_gib=4) for n in range(20)],
    )
    assert placed(cluster, seed=3) == placed(cluster, seed=3)
    load = Load(situation.of_cluster(cluster, POLICY, NOW))
    stopped = assigned.placement(load, np.ones(20, np.bool_), (), 3, lambda: True)
    assert stopped is not None and stopped.tolist() == load.host.tolist()


def test_where_more_may_move_than_are_looked_at_those_come_first_whose_host_something_is_wrong_with(monkeypatch):
    monkeypatch.setattr(assigned, "MOST_ITEMS", 3)
    cluster = builders.cluster(
        hosts=[Host(name="c1"), Host(name="c2", memory_health=2), Host(name="c3")],
        vms=[*(Vm(name=f"a{n}", host="c1") for n in range(9)), *(Vm(name=f"b{n}", host="c2") for n in range(3))],
    )
    found = placed(cluster, wrong=(1,))
    assert all(found[f"a{n}"] == "c1" for n in range(9)) and all(found[f"b{n}"] != "c2" for n in range(3))


@pytest.mark.parametrize("order", [WRONG, WRONG[::-1]])
def test_what_policy_puts_first_weighs_most_in_a_problem(order):
    policy = replace(POLICY, objective=(*order, Concern.UNEVEN, Concern.CONSOLIDATION))
    hosts = [Host(name="c1", memory_health=2), Host(name="c2", draining=True), Host(name="c3")]
    vms = [Vm(name="a", host="c1"), Vm(name="b", host="c2")]
    load = Load(situation.of_cluster(builders.cluster(hosts=hosts, vms=vms), policy, NOW))
    costs = assigned.of_load(load, np.arange(2, dtype=np.int32)).move_cost
    weights = dict(zip(order, assigned.MOST_URGENT, strict=True))
    expected = np.array([weights[Concern.BROKEN], weights[Concern.DRAIN]]) * -assigned.UNIT
    assert costs == pytest.approx(expected, rel=0.1)


def test_a_problem_costs_what_its_amounts_are_over():
    """Two hosts alike: vCPUs admitted 64, 80 asked on the first, so 16/64 over; the second is empty."""
    cluster = builders.cluster(
        hosts=[Host(name=name, vcpus=64, memory_gib=1000, cpu=0.1) for name in ("c1", "c2")],
        vms=[Vm(name=f"v{n}", host="c1", vcpus=16, memory_gib=1, memory_used_gib=0.5, cpu=0.0) for n in range(5)],
    )
    load = Load(situation.of_cluster(cluster, POLICY, NOW))
    problem = assigned.of_load(load, np.arange(5, dtype=np.int32))
    assert objective.cost(problem, problem.origin).load == assigned.MOST_URGENT[0] * assigned.UNIT // 4
    moved = problem.origin.copy()
    moved[0] = 1
    assert objective.cost(problem, moved).load == 0 and not objective.broken(problem, moved)


def moves(made: Plan) -> list[str]:
    return [f"{move.wave}: {move.vm_name} {move.source} to {move.target}" for move in made.moves]


def test_a_second_search_finds_a_chain_that_the_first_does_not():
    once = plan.plan(chained.cluster(), POLICY, NOW)
    assert not once.moves
    policy = replace(POLICY, search_rounds=2)
    made = plan.plan(chained.cluster(), policy, NOW)
    assert moves(made) == ["1: v3 c3 to c4", "2: v2 c2 to c3", "3: v1 c1 to c2"]
    assert [move.room_for for move in made.moves] == [made.moves[1].vm, made.moves[2].vm, None]
    assert not made.breaches_after and check.problems(chained.cluster(), policy, made) == ()


@pytest.mark.parametrize(
    ("cluster", "policy"),
    [
        (chained.cluster(held=True), POLICY),
        (chained.cluster(drained=True), POLICY),
        (chained.cluster(), replace(POLICY, limits=Limits(per_hour=2))),
    ],
    ids=["the last is held", "a drain displaces nobody", "the hour has two moves left"],
)
def test_a_chain_that_cannot_be_moved_whole_moves_nobody(cluster: Cluster, policy: Policy):
    facts = situation.of_cluster(cluster, policy, NOW)
    for seed in range(1, 5):
        found = search.choices(facts, prefers=whim.Whim(seed=seed))
        assert not found.choices


@pytest.mark.parametrize(("length", "moved"), [(5, 5), (6, 0)])
def test_a_placement_is_followed_as_far_as_four_behind_the_first(length: int, moved: int):
    facts = situation.of_cluster(chained.cluster(length), POLICY, NOW)
    found = search.Search(facts, room.USUAL, search.never)
    rearranging.towards(found, found.load.host + 1, classify.breaches(found.load))
    assert len(found.found().choices) == moved


def test_a_chain_of_four_is_found():
    made = plan.plan(chained.cluster(4), replace(POLICY, search_rounds=8), NOW)
    assert len(made.moves) == 4 and not made.breaches_after


def test_who_made_room_in_vain_and_cannot_go_back_is_in_no_plan():
    """The search leaves it away, where nobody can send it back; a plan without it is made."""
    made = plan.plan(chained.closed_behind(), replace(POLICY, search_rounds=8), NOW)
    assert {move.source[0] for move in made.moves} == {"d"} and len(made.moves) == 3


@pytest.mark.parametrize("seed", [8, 33, 37, 50])
def test_what_is_uneven_gives_no_direction(seed):
    policy = replace(small_instances.POLICY, balance=False, search_rounds=6)
    made = plan.plan(small_instances.cluster(seed), policy, NOW)
    assert all(move.concern is not Concern.UNEVEN for move in made.moves)


def test_a_breach_that_has_not_lasted_gives_no_direction():
    hot = builders.cluster(
        hosts=[Host(name="c1", threads=32, cpu=0.95), Host(name="c2", threads=32, cpu=0.1)],
        vms=[Vm(name=f"v{n}", host="c1", vcpus=8, cpu=6.0) for n in range(5)],
    )
    young = replace(hot, breach_since={"cpu:c1": NOW.timestamp() - 1})
    seeded = whim.Whim(seed=1)
    assert search.choices(situation.of_cluster(hot, POLICY, NOW), prefers=seeded).choices
    assert not search.choices(situation.of_cluster(young, POLICY, NOW), prefers=seeded).choices


@pytest.mark.parametrize("own_moves", [True, False])
def test_a_round_without_a_direction_is_one_of_chance(monkeypatch, own_moves: bool):
    monkeypatch.setattr(assigned, "placement", lambda *_: None)
    only = None if own_moves else ()
    facts = situation.of_cluster(chained.cluster(), POLICY, NOW, only=only)
    asked: list[whim.Whim] = []
    monkeypatch.setattr(mending, "mend", lambda looking: asked.append(looking.prefers))
    search.choices(facts, prefers=whim.of_round(1))
    assert asked[0].dice is not None and asked[0].seed is None


def test_no_vm_goes_where_a_member_of_its_group_stays_that_is_not_looked_at(monkeypatch):
    monkeypatch.setattr(assigned, "MOST_ITEMS", 1)
    cluster = builders.cluster(
        hosts=[Host(name="c1", memory_health=2), Host(name="c2"), Host(name="c3", memory_gib=4)],
        vms=[Vm(name="a", host="c1"), Vm(name="b", host="c2")],
        groups=[Group(name="apart", members=("a", "b"))],
    )
    assert placed(cluster, wrong=(0,)) == {"a": "c1", "b": "c2"}


FORBIDDEN = """
import ctypes, sys
PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0):
    sys.exit("older than 6.3")
from controller.model.policy import Mode, Policy
from controller.planner import plan, whim
from controller.planner.assignment import permission
from tests.builders import NOW
from tests.fakes import chained
assert not permission.granted()
assert whim.of_round(1).seed is None and whim.of_round(1).dice is not None
policy = Policy(mode=Mode.AUTO, balance=False, search_rounds=4)
print(len(plan.plan(chained.cluster(), policy, NOW).moves), "numba" in sys.modules)
"""


def test_where_machine_code_is_forbidden_rounds_differ_by_whims_alone_and_nothing_is_compiled():
    """As under `MemoryDenyWriteExecute` of systemd, in which LLVM would end the process."""
    told = subprocess.run([sys.executable, "-c", FORBIDDEN], capture_output=True, text=True, check=False)
    if "older than 6.3" in told.stderr:
        pytest.skip("this kernel is older than 6.3")
    assert told.stdout == "0 False\n", told.stderr


def test_rounds_have_a_direction_where_machine_code_is_allowed():
    assert permission.granted()
    rounds = [whim.of_round(number) for number in range(10)]
    assert [each.seed for each in rounds] == [None, 1, 2, None, None, None, None, None, 8, None]
    assert [each.dice is None for each in rounds] == [True] * 3 + [False] * 7
    assert [each.reconsiders for each in rounds] == [False] * 3 + [True] * 5 + [False, True]
