from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from controller.engine.assemble import History
from controller.engine.watts import Slope
from controller.model import cloud, migration
from controller.model import cluster as model
from controller.model.cloud import Guest
from controller.model.ids import HostName, MoveId, ProjectId, ServerId
from controller.model.policy import Policy
from controller.model.sample import Kind, Quantity, Trust
from controller.planner import plan
from inventory.facility import SnmpProfile
from inventory.model import Budget, Classification, Domain, Host, Lifecycle, NumaCell, Pause, Spread, Window
from tests.fakes.looks import NOW, Site
from tests.fakes.small_estate import small_estate


@pytest.fixture
def site() -> Site:
    return Site()


def row(cluster: model.Cluster, name: str) -> int:
    return cluster.vms.names.index(name)


def host_row(cluster: model.Cluster, name: str) -> int:
    return cluster.hosts.names.index(HostName(name))


def with_host(site: Site, name: str, **changes: object) -> None:
    host: Host = replace(site.estate.hosts[name], **changes)  # type: ignore[arg-type]
    site.estate = replace(site.estate, hosts={**site.estate.hosts, name: host})


def entry(site: Site, vm: str, state: migration.State, *, started_s: float, changed_s: float) -> migration.Entry:
    server = next(server for server in site.facts.servers if server.name == vm)
    begun = NOW - timedelta(seconds=started_s)
    return migration.Entry(
        intent=migration.Intent(
            id=MoveId(f"p-{vm}-{state}-{started_s}"), origin="plan", server_id=server.id, server_name=vm,
            source=HostName("h1"), target=HostName("h3"), cold=False, rule="cpu", why="hot", system="buses",
            agency="roads", created_at=begun, deadline=begun, epoch=1,
        ),
        state=state,
        changed_at=NOW - timedelta(seconds=changed_s),
    )  # fmt: skip


def test_same_input_in_any_order_gives_the_same_snapshot(site: Site) -> None:
    one = site.cluster()
    facts = site.facts
    site.facts = replace(
        facts,
        servers=facts.servers[::-1],
        services=facts.services[::-1],
        providers=facts.providers[::-1],
        projects=facts.projects[::-1],
    )
    other = site.cluster()
    assert one.hosts.names == other.hosts.names == tuple(sorted(one.hosts.names))
    assert one.vms.ids == other.vms.ids == tuple(sorted(one.vms.ids))
    np.testing.assert_array_equal(one.vms.host, other.vms.host)
    np.testing.assert_array_equal(one.vms.cpu_vcpus.values, other.vms.cpu_vcpus.values)
    asked = [[c.requirements[r] for c, r in zip((one, other), pair, strict=True)] for pair in
             zip(one.vms.requirement, other.vms.requirement, strict=True)]  # fmt: skip
    assert all(left == right for left, right in asked)


def test_a_host_row_carries_what_placement_admits_and_where_the_host_stands(site: Site) -> None:
    cluster = site.cluster()
    h1 = host_row(cluster, "h1")
    hosts = cluster.hosts
    assert (hosts.vcpus[h1], hosts.memory_mib[h1], hosts.threads[h1]) == (32 * 4.0, 131072 - 8192, 32)
    kept_back = hosts.reserved_vcpus[h1], hosts.reserved_memory_mib[h1], hosts.reserved_disk_gib[h1]
    assert kept_back == (0, 8192, 0)
    assert cluster.racks.names[hosts.rack[h1]] == "r1"
    assert hosts.clearance[h1] == Classification.SECRET
    assert {cluster.power.names[n] for n in hosts.power[h1] if n >= 0} == {
        "NA", "NB", "pdu-r1-A", "pdu-r1-B", "pdu-r1-A/2", "pdu-r1-B/2",
    }  # fmt: skip
    assert hosts.availability_zone[h1] == "nova"
    assert hosts.trusted.all() and hosts.known.all() and hosts.up.all() and hosts.enabled.all()


