"""How many more fit, what they run out of, and what N+1 holds back."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from controller.model import cluster as model
from controller.model.policy import Policy
from controller.model.whatif import Fit, Resource, Verdict
from controller.planner.whatif import capacity, grown, outcome
from inventory.model import Classification, Domain
from tests import builders
from tests.builders import Flavor, Group, Host, Rack, Supply, System, Vm


def fits(cluster: model.Cluster, *, kept: bool = True) -> tuple[Fit, ...]:
    spare = outcome.spare(cluster, Policy(), builders.NOW)
    held = [(loss, capacity.after(spare, loss)) for loss in capacity.losses(cluster)] if kept else []
    return tuple(capacity.fit(spare, like, held) for like in capacity.likes(spare))


def one(**like: object) -> Vm:
    return Vm(
        name="v", host="c1", vcpus=4, memory_gib=8, disk_gib=40, cpu=1.0, memory_used_gib=4, storage_mib_s=50.0, **like
    )


@pytest.mark.parametrize(
    ("host", "more", "resource"),
    [
        ({"memory_gib": 84.0}, 9, Resource.MEMORY),
        ({"vcpus": 21.0}, 4, Resource.VCPUS),
        ({"disk_gib": 170.0}, 3, Resource.DISK),
        ({"threads": 8}, 5, Resource.CPU_LIMIT),
        ({"memory_gib": 256.0, "memory_used_gib": 220.0}, 3, Resource.MEMORY_LIMIT),
        ({"storage_mib_s": 700.0, "path_mib_s": 1000.0}, 2, Resource.STORAGE_LIMIT),
    ],
)
def test_as_many_more_fit_as_the_scarcest_resource_lets(host: dict[str, float], more: int, resource: Resource) -> None:
    (fit,) = fits(builders.cluster(hosts=[Host(name="c1", **host)], vms=[one()]), kept=False)
    assert (fit.now, fit.binding, fit.servers, fit.hosts) == (more, ((resource, 1),), 1, 1)


def test_a_supply_bounds_what_its_hosts_take_together() -> None:
    hosts = [Host(name=f"c{n}", supplies=("A",), watts=300.0, watts_per_thread=10.0, watts_error=5.0) for n in (1, 2)]
    cluster = builders.cluster(hosts=hosts, vms=[one()], supplies=[Supply(name="A", limit_watts=600 + 37)])
    (fit,) = fits(cluster, kept=False)
    assert fit.now == 3
    assert dict(fit.binding) == {Resource.POWER: 2}


def test_only_hosts_that_may_start_one_count() -> None:
    hosts = [
        Host(name="c1"),
        Host(name="open", clearance=Classification.OPEN),
        Host(name="off", enabled=False),
        Host(name="sick", memory_health=2),
    ]
    (fit,) = fits(builders.cluster(hosts=hosts, vms=[one()], systems=[System(classification=2)]), kept=False)
    assert (fit.hosts, fit.classification) == (1, "confidential")


def test_what_n_plus_1_holds_back_is_what_a_racks_servers_need_elsewhere() -> None:
    hosts = [Host(name=f"r{rack}", rack=f"r{rack}", memory_gib=40) for rack in (1, 2)]
    vms = [Vm(name="a", host="r1", memory_gib=8), Vm(name="b", host="r2", memory_gib=8)]
    (fit,) = fits(builders.cluster(hosts=hosts, vms=vms))
    assert (fit.now, fit.kept, str(fit.kept_for)) == (8, 3, "rack:r1")


def test_nothing_is_kept_where_a_loss_is_not_survived_now() -> None:
    hosts = [Host(name="r1", rack="r1", memory_gib=40), Host(name="r2", rack="r2", memory_gib=16)]
    vms = [Vm(name=f"v{n}", host="r1", memory_gib=8) for n in range(3)]
    (fit,) = fits(builders.cluster(hosts=hosts, vms=vms))
    assert (fit.now, fit.kept, str(fit.kept_for)) == (4, 0, "rack:r1")


def test_a_new_server_has_one_place_whichever_loss_comes() -> None:
    """Each rack's loss leaves room for one more, and never on the same host: wherever it stood, it would be in the way
    of a server that one of the losses starts again.
    """
    traits = {"A": {"t1", "t2"}, "B": {"t2", "t3"}, "C": {"t3", "t1"}}
    hosts = [Host(name=n, rack=f"r{n}", memory_gib=16, traits=frozenset(have)) for n, have in traits.items()]
    hosts.append(Host(name="D", rack="rD", enabled=False))
    systems = [System(name="sys"), System(name="other", classification=Classification.INTERNAL)]
    vms = [
        Vm(name=f"on-{name}", host=name, system="other", requirement=model.Requirement(required_traits=frozenset({t})))
        for name, t in (("A", "t1"), ("B", "t2"), ("C", "t3"))
    ]
    cluster = builders.cluster(hosts=hosts, vms=[*vms, Vm(name="plain", host="D")], systems=systems)
    fit = next(fit for fit in fits(cluster) if fit.classification == "open")
    assert (fit.now, fit.kept) == (3, 0)
    for target in range(3):
        more, _ = grown.with_servers(cluster, "agency", "m1", 1)
        placed = replace(more, vms=replace(more.vms, host=np.append(more.vms.host[:-1], np.int32(target))))
        spare = outcome.spare(placed, Policy(), builders.NOW)
        every = [outcome.lose(spare, [each], timedelta(0)).verdict for each in capacity.losses(placed)]
        assert Verdict.SHORT in every


def test_a_host_whose_servers_stand_with_others_is_looked_at_beside_its_rack() -> None:
    """All of the group may start in another room; one of it that goes down alone must start in this one, where no host
    has room.
    """
    racks = [Rack(name="r1"), *(Rack(name=f"r{n}", room=f"room{n}") for n in (2, 3))]
    hosts = [Host(name=f"{rack.name}h{n}", rack=rack.name, memory_gib=32) for rack in racks for n in (1, 2)]
    vms = [Vm(name=name, host=f"r1h{n}", memory_gib=24) for n, name in ((1, "a"), (2, "b"))]
    near = Group(name="near", members=("a", "b"), kind=model.GroupKind.AFFINITY, domain=Domain.ROOM)
    cluster = builders.cluster(hosts=hosts, racks=racks, vms=vms, groups=[near])
    (fit,) = fits(cluster)
    assert (fit.kept, str(fit.kept_for)) == (0, "host:r1h1")


def test_room_in_pieces_is_counted() -> None:
    hosts = [Host(name=f"c{n}", memory_gib=12) for n in (1, 2, 3, 4)]
    (fit,) = fits(builders.cluster(hosts=hosts, vms=[one()]), kept=False)
    assert (fit.now, fit.in_pieces) == (3, 5 - 3)


def test_hosts_of_known_racks_are_not_looked_at_one_by_one() -> None:
    cluster = builders.cluster(hosts=[Host(name="c1"), Host(name="stray", known=False)], vms=[one()])
    assert [str(each) for each in capacity.losses(cluster)] == ["host:stray", "rack:r1", "feed:A", "feed:B"]


def test_as_many_as_are_counted_do_start_and_one_more_does_not() -> None:
    hosts = [Host(name=f"c{n}", memory_gib=8.0 * n + 3, vcpus=4.0 * (6 - n) + 1) for n in range(1, 5)]
    cluster = builders.cluster(hosts=hosts, vms=[one()])
    (fit,) = fits(cluster, kept=False)
    for count, verdict in ((fit.now, Verdict.SURVIVED), (fit.now + 1, Verdict.SHORT)):
        more, new = grown.with_servers(cluster, "agency", "m1", count)
        found = outcome.lose(outcome.spare(more, Policy(), builders.NOW), (), timedelta(0), new)
        assert found.verdict is verdict


def test_what_nobody_can_show_to_fit_is_not_counted() -> None:
    pinned = Vm(name="v", host="c1", fit_known=False)
    assert fits(builders.cluster(hosts=[Host(name="c1")], vms=[pinned])) == ()


def declared(cluster: model.Cluster) -> dict[tuple[str, str], Fit]:
    """Every row, those of flavors that no server runs too."""
    asked, new = capacity.with_catalog(cluster)
    spare = outcome.spare(asked, Policy(), builders.NOW)
    found = (capacity.fit(spare, like, ()) for like in capacity.likes(spare, new))
    return {(fit.flavor, fit.classification): fit for fit in found}


def test_flavors_that_no_server_runs_are_counted_at_the_level_they_are_declared_for() -> None:
    fast = model.Requirement(required_traits=frozenset({"FAST"}))
    hosts = [Host(name="c1"), Host(name="c2", memory_gib=100, clearance=Classification.OPEN),
             Host(name="c3", memory_gib=40, traits=frozenset({"FAST"}))]  # fmt: skip
    flavors = [
        Flavor(name="big", memory_gib=64),
        Flavor(name="fast", memory_gib=8, requirement=fast),
        Flavor(name="kept", memory_gib=64, classification=Classification.SECRET),
        Flavor(name="m1", memory_gib=8),
        Flavor(name="pinned", fit_known=False),
    ]
    found = declared(builders.cluster(hosts=hosts, vms=[one()], flavors=flavors))
    assert {key: (fit.now, fit.servers) for key, fit in found.items()} == {
        ("big", "open"): (3 + 1, 0),
        ("fast", "open"): (4, 0),
        ("kept", "secret"): (3, 0),
        ("m1", "open"): (31 + 12 + 5, 1),
    }


def test_a_flavor_that_runs_at_one_level_is_counted_at_its_own_too() -> None:
    secret = Flavor(name="m1", memory_gib=8, classification=Classification.SECRET)
    found = declared(builders.cluster(hosts=[Host(name="c1")], vms=[one()], flavors=[secret]))
    assert [(key, fit.servers) for key, fit in found.items()] == [(("m1", "open"), 1), (("m1", "secret"), 0)]


def test_one_of_which_none_runs_counts_for_all_that_it_may_use() -> None:
    found = declared(builders.cluster(hosts=[Host(name="c1", threads=20)], flavors=[Flavor(name="busy", vcpus=4)]))
    assert found["busy", "open"].now == 4
    assert found["busy", "open"].binding == ((Resource.CPU_LIMIT, 1),)


def test_an_estate_that_runs_nothing_has_room_too() -> None:
    assert declared(builders.cluster(hosts=[Host(name="c1", memory_gib=80)], flavors=[Flavor(name="a")]))[
        "a", "open"
    ].now


def test_where_each_resource_binds_is_told_by_rack_and_room() -> None:
    racks = [Rack(name="r1"), Rack(name="r2", room="room2"), Rack(name="r3", room="room2")]
    hosts = [Host(name=f"{rack}h{n}", rack=rack, memory_gib=20) for rack in ("r1", "r2") for n in (1, 2)]
    hosts += [Host(name="r2h3", rack="r2", memory_gib=20), Host(name="r3h1", rack="r3", vcpus=8.0),
              Host(name="stray", known=False, clearance=3, trusted=False)]  # fmt: skip
    vms = [Vm(name="v", host="r1h1", vcpus=4, memory_gib=8)]
    (fit,) = fits(builders.cluster(hosts=hosts, racks=racks, vms=vms), kept=False)
    memory, vcpus = fit.where
    assert (memory.resource, memory.racks, memory.rooms) == (
        Resource.MEMORY, (("r2", 3), ("r1", 2)), (("room2", 3), ("room1", 2))
    )  # fmt: skip
    assert (vcpus.resource, vcpus.racks, vcpus.rooms) == (Resource.VCPUS, (("r3", 1),), (("room2", 1),))
