"""What has no place is told by a minimal set of rules, by agency, classification and rack."""

import pytest

from controller.model.policy import Policy
from controller.planner import classify, conflict, plan, situation
from controller.planner.budget import Ledger
from controller.planner.holds import Holds, Left
from controller.planner.load import Load
from inventory.model import Classification
from tests import builders
from tests.builders import NOW, Group, Host, Rack, System, Vm

OPEN, SECRET = int(Classification.OPEN), int(Classification.SECRET)
POLICY = Policy(balance=False)
SYSTEMS = [System(name="sys", agency="A", classification=SECRET), System(name="other", agency="B", open=False)]


def emptied(**more):
    """c17 is drained. Of the other racks only r4 is cleared for secret, and it is full."""
    big = {"vcpus": 4, "memory_gib": 250.0}
    hosts = [
        Host(name="c17", draining=True),
        *[Host(name=f"c{n}", rack="r2", clearance=OPEN) for n in range(20, 24)],
        *[Host(name=f"c{n}", rack="r4") for n in (40, 41)],
    ]
    vms = [
        *[Vm(name=f"s{n}", host="c17", memory_gib=8.0) for n in range(3)],
        Vm(name="b", host="c17", system="other"),
        *[Vm(name=f"big{n}", host=f"c{n}", **big) for n in (40, 41)],
    ]
    racks = [Rack(name="r1"), Rack(name="r2"), Rack(name="r4")]
    return builders.cluster(hosts=hosts, vms=vms, systems=SYSTEMS, racks=racks, **more)


def left(cluster, key: str, policy=POLICY) -> Left:
    facts = situation.of_cluster(cluster, policy, NOW)
    load = Load(facts)
    breach = next(breach for breach in classify.breaches(load) if breach.key == key)
    found = Holds(load, Ledger(facts.cluster, facts.places, 100), ()).why_left(breach)
    assert found is not None
    return found


def test_a_host_that_cannot_be_emptied_says_which_agencys_vms_and_which_rack():
    found = left(emptied(), "drain:c17")
    assert found.sentence == (
        "c17 cannot be emptied: 3 VMs of A need clearance secret, which 4 of 6 hosts lack, and rack r4 is full; "
        "1 VM of B is held by window (its system's window is closed or a blackout is on)"
    )
    assert [(group.agency, group.vms, group.rules) for group in found.stuck] == [
        ("A", 3, ("clearance", "capacity")),
        ("B", 1, ("window",)),
    ]
    assert found.conflict.rules == ("window", "clearance", "capacity")


def test_a_vm_without_a_target_names_each_rules_part_and_where_one_rule_stands_alone():
    made = plan.plan(emptied(), POLICY, NOW)
    why = next(hold.why for hold in made.holds if hold.vm == "s0")
    assert why == (
        "s0 stays on c17: every target is ruled out: clearance (secret) rules out 4 of 6 hosts (rack r2), "
        "capacity the other 2 hosts (rack r4)"
    )
    facts = situation.of_cluster(emptied(), POLICY, NOW)
    load = Load(facts)
    found = conflict.found(load, conflict.Bars(load).pairs(facts.cluster.vms.ids.index("s0")))
    clearance, capacity = found.shares
    assert clearance.alone == ("c20", "c21", "c22")
    assert capacity.alone == ("c40", "c41")
    assert (capacity.rules_out, capacity.rest, capacity.whole) == (2, 2, True)


def test_a_rule_that_another_covers_is_not_in_the_set():
    hosts = [Host(name="c1", memory_health=2), Host(name="c2", clearance=OPEN, inlet=30.0),
             Host(name="c3", clearance=OPEN, enabled=False)]  # fmt: skip
    cluster = builders.cluster(hosts=hosts, vms=[Vm(name="a", host="c1")], systems=SYSTEMS)
    assert left(cluster, "health:c1").conflict.rules == ("clearance",)


def test_every_reason_a_host_is_closed_for_counts_and_not_only_the_first():
    hosts = [Host(name="c1", memory_health=2), Host(name="c2", up=False, inlet=30.0), Host(name="c3", inlet=30.0),
             *[Host(name=f"d{n}", rack="r2") for n in range(6)]]  # fmt: skip
    vms = [Vm(name="a", host="c1"), *[Vm(name=f"m{n}", host=f"d{n}") for n in range(6)]]
    apart = Group(name="apart", members=tuple(vm.name for vm in vms))
    cluster = builders.cluster(hosts=hosts, vms=vms, groups=[apart])
    found = left(cluster, "health:c1")
    assert found.conflict.rules == ("heat", "group")
    assert found.sentence == (
        "c1 cannot be emptied: 1 VM of agency has no target: heat rules out 2 of 8 hosts (rack r1), and group (apart) "
        "rules out the other 6 hosts (rack r2)"
    )