def test_power_limits_are_derated_ratings_and_base_watts_count_whole_on_each_feed(site: Site) -> None:
    power = site.cluster().power
    at = {name: n for n, name in enumerate(power.names)}
    assert power.limit_watts[at["NA"]] == pytest.approx(4500 * 0.8)
    assert power.limit_watts[at["pdu-r1-A"]] == pytest.approx(16 * 230 * 3 * 0.8)
    assert power.limit_watts[at["pdu-r1-A/3"]] == pytest.approx(16 * 230 * 0.8)
    assert power.base_watts[at["NA"]] == pytest.approx(2 * 100.0)
    assert power.base_watts[at["pdu-r1-A"]] == pytest.approx(100.0)
    assert power.base_watts[at["pdu-r1-A/1"]] == pytest.approx(100.0 / 3)
    assert power.partner[at["NA"]] == at["NB"] and power.partner[at["pdu-r1-A"]] == -1
    assert power.power_watts.fresh.all()
    assert power.ups[at["NA"]] == "ups-NA" and power.ups[at["pdu-r1-A"]] is None
    assert power.on_battery.fresh.tolist() == [kind == model.PowerKind.FEED for kind in power.kind]


def test_a_host_that_the_inventory_does_not_know_is_a_row_nobody_trusts(site: Site) -> None:
    site.estate = replace(site.estate, hosts={n: h for n, h in site.estate.hosts.items() if n != "h2"})
    cluster = site.cluster()
    h2 = host_row(cluster, "h2")
    assert not cluster.hosts.known[h2] and not cluster.hosts.trusted[h2]
    assert cluster.hosts.rack[h2] == -1 and (cluster.hosts.power[h2] == -1).all()
    assert cluster.hosts.clearance[h2] == Classification.OPEN
    assert cluster.hosts.vcpus[h2] == 128 and cluster.hosts.threads[h2] == 32


@pytest.mark.parametrize("lifecycle", [Lifecycle.PLANNED, Lifecycle.INSTALLED, Lifecycle.MAINTENANCE])
def test_a_host_that_should_not_be_in_the_cloud_is_not_known(site: Site, lifecycle: Lifecycle) -> None:
    with_host(site, "h2", lifecycle=lifecycle)
    cluster = site.cluster()
    assert not cluster.hosts.known[host_row(cluster, "h2")]


def test_a_host_only_in_the_inventory_is_no_row(site: Site) -> None:
    site.estate = replace(site.estate, hosts={**site.estate.hosts, "h9": replace(site.estate.hosts["h1"], name="h9")})
    assert "h9" not in site.cluster().hosts.names


def without(site: Site, host: str, resource: str) -> None:
    site.facts = replace(
        site.facts,
        providers=tuple(
            replace(p, inventory={k: v for k, v in p.inventory.items() if k != resource}) if p.host == host else p
            for p in site.facts.providers
        ),
    )


@pytest.mark.parametrize("missing", ["VCPU", "MEMORY_MB"])
def test_a_host_whose_placement_row_lacks_cpu_or_memory_is_not_trusted_and_keeps_its_vms(
    site: Site, missing: str
) -> None:
    without(site, "h1", missing)
    cluster = site.cluster()
    assert not cluster.hosts.trusted[0] and cluster.hosts.trusted[1:].all()
    found = plan.plan(cluster, Policy(), cluster.taken_at)
    assert [move for move in found.moves if move.source == "h1"] == []


def test_a_host_whose_disk_placement_counts_elsewhere_is_whole(site: Site) -> None:
    without(site, "h1", "DISK_GB")
    cluster = site.cluster()
    assert cluster.hosts.trusted.all()
    found = plan.plan(cluster, Policy(), cluster.taken_at)
    assert "capacity:h1" not in {breach.key for breach in found.breaches_before}


def test_a_host_without_a_service_is_down_and_one_without_a_provider_admits_nothing(site: Site) -> None:
    site.facts = replace(site.facts, services=site.facts.services[1:], providers=site.facts.providers[:-1])
    hosts = site.cluster().hosts
    assert (hosts.up[0], hosts.enabled[0]) == (False, False)
    assert (hosts.vcpus[-1], hosts.memory_mib[-1], hosts.traits[-1]) == (0, 0, frozenset())


