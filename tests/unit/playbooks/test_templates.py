"""What roles write for inputs that are easily forgotten: IPv6, YAML's own booleans, characters with a meaning."""

import pytest

from tests.unit.playbooks.rendered import Rendered

PAGES = [{"size": "2M", "count": 64}, {"size": "1G", "count": 16}]


def test_hugepages_of_both_sizes_stand_on_the_command_line_each_with_its_count() -> None:
    kernel = Rendered("kernel", kernel_hugepages=PAGES, kernel_isolated_cpus="6,4,5")
    assert kernel.value("__kernel_command_line") == [
        "hugepagesz=2M", "hugepages=64", "hugepagesz=1G", "hugepages=16",
        "isolcpus=managed_irq,domain,4-6", "nohz_full=4-6", "rcu_nocbs=4-6",
    ]  # fmt: skip
    assert kernel.value("__kernel_gib_pages") is True
    assert Rendered("kernel", kernel_hugepages=PAGES[:1]).value("__kernel_gib_pages") is False


def test_a_microcode_archive_is_signed_as_apts_own_sources_are() -> None:
    kernel = Rendered("kernel")
    signed = kernel.text("microcode.sources.j2", __kernel_signed_by={"stdout": "Signed-By: /usr/share/keyrings/a.gpg"})
    assert signed.count("Signed-By: /usr/share/keyrings/a.gpg\n\n") == 2
    assert "Suites: bookworm bookworm-updates\nComponents: non-free-firmware\n" in signed
    assert "Signed-By" not in kernel.text("microcode.sources.j2", __kernel_signed_by={"stdout": ""})


@pytest.mark.parametrize(
    ("address", "listens"), [("10.0.20.7", "10.0.20.7:16514"), ("2001:db8::7", "[2001:db8::7]:16514")]
)
def test_libvirt_listens_on_an_address_of_either_version(address: str, listens: str) -> None:
    hypervisor = Rendered("hypervisor", hypervisor_migration_address=address)
    assert hypervisor.text("libvirtd-tls.socket.j2").splitlines()[3] == f"ListenStream={listens}"
    assert hypervisor.value("__hypervisor_tls_listen") == listens


def test_flags_of_the_cpu_are_declared_to_nova_with_and_without_models() -> None:
    for models in ([], ["Cascadelake-Server"]):
        hypervisor = Rendered(
            "hypervisor", hypervisor_cpu_models=models, hypervisor_cpu_flags=["-vmx", "pcid"], **declared_of_a_host()
        )
        assert hypervisor.value("__hypervisor_options.libvirt.cpu_model_extra_flags") == "-vmx,pcid"
        assert ("cpu_mode" in hypervisor.value("__hypervisor_options.libvirt")) is bool(models)


def declared_of_a_host() -> dict[str, object]:
    return {"hypervisor_migration_address": "10.0.20.7", **{
        f"gdcc_{name}": 1 for name in (
            "cpu_ratio", "memory_ratio", "disk_ratio", "reserved_vcpus", "reserved_memory_mib", "migration_mib_s"
        )
    }, "gdcc_post_copy": False}  # fmt: skip


def test_a_dollar_in_a_secret_is_no_reference_to_another_option_of_nova() -> None:
    hypervisor = Rendered("hypervisor")
    secrets = {"DEFAULT": {"transport_url": "rabbit://nova:a$host@mq:5672/"}}
    text = hypervisor.text("nova.conf.j2", __hypervisor_sections=secrets, __hypervisor_literal=True)
    assert "transport_url = rabbit://nova:a$$host@mq:5672/\n" in text
    options = {"DEFAULT": {"lock_path": "$state_path/lock", "debug": True}}
    text = hypervisor.text("nova.conf.j2", __hypervisor_sections=options)
    assert "debug = true\nlock_path = $state_path/lock\n" in text


@pytest.mark.parametrize(
    ("listen", "told"), [("", "udp:161"), ("10.0.0.7", "udp:10.0.0.7:161"), ("2001:db8::7", "udp6:[2001:db8::7]:161")]
)
def test_snmpd_listens_on_an_address_of_either_version(listen: str, told: str) -> None:
    monitoring = Rendered("monitoring", monitoring_snmp_listen=listen, monitoring_snmp_user="gdcc-cmp1")
    assert f"agentaddress {told}\n" in monitoring.text("snmpd.conf.j2")


@pytest.mark.parametrize(
    ("address", "url", "port"),
    [
        ("192.0.2.7", "https://192.0.2.7", 161),
        ("192.0.2.7:1161", "https://192.0.2.7", 1161),
        ("bmc7.example:1161", "https://bmc7.example", 1161),
        ("2001:db8::7", "https://[2001:db8::7]", 161),
        ("[2001:db8::7]:1161", "https://[2001:db8::7]", 1161),
    ],
)
def test_a_bmc_is_reached_by_every_address_that_an_estate_may_give_it(address: str, url: str, port: int) -> None:
    bmc = Rendered("bmc", gdcc_bmc={"address": address})
    assert (bmc.value("bmc_url"), bmc.value("bmc_snmp_port")) == (url, port)


def test_multipath_is_told_yes_and_no_and_sections_within_sections() -> None:
    storage = Rendered(
        "storage",
        storage_multipath_defaults={"user_friendly_names": False, "find_multipaths": True, "no_path_retry": 12},
        storage_multipath_blacklist=[{"devnode": "^sd[a-b]$"}, {"device": {"vendor": "IBM", "product": "S/390"}}],
        storage_multipath_devices=[{"vendor": "NETAPP", "detect_prio": True}],
    )
    words = storage.text("multipath.conf.j2").split()
    assert " ".join(words[4:]) == (
        'defaults { find_multipaths "yes" no_path_retry "12" user_friendly_names "no" } '
        'blacklist { devnode "^sd[a-b]$" device { product "S/390" vendor "IBM" } } '
        'devices { device { detect_prio "yes" vendor "NETAPP" } }'
    )


def test_iscsid_is_told_yes_and_no() -> None:
    storage = Rendered("storage", storage_iscsi_settings={"node.leading_login": False, "node.startup": "automatic"})
    assert storage.value("__storage_settings") == [
        {"key": "node.leading_login", "value": "No"},
        {"key": "node.startup", "value": "automatic"},
    ]


def test_the_locale_of_logins_is_generated_too_unless_the_c_library_brings_it() -> None:
    assert Rendered("base", base_locale="th_TH.UTF-8", base_locales=[]).value("__base_wanted_locales") == ["th_TH.utf8"]
    assert Rendered("base", base_locale="C.UTF-8", base_locales=[]).value("__base_made_locales") == []
