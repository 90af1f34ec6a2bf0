"""The tests' own account of instants finds what each rule forbids."""

from dataclasses import replace

import pytest

from controller.model.cluster import Cluster, GroupKind, Requirement
from controller.model.plan import Plan
from controller.model.policy import Limits, Policy
from controller.planner import plan
from inventory.model import Domain
from tests import builders
from tests.builders import NOW, Aggregate, Group, Host, Rack, System, Vm
from tests.fakes import instants

WIDE = Policy(limits=Limits(out_of_host=4, into_host=4, per_system=4, per_agency=4), balance=False)
RACKS = [Rack(name="r1", room="room1"), Rack(name="r2", room="room2")]


def cluster(asked: Requirement | None = None, **more: object) -> Cluster:
    """c1 fails under a and b; c2 and c3 are of another rack and room, and may take both."""
    wants = asked or Requirement()
    return builders.cluster(**{
        "hosts": [Host(name="c1", memory_health=2), Host(name="c2", rack="r2"), Host(name="c3", rack="r2")],
        "vms": [Vm(name=name, host="c1", requirement=wants) for name in "ab"],
        "racks": RACKS, **more,
    })  # fmt: skip


def made() -> Plan:
    found = plan.plan(cluster(), WIDE, NOW)
    assert [len(wave) for wave in found.waves] == [2]
    return found


def found(of: Cluster, policy: Policy = WIDE) -> str:
    told = instants.worse(of, policy, made(), lambda: "flying")
    return "; ".join([*told, *instants.too_many(of, policy, made())])


def test_a_plan_that_keeps_to_all_of_them_is_found_nothing_of():
    assert found(cluster()) == ""


@pytest.mark.parametrize(
    ("asked", "more", "what"),
    [
        (Requirement(required_traits=frozenset({"X"})), {}, "lacks a trait a"),
        (Requirement(availability_zone="az2"), {}, "other zone a"),
        (Requirement(aggregate_specs={"ssd": "true"}), {}, "outside its aggregates a"),
        (
            Requirement(project_id="mine"),
            {"aggregates": [Aggregate(name="t", hosts=("c2", "c3"), metadata={"filter_tenant_id": "theirs"})]},
            "reserved for others a",
        ),
        (None, {"groups": [Group(name="g", members=("a", "b"), kind=GroupKind.AFFINITY)]}, "affinity g reaches"),
        (
            None,
            {"groups": [Group(name="g", members=("a", "b"), kind=GroupKind.AFFINITY, domain=Domain.ROOM)]},
            "affinity g reaches",
        ),
    ],
)
def test_what_a_rule_of_places_or_groups_forbids_is_found(
    asked: Requirement | None, more: dict[str, object], what: str
):
    assert what in found(cluster(asked, **more))


def test_a_forbidden_trait_is_found():
    hosts = [
        Host(name="c1", memory_health=2),
        *(Host(name=n, rack="r2", traits=frozenset({"X"})) for n in ("c2", "c3")),
    ]
    assert "has a forbidden trait a" in found(cluster(Requirement(forbidden_traits=frozenset({"X"})), hosts=hosts))


@pytest.mark.parametrize(
    ("limit", "what"),
    [
        ({"at_once": 1}, "at once of all"), ({"out_of_host": 1}, "at once of out"), ({"across_rack": 1}, "of uplink"),
        ({"per_agency": 1}, "of agency"), ({"per_system": 1}, "of system"),
    ],
)  # fmt: skip
def test_more_at_once_than_a_limit_allows_is_found(limit: dict[str, int], what: str):
    assert what in found(cluster(), replace(WIDE, limits=replace(WIDE.limits, **limit)))


def test_more_at_once_into_a_host_and_of_a_systems_own_budget_is_found():
    both = replace(made(), moves=tuple(replace(move, target="c2") for move in made().moves))
    narrow = replace(WIDE, limits=replace(WIDE.limits, into_host=1))
    assert any("at once of into" in each for each in instants.too_many(cluster(), narrow, both))
    assert "of system" in found(cluster(systems=[System(at_once=1)]))
