"""The error of a host's predicted watts stands against what others may bring to its supplies, whole or in part."""

import numpy as np

from controller.model.policy import Policy
from controller.planner import plan, rules, situation
from controller.planner.load import Load
from tests import builders
from tests.builders import NOW, Host, Supply, Vm

ERROR, SLOPE = 20.0, 3.0


def two_on_a_narrow_feed() -> Load:
    """c1 and c2 draw 300 W each from A and B, c3 from Z; a, b and c use ten threads each, 30 W."""
    hosts = [Host(name=name, watts=300.0, watts_per_thread=SLOPE, watts_error=ERROR, supplies=supplies)
             for name, supplies in (("c1", ("A", "B")), ("c2", ("A", "B")), ("c3", ("Z",)))]  # fmt: skip
    vms = [Vm(name=name, host=host, vcpus=16, cpu=10.0) for name, host in (("a", "c1"), ("b", "c1"), ("c", "c3"))]
    supplies = [Supply(name="A", limit_watts=650.0), Supply(name="B", limit_watts=650.0), Supply(name="Z")]
    cluster = builders.cluster(hosts=hosts, vms=vms, supplies=supplies)
    return Load(situation.of_cluster(cluster, Policy(), NOW))


def test_what_a_host_sheds_frees_its_feed_of_that_much_less_its_error_once():
    load = two_on_a_narrow_feed()
    load.move(0, 2)
    assert (load.least[0], load.most[0]) == (570.0, 590.0)
    load.move(1, 2)
    assert (load.least[0], load.most[0]) == (540.0, 560.0)


def test_a_vm_that_sheds_less_than_the_error_frees_nothing_for_sure():
    load = two_on_a_narrow_feed()
    load.situation.relieves[0, 0] = 2.0
    load.move(0, 2)
    assert (load.least[0], load.most[0]) == (594.0, 600.0)


def test_a_host_that_shed_and_then_receives_counts_its_error_once():
    load = two_on_a_narrow_feed()
    load.move(0, 2)
    assert rules.added_watts(load, 2, np.array([0, 1], np.int32)).tolist() == [30.0, 50.0]
    load.move(2, 0)
    assert load.most[0] == 620.0


def test_moves_there_and_back_leave_the_sums_as_they_were():
    load = two_on_a_narrow_feed()
    before = load.least.tolist(), load.most.tolist()
    for vm, there, back in ((0, 2, 0), (2, 1, 2)):
        load.move(vm, there)
        load.move(vm, back)
    assert (load.least.tolist(), load.most.tolist()) == before


def test_a_feed_that_was_emptied_by_less_than_is_sure_takes_nothing_in_its_place():
    def received(error: float) -> list[str]:
        hosts = [
            Host(name="c1", watts=300.0, watts_per_thread=SLOPE, watts_error=error, memory_health=2, supplies=("A",)),
            Host(name="c2", watts=300.0, watts_per_thread=SLOPE, watts_error=0.0, supplies=("A",)),
            Host(name="c3", watts=300.0, watts_per_thread=SLOPE, watts_error=0.0, supplies=("Z",), memory_gib=40),
            Host(name="c4", watts=300.0, watts_per_thread=SLOPE, watts_error=0.0, supplies=("Z",), draining=True),
        ]
        vms = [
            Vm(name="leaves", host="c1", vcpus=16, cpu=10.0, memory_gib=32),
            Vm(name="comes", host="c4", vcpus=16, cpu=10.0, memory_gib=16),
        ]
        supplies = [Supply(name="A", limit_watts=605.0), Supply(name="Z")]
        made = plan.plan(builders.cluster(hosts=hosts, vms=vms, supplies=supplies), Policy(balance=False), NOW)
        return [f"{move.vm_name} to {move.target}" for move in made.moves]

    assert received(error=0.0) == ["leaves to c3", "comes to c2"]
    assert received(error=20.0) == ["leaves to c3"]
