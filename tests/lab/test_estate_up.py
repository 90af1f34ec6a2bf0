"""A foundation and five agencies by real `pulumi up`, then seen through OpenStack's own APIs and not through Pulumi."""

import contextlib
import ipaddress
import json
import re
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.model.migration import Entry, State
from infra import naming
from inventory import aggregates, quotas
from inventory.model import Classification
from tests.lab import below, census, programs, wire
from tests.lab.daemon import Daemon
from tests.lab.estate_fixtures import Cloud, cloud, declared
from tests.lab.fixtures import QUICK_MIB_S

__all__ = ["cloud", "declared"]

pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]

CLINIC, HARBOUR, METERS = "patient-records", "harbour-desk", "grid-meters"
ROADS, GUIDE = "road-traffic", "visitor-guide"  # they share a data set
HOT_VCPUS = 0.80 * 64
"""Busy threads above which a host of the lab is hot, by the policy's own limit."""


def test_no_flavor_is_public_and_each_requires_the_trait_of_its_level(declared: Cloud) -> None:
    for flavor in declared.estate.flavors.values():
        found = declared.admin.compute.find_flavor(flavor.name, get_extra_specs=True, ignore_missing=False)
        assert found.is_public is False
        assert found.extra_specs[f"trait:CUSTOM_CLEARANCE_{flavor.classification.name}"] == "required"


def test_hosts_stand_in_the_aggregates_of_their_site_generation_and_clearance(declared: Cloud) -> None:
    found = {each.name: each for each in declared.admin.compute.aggregates()}
    wanted = aggregates.of(declared.estate)
    assert len(wanted) >= 3
    for each in wanted:
        assert sorted(found[each.name].hosts) == sorted(each.hosts), each.name
        assert found[each.name].availability_zone == each.availability_zone


def test_no_volume_type_is_public_and_each_names_its_backend(declared: Cloud) -> None:
    found = {each["name"]: each for each in census.volume_types(declared.admin)}
    for volume_type in declared.estate.volume_types.values():
        assert found[volume_type.name]["is_public"] is False
        assert found[volume_type.name]["extra_specs"]["volume_backend_name"] == volume_type.backend
        assert found[volume_type.name]["qos_specs_id"] is not None


def test_a_second_up_changes_nothing(declared: Cloud) -> None:
    for stack in ("foundation", "agency-clinics"):
        declared.stacks.pulumi("up", "--yes", "--skip-preview", "--refresh", "--expect-no-changes", stack=stack)
    assert declared.stacks.changed("up") == {}


NOT_DECLARED = {"trunk", "address_group", "router_route"}
"""Neutron's fields that the provider cannot set."""
COUNTED_ELSEWHERE = {"fixed_ips", "floating_ips", "security_groups", "security_group_rules"}
"""Nova's fields of what Neutron counts."""


@pytest.mark.parametrize("system", [CLINIC, HARBOUR, METERS, ROADS, GUIDE])
def test_every_quota_is_whole_as_derived_or_declared(declared: Cloud, system: str) -> None:
    admin, made, project = declared.admin, declared.estate.systems[system], declared.project_id(system)
    limits = quotas.limits(declared.estate, made)
    nova = admin.compute.get(f"/os-quota-sets/{project}", microversion="2.1").json()["quota_set"]
    assert {name: nova[name] for name in nova.keys() - COUNTED_ELSEWHERE - {"id"}} == {
        "instances": limits.instances, "cores": limits.cores, "ram": limits.memory_mib, "key_pairs": limits.key_pairs,
        "server_groups": limits.server_groups, "server_group_members": limits.server_group_members,
        "metadata_items": 128, "injected_files": 5, "injected_file_content_bytes": 10240,
        "injected_file_path_bytes": 255,
    }  # fmt: skip
    neutron = admin.network.get(f"/quotas/{project}").json()["quota"]
    assert {name: limit for name, limit in neutron.items() if name not in NOT_DECLARED} == {
        "network": limits.networks, "subnet": limits.subnets, "router": limits.routers, "port": limits.ports,
        "floatingip": limits.floating_ips, "security_group": limits.security_groups,
        "security_group_rule": limits.security_group_rules, "subnetpool": 0,
        "rbac_policy": len(made.share_network_with),
    }  # fmt: skip
    asked = {storage.volume_type: storage.size_gib for storage in made.storage}
    by_type = {}
    for volume_type in (*declared.estate.volume_types, below.DEFAULT_TYPE):
        room = asked.get(volume_type, 0)
        by_type |= {
            f"gigabytes_{volume_type}": room,
            f"volumes_{volume_type}": limits.volumes if room else 0,
            f"snapshots_{volume_type}": limits.snapshots if room else 0,
        }
    cinder = admin.block_storage.get(f"/os-quota-sets/{project}").json()["quota_set"]
    assert {name: limit for name, limit in cinder.items() if name != "id"} == {
        "volumes": limits.volumes, "gigabytes": limits.volume_gib, "per_volume_gigabytes": limits.volume_gib,
        "snapshots": limits.snapshots, "backups": limits.backups, "backup_gigabytes": limits.backup_gib,
        "groups": limits.volume_groups, **by_type,
    }  # fmt: skip


