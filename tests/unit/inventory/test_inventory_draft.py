"""A draft of a living cloud: what is known stands there, what is not is a gap that `load` tells."""

from pathlib import Path

from inventory import draft, dump
from inventory.draft import Amount, Cloud, CloudAggregate, CloudHost
from tests.estates import problems


def host(name: str, *, memory_mib: int = 131072, traits: frozenset[str] = frozenset()) -> CloudHost:
    return CloudHost(
        name=name,
        vcpus=Amount(total=32, reserved=2, ratio=4.0),
        memory=Amount(total=memory_mib, reserved=4096),
        disk=Amount(total=1000),
        traits=traits,
    )


CLOUD = Cloud(
    name="lab",
    hosts=(
        host(
            "cmp2",
            traits=frozenset({"HW_CPU_X86_AVX2", "COMPUTE_NODE", "CUSTOM_CLEARANCE_OPEN", "CUSTOM_LICENCE_ORACLE"}),
        ),
        host("cmp1", traits=frozenset({"HW_CPU_X86_AVX2", "CUSTOM_CLEARANCE_OPEN", "CUSTOM_CLEARANCE_INTERNAL"})),
        host("cmp3", memory_mib=131073),
    ),
    aggregates=(
        CloudAggregate(
            name="az1",
            hosts=("cmp2", "cmp1"),
            availability_zone="az1",
            metadata={"availability_zone": "az1", "ssd": "1"},
        ),
    ),
    flavors=(
        {"name": "m1", "vcpus": 1, "memory_mib": 512, "disk_gib": 0,
         "extra_specs": {"trait:CUSTOM_CLEARANCE_SECRET": "required"}},
        {"name": "m2", "vcpus": 2, "memory_mib": 1024, "disk_gib": 1, "extra_specs": {}},
    ),
    volume_types=({"name": "ssd", "backend": None},),
    networks=(
        {"name": "ext", "cidr": "10.0.0.0/24", "physical_network": "physnet1", "vlan": None},
        {"name": "tenant", "cidr": "192.168.0.0/24", "physical_network": None, "vlan": None},
    ),
    projects=("tax", "law"),
)  # fmt: skip


def test_hosts_of_equal_resources_are_one_type_and_others_another() -> None:
    tables = draft.tables(CLOUD)
    assert [row["name"] for row in tables["host_types"]] == ["type-32t-128g", "type-32t-128g-2"]
    assert [(row["name"], row["type"]) for row in tables["hosts"]] == [
        ("cmp1", "type-32t-128g"),
        ("cmp2", "type-32t-128g"),
        ("cmp3", "type-32t-128g-2"),
    ]
    kind = tables["host_types"][0]
    assert (kind["vcpus"], kind["reserved_vcpus"], kind["cpu_ratio"]) == (32, 2, 4.0)
    assert kind["traits"] == ["HW_CPU_X86_AVX2"]
    assert [row.get("traits") for row in tables["hosts"]] == [None, ["CUSTOM_LICENCE_ORACLE"], None]


def test_a_level_is_taken_over_only_where_a_trait_says_it() -> None:
    tables = draft.tables(CLOUD)
    assert [row["clearance"] for row in tables["hosts"]] == ["internal", "open", dump.GAP]
    assert [row["classification"] for row in tables["flavors"]] == ["secret", dump.GAP]


def test_aggregates_keep_their_metadata_but_for_the_zone_that_has_its_own_field() -> None:
    (row,) = draft.tables(CLOUD)["aggregates"]
    assert row == {"name": "az1", "hosts": ["cmp1", "cmp2"], "availability_zone": "az1", "metadata": {"ssd": "1"}}


def test_networks_of_tenants_are_left_out() -> None:
    assert [row["name"] for row in draft.tables(CLOUD)["networks"]] == ["ext"]


def test_the_written_draft_has_every_gap_told_at_its_line_and_nothing_else(tmp_path: Path) -> None:
    dump.write_rows(draft.tables(CLOUD), tmp_path, schema="s.json")
    told = problems(tmp_path)
    assert all("is a gap (replace !gap by" in problem.what for problem in told)
    gaps = {(problem.what.split(":")[0], problem.what.split(": ")[1].split(" ")[0]) for problem in told}
    assert {field for subject, field in gaps if subject == "hosts cmp3"} == {
        "rack",
        "unit",
        "clearance",
        "cords",
        "bmc",
    }
    assert {field for subject, field in gaps if subject == "systems tax"} == {"agency", "classification", "tier"}
    assert {("volume_types ssd", "backend"), ("networks ext", "classification")} <= gaps
    lines = (tmp_path / "systems.yaml").read_text(encoding="utf-8").splitlines()
    for problem in told:
        file, _, line = problem.where.rpartition(":")
        if file.endswith("systems.yaml"):
            assert "!gap" in lines[int(line) - 1]


def test_a_draft_of_an_empty_cloud_is_an_empty_estate(tmp_path: Path) -> None:
    dump.write_rows(draft.tables(Cloud(name="new")), tmp_path, schema="s.json")
    assert problems(tmp_path) == ()