def test_a_feed_is_not_relieved_by_its_own_hosts():
    supplies = [builders.Supply(name="A", limit_watts=550.0), builders.Supply(name="B", limit_watts=550.0)]
    hosts = [Host(name="c1", cpu=0.5), Host(name="c2", watts=270.0)]
    vms = [Vm(name="a", host="c1", vcpus=32, cpu=30.0)]
    cluster = builders.cluster(hosts=hosts, vms=vms, supplies=supplies)
    found = left(cluster, "feed:A")
    assert found.conflict.rules in {("relief",), ("power",)}
    made = plan.plan(cluster, POLICY, NOW)
    assert (
        "1 VM relieves it most: 1 VM of agency has no target"
        in {hold.breach: hold.why for hold in made.holds}["feed:A"]
    )


def test_where_there_is_no_other_host_there_is_no_set():
    made = plan.plan(
        builders.cluster(hosts=[Host(name="c1", draining=True)], vms=[Vm(name="a", host="c1")]), POLICY, NOW
    )
    assert made.holds[0].why == "a stays on c1: there is no other host"


@pytest.mark.parametrize(
    ("patterns", "kept"),
    [
        ({0b01: 1, 0b11: 1}, (0,)),
        ({0b011: 5, 0b110: 5}, (1,)),
        ({0b001: 40, 0b010: 6, 0b111: 2}, (0, 1)),
        ({0b01: 9, 0b00: 1}, ()),
        ({}, ()),
        ({0b11: 3}, (0,)),
    ],
)
def test_deletion_keeps_the_rule_that_rules_out_most_and_of_equals_the_first(patterns, kept):
    assert conflict.minimal(patterns) == kept


def test_vms_of_more_agencies_than_a_sentence_names_are_told_together():
    systems = [System(name=f"s{n}", agency=f"A{n}") for n in range(5)]
    vms = [Vm(name=f"v{n}", host="c1", system=f"s{n}") for n in range(5)]
    hosts = [Host(name="c1", memory_health=2), Host(name="c2", inlet=30.0)]
    found = left(builders.cluster(hosts=hosts, vms=vms, systems=systems), "health:c1")
    assert found.sentence == (
        "c1 cannot be emptied: 5 VMs of 5 agencies have no target: heat rules out the only other host"
    )


def test_of_vms_that_rules_keep_from_different_hosts_only_what_is_true_of_each_is_told():
    """Of five hosts `a` finds three full and members of its group on two, `b`, which is small, two and three."""
    hosts = [Host(name="c1", memory_health=2, memory_gib=512), *[Host(name=f"d{n}") for n in range(5)]]
    vms = [Vm(name=name, host="c1", memory_gib=memory) for name, memory in (("a", 200.0), ("b", 50.0))]
    vms += [
        Vm(cpu=0.0, name=f"g{group}-{n}", host=f"d{n}", memory_gib=1.0, memory_used_gib=1.0)
        for group in (1, 2)
        for n in range(group + 1)
    ]
    vms += [Vm(name=f"full{n}", host=f"d{n}", memory_gib=memory) for n, memory in ((2, 100.0), (3, 240.0), (4, 240.0))]
    groups = [Group(name="g1", members=("a", "g1-0", "g1-1")),
              Group(name="g2", members=("b", "g2-0", "g2-1", "g2-2"))]  # fmt: skip
    found = left(builders.cluster(hosts=hosts, vms=vms, groups=groups), "health:c1")
    assert found.sentence == (
        "c1 cannot be emptied: 2 VMs of agency have no target: up to 3 of 5 hosts are full, and group rules out the "
        "others"
    )


def test_the_rules_of_the_groups_beyond_the_first_few_are_named():
    keeps = [{"locked": True}, {"rests": True}, {"fit_known": False}, {"busy": True}, {"system": "closed"}]
    systems = [System(name="sys"), System(name="closed", open=False)]
    vms = [Vm(name=f"v{n}", host="c1", **keep) for n, keep in enumerate(keeps)]
    hosts = [Host(name="c1", memory_health=2), Host(name="c2")]
    found = left(builders.cluster(hosts=hosts, vms=vms, systems=systems), "health:c1")
    assert len(found.stuck) == 5
    assert found.sentence.endswith("; and 2 more VMs by locked, window")
