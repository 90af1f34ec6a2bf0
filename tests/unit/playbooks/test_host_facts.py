"""What `host-facts.yml` makes of the facts that Ansible gathers, under the names that Ansible gives them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.facts.namespace import PrefixFactNamespace
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from tests.unit.playbooks.rendered import Rendered
from tests.unit.playbooks.role_modules import role_module
from tests.unit.playbooks.test_roles import PLAYBOOKS, ROLES, every_role, read, tasks, text_of

GATHERED = PrefixFactNamespace("ansible", prefix="")
UNITS = role_module("unit/filter_plugins/unit_states.py")
MOUNTS = role_module("storage/filter_plugins/storage_checks.py")
CERTIFICATES = role_module("pki/filter_plugins/pki_problems.py")
CPU = role_module("hypervisor/filter_plugins/hypervisor_cpu.py")
NFS = {"path": "/srv/images", "source": "nas:/images", "type": "nfs4", "options": ["ro", "hard"]}
VOLUME = {"path": "/var/lib/nova", "source": "/dev/data/no-va", "type": "xfs"}
OF_SYSTEMD = {"ssh": "__ssh_units", "monitoring": "__monitoring_services", "pki": "__pki_services"}
CONTAINER, HOST = {"rc": 0}, {"rc": 1}


def nics(gathered: dict[str, dict[str, Any]]) -> Any:
    """What is told of links that `setup` has found so."""
    loader = DataLoader()
    (play,) = loader.load_from_file(str(PLAYBOOKS / "host-facts.yml"), trusted_as_template=True)
    (told,) = (task for task in play["tasks"] if task["name"] == "Tell what was found")
    facts = {"interfaces": list(gathered), **{GATHERED.transform(name): link for name, link in gathered.items()}}
    return Templar(loader, {"ansible_facts": facts}).template(told["vars"]["facts_nics"])


@pytest.mark.parametrize("name", ["eno1", "bond1.20", "br-ex", "vx_7-b.4094", "eth0_1"])
def test_a_link_is_told_as_it_was_found_whatever_its_name(name: str) -> None:
    found = {"device": name, "mtu": 9000, "macaddress": "52:54:00:00:00:01", "active": True, "speed": 25000}
    assert nics({name: found, "lo": {"mtu": 65536, "active": True}}) == {
        name: {"mtu": 9000, "mac": "52:54:00:00:00:01", "up": True, "speed_mbit_s": 25000},
        "lo": {"mtu": 65536, "mac": "", "up": True, "speed_mbit_s": 0},
    }


def test_a_link_that_went_while_facts_were_gathered_is_told_as_down() -> None:
    loader = DataLoader()
    (play,) = loader.load_from_file(str(PLAYBOOKS / "host-facts.yml"), trusted_as_template=True)
    (told,) = (task for task in play["tasks"] if task["name"] == "Tell what was found")
    shown = Templar(loader, {"ansible_facts": {"interfaces": ["tap0"]}}).template(told["vars"]["facts_nics"])
    assert shown == {"tap0": {"mtu": 0, "mac": "", "up": False, "speed_mbit_s": 0}}


def shown(active: str, enabled: str, load: str = "loaded") -> str:
    return f"ActiveState={active}\nLoadState={load}\nUnitFileState={enabled}"


@pytest.mark.parametrize(
    ("declared", "said", "found", "differs"),
    [
        (["active", "enabled"], shown("active", "enabled"), ["active", "enabled"], False),
        (["active", "enabled"], shown("reloading", "enabled"), ["reloading", "enabled"], False),
        (["active", "enabled"], shown("failed", "enabled"), ["failed", "enabled"], True),
        (["active", "enabled"], shown("active", "disabled"), ["active", "disabled"], True),
        (["active", "enabled"], shown("inactive", "masked", "masked"), ["inactive", "masked"], True),
        (["enabled"], shown("inactive", "enabled"), ["enabled"], False),
        (["inactive"], shown("inactive", "masked", "masked"), ["inactive"], False),
        (["inactive", "disabled"], shown("active", "disabled"), ["active", "disabled"], True),
        (["inactive", "disabled"], shown("inactive", "", "not-found"), ["absent"], False),
        (["enabled"], shown("inactive", "", "not-found"), ["absent"], True),
        (["inactive", "masked"], shown("inactive", "masked", "masked"), ["inactive", "masked"], False),
        (["inactive", "masked"], shown("inactive", "enabled"), ["inactive", "enabled"], True),
        (["inactive"], "", ["unknown"], True),
    ],
)
def test_a_unit_differs_where_systemd_says_another_word_than_is_declared(
    declared: list[str], said: str, found: list[str], differs: bool
) -> None:
    assert UNITS.facts({"x.service": declared}, said) == {
        "x.service": {"declared": declared, "found": found, "differs": differs}
    }


def test_each_unit_has_what_systemd_says_of_it_and_none_where_systemd_says_too_little() -> None:
    declared = {"a.service": ["active"], "b.socket": ["active"]}
    answer = "\n\n".join([shown("active", "enabled"), shown("inactive", "enabled")]) + "\n"
    assert [each["differs"] for each in UNITS.facts(declared, answer).values()] == [False, True]
    assert [each["found"] for each in UNITS.facts(declared, shown("active", "x")).values()] == [["unknown"]] * 2
    assert UNITS.facts({}, "") == {}


def units(role: str, **given: Any) -> dict[str, list[str]]:
    declared: dict[str, list[str]] = Rendered(role, **given).value(OF_SYSTEMD.get(role, f"__{role}_units"))
    return declared


def test_a_role_declares_units_only_for_what_the_host_is_to_be() -> None:
    estate = {"gdcc_traits": [], "gdcc_networks": [], "hypervisor_migration_address": "10.0.0.1"}
    assert units("hypervisor", hypervisor_libvirt=False, hypervisor_nova_started=False, **estate) == {
        "nova-compute.service": ["inactive"]
    }
    with_libvirt = units("hypervisor", hypervisor_migration_tls=False, **estate)
    assert with_libvirt["libvirtd-tls.socket"] == ["inactive", "disabled"]
    assert with_libvirt["libvirtd.service"] == ["enabled"], "its socket starts it"
    assert units("network", network_networks=[]) == {}
    assert list(units("network", network_networks=[{"name": "m"}])) == ["systemd-networkd.service"]
    assert "prometheus-libvirt-exporter.service" not in units("monitoring", gdcc_exporters=[":9100"])
    assert "prometheus-libvirt-exporter.service" in units("monitoring", gdcc_exporters=[":9100", ":9177"])
    assert units("storage", __storage_container=HOST) == {}
    assert units("storage", __storage_container=HOST, storage_iscsi_enabled=True) == {"open-iscsi.service": ["enabled"]}
    assert units("kernel", __kernel_container=HOST) == {}
    assert units("base") == {"apt-daily-upgrade.timer": ["inactive", "masked"]}
    assert units("base", base_unattended_upgrades=True) == {"apt-daily-upgrade.timer": ["active", "enabled"]}
    assert units("kernel", __kernel_container=HOST, kernel_kdump=True) == {"kdump-tools.service": ["enabled"]}


def test_what_does_not_run_in_a_container_is_not_declared_active_there() -> None:
    paths = {"storage_multipath_enabled": True}
    assert units("storage", __storage_container=CONTAINER, **paths) == {"multipathd.service": ["enabled"]}
    assert units("storage", __storage_container=HOST, **paths) == {"multipathd.service": ["active", "enabled"]}
    assert units("audit", __audit_container=CONTAINER) == {"auditd.service": ["enabled"]}
    assert units("audit", __audit_container=HOST) == {"auditd.service": ["active", "enabled"]}
    pages = {"kernel_hugepages": [{"size": "1G", "count": 4}]}
    assert units("kernel", __kernel_container=CONTAINER, **pages) == {"dev-hugepages1G.mount": ["enabled"]}


@every_role
def test_every_unit_that_a_role_has_at_boot_is_declared_as_data_too(role: Path) -> None:
    """But of `rollback`, which stands on a host once another role changed something by it."""
    variables = (role / "vars/main.yml").read_text() if (role / "vars/main.yml").exists() else ""
    steps = [step for path in role.glob("tasks/*.yml") for step in tasks(read(path))]
    enabled = [
        name
        for step in steps
        if step.get("ansible.builtin.systemd_service", {}).get("enabled")
        for name in re.findall(r"[\w-]+\.(?:service|socket|timer)", step["ansible.builtin.systemd_service"]["name"])
    ]
    assert {each for each in enabled if each not in variables} == set() or role.name == "rollback"


@every_role
def test_a_unit_that_is_declared_as_data_stands_in_the_roles_tasks(role: Path) -> None:
    done = "\n".join(path.read_text() for path in role.glob("tasks/*.yml"))
    for name, declared in (read(role / "vars/main.yml") or {}).items():
        if name.endswith(("_units", "_services")):
            given = declared if isinstance(declared, str) else " ".join(map(str, declared))
            named = re.findall(r"([\w-]+)\.(?:service|socket|timer)", given)
            assert [unit for unit in named if unit not in done] == []


def test_facts_are_told_of_every_role_that_gives_some() -> None:
    (play,) = read(PLAYBOOKS / "host-facts.yml")
    told = json.dumps(play)
    giving = {role.name for role in ROLES if (role / "tasks/facts.yml").exists()}
    roles = [step for step in play["tasks"] if "ansible.builtin.include_role" in step]
    included = [name for step in roles for name in step.get("loop", [step["ansible.builtin.include_role"]["name"]])]
    assert sorted(included) == sorted(giving)
    of_units = {role.name for role in ROLES if "units:" in text_of(role)} & giving
    assert {name for name in of_units if f"__{name}_found.units" not in told} == set()


@pytest.mark.parametrize(
    ("mount", "row", "differs"),
    [
        (VOLUME, ("/dev/mapper/data-no--va", "xfs", "rw,relatime"), {"device": False, "type": False}),
        (VOLUME, ("/dev/sdb", "ext4", "rw"), {"device": True, "type": True}),
        (VOLUME, None, {"device": True, "type": True}),
        (NFS, ("nas:/images", "nfs4", "ro,hard"), {"device": False, "type": False, "options": False}),
        (NFS, ("nas:/images", "nfs4", "rw,hard"), {"device": False, "type": False, "options": True}),
        (NFS, ("nas2:/images", "nfs4", "ro"), {"device": True, "type": False, "options": False}),
        (NFS, None, {"device": True, "type": True, "options": True}),
    ],
)
def test_a_mount_differs_by_the_rules_by_which_it_fails_verify(
    mount: dict[str, Any], row: tuple[str, str, str] | None, differs: dict[str, bool]
) -> None:
    rows = [] if row is None else [dict(zip(("source", "fstype", "options"), row, strict=True), target=mount["path"])]
    listing = json.dumps({"filesystems": rows})
    facts = MOUNTS.mount_facts([mount], listing)[mount["path"]]
    assert {part: fact["differs"] for part, fact in facts.items()} == differs
    assert facts["device"]["declared"] == mount["source"]
    assert facts["device"]["found"] == ("none" if row is None else row[0])
    assert bool(MOUNTS.mount_problems([mount], listing)) is any(differs.values())


@pytest.mark.parametrize(
    ("left_s", "days", "differs"),
    [(40 * 86_400, 40, False), (30 * 86_400, 30, False), (30 * 86_400 - 1, 29, True), (-5, -1, True)],
)
def test_a_certificate_differs_where_it_ends_sooner_than_it_would_be_renewed(
    left_s: int, days: int, differs: bool
) -> None:
    line = f"{left_s} /etc/pki/gdcc/host.pem 2026-12-03 22:35:21Z"
    assert CERTIFICATES.certificate_facts(["/etc/pki/gdcc/host.pem"], [line], 30) == {
        "/etc/pki/gdcc/host.pem": {
            "declared": {"days_left_at_least": 30},
            "found": {"days_left": days, "ends": "2026-12-03 22:35:21Z"},
            "differs": differs,
        }
    }


def test_a_certificate_that_is_not_there_differs() -> None:
    (fact,) = CERTIFICATES.certificate_facts(["/etc/pki/gdcc/host.pem"], [], 30).values()
    assert (fact["found"], fact["differs"]) == ("none", True)


def test_certificates_are_the_hosts_the_cas_and_their_copies_and_no_keys() -> None:
    paths = Rendered("pki", gdcc_networks=[]).value("__pki_certificates")
    assert paths[:2] == ["/etc/pki/gdcc/host.pem", "/etc/pki/gdcc/ca.pem"]
    assert {"/etc/pki/CA/cacert.pem", "/etc/pki/libvirt/servercert.pem", "/etc/pki/qemu/client-cert.pem"} <= set(paths)
    assert [path for path in paths if "key" in path] == []


def test_flags_are_needed_for_traits_and_guests_where_the_kernel_names_them() -> None:
    traits = ["HW_CPU_X86_AVX2", "HW_CPU_X86_SSE3", "HW_CPU_X86_MPX", "HW_CPU_HYPERTHREADING", "CUSTOM_SSD"]
    assert CPU.flags(traits, ["-vmx", "+PCID", "md-clear", "x2apic"]) == ["avx2", "md_clear", "pcid", "pni"]
    assert CPU.flags([], []) == []


def test_cpu_traits_are_those_of_the_hosts_type() -> None:
    role = Rendered("hypervisor", gdcc_traits=["CUSTOM_SSD", "HW_CPU_X86_AVX2"])
    assert role.value("hypervisor_cpu_traits") == ["HW_CPU_X86_AVX2"]


def test_declared_values_stand_beside_all_that_is_found() -> None:
    loader = DataLoader()
    (play,) = loader.load_from_file(str(PLAYBOOKS / "host-facts.yml"), trusted_as_template=True)
    (told,) = (task for task in play["tasks"] if task["name"] == "Tell what was found")
    unit = {"declared": ["active"], "found": ["active"], "differs": False}
    root = {"mount": "/", "device": "/dev/sda", "fstype": "ext4", "options": "rw", "size_total": 2, "size_available": 1}
    nova = {**root, "mount": "/var/lib/nova", "device": "/dev/sdb"}
    variables = {
        **told["vars"],
        "ansible_facts": {"mounts": [root, nova], "services": {"a.service": {"state": "running"}}},
        "__storage_found": {"mounts": {"/var/lib/nova": {"device": {"declared": "/dev/sdc", "found": "/dev/sdb"}}}},
        "__unit_found": {"ssh.service": unit},
    }
    data = told["ansible.builtin.set_stats"]["data"]
    mounts, services = (Templar(loader, variables).template(data[name]) for name in ("mounts", "services"))
    assert mounts["/"]["device"] == "/dev/sda"
    assert mounts["/var/lib/nova"]["device"] == {"declared": "/dev/sdc", "found": "/dev/sdb"}
    assert mounts["/var/lib/nova"]["free_bytes"] == 1
    assert services == {"a.service": "running", "ssh.service": unit}