def test_a_host_without_one_required_reading_is_not_trusted(site: Site) -> None:
    site.lose(Kind.HOST, Quantity.CPU_RATIO, "h1")
    site.read(Kind.HOST, Quantity.MEMORY_BYTES, "h2", 5e9, age_s=600)
    site.read(Kind.HOST, Quantity.CPU_RATIO, "h3", np.nan)
    site.lose(Kind.HOST, Quantity.INLET_CELSIUS, "h4")
    trusted = dict(zip(site.cluster().hosts.names, site.cluster().hosts.trusted.tolist(), strict=True))
    assert [name for name, yes in trusted.items() if not yes] == ["h1", "h2", "h3"]


@pytest.mark.parametrize("watts", [0.0, 50.0, 700.0])
def test_watts_that_the_host_type_cannot_draw_are_implausible(site: Site, watts: float) -> None:
    site.read(Kind.HOST, Quantity.POWER_WATTS, "h1", watts)
    assert site.cluster().hosts.power_watts.trust[0] == Trust.IMPLAUSIBLE


def test_a_vm_using_more_vcpus_than_it_has_is_implausible(site: Site) -> None:
    server = site.facts.servers[0]
    site.read(Kind.VM, Quantity.CPU_VCPUS, server.id, server.vcpus * 1.2 + 1)
    cluster = site.cluster()
    assert cluster.vms.cpu_vcpus.trust[row(cluster, server.name)] == Trust.IMPLAUSIBLE


def test_a_vm_row_carries_its_owner_and_its_level(site: Site) -> None:
    cluster = site.cluster()
    db = row(cluster, "clinic-db-1")
    assert cluster.systems.names[cluster.vms.system[db]] == "clinic"
    assert cluster.vms.classification[db] == Classification.SECRET
    requirement = cluster.requirements[cluster.vms.requirement[db]]
    assert requirement.required_traits == {"CUSTOM_CLEARANCE_SECRET"}
    assert cluster.flavors[cluster.vms.flavor[db]] == "m4s"


def test_a_vm_of_an_unknown_project_holds_the_highest_classification(site: Site) -> None:
    site.change_server("buses-web-1", project_id=ProjectId("stranger"))
    cluster = site.cluster()
    stranger = row(cluster, "buses-web-1")
    assert cluster.vms.system[stranger] == -1
    assert cluster.vms.classification[stranger] == Classification.SECRET
    assert cluster.vms.vcpus[stranger] == 2


def test_a_project_name_that_stands_twice_belongs_to_nobody(site: Site) -> None:
    twin = cloud.Project(id=ProjectId("other-domain"), name="roads-buses", enabled=True)
    site.facts = replace(site.facts, projects=(*site.facts.projects, twin))
    cluster = site.cluster()
    assert cluster.vms.system[row(cluster, "buses-web-1")] == -1


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("ACTIVE", model.VmState.ACTIVE),
        ("PAUSED", model.VmState.PAUSED),
        ("SHUTOFF", model.VmState.SHUTOFF),
        ("VERIFY_RESIZE", model.VmState.OTHER),
        ("ERROR", model.VmState.OTHER),
        ("SOMETHING_NEW", model.VmState.OTHER),
    ],
)
def test_server_statuses(site: Site, status: str, state: model.VmState) -> None:
    site.change_server("buses-web-1", status=status, task_state="rebooting", locked=True)
    cluster = site.cluster()
    web = row(cluster, "buses-web-1")
    assert (cluster.vms.state[web], cluster.vms.busy[web], cluster.vms.locked[web]) == (state, True, True)


def running(server: cloud.Server, source: str, target: str | None, status: str = "running") -> cloud.Migration:
    return cloud.Migration(
        id=7, uuid="m", server_id=server.id, type="live-migration", status=status, source=HostName(source),
        target=HostName(target) if target else None, created_at=NOW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "target", "status", "other", "busy"),
    [
        ("h1", "h3", "running", "h3", True),
        ("h3", "h1", "finished", "h3", False),
        ("h3", "h1", "confirming", "h3", True),
        ("h1", "h3", "completed", None, False),
        ("h1", "h3", "error", None, False),
        ("h1", None, "queued", None, True),
    ],
)
def test_a_migrating_vm_counts_on_both_hosts_and_is_busy_until_it_waits_for_its_confirmation(
    site: Site, source: str, target: str | None, status: str, other: str | None, busy: bool
) -> None:
    server = site.change_server("buses-web-1", host=HostName("h1"))
    site.facts = replace(site.facts, migrations=(running(server, source, target, status),))
    cluster = site.cluster()
    found = int(cluster.vms.target[row(cluster, "buses-web-1")])
    assert (cluster.hosts.names[found] if found >= 0 else None) == other
    assert bool(cluster.vms.busy[row(cluster, "buses-web-1")]) is busy


