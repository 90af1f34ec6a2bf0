"""Two pages of an exporter to readings."""

import pytest

from controller.adapters.exporters.page import _REPEATED, NAMES, Page, page
from controller.adapters.exporters.rates import Read, read
from controller.adapters.exporters.textformat import PageError, Reader
from controller.model.sample import Kind, Quantity
from tests.fakes.exporters import FakeDomain, FakeNode, libvirt_page

READER = Reader(NAMES)
VM = "1bac351f-242e-4d53-8cf3-fd91b061069c"


def told(text: str, clock: float) -> Page:
    return page(READER.read(text.encode()), "c1", at=1e9 + clock, clock=clock)


def between(before: str, now: str, seconds: float = 10.0) -> Read:
    return read(told(before, 0.0), told(now, seconds), longest=45.0)


def of_host(result: Read) -> dict[Quantity, float]:
    return {
        quantity: value for (kind, quantity, name), value in result.values.items() if (kind, name) == (Kind.HOST, "c1")
    }


def of_vm(result: Read) -> dict[Quantity, float]:
    return {quantity: value for (kind, quantity, name), value in result.values.items() if (kind, name) == (Kind.VM, VM)}


def test_a_hosts_readings_come_from_two_pages() -> None:
    node = FakeNode()
    before = node.page()
    node.run(10, busy=0.3, bytes_s=1e6, pressure=0.1)
    readings = of_host(between(before, node.page()))
    assert readings[Quantity.CPU_RATIO] == pytest.approx(0.3)
    assert readings[Quantity.MEMORY_BYTES] == 16e9
    assert readings[Quantity.MEMORY_PRESSURE_RATIO] == pytest.approx(0.1)
    assert readings[Quantity.NETWORK_BYTES_S] == pytest.approx(2e6), "eth0 in and out; tap, bond and loopback repeat it"


@pytest.mark.parametrize(
    "device", ["sda", "sdab", "vda", "xvdb", "nvme0n1", "nvme10n2", "rbd3", "nbd0", "mmcblk0", "dasda"]
)
def test_a_disk_counts(device: str) -> None:
    assert not _REPEATED.fullmatch(device)


@pytest.mark.parametrize(
    "device",
    [
        "sda1", "sdab12", "vda2", "xvda1", "nvme0n1p1", "nvme0c1n1", "rbd3p1", "nbd0p1", "mmcblk0p2", "mmcblk0boot0",
        "dasda1", "dm-0", "md127", "loop7", "ram0", "zram0", "sr0", "fd0", "zd16", "bcache0", "drbd0",
    ],
)  # fmt: skip
def test_a_device_that_repeats_a_disk_does_not_count(device: str) -> None:
    assert _REPEATED.fullmatch(device)


def test_what_a_host_and_a_vm_read_and_write_comes_from_two_pages() -> None:
    node, vm = FakeNode(), FakeDomain(VM)
    before, of_vms = node.page(), libvirt_page({"instance-1": vm})
    node.run(10, busy=0.3, disk=1e6)
    vm.run(10, vcpus=1.0, disk=1e5)
    assert of_host(between(before, node.page()))[Quantity.STORAGE_BYTES_S] == pytest.approx(2e6), "sda alone"
    readings = of_vm(between(of_vms, libvirt_page({"instance-1": vm})))
    assert readings[Quantity.STORAGE_BYTES_S] == pytest.approx(4e5), "of both of its disks"


def test_an_exporter_that_shows_no_disks_gives_no_reading_of_them_and_no_fault() -> None:
    node, vm = FakeNode(disks={"dm-0": 1e9}), FakeDomain(VM, stored=None)
    before, of_vms = node.page(), libvirt_page({"instance-1": vm})
    node.run(10, busy=0.3, disk=1e6)
    vm.run(10, vcpus=1.0, disk=1e5)
    of_node, of_domain = between(before, node.page()), between(of_vms, libvirt_page({"instance-1": vm}))
    assert Quantity.STORAGE_BYTES_S not in of_host(of_node) and Quantity.STORAGE_BYTES_S not in of_vm(of_domain)
    assert not of_node.faults and not of_domain.faults


def test_a_disks_counter_that_goes_down_is_a_fault_of_its_reading_alone() -> None:
    node = FakeNode()
    before = node.page()
    node.run(10, busy=0.3, disk=1e6)
    node.disks["sda"] = 5.0
    result = between(before, node.page())
    assert Quantity.STORAGE_BYTES_S not in of_host(result) and Quantity.CPU_RATIO in of_host(result)
    assert [(fault.subject, fault.reason) for fault in result.faults] == [("c1", "counter_reset")]


def test_a_host_that_shows_only_its_bond_is_read_by_it() -> None:
    node = FakeNode(devices={"bond0": 1e12, "lo": 1.0})
    before = node.page()
    node.run(10, busy=0.3, bytes_s=1e6)
    assert of_host(between(before, node.page()))[Quantity.NETWORK_BYTES_S] == pytest.approx(2e6)


@pytest.mark.parametrize("info", ["meta", "openstack"])
def test_a_vm_is_named_by_its_uuid_however_the_exporter_tells_it(info: str) -> None:
    vm = FakeDomain(VM, dirty_mib_s=3.0)
    before = libvirt_page({"instance-1": vm}, info=info)
    vm.run(10, vcpus=1.5, steal=0.2, bytes_s=1e5)
    readings = of_vm(between(before, libvirt_page({"instance-1": vm}, info=info)))
    assert readings[Quantity.CPU_VCPUS] == pytest.approx(1.5)
    assert readings[Quantity.STEAL_RATIO] == pytest.approx(0.2)
    assert readings[Quantity.NETWORK_BYTES_S] == pytest.approx(2e5)
    assert readings[Quantity.MEMORY_BYTES] == 2e9
    assert readings[Quantity.DIRTY_BYTES_S] == 3 * 2**20


