"""What Placement is asked for a flavor, and why a provider is no candidate."""

import pytest

from controller.adapters.openstack import parse
from controller.adapters.openstack.placement import candidates_query, shortfall
from controller.model.cloud import Amount, Server
from tests.fakes.openstack_http import server_row


def server(disk_gib: int = 10, **specs: str) -> Server:
    row = server_row("s1")
    row["flavor"] |= {"disk": disk_gib, "extra_specs": {key.replace("__", ":"): value for key, value in specs.items()}}
    return parse.server(row, zone_shown=True)


def test_a_plain_flavor_asks_for_its_cpus_memory_and_disk_on_an_enabled_host() -> None:
    asked = candidates_query(server())
    assert asked == {"resources": "DISK_GB:10,MEMORY_MB:2048,VCPU:2", "required": "!COMPUTE_STATUS_DISABLED"}


def test_no_disk_is_not_asked_for() -> None:
    assert "DISK_GB" not in candidates_query(server(disk_gib=0))["resources"]


def test_pinned_cpus_are_asked_for_as_such_with_one_more_for_isolated_emulator_threads() -> None:
    asked = candidates_query(server(hw__cpu_policy="dedicated", hw__emulator_threads_policy="isolate"))
    assert "PCPU:3" in asked["resources"]
    assert "VCPU" not in asked["resources"]


def test_resource_extra_specs_replace_and_remove_what_the_flavor_says() -> None:
    asked = candidates_query(server(resources__VCPU="0", resources__CUSTOM_GPU="1"))
    assert asked["resources"] == "CUSTOM_GPU:1,DISK_GB:10,MEMORY_MB:2048"


def test_traits_are_required_and_forbidden_also_in_numbered_groups() -> None:
    asked = candidates_query(
        server(trait__A="required", trait__B="forbidden", resources1__VF="2", trait1__C="required", group_policy="none")
    )
    assert asked["required"] == "A,!B,!COMPUTE_STATUS_DISABLED"
    assert (asked["resources1"], asked["required1"], asked["group_policy"]) == ("VF:2", "C", "none")


def test_mixed_cpus_cannot_be_told_from_the_flavor() -> None:
    with pytest.raises(parse.RowError, match="mixed"):
        candidates_query(server(hw__cpu_policy="mixed"))


def test_a_shortfall_is_told_in_numbers_and_names() -> None:
    why = shortfall(
        {"resources": "MEMORY_MB:2048,VCPU:2", "required": "A,!B,!COMPUTE_STATUS_DISABLED"},
        {"MEMORY_MB": Amount(total=4096, reserved=512, ratio=1.0), "VCPU": Amount(total=4, reserved=0, ratio=4.0)},
        {"MEMORY_MB": 2560, "VCPU": 14},
        frozenset({"B", "COMPUTE_STATUS_DISABLED"}),
    )
    assert why == (
        "needs 2048 MEMORY_MB, 1024 free; lacks the trait A; has the forbidden trait B; its compute service is disabled"
    )
