"""What an agency's stack is derived from, without Pulumi: on the whole reference estate."""

import inspect
import ipaddress
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from pulumi_openstack import blockstorage, compute, networking

from infra import naming, quota_sets
from infra.agency import access, data_sets, deployer, groups, quotas, readers, rules, server_groups
from infra.agency.keystone import Keystone
from infra.agency.rules import Direction
from inventory import neighbours
from inventory.model import Classification, DataSet, Domain, Spread, Storage, VmSet
from inventory.quotas import limits

ADMINISTRATION_PORTS = {22, 3389, 5900, 5985, 5986, 623}


def every_rule(estate):
    for system in estate.systems.values():
        for tier, allowed in rules.by_tier(estate, estate.agencies[system.agency], system).items():
            for rule in allowed:
                yield system, tier, rule


def test_only_open_systems_speak_with_the_world(gdcc):
    speaking = {system.classification for system, _, rule in every_rule(gdcc) if rule.cidr == rules.WORLD}
    assert speaking == {Classification.OPEN}


def test_no_administration_port_is_open_beyond_the_agencys_own_subnets(gdcc):
    for system, _, rule in every_rule(gdcc):
        if rule.direction is Direction.INGRESS and rule.protocol in (None, "tcp"):
            assert rule.port is not None, system
            if rule.port in ADMINISTRATION_PORTS:
                assert rule.neighbour is not None or rule.cidr == gdcc.agencies[system.agency].pool


def test_a_rule_names_one_peer_and_a_tier_that_the_system_has(gdcc):
    for system, _, rule in every_rule(gdcc):
        assert [rule.cidr, rule.tier, rule.neighbour].count(None) == 2
        assert rule.tier is None or rule.tier in {vm_set.role for vm_set in system.vm_sets}


def test_no_rule_names_its_agencys_pool_where_lower_systems_lie_in_it_too(gdcc):
    lowest = {}
    for system in gdcc.systems.values():
        lowest[system.agency] = min(system.classification, lowest.get(system.agency, system.classification))
    pools = {each.pool: each.name for each in gdcc.agencies.values()}
    naming_pools = [(system, rule) for system, _, rule in every_rule(gdcc) if rule.cidr in pools]
    assert naming_pools
    for system, rule in naming_pools:
        assert pools[rule.cidr] == system.agency
        assert system.classification is lowest[system.agency], system.name
    networks = [ipaddress.ip_network(pool) for pool in pools if pool is not None]
    named = {rule.cidr for _, _, rule in every_rule(gdcc)} - {None, rules.WORLD, *pools}
    assert not [cidr for cidr in named for pool in networks if ipaddress.ip_network(cidr).overlaps(pool)]


def test_a_systems_neighbours_are_itself_and_those_of_its_agency_that_may_hold_its_data(gdcc):
    mixed = 0
    for system in gdcc.systems.values():
        near = neighbours.of(gdcc.agencies[system.agency], system, gdcc.systems.values())
        assert all(each.agency == system.agency for each in near.systems)
        assert all(each.classification >= system.classification for each in near.systems)
        assert (near.pool is None) == (system in near.systems), "no subnet of this estate was there before it"
        mixed += near.pool is None
    assert mixed > 100, "many agencies have systems of several levels"


def of_levels(estate, count, **changed):
    """The clinics' patient records among so many systems of an agency: the last is open, the others of its level."""
    records = estate.systems["patient-records"]
    others = [replace(records, name=f"records-{number}", project=f"records-{number}") for number in range(1, count)]
    others[-1] = replace(others[-1], classification=Classification.OPEN)
    all_of_them = [replace(records, **changed), *others]
    return replace(estate, systems={each.name: each for each in all_of_them})


def test_a_neighbour_whose_subnet_was_there_before_has_a_rule_beside_the_pools(five):
    older = replace(five.systems["patient-records"], subnet="10.77.0.0/24")
    estate = replace(five, systems={**five.systems, older.name: older})
    named = {rule.cidr or rule.neighbour for system, _, rule in every_rule(estate) if system is older and not rule.tier}
    assert named == {"10.160.32.0/20", "patient-records", "10.203.0.0/24", rules.METADATA_SERVICE}


def test_rules_of_a_renamed_neighbour_keep_their_names(five):
    before, after = of_levels(five, 3), of_levels(five, 3, name="records", formerly=("patient-records",))
    names = [{(tier, rule.name) for system, tier, rule in every_rule(each)} for each in (before, after)]
    assert names[0] == names[1]


