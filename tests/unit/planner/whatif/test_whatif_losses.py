"""What goes down with what is lost, where it starts again, and what is said where it cannot."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from controller.errors import InputError
from controller.model import cluster as model
from controller.model.policy import Limits, Policy
from controller.model.sample import Health
from controller.model.whatif import Loss, Outcome, Verdict
from controller.planner.whatif import loss, outcome
from inventory.model import Classification, Domain
from tests import builders
from tests.builders import Aggregate, Group, Host, Rack, Supply, System, Vm

MINUTE = timedelta(minutes=1)


def lost(cluster: model.Cluster, *words: str, policy: Policy | None = None) -> Outcome:
    losses = [Loss(kind=Domain(kind), name=name) for kind, _, name in (word.partition(":") for word in words)]
    return outcome.lose(outcome.spare(cluster, policy or Policy(), builders.NOW), losses, MINUTE)


def started(found: Outcome) -> dict[str, str | None]:
    return {each.name: each.target for each in found.restarts}


def partnered(cluster: model.Cluster, *pairs: tuple[int, int]) -> model.Cluster:
    partner = cluster.power.partner.copy()
    for one, other in pairs:
        partner[one], partner[other] = other, one
    return replace(cluster, power=replace(cluster.power, partner=partner))


def estate(**more: object) -> model.Cluster:
    """Racks r1, r2 in zone z1 and room1 of site1, r3 in z2 and room2 of site2; two hosts a rack, a server on each."""
    racks = [Rack(name="r1"), Rack(name="r2"), Rack(name="r3", zone="z2", room="room2", site="site2")]
    hosts = [Host(name=f"{rack.name}h{n}", rack=rack.name) for rack in racks for n in (1, 2)]
    return builders.cluster(racks=racks, hosts=hosts, vms=[Vm(name=f"v-{h.name}", host=h.name) for h in hosts], **more)


@pytest.mark.parametrize(
    ("word", "down"),
    [
        ("host:r1h2", ["r1h2"]),
        ("rack:r2", ["r2h1", "r2h2"]),
        ("zone:z1", ["r1h1", "r1h2", "r2h1", "r2h2"]),
        ("room:room2", ["r3h1", "r3h2"]),
        ("site:site1", ["r1h1", "r1h2", "r2h1", "r2h2"]),
        ("feed:A", []),
    ],
)
def test_what_stands_in_a_lost_place_goes_down_and_starts_elsewhere(word: str, down: list[str]) -> None:
    found = lost(estate(), word)
    assert list(found.hosts) == down
    assert sorted(started(found)) == [f"v-{name}" for name in down]
    assert not set(started(found).values()) & {None, *down}
    assert found.verdict is Verdict.SURVIVED


def test_a_host_goes_down_with_the_last_of_its_feeds() -> None:
    one_cord = Host(name="single", supplies=("A",))
    cluster = builders.cluster(hosts=[one_cord, Host(name="both")], vms=[Vm(name="a", host="single")])
    assert lost(cluster, "feed:A").hosts == ("single",)
    assert lost(cluster, "feed:B").hosts == ()
    assert lost(cluster, "feed:A", "feed:B").hosts == ("both", "single")


@pytest.mark.parametrize("word", ["host:c9", "rack:c9", "feed:c9", "zone:c9", "room:c9", "site:c9"])
def test_what_the_snapshot_does_not_know_is_refused_by_name(word: str) -> None:
    with pytest.raises(InputError, match=f"knows no {word.replace(':', ' ')}"):
        lost(estate(), word)


def test_a_server_starts_only_where_every_rule_lets_it() -> None:
    avx, ssd = frozenset({"AVX"}), {"ssd": "true"}
    asks = model.Requirement(required_traits=avx, aggregate_specs=ssd, availability_zone="az", project_id="p")
    good: dict[str, object] = {"availability_zone": "az", "traits": avx}
    cluster = builders.cluster(
        hosts=[
            Host(name="c0", **good),
            Host(name="traitless", availability_zone="az"),
            Host(name="elsewhere", traits=avx),
            Host(name="outside", **good),
            Host(name="reserved", **good),
            Host(name="uncleared", clearance=Classification.OPEN, **good),
            Host(name="failing", memory_health=2, **good),
            Host(name="right", **good),
        ],
        vms=[Vm(name="a", host="c0", requirement=asks)],
        systems=[System(classification=Classification.SECRET)],
        aggregates=[
            Aggregate(name="ssd", hosts=("c0", "reserved", "uncleared", "failing", "right"), metadata=ssd),
            Aggregate(name="other", hosts=("reserved",), metadata={"filter_tenant_id": "q"}),
        ],
    )
    assert started(lost(cluster, "host:c0")) == {"a": "right"}
    found = lost(cluster, "host:c0", "host:right")
    assert started(found) == {"a": None}
    (server,) = found.restarts
    assert server.why.startswith("no host is left that may start it: ")
    for part in (
        "1 host: its traits are not those the flavor asks for",
        "1 host: it is in another availability zone",
        "1 host: its aggregates do not meet the flavor's extra specs",
        "1 host: it is not cleared for the VM's classification",
        "1 host: it is reserved for other projects",
        "1 host: its hardware is failing",
    ):
        assert part in server.why


def test_why_hosts_may_receive_nothing_is_told_in_words() -> None:
    shut: list[dict[str, object]] = [
        {"enabled": False}, {"enabled": False}, {"up": False}, {"memory_health": 2}, {"inlet": 29.0},
        {"withheld": True}, {"draining": True}, {"trusted": False}, {"psu_health": 1}, {"unread_health": True},
    ]  # fmt: skip
    cool = [Rack(name="r1"), Rack(name="warm", zone="z2"), *(Rack(name=f"w{n}", zone="z2") for n in (1, 2))]
    hosts = [Host(name=f"c{n}", rack="warm" if "inlet" in how else "r1", **how) for n, how in enumerate(shut)]  # type: ignore[arg-type]
    hosts += [Host(name=f"full{n}", rack=f"w{n}", memory_gib=1) for n in (1, 2)]
    cluster = builders.cluster(racks=cool, hosts=[*hosts, Host(name="lost")], vms=[Vm(name="v", host="lost")])
    (server,) = lost(cluster, "host:lost", "rack:w1", "rack:w2").restarts
    assert server.why == "no host is left that may start it: " + "; ".join(
        [
            "2 hosts: its compute service is disabled",
            "1 host: its compute service is down",
            "1 host: it is being drained",
            "1 host: its hardware is failing",
            "1 host: its hardware has lost redundancy or predicts a failure",
            "1 host: its inlet is above the zone's warning",
            "1 host: its BMC should tell its health and has not; see trust.health_required",
            "1 host: it has no trusted readings",
            "1 host: a mode or a pause keeps moves off it",
        ]
    )


def test_sums_that_prove_a_shortage_count_only_servers_that_could_start() -> None:
    """What is pinned, and what no host may start, have no place whatever is left: so they prove nothing about the two
    that are too large together.
    """
    hosts = [Host(name="c0", memory_gib=512), Host(name="c1", memory_gib=40), Host(name="c2", memory_gib=20)]
    vms = [Vm(name=name, host="c0", memory_gib=25) for name in ("x", "y")]
    pinned = Vm(name="pinned", host="c0", memory_gib=200, fit_known=False)
    fast = model.Requirement(required_traits=frozenset({"FAST"}))
    nowhere = Vm(name="nowhere", host="c0", memory_gib=200, requirement=fast)
    found = lost(builders.cluster(hosts=hosts, vms=[*vms, pinned, nowhere]), "host:c0")
    assert {each.name: each.why for each in found.restarts if each.target is None} == {
        "nowhere": "no host is left that may start it: 2 hosts: its traits are not those the flavor asks for",
        "pinned": "it is pinned, uses NUMA or PCI devices or nobody can say, and its fit elsewhere cannot be shown",
        "y": "what the 2 hosts that may start it have left is in pieces too small for 1 servers",
    }


@pytest.mark.parametrize("psu", [int(Health.WARNING), int(Health.FAILED)])
def test_a_host_whose_power_supplies_lost_their_redundancy_goes_down_with_either_feed(psu: int) -> None:
    cluster = builders.cluster(hosts=[Host(name="c1", psu_health=psu), Host(name="c2")], vms=[Vm(name="v", host="c1")])
    for feed in ("feed:A", "feed:B"):
        found = lost(cluster, feed)
        assert (found.hosts, started(found)) == (("c1",), {"v": "c2"})


def test_members_that_must_stand_apart_do_after_the_loss_too() -> None:
    hosts = [Host(name=f"r{rack}h{n}", rack=f"r{rack}") for rack in (1, 2, 3) for n in (1, 2)]
    vms = [Vm(name="a", host="r1h1"), Vm(name="b", host="r2h1")]
    apart = Group(name="web", members=("a", "b"), domain=Domain.RACK)
    cluster = builders.cluster(hosts=hosts, vms=vms, groups=[apart])
    target = started(lost(cluster, "rack:r1"))["a"]
    assert target is not None
    assert target.startswith("r3")
    found = lost(cluster, "rack:r1", "rack:r3")
    assert [each.why for each in found.restarts] == ["group web keeps it from the 2 hosts with room for it"]
    (system,) = found.systems
    assert (system.rules, system.down, system.servers, system.unplaced) == (("web",), 1, 2, 1)


def test_members_that_must_stand_together_start_together_where_all_of_them_fit() -> None:
    hosts = [Host(name="c1"), Host(name="c2", memory_gib=64), Host(name="c3", memory_gib=96)]
    vms = [Vm(name=name, host="c1", memory_gib=40) for name in "ab"]
    cluster = builders.cluster(
        hosts=hosts, vms=vms, groups=[Group(name="pair", members=("a", "b"), kind=model.GroupKind.AFFINITY)]
    )
    assert started(lost(cluster, "host:c1")) == {"a": "c3", "b": "c3"}
    assert started(lost(cluster, "host:c1", "host:c3")) == {"a": None, "b": None}


def test_members_that_share_a_rack_share_the_next_one_too() -> None:
    hosts = [Host(name=f"r{rack}h{n}", rack=f"r{rack}", memory_gib=32) for rack in (1, 2, 3) for n in (1, 2)]
    vms = [Vm(name=name, host=f"r1h{n}", memory_gib=24) for n, name in ((1, "a"), (2, "b"))]
    vms += [Vm(name="fills", host="r2h2", memory_used_gib=1), Vm(name="fills-too", host="r3h1", memory_used_gib=1)]
    near = Group(name="near", members=("a", "b"), kind=model.GroupKind.AFFINITY, domain=Domain.RACK)
    both = started(lost(builders.cluster(hosts=hosts, vms=vms, groups=[near]), "rack:r1"))
    assert len({str(target)[:2] for target in both.values()} - {"No"}) == 1
    assert None not in both.values()


def test_a_member_goes_back_to_those_of_its_group_that_still_run() -> None:
    hosts = [Host(name=f"r{rack}h{n}", rack=f"r{rack}") for rack in (1, 2) for n in (1, 2)]
    vms = [Vm(name="a", host="r1h1"), Vm(name="b", host="r1h2")]
    near = Group(name="near", members=("a", "b"), kind=model.GroupKind.AFFINITY, domain=Domain.RACK)
    cluster = builders.cluster(hosts=hosts, vms=vms, groups=[near])
    assert started(lost(cluster, "host:r1h1")) == {"a": "r1h2"}
    both = started(lost(cluster, "rack:r1"))
    assert len({str(target)[:2] for target in both.values()}) == 1


def test_what_is_left_is_packed_tightly_where_spreading_leaves_somebody_out() -> None:
    """Emptiest first would put the two small ones on one host each, and the large one nowhere."""
    hosts = [Host(name="c0"), Host(name="c1", memory_gib=64), Host(name="c2", memory_gib=64)]
    vms = [
        Vm(name="large", host="c0", memory_gib=48),
        Vm(name="m1", host="c0", memory_gib=32),
        Vm(name="m2", host="c0", memory_gib=32),
        Vm(name="s1", host="c0", memory_gib=16),
    ]
    assert None not in started(lost(builders.cluster(hosts=hosts, vms=vms), "host:c0")).values()


def test_what_is_missing_is_told_by_classification_with_the_reason() -> None:
    hosts = [Host(name="c0"), Host(name="c1", memory_gib=16), Host(name="c2", memory_gib=64, clearance=0)]
    vms = [Vm(name=f"v{n}", host="c0", memory_gib=12) for n in range(3)]
    secret = System(classification=Classification.SECRET)
    found = lost(builders.cluster(hosts=hosts, vms=vms, systems=[secret]), "host:c0")
    assert found.verdict is Verdict.SHORT
    (missing,) = found.missing
    assert (missing.classification, missing.servers, missing.memory_mib) == ("secret", 2, 2 * 12 * 1024)
    assert {each.why for each in found.restarts if each.target is None} == {
        "the 3 servers that may start only on 1 host ask for 36 GiB of memory, and 16 GiB of memory is left"
    }


def test_room_in_pieces_too_small_is_told_as_that() -> None:
    hosts = [Host(name="c0"), Host(name="c1", memory_gib=16), Host(name="c2", memory_gib=16)]
    vms = [Vm(name="v", host="c0", memory_gib=24)]
    found = lost(builders.cluster(hosts=hosts, vms=vms), "host:c0")
    assert [each.why for each in found.restarts] == [
        "none of the 2 hosts that may start it has 4 vCPUs, 24 GiB of memory, 40 GiB of disk left"
    ]


def test_a_target_over_a_safety_limit_is_taken_last_and_told() -> None:
    hosts = [Host(name="c0"), Host(name="busy", threads=8, cpu=0.7), Host(name="calm", threads=8, cpu=0.1)]
    cluster = builders.cluster(hosts=hosts, vms=[Vm(name="v", host="c0", cpu=2.0)])
    assert started(lost(cluster, "host:c0")) == {"v": "calm"}
    found = lost(cluster, "host:c0", "host:calm")
    assert (started(found), found.verdict) == ({"v": "busy"}, Verdict.HOT)


def test_a_supply_that_cannot_carry_the_server_counts_as_a_limit() -> None:
    supplies = [Supply(name="A"), Supply(name="B", limit_watts=400), Supply(name="C")]
    hosts = [Host(name="c0"), Host(name="c1", supplies=("B",), watts=395.0), Host(name="c2", supplies=("C",), cpu=0.7)]
    cluster = builders.cluster(hosts=hosts, vms=[Vm(name="v", host="c0", cpu=2.0)], supplies=supplies)
    assert started(lost(cluster, "host:c0")) == {"v": "c2"}


def test_what_one_server_draws_the_next_cannot() -> None:
    supplies = [Supply(name="A"), Supply(name="B", limit_watts=312), Supply(name="C")]
    hosts = [Host(name="c0"), Host(name="c1", supplies=("B",)), Host(name="c2", supplies=("C",), memory_gib=24)]
    vms = [Vm(name=name, host="c0", memory_gib=8, cpu=2.0) for name in "ab"]
    targets = started(lost(builders.cluster(hosts=hosts, vms=vms, supplies=supplies), "host:c0"))
    assert sorted(map(str, targets.values())) == ["c1", "c2"]


def test_a_feed_whose_partner_cannot_carry_both_is_not_survived() -> None:
    supplies = [Supply(name="A", limit_watts=500), Supply(name="B", limit_watts=700)]
    cluster = builders.cluster(hosts=[Host(name="c1"), Host(name="c2")], supplies=supplies)
    cluster = partnered(cluster, (0, 1))
    assert lost(cluster, "feed:A").verdict is Verdict.SURVIVED
    found = lost(cluster, "feed:B")
    assert found.verdict is Verdict.OVERLOADED
    (over,) = found.overloads
    assert (over.feed, over.limit_watts, round(over.watts)) == ("A", 500, 600)


def behind(limit: float, *, feed: str | None = "B", on: str = "PB") -> model.Cluster:
    """Two hosts on PDUs of two feeds; the second feed's PDU, or its phase, may carry so much."""
    kind = model.PowerKind.PHASE if on.endswith("/1") else model.PowerKind.PDU
    supplies = [
        Supply(name="A", limit_watts=5000), Supply(name="B", limit_watts=5000),
        Supply(name="PA", kind=model.PowerKind.PDU, feed="A", limit_watts=100),
        Supply(name=on, kind=kind, feed=feed, limit_watts=limit),
    ]  # fmt: skip
    hosts = [Host(name=name, supplies=("A", "B", "PA", on)) for name in ("c1", "c2")]
    return partnered(builders.cluster(hosts=hosts, supplies=supplies), (0, 1))


