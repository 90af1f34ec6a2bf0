"""Added hosts are healthy, empty and in service, whatever the ones they are like are going through."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from controller.adapters.snapshot_file import checks
from controller.errors import InputError
from controller.model import cluster as model
from controller.model.policy import Policy
from controller.model.sample import Trust
from controller.model.whatif import Loss, Outcome, Verdict
from controller.planner.canonical import canonical
from controller.planner.whatif import grown, outcome
from inventory.model import Classification, Domain, clearance_trait
from tests import builders
from tests.builders import Aggregate, Host, Rack, Supply, Vm


def without(cluster: model.Cluster, name: str) -> Outcome:
    spare = outcome.spare(cluster, Policy(), builders.NOW)
    return outcome.lose(spare, [Loss(kind=Domain.HOST, name=name)], timedelta(0))


def full(**how: object) -> model.Cluster:
    """One host whose server has no other place, and one of its type that nothing may start on, `how` says why."""
    hosts = [Host(name="full"), Host(name="c1", **how)]  # type: ignore[arg-type]
    return builders.cluster(hosts=hosts, vms=[Vm(name="v", host="full")])


UNWELL: list[dict[str, object]] = [
    {"memory_health": 1},
    {"psu_health": 2},
    {"fan_health": 1},
    {"disk_health": 2},
    {"unread_health": True},
    {"trusted": False},
    {"withheld": True},
    {"draining": True},
    {"enabled": False},
    {"up": False},
    {"cpu": None, "memory_used_gib": None, "watts": None, "inlet": None},
]


@pytest.mark.parametrize("how", UNWELL)
@pytest.mark.parametrize("like", ["c1", "t0"])
def test_added_hosts_start_servers_whatever_is_wrong_with_the_one_they_are_like(
    how: dict[str, object], like: str
) -> None:
    grown_ = grown.with_hosts(without_type(full(**how), "full") if like == "t0" else full(**how), like, 2)
    assert list(checks.flaws(canonical(grown_))) == []
    found = without(grown_, "full")
    assert found.verdict is Verdict.SURVIVED
    assert next(each.target for each in found.restarts) in {"c1", f"{like}+1", f"{like}+2"}
    spare = outcome.spare(grown_, Policy(), builders.NOW)
    assert spare.situation.standing.open[spare.situation.cluster.hosts.names.index(f"{like}+1")]


def without_type(cluster: model.Cluster, host: str) -> model.Cluster:
    """The same with one host's type not known."""
    kind = cluster.hosts.type.copy()
    kind[cluster.hosts.names.index(host)] = -1  # type: ignore[arg-type]
    return replace(cluster, hosts=replace(cluster.hosts, type=kind))


def test_a_doubtful_reading_is_not_carried_over() -> None:
    doubted = builders.doubted(full(), "c1", "memory_health", Trust.STALE)
    assert without(grown.with_hosts(doubted, "c1", 1), "full").verdict is Verdict.SURVIVED


def test_a_warm_host_adds_cool_ones_unless_its_whole_zone_is_warm() -> None:
    racks = [Rack(name="r1"), Rack(name="w1", zone="z2")]
    hosts = [Host(name="full"), *(Host(name=f"w{n}", rack="w1", inlet=22.0 if n else 29.0) for n in range(4))]
    one = builders.cluster(racks=racks, hosts=hosts)
    all_warm = builders.cluster(racks=racks, hosts=[replace(h, inlet=29.0) if h.rack == "w1" else h for h in hosts])
    for cluster, cool in ((one, True), (all_warm, False)):
        made = outcome.spare(grown.with_hosts(cluster, "w0", 10), Policy(), builders.NOW).situation
        assert made.standing.open[-10:].tolist() == [cool] * 10


def test_of_a_type_the_first_that_may_receive_is_the_one_they_are_like() -> None:
    hosts = [Host(name="c1", memory_health=2, memory_gib=8), Host(name="c2", rack="r2", memory_gib=128)]
    made = grown.with_hosts(builders.cluster(hosts=hosts), "t0", 1).hosts
    assert (made.memory_mib[-1], made.rack[-1]) == (128 * 1024, 1)


def test_where_none_of_a_type_is_in_service_the_inventory_says_what_it_has() -> None:
    """A host that Placement no longer shows admits nothing; its type does."""
    cluster = full(up=False, memory_gib=64)
    hosts = replace(cluster.hosts, memory_mib=np.array([0.0, 0.0]), traits=(frozenset(), frozenset()))
    gone = replace(cluster, hosts=replace(hosts, up=np.array([False, False])))
    types = replace(
        gone.host_types, memory_mib=np.array([200.0 * 1024]), idle_watts=np.array([111.0]),
        traits=(frozenset({"FAST"}),),
    )  # fmt: skip
    made = grown.with_hosts(replace(gone, host_types=types), "t0", 2)
    assert made.hosts.memory_mib[-2:].tolist() == [200.0 * 1024] * 2
    assert made.hosts.power_watts.values[-2:].tolist() == [111.0] * 2
    assert made.hosts.traits[-1] == {"FAST", *(clearance_trait(level) for level in Classification)}


def test_a_type_of_which_there_is_no_host_is_put_beside_one_that_is_named() -> None:
    base = builders.cluster(
        hosts=[Host(name="c1", generation="g1"), Host(name="old", generation="g2", rack="r2")],
        supplies=[Supply(name="A"), Supply(name="B")],
        aggregates=[Aggregate(name="zone", hosts=("c1",))],
    )
    kind = base.hosts.type.copy()
    kind[base.hosts.names.index("old")] = kind[0]  # type: ignore[arg-type]
    cluster = replace(base, hosts=replace(base.hosts, type=kind))
    nobody = cluster.host_types.names[1 - int(kind[0])]
    with pytest.raises(InputError, match=f"no host of type {nobody}") as refused:
        grown.with_hosts(cluster, nobody, 1)
    assert f"{nobody}@HOST" in str(refused.value.remedy)
    made = grown.with_hosts(cluster, f"{nobody}@c1", 2)
    assert made.hosts.names[2:] == (f"{nobody}@c1+1", f"{nobody}@c1+2")
    assert made.hosts.type[2:].tolist() == [cluster.host_types.names.index(nobody)] * 2
    assert made.hosts.rack[2:].tolist() == [cluster.hosts.rack[0]] * 2
    assert made.aggregates[0].hosts.tolist() == [0, 2, 3]


@pytest.mark.parametrize(("like", "says"), [("t9@c1", "no type of that name"), ("t0@c9", "knows no host c9")])
def test_a_place_or_type_that_nobody_knows_is_refused(like: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        grown.with_hosts(full(), like, 1)