@pytest.mark.parametrize("count", [2, 9, 60])
def test_rules_of_an_agency_of_many_levels_fit_into_each_projects_quota(five, count):
    estate = of_levels(five, count)
    asked = Counter(system.name for system, _, _ in every_rule(estate))
    for system in estate.systems.values():
        assert asked[system.name] + 20 <= limits(estate, system).security_group_rules, system.name
    assert asked["patient-records"] > 3 * (count - 1)


def test_a_system_above_open_reaches_only_its_neighbours_and_its_levels_network(five):
    patient = five.systems["patient-records"]
    allowed = rules.by_tier(five, five.agencies["clinics"], patient)
    out = [rule for tier in allowed.values() for rule in tier if rule.direction is Direction.EGRESS]
    assert {rule.cidr for rule in out} == {"10.160.32.0/20", "10.203.0.0/24", rules.METADATA_SERVICE}


def test_a_database_answers_its_own_application_and_nobody_else(five):
    patient = five.systems["patient-records"]
    allowed = rules.by_tier(five, five.agencies["clinics"], patient)["db"]
    answered = {(rule.port, rule.tier) for rule in allowed if rule.port in (3306, 5432)}
    assert answered == {(3306, "app"), (5432, "app")}


def test_groups_and_rules_fit_into_the_projects_own_quota(gdcc):
    for system in gdcc.systems.values():
        allowed = rules.by_tier(gdcc, gdcc.agencies[system.agency], system)
        held = limits(gdcc, system)
        assert len(allowed) < held.security_groups
        assert sum(len(tier) for tier in allowed.values()) + 4 <= held.security_group_rules
        assert sum(bool(vm_set.spreads) for vm_set in system.vm_sets) <= held.server_groups


def test_subnets_of_an_agency_fit_into_its_pool_and_hold_its_vms(gdcc):
    asked = Counter()
    for system in gdcc.systems.values():
        addresses = 2 ** (32 - system.subnet_prefix)
        asked[system.agency] += addresses
        assert sum(vm_set.count for vm_set in system.vm_sets) < addresses - 5, system.name
    for agency, addresses in asked.items():
        assert addresses <= ipaddress.ip_network(gdcc.agencies[agency].pool).num_addresses


def test_access_is_never_below_the_systems_level_and_always_to_what_its_vms_need(gdcc):
    for system in gdcc.systems.values():
        flavors = access.flavors(gdcc, system)
        assert {vm_set.flavor for vm_set in system.vm_sets} <= set(flavors)
        assert all(gdcc.flavors[name].classification >= system.classification for name in flavors)
        types = access.volume_types(gdcc, system)
        assert types
        assert all(gdcc.volume_types[name].classification >= system.classification for name in types)


def test_a_higher_flavor_is_open_to_a_system_only_if_its_vms_name_it(gdcc):
    open_system = gdcc.systems["smart-bus-terminal"]
    raised = replace(
        open_system, vm_sets=(replace(open_system.vm_sets[0], flavor="secret.4c8g"), *open_system.vm_sets[1:])
    )
    assert set(access.flavors(gdcc, raised)) - set(access.flavors(gdcc, open_system)) == {"secret.4c8g"}


def fields_of(args) -> dict[str, object]:
    names = set(inspect.signature(type(args).__init__).parameters) - {"__self__", "region"}
    return {name: getattr(args, name) for name in names}


def test_every_field_of_every_quota_is_set(gdcc):
    for system in list(gdcc.systems.values())[::50]:
        held = limits(gdcc, system)
        for args in (
            quota_sets.nova(held, "p"),
            quotas.cinder(held, system, gdcc, "p"),
            quotas.neutron(held, system, "p"),
        ):
            assert isinstance(args, compute.QuotaSetV2Args | blockstorage.QuoteSetV3Args | networking.QuotaV2Args)
            assert not [name for name, value in fields_of(args).items() if value is None]


def test_a_volume_type_not_asked_for_has_no_room_and_cinders_own_never(gdcc):
    system = replace(
        gdcc.systems["thaid"],
        storage=(
            Storage(volume_type="confidential-fast", size_gib=300),
            Storage(volume_type="confidential-fast", size_gib=200),
        ),
    )
    held = limits(gdcc, system)
    said = quotas.cinder(held, system, gdcc, "p").volume_type_quota
    assert isinstance(said, dict)
    assert said["gigabytes_confidential-fast"] == "500"
    assert int(said["volumes_confidential-fast"]) == held.volumes > 0
    assert {value for key, value in said.items() if not key.endswith("_confidential-fast")} == {"0"}
    assert "volumes___DEFAULT__" in said
    assert len(said) == 3 * (len(gdcc.volume_types) + 1)


