"""Where VMs had best stand all at once, and how a search goes there."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from controller.model.cluster import Cluster
from controller.model.plan import Plan
from controller.model.policy import Mode, Policy
from controller.planner import assigned, check, plan, search, situation, whim
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
    assert stopped.tolist() == load.host.tolist()


def test_where_more_may_move_than_are_looked_at_those_come_first_whose_host_something_is_wrong_with(monkeypatch):
    monkeypatch.setattr(assigned, "MOST_ITEMS", 3)
    cluster = builders.cluster(
        hosts=[Host(name="c1"), Host(name="c2", memory_health=2), Host(name="c3")],
        vms=[*(Vm(name=f"a{n}", host="c1") for n in range(9)), *(Vm(name=f"b{n}", host="c2") for n in range(3))],
    )
    found = placed(cluster, wrong=(1,))
    assert all(found[f"a{n}"] == "c1" for n in range(9)) and all(found[f"b{n}"] != "c2" for n in range(3))


def test_a_problem_costs_what_its_amounts_are_over():
    """Two hosts alike: vCPUs admitted 64, 80 asked on the first, so 16/64 over; the second is empty."""
    cluster = builders.cluster(
        hosts=[Host(name=name, vcpus=64, memory_gib=1000, cpu=0.1) for name in ("c1", "c2")],
        vms=[Vm(name=f"v{n}", host="c1", vcpus=16, memory_gib=1, memory_used_gib=0.5, cpu=0.0) for n in range(5)],
    )
    load = Load(situation.of_cluster(cluster, POLICY, NOW))
    problem = assigned.of_load(load, np.arange(5, dtype=np.int32))
    assert objective.cost(problem, problem.origin).load == assigned.BROKEN * assigned.UNIT // 4
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
    assert moves(made) == ["1: plain c3 to c4", "2: inner c2 to c3", "3: secret c1 to c2"]
    assert [move.room_for for move in made.moves] == [made.moves[1].vm, made.moves[2].vm, None]
    assert not made.breaches_after and check.problems(chained.cluster(), policy, made) == ()


def test_a_chain_whose_first_vm_is_held_moves_nobody():
    assert not plan.plan(chained.cluster(held=True), replace(POLICY, search_rounds=4), NOW).moves


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
    assert [whim.of_round(number).seed for number in range(4)] == [None, 1, 2, 3]
    assert [whim.of_round(number).dice is None for number in range(4)] == [True, True, True, False]
