"""What of a snapshot the controller's own moves may use."""

import pytest

from controller.engine import scoping
from controller.model import cluster as model
from controller.model.policy import Policy
from controller.planner import plan
from tests import builders
from tests.builders import NOW, Host, Vm


def beside_a_drain(*, busy: bool) -> model.Cluster:
    """c1 must be emptied of a and b; c2 is drained, and r of the same system stands on it, resized from c3."""
    resized = Vm(name="r", host="c2", target="c3", state=model.VmState.OTHER, busy=busy)
    moving = [Vm(name=name, host="c1", memory_gib=16) for name in "ab"]
    hosts = [
        Host(name="c1", memory_health=2),
        Host(name="c2", draining=True, enabled=False),
        Host(name="c3"),
        Host(name="c4"),
    ]
    return builders.cluster(hosts=hosts, vms=[*moving, resized])


@pytest.mark.parametrize(("busy", "moved"), [(False, ["a", "b"]), (True, [])])
def test_a_resize_that_waits_for_its_owner_on_a_drained_host_takes_no_place_of_our_moves(
    busy: bool, moved: list[str]
) -> None:
    made = plan.plan(scoping.without_drains(beside_a_drain(busy=busy)), Policy(), NOW)
    assert sorted(move.vm_name for move in made.moves) == moved


def test_what_stands_on_a_drained_host_is_the_drains_to_move() -> None:
    cluster = builders.cluster(
        hosts=[Host(name="c1", memory_health=2, draining=True, enabled=False), Host(name="c2")],
        vms=[Vm(name="a", host="c1")],
    )
    assert plan.plan(cluster, Policy(), NOW).moves
    assert plan.plan(scoping.without_drains(cluster), Policy(), NOW).moves == ()