@pytest.mark.parametrize(("on", "key"), [("PB", "pdu:PB"), ("PB/1", "phase:PB/1")])
def test_a_pdu_or_phase_behind_the_partner_that_cannot_carry_both_is_not_survived(on: str, key: str) -> None:
    assert lost(behind(700, on=on), "feed:A").verdict is Verdict.SURVIVED
    found = lost(behind(500, on=on), "feed:A")
    assert found.verdict is Verdict.OVERLOADED
    assert [(over.feed, over.supply, round(over.watts), over.limit_watts) for over in found.overloads] == [
        ("B", key, 600, 500)
    ]


def test_only_what_hangs_on_the_partner_and_carries_hosts_of_the_lost_feed_is_looked_at() -> None:
    assert lost(behind(500, feed=None), "feed:A").verdict is Verdict.SURVIVED
    assert lost(behind(500), "feed:B").overloads[0].supply == "pdu:PA"
    alone = behind(500)
    power = alone.hosts.power.copy()
    power[:, :] = [[1, 3, -1, -1]] * 2
    assert lost(replace(alone, hosts=replace(alone.hosts, power=power)), "feed:A").verdict is Verdict.SURVIVED


def test_hosts_that_are_gone_draw_nothing_any_more() -> None:
    supplies = [Supply(name="A", limit_watts=700), Supply(name="B", limit_watts=700)]
    hosts = [Host(name="c1", watts=340.0), Host(name="c2", watts=340.0)]
    cluster = builders.cluster(hosts=hosts, vms=[Vm(name="v", host="c1", vcpus=16, cpu=10.0)], supplies=supplies)
    assert lost(cluster, "host:c1").verdict is Verdict.SURVIVED