def test_a_quota_that_the_estate_states_is_the_one(declared: Cloud) -> None:
    project = declared.project_id(HARBOUR)
    nova, neutron = declared.admin.compute.get_quota_set(project), declared.admin.network.get_quota(project)
    assert (nova.instances, nova.cores, neutron.floating_ips) == (7, 21, 2)


def test_a_project_is_tagged_and_worked_in_by_its_agency_alone(declared: Cloud) -> None:
    project = declared.admin.identity.get_project(declared.project_id(CLINIC))
    assert {"agency:clinics", "classification:confidential", "tier:critical"} <= set(project.tags)
    rows = list(declared.admin.identity.role_assignments(scope_project_id=project.id))
    names = {role_id: name for name, role_id in declared.roles.items()}
    groups = {each.id: each.name for each in declared.admin.identity.groups()}
    held = {(groups[row.group["id"]], names[row.role["id"]]) for row in rows if row.group}
    assert held == {("clinics-operators", "member"), ("clinics-auditors", "reader")}
    users = [row for row in rows if row.user]
    assert [names[row.role["id"]] for row in users] == ["member"]
    assert declared.admin.identity.get_user(users[0].user["id"]).name == naming.service_user(CLINIC)


def test_a_deployment_tool_is_member_of_its_one_project_and_its_credential_no_more_and_not_for_ever(
    declared: Cloud,
) -> None:
    admin = declared.admin
    names = {role_id: name for name, role_id in declared.roles.items()}
    for system in (CLINIC, ROADS):
        user = admin.identity.find_user(naming.service_user(system), domain_id="default", ignore_missing=False)
        given = list(admin.identity.role_assignments(user_id=user.id))
        assert [(names[each.role["id"]], each.scope) for each in given] == [
            ("member", {"project": {"id": declared.project_id(system)}})
        ]
        rows = admin.identity.get(f"/users/{user.id}/application_credentials").json()["application_credentials"]
        (credential,) = rows
        assert credential["id"] == declared.stacks.outputs(stack_of(declared, system))["credentials"][system]["id"]
        assert {each["name"] for each in credential["roles"]} <= {"member", "reader"}
        assert (credential["unrestricted"], credential["project_id"]) == (False, declared.project_id(system))
        ends = datetime.fromisoformat(credential["expires_at"]).replace(tzinfo=UTC)
        assert timedelta(days=363) < ends - datetime.now(UTC) < timedelta(days=366)


def stack_of(declared: Cloud, system: str) -> str:
    """The stack of a system's agency."""
    return naming.agency_stack(declared.estate.systems[system].agency)


def test_no_secret_stands_in_clear_in_what_the_backend_and_the_runs_keep(declared: Cloud) -> None:
    """Passwords, seeds and credentials' secrets, of all agencies; their ids do, so the search itself works."""
    secrets, ids = set[bytes](), set[bytes]()
    for agency in declared.estate.agencies:
        stack = naming.agency_stack(agency)
        seed = declared.stacks.pulumi("config", "get", "gdcc:seed", stack=stack).split()[0]
        secrets.add(seed.encode())
        for system, credential in declared.stacks.outputs(stack)["credentials"].items():
            secrets |= {credential["secret"].encode(), programs.password(seed, system, 1).encode()}
            ids.add(credential["id"].encode())
    kept = [path.read_bytes() for path in declared.stacks.written() if path.is_file()]
    assert all(any(each in text for text in kept) for each in ids)
    assert [each for each in secrets if any(each in text for text in kept)] == []


