import pytest

from controller.engine.assemble import specs


def read(*extra_specs: tuple[str, str], keys: frozenset[str] = frozenset()) -> specs.Specs:
    return specs.read(extra_specs, keys)


def test_traits_are_required_or_forbidden() -> None:
    found = read(("trait:HW_CPU_X86_AVX2", "required"), ("trait:CUSTOM_OLD", "forbidden"))
    assert found.required_traits == {"HW_CPU_X86_AVX2"} and found.forbidden_traits == {"CUSTOM_OLD"}
    assert found.fit_known


def test_aggregate_specs_are_read_without_their_scope() -> None:
    assert read(("aggregate_instance_extra_specs:disk", "ssd")).aggregate_specs == {"disk": "ssd"}


def test_a_key_without_a_scope_counts_where_some_aggregate_carries_it() -> None:
    assert read(("disk", "ssd"), keys=frozenset({"disk"})).aggregate_specs == {"disk": "ssd"}
    assert read(("disk", "ssd")).aggregate_specs == {}


@pytest.mark.parametrize(
    "spec",
    [
        ("hw:cpu_policy", "dedicated"),
        ("hw:cpu_policy", "mixed"),
        ("hw:numa_nodes", "2"),
        ("hw:numa_cpus.0", "0,1"),
        ("hw:mem_page_size", "large"),
        ("pci_passthrough:alias", "gpu:1"),
        ("resources:VGPU", "1"),
        ("resources1:CUSTOM_FPGA", "1"),
        ("trait1:CUSTOM_FPGA", "required"),
        ("hw:tpm_version", "2.0"),
        ("capabilities:cpu_info:features", "avx"),
        ("accel:device_profile", "fpga"),
    ],
)
def test_a_guest_that_is_pinned_to_something_has_no_fit_that_can_be_shown(spec: tuple[str, str]) -> None:
    assert not read(spec).fit_known


@pytest.mark.parametrize(
    "spec",
    [("hw:cpu_policy", "shared"), ("hw_rng:allowed", "True"), ("quota:cpu_shares", "10"), ("hw:cpu_sockets", "2")],
)
def test_other_specs_pin_nothing(spec: tuple[str, str]) -> None:
    assert read(spec).fit_known