def test_a_vm_on_no_host_and_one_on_a_host_nova_does_not_show_have_no_host_row(site: Site) -> None:
    site.change_server("buses-web-1", host=None)
    site.change_server("buses-web-2", host=HostName("gone"))
    cluster = site.cluster()
    assert cluster.vms.host[[row(cluster, "buses-web-1"), row(cluster, "buses-web-2")]].tolist() == [-1, -1]


def test_a_server_told_twice_by_a_page_that_repeats_is_one_row(site: Site) -> None:
    site.facts = replace(site.facts, servers=(*site.facts.servers, site.facts.servers[0]))
    assert len(site.cluster().vms.ids) == 40


def test_spread_rules_bind_the_vms_of_their_set_in_their_own_project(site: Site) -> None:
    site.change_server("buses-web-1", name="clinic-db-9")
    site.change_server("buses-web-2", name="clinic-db-x")
    groups = {group.name: group for group in site.cluster().groups}
    cluster = site.cluster()
    members = [cluster.vms.names[n] for n in groups["clinic-db"].members]
    assert sorted(members) == ["clinic-db-1", "clinic-db-2", "clinic-db-3", "clinic-db-4"]
    assert groups["clinic-db"].domain is Domain.HOST
    assert "buses-web" not in groups


def test_a_renamed_systems_rule_goes_on_binding_vms_of_both_names(site: Site) -> None:
    clinic = replace(site.estate.systems["clinic"], name="hospital", formerly=("clinic",))
    others = {name: each for name, each in site.estate.systems.items() if name != "clinic"}
    data_sets = {
        name: replace(each, system="hospital") if each.system == "clinic" else each
        for name, each in site.estate.data_sets.items()
    }
    site.estate = replace(site.estate, systems={**others, "hospital": clinic}, data_sets=data_sets)
    site.change_server("clinic-db-4", name="hospital-db-4")
    cluster = site.cluster()
    (group,) = (each for each in cluster.groups if each.name == "hospital-db")
    bound = sorted(cluster.vms.names[n] for n in group.members)
    assert bound == ["clinic-db-1", "clinic-db-2", "clinic-db-3", "hospital-db-4"]


def test_systems_of_one_room_group_are_bound_to_one_room_together(site: Site) -> None:
    named = {name: replace(system, room_group="core") for name, system in site.estate.systems.items()}
    one = next(iter(named))
    site.estate = replace(site.estate, systems={**named, one: replace(named[one], room_group=None)})
    cluster = site.cluster()
    (group,) = (each for each in cluster.groups if each.name == "room group core")
    assert (group.kind, group.domain) == (model.GroupKind.AFFINITY, Domain.ROOM)
    owners = {cluster.systems.names[row] for row in cluster.vms.system[group.members].tolist()}
    assert owners and one not in owners
    assert len(group.members) == sum(cluster.systems.names[row] in owners for row in cluster.vms.system.tolist())


def test_server_groups_bind_their_living_members_and_equal_names_are_told_apart(site: Site) -> None:
    ids = [server.id for server in site.facts.servers[:3]]

    def group(key: str, name: str, *members: ServerId, policy: str = "soft-anti-affinity") -> cloud.ServerGroup:
        return cloud.ServerGroup(id=key, name=name, policy=policy, max_server_per_host=2, members=members)

    site.facts = replace(
        site.facts,
        groups=(
            group("k1", "web", *ids[:2]),
            group("k2", "web", *ids[1:], ServerId("deleted")),
            group("k3", "alone", ids[0], ServerId("deleted")),
            group("k4", "clinic-db", *ids, policy="affinity"),
            group("k5", "legacy", *ids, policy="unheard-of"),
        ),
    )
    groups = {found.name: found for found in site.cluster().groups}
    assert set(groups) == {"web k1", "web k2", "clinic-db", "clinic-db k4"}
    assert groups["web k2"].kind is model.GroupKind.SOFT_ANTI_AFFINITY
    assert (len(groups["web k2"].members), groups["web k2"].max_per_domain) == (2, 2)
    assert groups["clinic-db k4"].kind is model.GroupKind.AFFINITY