def test_limits_of_volumes_and_networks_are_as_declared(declared: Cloud) -> None:
    admin, estate = declared.admin, declared.estate
    specs = {each["id"]: each for each in admin.block_storage.get("/qos-specs").json()["qos_specs"]}
    for found in census.volume_types(admin):
        if found["name"] in estate.volume_types:
            held = specs[found["qos_specs_id"]]
            assert held["specs"] == programs.qos_specs(estate.volume_types[found["name"]])
            assert held["consumer"] == "front-end"
    limited = [each for each in estate.networks.values() if programs.limit_kbps(each) is not None]
    for each in limited:
        network = admin.network.find_network(each.name, ignore_missing=False)
        rules = admin.network.get(f"/qos/policies/{network.qos_policy_id}").json()["policy"]["rules"]
        assert {rule["direction"]: rule["max_kbps"] for rule in rules} == dict.fromkeys(
            ("egress", "ingress"), programs.limit_kbps(each)
        )


def test_a_systems_subnet_is_of_its_agencys_pool(declared: Cloud) -> None:
    admin, system = declared.admin, declared.estate.systems[CLINIC]
    pool = next(each for each in admin.network.subnet_pools() if each.name == naming.subnet_pool(system.agency))
    (subnet,) = admin.network.subnets(project_id=declared.project_id(CLINIC))
    assert subnet.subnet_pool_id == pool.id
    assert ipaddress.ip_network(subnet.cidr).subnet_of(ipaddress.ip_network(pool.prefixes[0]))
    assert ipaddress.ip_network(subnet.cidr).prefixlen == system.subnet_prefix


def test_a_shared_network_is_seen_by_the_project_it_names_and_by_no_other(declared: Cloud) -> None:
    shared = naming.network(ROADS)
    assert shared in declared.tenant(GUIDE).sees("network", "networks")
    assert shared not in declared.tenant(HARBOUR).sees("network", "networks")


def test_security_groups_hold_the_declared_rules_and_no_default_ones(declared: Cloud) -> None:
    project = declared.project_id(CLINIC)
    groups = {g.name: g for g in declared.admin.network.security_groups(project_id=project) if g.name != "default"}
    assert set(groups) == {f"{CLINIC}-app", f"{CLINIC}-db"}
    for group in groups.values():
        assert group.security_group_rules
        assert all(rule["remote_ip_prefix"] not in {"0.0.0.0/0", "::/0"} for rule in group.security_group_rules)
        assert all(rule["remote_ip_prefix"] or rule["remote_group_id"] for rule in group.security_group_rules)
        named = {rule["remote_ip_prefix"] for rule in group.security_group_rules}
        assert declared.estate.agencies["clinics"].pool in named, "nothing lower lies in it"


def test_a_named_agency_reads_a_data_set_and_another_gets_403(declared: Cloud) -> None:
    owner = declared.tenant(ROADS)
    for container in ("road-counts", "road-works"):
        owner.cloud.object_store.upload_object(container, "today", data=b"1")
    try:
        account = owner.cloud.object_store.get_endpoint()
        url = f"{account}/road-counts/today"
        assert declared.tenant(GUIDE).status("object_store", "GET", url) == 200
        assert declared.tenant(GUIDE).status("object_store", "PUT", url, data=b"2") == 403
        assert declared.tenant(HARBOUR).status("object_store", "GET", url) == 403
        public = f"{account}/road-works/today"
        assert declared.admin.session.get(public, authenticated=False).content == b"1"
        assert declared.admin.session.get(url, authenticated=False, raise_exc=False).status_code == 401
    finally:
        for container in ("road-counts", "road-works"):
            owner.cloud.object_store.delete_object("today", container=container)