def test_types_that_the_cloud_has_beside_the_declared_get_no_room_and_those_it_has_not_are_not_named(gdcc):
    system = next(iter(gdcc.systems.values()))
    held = limits(gdcc, system)
    for others in ((), ("old-lvm", "__DEFAULT__")):
        said = quotas.cinder(held, system, replace(gdcc, other_volume_types=others), "p").volume_type_quota
        assert isinstance(said, dict)
        names = {key.partition("_")[2] for key in said}
        assert names == {*gdcc.volume_types, *others}
        assert {said[f"gigabytes_{other}"] for other in others} <= {"0"}


def test_a_rule_over_hosts_is_hard_and_every_wider_one_soft():
    policies = {domain: server_groups.policy(Spread(domain=domain, max_per_domain=1)) for domain in Domain}
    assert policies.pop(Domain.HOST) == "anti-affinity"
    assert set(policies.values()) == {"soft-anti-affinity"}


@pytest.mark.parametrize(
    ("domain", "most", "expected"), [(Domain.HOST, 1, None), (Domain.HOST, 3, 3), (Domain.RACK, 3, None)]
)
def test_nova_is_told_how_many_a_host_may_hold_only_where_it_is_more_than_one(domain, most, expected):
    assert server_groups.max_servers_per_host(Spread(domain=domain, max_per_domain=most)) == expected


def test_names_in_one_domain_or_project_are_unique(gdcc):
    users = [naming.service_user(system) for system in gdcc.systems]
    teams = [group for agency in gdcc.agencies for group in groups.groups_by_role(agency).values()]
    projects = [system.project for system in gdcc.systems.values()]
    for names in (users, teams, projects):
        assert len(set(names)) == len(names)
        assert max(map(len, names)) <= 64


def test_passwords_differ_by_system_and_generation_and_stay_the_same_otherwise(gdcc):
    seed = "0f" * 32
    made = {deployer.password(seed, system, generation) for system in gdcc.systems for generation in (1, 2)}
    assert len(made) == 2 * len(gdcc.systems)
    assert deployer.password(seed, "thaid", 1) == deployer.password(seed, "thaid", 1)
    assert deployer.password("0e" * 32, "thaid", 1) not in made


def test_a_password_is_not_shown_by_the_login_that_holds_it(five):
    login = deployer.Login(
        keystone=Keystone(auth_url="https://k/v3"),
        domain="Default",
        password="hush",
        credential_from=date(2026, 1, 1),
        credential_expires_at=datetime(2027, 1, 1, tzinfo=UTC),
    )
    assert "hush" not in repr(login)


def test_a_data_set_is_read_by_systems_that_may_hold_it_and_by_no_lower_one(gdcc):
    crime_map = gdcc.data_sets["crime-map"]
    reading = readers.systems_reading(gdcc, crime_map)
    assert {system.agency for system in reading} == set(crime_map.readers)
    assert all(system.classification >= crime_map.classification for system in reading)
    lower = [
        system
        for system in gdcc.systems.values()
        if system.agency in crime_map.readers and system.classification < crime_map.classification
    ]
    assert lower


def test_an_acl_names_projects_by_id_and_is_the_same_in_any_order():
    said = DataSet(name="d", system="s", classification=Classification.INTERNAL, readers=("a",))
    assert data_sets.read_acl(said, ["p2", "p1"]) == data_sets.read_acl(said, ["p1", "p2"]) == "p1:*,p2:*"


def test_data_above_open_is_never_made_public():
    said = DataSet(name="d", system="s", classification=Classification.INTERNAL, public=True)
    with pytest.raises(ValueError, match="public, but not open"):
        data_sets.read_acl(said, [])


def test_a_sets_group_is_for_its_rule_over_hosts_and_else_for_its_first():
    hosts, racks, feeds = (
        Spread(domain=Domain.HOST, max_per_domain=1),
        Spread(domain=Domain.RACK, at_least=2),
        Spread(domain=Domain.FEED, max_per_domain=3),
    )
    for spreads, expected in (((racks, hosts), hosts), ((racks, feeds), racks), ((), None)):
        assert server_groups.of_set(VmSet(role="web", flavor="f", count=4, spreads=spreads)) == expected


def test_a_rule_of_how_many_hosts_at_least_is_a_soft_one_for_nova():
    at_least = Spread(domain=Domain.HOST, at_least=3)
    assert (server_groups.policy(at_least), server_groups.max_servers_per_host(at_least)) == (
        "soft-anti-affinity",
        None,
    )