def test_availability_zones_and_aggregates_come_from_nova(site: Site) -> None:
    aggregate = cloud.Aggregate(
        name="ssd", hosts=(HostName("h2"), HostName("h1"), HostName("gone")), availability_zone="az1",
        metadata={"disk": "ssd"},
    )  # fmt: skip
    site.facts = replace(site.facts, aggregates=(aggregate,))
    site.change_server("buses-web-1", pinned_zone="az1")
    cluster = site.cluster()
    assert cluster.hosts.availability_zone[:3] == ("az1", "az1", "nova")
    assert cluster.aggregates[0].hosts.tolist() == [0, 1]
    asked = cluster.requirements[cluster.vms.requirement[row(cluster, "buses-web-1")]]
    assert asked.availability_zone == "az1"


def test_what_the_journal_remembers_stands_in_the_snapshot(site: Site) -> None:
    site.history = History(
        entries=(
            entry(site, "buses-web-1", migration.State.SUCCEEDED, started_s=600, changed_s=300),
            entry(site, "buses-web-2", migration.State.FAILED, started_s=5000, changed_s=60),
            entry(site, "buses-web-3", migration.State.NOT_SENT, started_s=30, changed_s=20),
            entry(site, "buses-web-4", migration.State.REFUSED, started_s=30, changed_s=20),
        ),
        draining=frozenset({HostName("h4")}),
        refusals=(
            (site.facts.servers[0].id, HostName("h2"), "nova", NOW + timedelta(minutes=5)),
            (site.facts.servers[0].id, HostName("h3"), "nova", NOW - timedelta(minutes=5)),
            (ServerId("deleted"), HostName("h3"), "nova", NOW + timedelta(minutes=5)),
        ),
        breach_since={"cpu:h1": 1.0},
        slopes={"plain": Slope(watts_per_thread=9.0, error_watts=7.0, samples=50)},
    )
    cluster = site.cluster()
    rest = {name: cluster.vms.cooldown_until[row(cluster, name)] - NOW.timestamp() for name in cluster.vms.names}
    assert {name: after for name, after in rest.items() if after > 0} == {"buses-web-1": 3300, "buses-web-2": 3540}
    assert cluster.moved_last_hour == 1
    assert cluster.systems.moved_last_hour[cluster.systems.names.index("buses")] == 1
    assert cluster.agencies.moved_last_hour[cluster.agencies.names.index("roads")] == 1
    assert cluster.hosts.draining.tolist() == [name == "h4" for name in cluster.hosts.names]
    assert [(refusal.vm, refusal.host) for refusal in cluster.refusals] == [
        (row(cluster, site.facts.servers[0].name), host_row(cluster, "h2"))
    ]
    assert cluster.breach_since == {"cpu:h1": 1.0}
    assert set(cluster.hosts.watts_per_thread) == {9.0}


def test_readings_of_a_host_count_again_when_its_last_move_has_settled(site: Site) -> None:
    site.history = History(entries=(entry(site, "buses-web-1", migration.State.SUCCEEDED, started_s=90, changed_s=40),))
    hosts = site.cluster().hosts
    stale = [name for name, trust in zip(hosts.names, hosts.cpu_ratio.trust, strict=True) if trust == Trust.STALE]
    assert stale == ["h1", "h3"]
    assert hosts.memory_health.fresh.all()


def test_budgets_and_windows_of_systems() -> None:
    estate = small_estate()
    clinic = replace(
        estate.systems["clinic"],
        budget=Budget(at_once=1, per_hour=4),
        windows=(Window(days=frozenset({6}), start_minute=0, end_minute=60),),
    )
    cluster = Site(replace(estate, systems={**estate.systems, "clinic": clinic})).cluster()
    at = {name: n for n, name in enumerate(cluster.systems.names)}
    assert (cluster.systems.at_once[at["clinic"]], cluster.systems.per_hour[at["buses"]]) == (1, -1)
    assert (cluster.systems.open[at["clinic"]], cluster.systems.open[at["buses"]]) == (False, True)