def test_a_credential_gets_403_on_hosts_aggregates_and_other_projects(declared: Cloud) -> None:
    tenant, other = declared.tenant(CLINIC), declared.project_id(HARBOUR)
    other_tenant = declared.tenant(HARBOUR)
    refused = [
        ("compute", "GET", "/os-hypervisors"),
        ("compute", "GET", "/os-aggregates"),
        ("compute", "GET", "/os-services"),
        ("compute", "GET", "/servers/detail?all_tenants=1"),
        ("compute", "GET", f"/os-quota-sets/{other}"),
        ("identity", "GET", f"/projects/{other}"),
        ("identity", "GET", "/users"),
        ("object_store", "GET", declared.tenant(ROADS).cloud.object_store.get_endpoint()),
    ]
    for service, method, path in refused:
        assert tenant.status(service, method, path) == 403, path
    assert (
        tenant.status("compute", "PUT", f"/os-quota-sets/{tenant.project_id}", json={"quota_set": {"cores": 99}}) == 403
    )
    wanted = {"application_credential": {"name": "one-more", "description": "of its own making", "unrestricted": True}}
    own, others = (f"/users/{each.cloud.current_user_id}/application_credentials" for each in (tenant, other_tenant))
    status, said = tenant.answer("identity", "POST", own, json=wanted)
    assert status == 403 and "is not allowed for managing additional application credentials" in said, said
    assert tenant.status("identity", "POST", others, json=wanted) == 403


def test_a_confidential_credential_can_use_no_flavor_or_volume_type_below(declared: Cloud) -> None:
    below.refused(declared, declared.tenant(CLINIC))


def test_a_member_of_a_confidential_project_can_use_no_flavor_or_volume_type_below(declared: Cloud) -> None:
    with declared.person(CLINIC) as person:
        assert set(person.cloud.session.auth.get_access(person.cloud.session).role_names) >= {"member"}
        below.refused(declared, person)


@pytest.fixture(scope="module")
def guests(declared: Cloud) -> dict[str, str]:
    """Servers that the agencies' own credentials booted: ids by name."""
    booted = {}
    sets = (
        (CLINIC, "app", "small.confidential", 2, None),
        (CLINIC, "db", "small.confidential", 2, f"{CLINIC}-db"),
        (METERS, "app", "large.internal", 3, f"{METERS}-app"),
        (GUIDE, "web", "small.internal", 2, f"{GUIDE}-web"),
    )
    for system, role, flavor, count, group in sets:
        for number in range(1, count + 1):
            name = f"{system}-{role}-{number}"
            booted[name] = declared.tenant(system).boot(
                name, flavor=flavor, image=declared.image.id, network=naming.network(system), group=group
            )
    for name, server_id in booted.items():
        next(declared.tenant(system) for system, *_ in sets if name.startswith(f"{system}-")).wait_for(server_id)
    return booted


def places(declared: Cloud) -> dict[str, str]:
    return {server.name: server.compute_host for server in declared.servers()}


def rules_hold(declared: Cloud) -> None:
    """Clearance of every host, and anti-affinity of the groups over hosts."""
    where = places(declared)
    for name, host in where.items():
        system = next(each for each in declared.estate.systems.values() if name.startswith(f"{each.name}-"))
        assert declared.estate.hosts[host].clearance >= system.classification, f"{name} on {host}"
    for pair in (f"{CLINIC}-db", f"{GUIDE}-web"):
        assert where[f"{pair}-1"] != where[f"{pair}-2"]


def test_servers_of_an_agency_land_on_hosts_cleared_for_it(declared: Cloud, guests: dict[str, str]) -> None:
    assert set(places(declared)) == set(guests)
    assert all(server.status == "ACTIVE" for server in declared.servers())
    assert declared.estate.systems[CLINIC].classification is Classification.CONFIDENTIAL
    rules_hold(declared)


def heated(declared: Cloud) -> str:
    """The fullest host, a little too hot: without any one of its guests it is not."""
    host = Counter(places(declared).values()).most_common(1)[0][0]
    there = [server for server in declared.servers() if server.compute_host == host]
    for server in there:
        declared.lab.load_guest(server.name, busy_vcpus=float(server.flavor.vcpus))
    declared.lab.load_host(host, extra_vcpus=HOT_VCPUS + 0.5 - sum(server.flavor.vcpus for server in there))
    return host