def test_what_nobody_can_show_to_fit_has_no_place() -> None:
    hosts = [Host(name="c0"), Host(name="c1")]
    found = lost(builders.cluster(hosts=hosts, vms=[Vm(name="pinned", host="c0", fit_known=False)]), "host:c0")
    assert found.verdict is Verdict.SHORT
    assert "pinned" in found.restarts[0].why


def test_recovery_takes_as_many_rounds_as_the_limits_need() -> None:
    hosts = [Host(name="c0", memory_gib=512), *(Host(name=f"c{n}") for n in (1, 2, 3))]
    cluster = builders.cluster(hosts=hosts, vms=[Vm(name=f"v{n}", host="c0") for n in range(12)])
    for limits, rounds in ((Limits(at_once=8, into_host=1), 4), (Limits(at_once=2, into_host=4), 6)):
        found = lost(cluster, "host:c0", policy=Policy(limits=limits))
        assert (found.rounds, found.recovery) == (rounds, rounds * MINUTE)
    assert lost(cluster, "host:c1").rounds == 0


def test_every_single_failure_is_every_host_rack_and_feed() -> None:
    assert [str(each) for each in loss.every_single(estate())] == [
        *(f"host:r{rack}h{n}" for rack in (1, 2, 3) for n in (1, 2)),
        *("rack:r1", "rack:r2", "rack:r3", "feed:A", "feed:B"),
    ]


def test_a_what_if_changes_nothing_for_the_next() -> None:
    cluster = estate()
    spare = outcome.spare(cluster, Policy(), builders.NOW)
    asked = [(one,) for one in loss.every_single(cluster)]
    first = [outcome.lose(spare, losses, MINUTE) for losses in asked]
    again = [outcome.lose(spare, losses, MINUTE) for losses in reversed(asked)]
    assert first == again[::-1]
    assert np.array_equal(spare.room, outcome.spare(cluster, Policy(), builders.NOW).room)


@pytest.mark.filterwarnings("error")
def test_an_estate_with_nothing_in_it_loses_nothing() -> None:
    empty = builders.cluster(hosts=[])
    assert lost(empty, "feed:A").verdict is Verdict.SURVIVED
    assert [str(each) for each in loss.every_single(empty)] == ["feed:A", "feed:B"]
    alone = lost(builders.cluster(hosts=[Host(name="c1")], vms=[Vm(name="v", host="c1")]), "host:c1")
    assert [each.why for each in alone.restarts] == ["no host is left that may start it: none is left at all"]