@pytest.mark.parametrize(
    ("pause_from", "windows_to", "blackout_from", "pause_s"),
    [
        (-10, 60, None, 90.0),
        (None, 60, None, 90.0),
        (None, None, None, 90.0),
        (5, 60, None, 0.0),
        (None, 3, None, 0.0),
        (-10, 3, None, 0.0),
        (-10, 60, 3, 0.0),
        (-10, 60, 5, 90.0),
    ],
    ids=[
        "in its window",
        "while it may be moved",
        "at any time",
        "before it",
        "too late",
        "while it may not be moved",
        "too near",
        "near enough",
    ],
)
def test_a_pause_counts_where_its_window_outlasts_the_copy(
    pause_from: int | None, windows_to: int | None, blackout_from: int | None, pause_s: float
) -> None:
    """A copy is forced after two minutes and pauses for a minute and a half."""
    estate = small_estate()
    local = NOW.astimezone(ZoneInfo(estate.timezone))
    minute = local.hour * 60 + local.minute

    def window(start: int, end: int) -> Window:
        return Window(days=frozenset({local.weekday()}), start_minute=minute + start, end_minute=minute + end)

    clinic = replace(
        estate.systems["clinic"],
        pause=Pause(seconds=90, windows=() if pause_from is None else (window(pause_from, 40),)),
        windows=() if windows_to is None else (window(-20, windows_to),),
        blackouts=() if blackout_from is None else (window(blackout_from, 60),),
    )
    systems = Site(replace(estate, systems={**estate.systems, "clinic": clinic})).cluster().systems
    at = {name: n for n, name in enumerate(systems.names)}
    assert (systems.pause_s[at["clinic"]], systems.pause_s[at["buses"]]) == (pause_s, 0.0)


def test_an_empty_cloud_is_an_empty_snapshot(site: Site) -> None:
    site.facts = cloud.CloudFacts(
        at=NOW, servers=(), services=(), providers=(), aggregates=(), groups=(), migrations=(), projects=()
    )
    cluster = site.cluster()
    assert (len(cluster.hosts.names), len(cluster.vms.ids)) == (0, 0)


HEALTH = (Quantity.MEMORY_HEALTH, Quantity.PSU_HEALTH, Quantity.FAN_HEALTH, Quantity.DISK_HEALTH)


def quiet(site: Site, profile: SnmpProfile | None, *lost: Quantity) -> bool:
    """Whether a host with that BMC counts as unread without these readings."""
    host = site.estate.hosts["h1"]
    assert host.bmc is not None
    with_host(site, "h1", bmc=None if profile is None else replace(host.bmc, profile=profile))
    for quantity in lost:
        site.lose(Kind.HOST, quantity, "h1")
    return bool(site.cluster().hosts.unread_health[0])


@pytest.mark.parametrize("profile", [SnmpProfile.IDRAC, SnmpProfile.ILO, SnmpProfile.XCC, SnmpProfile.SUPERMICRO])
def test_a_bmc_that_tells_no_health_at_all_leaves_its_host_unread(profile: SnmpProfile) -> None:
    assert not quiet(Site(), profile)
    assert not quiet(Site(), profile, *HEALTH[1:])
    assert quiet(Site(), profile, *HEALTH)


def test_a_bmc_that_knows_its_memory_must_tell_it() -> None:
    assert quiet(Site(), SnmpProfile.XCC, Quantity.MEMORY_HEALTH)
    assert not quiet(Site(), SnmpProfile.SUPERMICRO, Quantity.MEMORY_HEALTH)


def test_a_host_without_a_bmc_or_where_nobody_reads_bmcs_is_not_unread() -> None:
    assert not quiet(Site(), None, *HEALTH)
    site = Site()
    site.policy = replace(site.policy, trust=replace(site.policy.trust, health_required=False))
    assert not quiet(site, SnmpProfile.IDRAC, *HEALTH)