def at_rest(daemon: Daemon) -> bool:
    status = daemon.status()
    return bool(status["plan"]) and not status["plan"]["breaches"] and not status["running"]


def cooled(daemon: Daemon) -> list[Entry]:
    return [each for each in daemon.entries() if each.intent.rule == "cpu" and each.state is State.SUCCEEDED]


def test_what_an_operators_drain_moves_is_no_drift(declared: Cloud, guests: dict[str, str], tmp_path: Path) -> None:
    before = places(declared)
    host = Counter(before.values()).most_common(1)[0][0]
    declared.lab.set(link_mib_s=QUICK_MIB_S)
    daemon = Daemon(tmp_path, {"mode": "observe"}, estate=str(declared.stacks.estate))
    daemon.start()
    try:
        daemon.until(lambda: daemon.status()["hosts"]["trusted"] == 6, "trusted readings")
        daemon.gdcc("drain", host, "--yes", "--why", "a test")
        after = places(declared)
        assert host not in after.values() and set(after) == set(guests)
        rules_hold(declared)
        daemon.gdcc("enable", host)
    finally:
        declared.lab.calm()
        daemon.stop()
    assert declared.stacks.drift(ok=0) == []


def test_what_the_controller_moves_by_itself_is_no_drift(
    declared: Cloud, guests: dict[str, str], tmp_path: Path
) -> None:
    declared.lab.set(link_mib_s=QUICK_MIB_S)
    daemon = Daemon(tmp_path, {"mode": "auto"}, estate=str(declared.stacks.estate))
    daemon.start()
    try:
        daemon.until(lambda: at_rest(daemon), "groups that are spread over racks")
        hot = heated(declared)
        moved = daemon.until(lambda: cooled(daemon), "a move that cools the hot host")
        assert {entry.intent.source for entry in moved} == {hot}
        assert set(places(declared)) == set(guests)
        rules_hold(declared)
    finally:
        declared.lab.calm()
        daemon.stop()
    assert declared.stacks.drift(ok=0) == []


def test_a_quota_beneath_what_is_used_is_refused_before_anything_is_touched(
    declared: Cloud, guests: dict[str, str]
) -> None:
    """Three servers of two cores each."""
    with edited(declared, f"  project: {METERS}\n", f"  project: {METERS}\n  quota: {{cores: 4}}\n"):
        (row,) = declared.stacks.gdcc("up", "--agency", "grid", ok=1)["stacks"]
        assert f"QuotaSetV2 {METERS} would allow cores 4 where 6 are in use" in row["says"], row
    assert declared.stacks.changed("up", "--agency", "grid", "--refresh") == {}


@contextlib.contextmanager
def edited(declared: Cloud, old: str, new: str) -> Iterator[None]:
    """The estate's systems with one text replaced, for a while."""
    file = declared.stacks.estate / "systems.yaml"
    before = file.read_text()
    assert before.count(old) == 1
    file.write_text(before.replace(old, new))
    try:
        yield
    finally:
        file.write_text(before)


def test_a_renamed_system_loses_nothing_and_gets_its_name_back(declared: Cloud) -> None:
    """The estate keeps both names afterwards, as it must."""
    stack, words, between = "agency-harbours", ("up", "--agency", "harbours"), "harbour-office"
    kept = {each.id for each in declared.stacks.kept(stack).resources if each.id}
    file = declared.stacks.estate / "systems.yaml"
    for old, new in (
        (f"- name: {HARBOUR}\n", f"- name: {between}\n  formerly: [{HARBOUR}]\n"),
        (f"- name: {between}\n  formerly: [{HARBOUR}]\n", f"- name: {HARBOUR}\n  formerly: [{HARBOUR}, {between}]\n"),
    ):
        file.write_text(file.read_text().replace(old, new))
        changed = declared.stacks.changed(*words)
        assert set(changed[stack]) == {"update"}, changed
        assert {each.id for each in declared.stacks.kept(stack).resources if each.id} == kept
        assert declared.stacks.drift("--agency", "harbours", ok=0) == []
    assert declared.admin.network.find_network(naming.network(HARBOUR)) is not None


