"""Of a host that policy lets be freed and a plan leaves in use, what stands against it is said."""

from dataclasses import replace

import pytest

from controller.model import cluster as model
from controller.model.policy import Policy, Thresholds
from controller.planner import explain, plan, waves
from tests.builders import NOW, Host, Rack, Supply, Vm
from tests.fakes.freeable import FREES_FIRST, MANY, ON, cluster, hosts, policy, vms


def told(of: model.Cluster, by: Policy, host: str = "c1") -> str:
    """What is said of it, "" where nothing is."""
    made = plan.plan(of, by, NOW)
    assert host not in {each.host for each in made.frees}
    return explain.explain(of, by, made, host).sentence.partition("not freed: ")[2]


def with_one(**words: object) -> model.Cluster:
    """One more VM on c1."""
    return cluster(vms=[*vms(4), Vm(name="one", host="c1", **words)])


def with_first(**words: object) -> model.Cluster:
    return cluster(hosts=[Host(name="c1", **words), *hosts(4)[1:]])


def arriving() -> model.Cluster:
    """A VM of c2 on its way to c1."""
    return cluster(vms=[*vms(4), Vm(name="comes", host="c2", target="c1", busy=True)])


AVX = model.Requirement(required_traits=frozenset({"AVX"}))
FEEDS = [Supply(name="A"), Supply(name="B"), Supply(name="C", limit_watts=920.0), Supply(name="D")]
FED = [Host(name="c1"), *[Host(name=f"c{n}", supplies=("C", "D")) for n in range(2, 5)]]
HELD = [Vm(name=f"held{n}", host=f"c{n}", locked=True, cpu=0.0) for n in range(2, 5)]
BUSY = vms(4, vcpus=16, cpu=12.0)
LARGE = vms(4, each=3, memory_gib=32.0)
EVEN = Thresholds(uneven_ratio=0.01)


@pytest.mark.parametrize(
    ("of", "by", "why"),
    [
        (with_one(locked=True), ON, "1 VM of agency is held by locked"),
        (with_first(psu_health=1), ON, "lost redundancy"),
        (arriving(), ON, "a server is on its way to it"),
        (with_first(watts=None), ON, "what it draws idle is not known"),
        (with_one(requirement=AVX), policy(spare_hosts=0), " has no target: no other host in use may receive it"),
        (with_one(dirty_mib_s=3000.0), ON, "writes faster than it could be copied"),
        (cluster(freeze="because"), ON, "the controller makes no moves of its own"),
        (cluster(vms=LARGE), policy(fill_ratio=0.4, spare_hosts=0), "would be filled beyond 40%"),
        (cluster(vms=vms(4, each=4, memory_gib=60.0)), policy(spare_hosts=0), "hosts in use has room for it"),
        (cluster(vms=LARGE), policy(fill_ratio=0.99, spare_hosts=2), "keep too little free without it"),
        (cluster(vms=vms(4, memory_gib=32.0)), policy(watts_per_gib=5.0), "it would save 289 W for 64 GiB copied"),
        (cluster(hosts=FED, supplies=FEEDS, vms=[*vms(4), *HELD]), policy(spare_hosts=0), "be within 3% of its limit"),
        (cluster(vms=BUSY), replace(policy(spare_hosts=0), thresholds=EVEN), "would become uneven"),
    ],
)  # fmt: skip
def test_what_stands_against_freeing_a_host_is_said(of, by, why):
    assert why in told(of, by)


def test_a_plan_that_frees_as_many_as_it_may_says_so_of_the_others():
    of, by = cluster(), policy(max_hosts=1)
    assert told(of, by, "c2") == "one plan frees 1 at most (consolidation.max_hosts)"
    hour = replace(ON, limits=replace(MANY, per_hour=3))
    assert told(of, hour, "c2") == "the moves that are left in this hour or plan do not reach as far as v21"


def test_what_waves_left_out_may_be_freed_by_the_next_plan(monkeypatch):
    whole = waves.waves

    def without_the_last(facts, choices):
        left = [choice for choice in choices if facts.cluster.vms.names[choice.vm] != "v21"]
        return whole(facts, left)[0], whole(facts, choices)[1]

    monkeypatch.setattr(waves, "waves", without_the_last)
    assert told(cluster(), ON, "c2").startswith("nothing stands against it; a search ends after 100 hosts")


def test_nothing_is_said_of_it_where_policy_frees_nothing_or_nothing_stands_there():
    off = replace(ON, consolidation=policy(enabled=False).consolidation)
    assert told(cluster(), off) == ""
    assert told(cluster(vms=vms(4)[2:]), ON, "c1") == ""


def test_a_host_whose_leaving_would_make_others_of_its_rack_uneven_stays_unless_that_counts_less():
    """c2 stands 0.17 above its rack's mean, and without c1 0.275 above it, where 0.25 is allowed."""
    first = [Host(name="c1", cpu=0.6), Host(name="c2", cpu=0.55), Host(name="c3", cpu=0.0)]
    second = [Host(name=name, rack="r2", cpu=0.3) for name in ("c4", "c5")]
    leave = [Vm(name=f"v{n}", host="c1", vcpus=16, cpu=9.6) for n in range(4)]
    stay = [Vm(name=f"stays{n}", host=f"c{n}", locked=True, cpu=0.0) for n in range(2, 6)]
    of = cluster(hosts=[*first, *second], vms=[*leave, *stay], racks=[Rack(name="r1"), Rack(name="r2")])
    by = policy(spare_hosts=0)
    assert told(of, by) == "what counts more in policy's objective would be worse without it"
    frees_first = replace(by, objective=FREES_FIRST)
    assert [each.host for each in plan.plan(of, frees_first, NOW).frees] == ["c1"]


def test_a_host_that_must_stay_for_evenness_is_free_to_go_where_that_counts_less():
    by = replace(policy(spare_hosts=0), thresholds=EVEN)
    assert not plan.plan(cluster(vms=BUSY), by, NOW).frees
    first = replace(by, objective=FREES_FIRST)
    assert plan.plan(cluster(vms=BUSY), first, NOW).frees