def test_an_exporter_whose_domains_are_named_by_uuid_needs_no_more() -> None:
    assert of_vm(read(None, told(libvirt_page({VM: FakeDomain(VM)}, info="none"), 0.0), longest=45.0))


def test_domains_without_a_uuid_are_told_once_and_give_no_number() -> None:
    text = libvirt_page({"instance-1": FakeDomain(VM), "instance-2": FakeDomain(VM)}, info="none")
    result = read(None, told(text, 0.0), longest=45.0)
    assert result.values == {}
    assert [(fault.reason, fault.detail[:9]) for fault in result.faults] == [("malformed", "2 domains")]


def test_without_resident_memory_what_the_vm_was_given_counts() -> None:
    text = libvirt_page({VM: FakeDomain(VM, rss=None)})
    assert of_vm(read(None, told(text, 0.0), longest=45.0)) == {Quantity.MEMORY_BYTES: 4e9}


def test_the_first_page_gives_no_rate() -> None:
    assert of_host(read(None, told(FakeNode().page(), 0.0), longest=45.0)) == {Quantity.MEMORY_BYTES: 16e9}


def test_a_rate_over_too_long_a_gap_is_none() -> None:
    node = FakeNode()
    before = node.page()
    node.run(60, busy=0.3)
    assert of_host(between(before, node.page(), seconds=60.0)) == {Quantity.MEMORY_BYTES: 16e9}


def test_after_a_reboot_there_is_one_fault_and_no_rate_even_of_counters_that_did_not_go_down() -> None:
    node = FakeNode()
    before = node.page()
    node.reboot()
    result = between(before, node.page())
    assert of_host(result) == {Quantity.MEMORY_BYTES: 16e9}
    assert [(fault.subject, fault.reason) for fault in result.faults] == [("c1", "counter_reset")]


def test_a_counter_that_goes_down_without_a_reboot_is_a_fault_of_its_reading_alone() -> None:
    node = FakeNode()
    before = node.page()
    node.run(10, busy=0.3)
    node.devices["eth0"] = 5.0
    result = between(before, node.page())
    assert Quantity.NETWORK_BYTES_S not in of_host(result)
    assert Quantity.CPU_RATIO in of_host(result)
    assert [(fault.subject, fault.reason) for fault in result.faults] == [("c1", "counter_reset")]


def test_one_vms_reset_takes_nothing_from_the_others() -> None:
    other = FakeDomain("0" * 8 + VM[8:])
    vm = FakeDomain(VM)
    before = libvirt_page({"a": vm, "b": other})
    vm.cpu = 1.0
    other.run(10, vcpus=1.0)
    result = between(before, libvirt_page({"a": vm, "b": other}))
    assert Quantity.CPU_VCPUS not in of_vm(result)
    assert result.values[Kind.VM, Quantity.CPU_VCPUS, other.uuid] == pytest.approx(1.0)
    assert [(fault.subject, fault.reason) for fault in result.faults] == [(VM, "counter_reset")]


def test_a_network_device_that_was_added_counts_from_its_second_page() -> None:
    node = FakeNode()
    before = node.page()
    node.run(10, busy=0.1, bytes_s=1e6)
    node.devices["eth1"] = 5e13
    assert of_host(between(before, node.page()))[Quantity.NETWORK_BYTES_S] == pytest.approx(2e6)


def test_a_sample_that_is_no_number_is_a_fault_of_its_reading_alone() -> None:
    result = read(None, told("node_memory_MemTotal_bytes NaN\nnode_memory_MemAvailable_bytes 1\n", 0.0), longest=45.0)
    assert (result.values, [fault.reason for fault in result.faults]) == ({}, ["nan"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("node_memory_MemTotal_bytes 64e", "truncated"),
        ("node_memory_MemTotal_bytes 64x\n", "malformed"),
        ("node_memory_MemTotal_bytes\t\n", "malformed"),
        ("node_memory_MemTotal_bytes 1 1700000000000\n", "malformed"),
        ('node_cpu_seconds_total{cpu="0" 1\n', "malformed"),
        ('node_cpu_seconds_total{cpu="0",cpu="1"} 1\n', "malformed"),
        ('node_cpu_seconds_total{cpu="0"} 1\nnode_cpu_seconds_total{cpu="0"} 2\n', "duplicate"),
    ],
)
def test_a_page_that_is_wrong_where_we_read_is_refused(text: str, reason: str) -> None:
    with pytest.raises(PageError) as refused:
        READER.read(text.encode())
    assert refused.value.reason == reason


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(PageError, match="UTF-8"):
        READER.read(b'node_cpu_seconds_total{cpu="\xff"} 1\n')


def test_lines_of_other_metrics_are_not_looked_at() -> None:
    assert READER.read(b"node_cpu_seconds_total_x{ 1\nnonsense\n") == []


def test_a_reboot_on_a_page_without_one_number_is_a_fault_like_any_other() -> None:
    memory = "node_memory_MemTotal_bytes {0}\nnode_memory_MemAvailable_bytes {0}\n"
    result = between(
        f"node_boot_time_seconds 1000\n{memory.format(1)}", f"node_boot_time_seconds 9000\n{memory.format('NaN')}"
    )
    assert sorted(fault.reason for fault in result.faults) == ["counter_reset", "nan"]