def test_a_quota_changed_by_hand_is_found_named_and_put_right(declared: Cloud) -> None:
    project = declared.project_id(HARBOUR)
    declared.admin.compute.update_quota_set(project, cores=99)
    found = declared.stacks.drift("--agency", "harbours", ok=1)
    assert len(found) == 1 and "cores: declared 21, found 99" in found[0] and HARBOUR in found[0]
    runs = json.loads(declared.stacks.pulumi("stack", "history", "--json", "--page-size", "0", stack="agency-harbours"))
    number = int(re.search(r"since run (\d+) of", found[0])[1])  # type: ignore[index]
    assert 1 <= number <= len(runs) and runs[len(runs) - number]["kind"] == "update", found
    assert declared.stacks.changed("refresh", "--agency", "harbours") == {"agency-harbours": {"update": 1}}
    assert declared.stacks.drift("--agency", "harbours", ok=0) == [], "the state says what the cloud holds"
    assert declared.stacks.changed("up", "--agency", "harbours", "--refresh") == {"agency-harbours": {"update": 1}}
    assert declared.admin.compute.get_quota_set(project).cores == 21


def test_what_was_added_by_hand_is_found_named_and_gone_again_when_it_is_taken_back(declared: Cloud) -> None:
    admin, project = declared.admin, declared.project_id(HARBOUR)
    group = next(each for each in admin.network.security_groups(project_id=project) if each.name != "default")
    rule = admin.network.create_security_group_rule(
        security_group_id=group.id, direction="ingress", protocol="tcp",
        port_range_min=8080, port_range_max=8081, remote_ip_prefix="10.7.0.0/16",
    )  # fmt: skip
    admin.identity.assign_project_role_to_user(project, admin.current_user_id, declared.roles["reader"])
    flavor = admin.compute.find_flavor("small.confidential", ignore_missing=False)
    admin.compute.flavor_add_tenant_access(flavor, project)
    try:
        access, role, added = sorted(declared.stacks.drift("--agency", "harbours", ok=1))
        assert access == f"access to flavor small.confidential: added by hand to Project {HARBOUR}"
        assert role == f"role reader of user admin: added by hand to Project {HARBOUR}"
        assert added.startswith(
            "security group rule ingress IPv4 tcp 8080-8081 10.7.0.0/16: added by hand to SecGroup "
        )
    finally:
        admin.compute.flavor_remove_tenant_access(flavor, project)
        admin.network.delete_security_group_rule(rule)
        admin.identity.unassign_project_role_from_user(project, admin.current_user_id, declared.roles["reader"])
    assert declared.stacks.drift("--agency", "harbours", ok=0) == []


def test_what_the_cloud_had_made_when_a_run_was_killed_is_taken_in_and_a_lost_secret_made_anew(declared: Cloud) -> None:
    stack, words = "agency-harbours", ("up", "--agency", "harbours")
    before = declared.stacks.outputs(stack)["credentials"][HARBOUR]["id"]
    groups = len(list(declared.admin.compute.server_groups(all_projects=True)))
    declared.stacks.forget(stack, "ApplicationCredential", "ServerGroup", "Subnet", "RouterInterface")
    (row,) = declared.stacks.gdcc(*words)["stacks"]
    assert row["changes"]["create"] == 1 and "delete" not in row["changes"], row
    assert any(f"as {before}; nobody has its secret, so it was deleted" in said for said in row["settled"]), row
    assert declared.stacks.outputs(stack)["credentials"][HARBOUR]["id"] != before
    assert len(list(declared.admin.compute.server_groups(all_projects=True))) == groups
    assert declared.stacks.changed(*words, "--refresh") == {}


def test_what_was_taken_in_after_a_kill_is_destroyed_in_one_run(declared: Cloud) -> None:
    stack = "agency-harbours"
    declared.stacks.forget(stack, "Subnet", "Router", "RouterInterface", "SecGroupRule")
    declared.stacks.destroy(stack)
    assert declared.admin.identity.find_project(HARBOUR) is None
    assert list(declared.admin.network.networks(name=naming.network(HARBOUR))) == []


