"""NUMA: what Nova is sure to refuse is planned nowhere; what nobody knows rules nothing out."""

import itertools
from dataclasses import replace

import pytest

from controller.model.cluster import Cluster, Requirement
from controller.model.policy import Policy
from controller.planner import check, explain, numa, plan
from inventory.model import NumaCell
from tests import builders
from tests.builders import NOW, Host, Vm

POLICY = Policy()
BIG, SMALL = NumaCell(vcpus=32, memory_mib=131072), NumaCell(vcpus=8, memory_mib=16384)
LOW = NumaCell(vcpus=64, memory_mib=16384)


@pytest.mark.parametrize(
    ("host", "guest", "could"),
    [
        ((BIG, BIG), (SMALL, SMALL), True),
        ((BIG, BIG), (BIG, SMALL), True),
        ((SMALL, BIG), (BIG, SMALL), True),
        ((BIG, SMALL), (BIG, BIG), False),
        ((BIG,), (SMALL, SMALL), False),
        ((LOW, LOW), (BIG,), False),
        ((), (BIG,), True),
        ((SMALL,), (), True),
    ],
)
def test_each_cell_of_a_guest_needs_a_cell_of_its_own_that_is_as_large(
    host: tuple[NumaCell, ...], guest: tuple[NumaCell, ...], could: bool
) -> None:
    assert numa.could_hold(host, guest) == could


def test_many_cells_are_matched_at_once() -> None:
    """A machine may show each of its caches as a cell: no order of so many could be tried one after the other."""
    cells, one_too_big = (SMALL,) * 32, (*(SMALL,) * 15, BIG)
    assert numa.could_hold(cells, cells)
    assert not numa.could_hold(cells, one_too_big)


def test_who_took_a_cell_that_another_needs_takes_another() -> None:
    sizes = [(8, 1), (1, 8), (9, 9), (4, 4)]
    host = tuple(NumaCell(vcpus=vcpus, memory_mib=memory) for vcpus, memory in sizes)
    every = [NumaCell(vcpus=vcpus, memory_mib=memory) for vcpus, memory in itertools.product((1, 4, 8), repeat=2)]
    for guest in itertools.product(every, repeat=3):
        fits = any(
            all(a.vcpus <= b.vcpus and a.memory_mib <= b.memory_mib for a, b in zip(guest, order, strict=True))
            for order in itertools.permutations(host, 3)
        )
        assert numa.could_hold(host, guest) == fits


def drained(**fuller: object) -> Cluster:
    """c1 is drained of one guest of a big cell; c2 is empty and of small cells, c3 fuller."""
    asks = Requirement(numa=(BIG,))
    return builders.cluster(
        hosts=[
            Host(name="c1", numa=(BIG, BIG), draining=True, enabled=False),
            Host(name="c2", numa=(SMALL, SMALL)),
            Host(name="c3", cpu=0.4, **fuller),  # type: ignore[arg-type]
        ],
        vms=[Vm(name="v", host="c1", requirement=asks, fit_known=False)],
    )


@pytest.mark.parametrize("cells", [(BIG, BIG), ()])
def test_a_drain_goes_past_the_host_whose_cells_are_too_small(cells: tuple[NumaCell, ...]) -> None:
    cluster = drained(numa=cells)
    made = plan.plan(cluster, POLICY, NOW)
    assert [move.target for move in made.moves] == ["c3"]
    assert ("numa", 1) in explain.explain(cluster, POLICY, made, "v").ruled_out


def test_where_every_hosts_cells_are_too_small_nothing_moves_and_the_hold_says_so() -> None:
    made = plan.plan(drained(numa=(LOW, LOW)), POLICY, NOW)
    assert made.moves == ()
    (why,) = [hold.why for hold in made.holds if hold.vm == "v"]
    assert why == "v stays on c1: every target is ruled out: numa rules out all 2 hosts"


def test_the_checker_refuses_such_a_move_by_its_own_look() -> None:
    allowed = drained(numa=(BIG, BIG))
    made = plan.plan(allowed, POLICY, NOW)
    assert check.problems(allowed, POLICY, made) == ()
    types = replace(allowed.host_types, numa=tuple((SMALL,) for _ in allowed.host_types.numa))
    assert "Nova's scheduler would not admit it there" in " ".join(
        check.problems(replace(allowed, host_types=types), POLICY, made)
    )