def test_what_was_read_of_a_guest_counts_in_its_fit_and_in_what_it_asks(site: Site) -> None:
    name = site.facts.servers[0].name
    for guest, known in (
        (Guest(numa=(NumaCell(vcpus=2, memory_mib=2048),), image_properties={}), False),
        (Guest(numa=(), image_properties=None), False),
        (Guest(numa=(), image_properties={"hw_pci_numa_affinity_policy": "required"}), False),
        (Guest(numa=(), image_properties={"trait:CUSTOM_GPU": "required"}), True),
    ):
        site.change_server(name, guest=guest)
        cluster = site.cluster()
        assert cluster.vms.fit_known[row(cluster, name)] == known
    asked = cluster.requirements[cluster.vms.requirement[row(cluster, name)]]
    assert "CUSTOM_GPU" in asked.required_traits


def test_a_guests_cells_and_its_hosts_stand_in_the_snapshot(site: Site) -> None:
    cell, server = NumaCell(vcpus=2, memory_mib=2048), site.facts.servers[0]
    site.change_server(server.name, guest=Guest(numa=(cell,), image_properties={}))
    cluster = site.cluster()
    assert cluster.requirements[cluster.vms.requirement[row(cluster, server.name)]].numa == (cell,)
    for host, type_row in zip(cluster.hosts.names, cluster.hosts.type.tolist(), strict=True):
        declared = site.estate.host_types[site.estate.hosts[host].type]
        assert cluster.host_types.names[type_row] == declared.name
        assert cluster.host_types.numa[type_row] == declared.numa
        assert cluster.host_types.generation[type_row] == declared.generation


def test_a_zones_inlet_is_that_of_the_host_in_the_middle_of_those_that_are_fresh(site: Site) -> None:
    in_zone = [name for name, host in site.estate.hosts.items() if site.estate.racks[host.rack].zone == "zone-north"]
    assert len(in_zone) >= 3
    for n, name in enumerate(in_zone):
        site.read(Kind.HOST, Quantity.INLET_CELSIUS, name, 20.0 + n, age_s=float(n))
    site.read(Kind.HOST, Quantity.INLET_CELSIUS, in_zone[0], 55.0, age_s=3600)
    zones = site.cluster().zones
    middle = 1 + (len(in_zone) - 2) // 2
    assert zones.inlet_celsius.values.tolist()[zones.names.index("zone-north")] == 20.0 + middle
    assert zones.inlet_celsius.at.tolist()[zones.names.index("zone-north")] == NOW.timestamp() - middle
    assert zones.inlet_celsius.fresh[zones.names.index("zone-north")]


def test_a_zone_none_of_whose_hosts_breathe_measured_air_has_no_inlet(site: Site) -> None:
    for name in site.estate.hosts:
        site.lose(Kind.HOST, Quantity.INLET_CELSIUS, name)
    inlet = site.cluster().zones.inlet_celsius
    assert (inlet.trust == Trust.ABSENT).all() and np.isnan(inlet.values).all()


@pytest.mark.parametrize(("said", "age_s", "counts"), [(1.0, 0, False), (1.0, 3600, True), (0.0, 3600, False)])
def test_a_ups_that_said_battery_and_is_silent_since_is_marked(
    site: Site, said: float, age_s: float, counts: bool
) -> None:
    site.read(Kind.FEED, Quantity.ON_BATTERY, "NA", said, age_s=age_s)
    power = site.cluster().power
    assert power.silent_on_battery[power.names.index("NA")] == counts
    assert power.silent_on_battery.sum() == counts


def test_each_spread_rule_of_a_set_is_a_group_of_its_own_and_the_first_keeps_the_sets_name(site: Site) -> None:
    clinic = site.estate.systems["clinic"]
    rules = (Spread(domain=Domain.HOST, max_per_domain=1), Spread(domain=Domain.RACK, at_least=2))
    sets = tuple(replace(vm_set, spreads=rules) for vm_set in clinic.vm_sets)
    systems = {**site.estate.systems, "clinic": replace(clinic, vm_sets=sets)}
    site.estate = replace(site.estate, systems=systems)
    groups = {group.name: group for group in site.cluster().groups}
    hosts, racks = groups["clinic-db"], groups["clinic-db by rack"]
    assert (hosts.domain, hosts.max_per_domain, hosts.min_domains) == (Domain.HOST, 1, 1)
    assert (racks.domain, racks.max_per_domain, racks.min_domains) == (Domain.RACK, 4, 2)
    assert racks.members.tolist() == hosts.members.tolist()