def test_an_agency_is_made_and_taken_away_by_the_plain_cli_alone(declared: Cloud) -> None:
    stacks, stack = declared.stacks, "agency-harbours"
    stacks.pulumi("stack", "rm", "--yes", stack=stack)
    stacks.pulumi("stack", "init", "--no-select", stack=stack)
    stacks.pulumi("config", "set", "gdcc:estate", str(stacks.estate), stack=stack)
    stacks.pulumi("config", "set", "gdcc:credentialsFrom", f"{datetime.now(UTC):%Y-%m-%d}", stack=stack)
    stacks.pulumi("config", "set", "--secret", "gdcc:seed", "0f" * 32, stack=stack)
    stacks.pulumi("up", "--yes", "--skip-preview", stack=stack)
    assert stacks.outputs(stack)["credentials"][HARBOUR]["id"]
    stacks.pulumi("up", "--yes", "--skip-preview", "--refresh", "--expect-no-changes", stack=stack)
    stacks.pulumi("state", "unprotect", "--all", "--yes", stack=stack)
    stacks.pulumi("destroy", "--yes", "--skip-preview", stack=stack)
    assert declared.admin.identity.find_project(HARBOUR) is None


def test_ctrl_c_and_a_terminated_gdcc_end_what_they_began_and_the_next_up_completes_it(declared: Cloud) -> None:
    stack, words = "agency-harbours", ("up", "--agency", "harbours")
    held = [0]
    for number in (signal.SIGINT, signal.SIGTERM):
        row = declared.stacks.interrupted(number, stack)
        assert row["state"] == "stopped" and row["says"].startswith("stopped"), row
        assert declared.stacks.locks() == {}
        held.append(len(declared.stacks.kept(stack).resources))
    declared.stacks.gdcc(*words)
    held.append(len(declared.stacks.kept(stack).resources))
    assert held == sorted(set(held)), "each run keeps what the one before had made, and adds to it"
    assert len([each for each in declared.admin.identity.projects() if each.name == HARBOUR]) == 1
    assert len(list(declared.admin.network.networks(name=naming.network(HARBOUR)))) == 1
    assert declared.stacks.changed(*words, "--refresh") == {}
    declared.stacks.destroy(stack)


def test_without_rights_nothing_is_made_and_what_a_broken_cloud_or_a_kill_left_is_gone_on_with(declared: Cloud) -> None:
    stack = "agency-harbours"
    admin = declared.admin
    nobody = admin.identity.create_user(name="nobody", password="lab", domain_id="default")
    project = admin.identity.find_project(declared.lab.env["OS_PROJECT_NAME"])
    admin.identity.assign_project_role_to_user(project, nobody, declared.roles["reader"])
    try:
        words = ("up", "--agency", "harbours")
        said = declared.stacks.gdcc(*words, ok=1, OS_USERNAME="nobody")["stacks"][0]
        assert "403" in said["says"] or "not authorized" in said["says"], said
        assert admin.identity.find_project(HARBOUR) is None
    finally:
        admin.identity.delete_user(nobody)
    with wire.laid("--fail", "POST /v2.0/networks") as broken:
        said = declared.stacks.gdcc(*words, ok=1, **broken)["stacks"][0]
        assert "500" in said["says"] and said["changes"]["create"] > 1, said
    declared.stacks.killed(stack, lambda: admin.network.find_network(naming.network(HARBOUR)) is not None)
    assert len(declared.stacks.empty_attributes(stack)) == 2, "its state's and its lock's"
    assert "EOF" in declared.stacks.pulumi("stack", "export", stack=stack, ok=1)
    assert "locked by" in declared.stacks.gdcc(*words, ok=1)["stacks"][0]["says"]
    declared.stacks.gdcc(*words, "--unlock", stack)
    assert len([each for each in admin.identity.projects() if each.name == HARBOUR]) == 1
    assert len(list(admin.network.networks(name=naming.network(HARBOUR)))) == 1
    assert declared.stacks.changed(*words, "--refresh") == {}


def test_what_was_destroyed_is_as_if_it_had_never_been(declared: Cloud) -> None:
    """The last one. That the census is as before, the fixture asserts."""
    projects = {system: declared.project_id(system) for system in declared.estate.systems}
    assert sorted(declared.containers(projects[ROADS])) == ["road-counts", "road-works"]
    declared.clear()
    declared.stacks.destroy()
    assert [declared.containers(project) for project in projects.values()] == [[]] * len(projects)
