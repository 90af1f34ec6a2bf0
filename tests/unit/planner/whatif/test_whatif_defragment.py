"""Moves that make room for more of a flavor: which, how many more, and what they leave alone."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from controller.model import cluster as model
from controller.model.ids import ServerId
from controller.model.policy import Policy
from controller.model.whatif import Defragmented
from controller.planner import project, rules
from controller.planner.load import Load
from controller.planner.whatif import capacity, defragment, emptying, outcome
from controller.planner.whatif.emptying import Moved
from tests import builders
from tests.builders import Flavor, Group, Host, Supply, System, Vm
from tests.fakes import arbitrary_clusters

BIG = Flavor(name="big", vcpus=4, memory_gib=16)


def freed(cluster: model.Cluster, flavor: str = "big", most: int = 50) -> Defragmented:
    asked, new = capacity.with_catalog(cluster)
    spare = outcome.spare(asked, Policy(), builders.NOW)
    like = next(each for each in capacity.likes(spare, new) if capacity.named(spare, each)[0] == flavor)
    return defragment.plan(spare, like, most)


def pieces(**more: object) -> model.Cluster:
    """Two hosts with 12 GiB left, each with a server of 4 GiB and one of 16."""
    hosts = [Host(name=name, memory_gib=32) for name in ("c1", "c2")]
    vms = [Vm(name=f"small-{host.name}", host=host.name, memory_gib=4) for host in hosts]
    vms += [Vm(name=f"large-{host.name}", host=host.name, memory_gib=16) for host in hosts]
    given: dict[str, object] = {"hosts": hosts, "vms": vms, "flavors": [BIG], **more}
    return builders.cluster(**given)  # type: ignore[arg-type]


def test_what_is_in_pieces_is_put_together_by_the_smallest_move() -> None:
    found = freed(pieces())
    assert found.more == 1
    (move,) = found.moves
    assert move.name.startswith("small-")
    assert move.source != move.target
    assert found.takes.total_seconds() > 0


def test_several_leave_where_one_is_not_enough() -> None:
    hosts = [Host(name=name, memory_gib=32) for name in ("c1", "c2", "c3")]
    vms = [
        Vm(name=f"{host.name}-{n}", host=host.name, memory_gib=3, memory_used_gib=2) for host in hosts for n in range(7)
    ]
    found = freed(builders.cluster(hosts=hosts, vms=vms, flavors=[BIG]))
    assert found.more == 1
    assert {len({move.source for move in found.moves}), len(found.moves)} == {1, 2}


@pytest.mark.parametrize(
    "more",
    [
        {"systems": [System(withheld=True)]},
        {"freeze": "because"},
        {"groups": [Group(name="g", members=("large-c1", "small-c1"), kind=model.GroupKind.AFFINITY),
                    Group(name="h", members=("large-c2", "small-c2"), kind=model.GroupKind.AFFINITY)]},
    ],
)  # fmt: skip
def test_what_no_rule_lets_move_stays(more: dict[str, object]) -> None:
    """The large ones fit nowhere else."""
    assert freed(pieces(**more)) == Defragmented(more=0, moves=(), takes=freed(pieces(**more)).takes)


def test_a_closed_window_costs_time_and_no_place() -> None:
    asked = emptying.windows_open(pieces(systems=[System(open=False)]))
    assert freed(asked).more == 1


def test_nothing_moves_where_that_frees_nothing() -> None:
    hosts = [Host(name=name, memory_gib=32) for name in ("c1", "c2")]
    vms = [Vm(name=host.name, host=host.name, memory_gib=30) for host in hosts]
    assert freed(builders.cluster(hosts=hosts, vms=vms, flavors=[BIG])).moves == ()


def test_as_many_move_as_may() -> None:
    assert freed(pieces(), most=0).moves == ()
    assert len(freed(pieces(), most=1).moves) == 1


def test_a_supply_that_is_full_takes_nothing_more() -> None:
    """The room would be there; the watts are not, so nothing is gained and nothing moves."""
    full = pieces(supplies=[Supply(name="A", limit_watts=600.5), Supply(name="B")])
    assert freed(full).moves == ()


@settings(max_examples=60, deadline=None)
@given(arbitrary_clusters.clusters(24))
def test_every_move_is_admitted_when_its_turn_comes_and_the_gain_is_what_is_counted_after_them(
    cluster: model.Cluster,
) -> None:
    cluster = replace(cluster, groups=cluster.groups)
    asked, new = capacity.with_catalog(cluster)
    spare = outcome.spare(asked, Policy(), builders.NOW)
    for like in capacity.likes(spare, new):
        before, found = capacity.fit(spare, like, ()), defragment.plan(spare, like, 20)
        load = Load(spare.situation)
        rows: dict[ServerId, int] = {vm: row for row, vm in enumerate(spare.situation.cluster.vms.ids)}
        hosts = list(spare.situation.cluster.hosts.names)
        for move in found.moves:
            target = hosts.index(move.target)
            assert target in rules.targets(load, rows[move.vm])
            load.move(rows[move.vm], target)
        assert len({move.vm for move in found.moves}) == len(found.moves)
        assert found.more >= (1 if found.moves else 0)
        if not capacity.short_of_power(spare, like).any():
            assert found.more <= before.in_pieces
        if found.moves:
            moved = project.project(asked, Policy(), (Moved(m.vm, m.target) for m in found.moves), builders.NOW)
            assert moved.vms.host.tolist() == load.host.tolist()
