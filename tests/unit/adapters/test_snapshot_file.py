import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from controller.adapters import snapshot_file
from controller.adapters.snapshot_file import file, wire
from controller.errors import InputError, InvariantError
from controller.model import cluster as model
from tests.fakes import random_cluster

SCHEMA = Path(__file__).parents[3] / "docs" / "snapshot.schema.json"


def assert_same(one: Any, other: Any, path: str = "$") -> None:
    assert type(one) is type(other), path
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype and one.shape == other.shape, path
        np.testing.assert_array_equal(one, other, err_msg=path)
    elif is_dataclass(one):
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name), f"{path}.{field.name}")
    elif isinstance(one, tuple):
        assert len(one) == len(other), path
        for n, (left, right) in enumerate(zip(one, other, strict=True)):
            assert_same(left, right, f"{path}[{n}]")
    else:
        assert one == other, path


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), hosts=st.integers(0, 12), vms=st.integers(0, 30))
def test_what_was_written_is_read_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, seed: int, hosts: int, vms: int
) -> None:
    path = tmp_path_factory.mktemp("snapshot") / "cluster.json"
    cluster = random_cluster.cluster(seed, hosts=hosts, vms=vms)
    snapshot_file.write(cluster, path)
    assert_same(snapshot_file.read(path), cluster)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "cluster.json"
    snapshot_file.write(random_cluster.cluster(7, hosts=6, vms=8), path)
    return path


def mend(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return path


def test_the_published_schema_is_the_models(written: Path) -> None:
    published = json.loads(SCHEMA.read_text())
    assert published == snapshot_file.json_schema(), "run: gdcc snapshot --schema > docs/snapshot.schema.json"
    validator = Draft202012Validator(published)
    validator.check_schema(published)
    validator.validate(json.loads(written.read_text()))


def test_every_table_on_the_wire_has_the_fields_of_its_table_in_the_model() -> None:
    for one, other in file.TABLES.items():
        assert set(one.model_fields) == {field.name for field in fields(other)}, one
    assert set(wire.Snapshot.model_fields) - {"version"} == {field.name for field in fields(model.Cluster)}


def test_a_file_of_before_pauses_allows_none(written: Path) -> None:
    cluster = snapshot_file.read(mend(written, lambda document: document["systems"].pop("pause_s")))
    assert cluster.systems.pause_s.tolist() == [0.0, 0.0]


def test_a_file_of_before_storage_paths_knows_none_of_them(written: Path) -> None:
    def older(document: dict[str, Any]) -> None:
        for table in ("hosts", "host_types"):
            del document[table]["storage_mib_s"]
        for table in ("hosts", "vms"):
            del document[table]["storage_bytes_s"]

    cluster = snapshot_file.read(mend(written, older))
    assert np.isnan(cluster.hosts.storage_mib_s).all() and len(cluster.hosts.storage_mib_s) == 6
    assert len(cluster.host_types.storage_mib_s) == 2
    assert_same(cluster.vms.storage_bytes_s, model.absent(8))
    assert_same(cluster.hosts.storage_bytes_s, model.absent(6))


def reads(table: str, quantity: str, row: int, value: float) -> Callable[[dict[str, Any]], None]:
    """Writes a fresh value into a document."""

    def change(document: dict[str, Any]) -> None:
        reading = document[table][quantity]
        reading["values"][row], reading["at"][row] = value, 1.7e9
        reading["source"][row], reading["trust"][row] = 0, 0

    return change


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        (lambda d: d.update(version=2), "$.version", "version 2"),
        (lambda d: d.pop("version"), "$.version", "required"),
        (lambda d: d.update(colour="red"), "$.colour", "not permitted"),
        (lambda d: d["vms"].pop("host"), "$.vms.host", "required"),
        (lambda d: d["vms"]["host"].pop(), "$.vms.host", "has 7 entries where the table has 8 rows"),
        (lambda d: d["vms"]["cpu_vcpus"]["at"].append(1.0), "$.vms.cpu_vcpus.at", "has 9 entries"),
        (lambda d: d["vms"]["host"].__setitem__(3, 6), "$.vms.host[3]", "is row 6 of a table of 6 rows"),
        (lambda d: d["vms"]["host"].__setitem__(3, -2), "$.vms.host[3]", "greater than or equal to -1"),
        (lambda d: d["vms"]["host"].__setitem__(3, 2**31), "$.vms.host[3]", "less than or equal"),
        (lambda d: d["vms"]["vcpus"].__setitem__(2, -1), "$.vms.vcpus[2]", "greater than or equal to 0"),
        (lambda d: d["vms"]["vcpus"].__setitem__(2, "4"), "$.vms.vcpus[2]", "valid number"),
        (lambda d: d["vms"]["vcpus"].__setitem__(2, None), "$.vms.vcpus[2]", "valid number"),
        (lambda d: d["vms"]["vcpus"].__setitem__(2, float("nan")), "$.vms.vcpus[2]", "finite"),
        (lambda d: d["vms"]["busy"].__setitem__(2, 1), "$.vms.busy[2]", "valid boolean"),
        (lambda d: d["vms"]["ids"].__setitem__(1, d["vms"]["ids"][0]), "$.vms.ids", "twice"),
        (lambda d: d["vms"]["ids"].reverse(), "$.vms.ids", "not sorted"),
        (lambda d: d["power"]["names"].__setitem__(1, "A"), "$.power.names", "'feed A' stands there twice"),
        (lambda d: d["power"]["partner"].__setitem__(1, 2), "$.power.partner[1]", "is not a feed"),
        (lambda d: d["power"]["partner"].__setitem__(3, 0), "$.power.partner[3]", "only a feed"),
        (lambda d: d["power"]["partner"].__setitem__(1, 6), "$.power.partner[1]", "is row 6 of a table of 6"),
        (lambda d: d["hosts"]["power"][2].pop(), "$.hosts.power", "same number of entries"),
        (lambda d: d["hosts"]["rack"].__setitem__(0, 1), "$.hosts.rack[0]", "is row 1 of a table of 1"),
        (lambda d: d["racks"]["zone"].__setitem__(0, -1), "$.racks.zone[0]", "is row -1"),
        (lambda d: d["groups"][0]["members"].reverse(), "$.groups[0].members", "must be sorted"),
        (lambda d: d["groups"][0]["members"].append(99), "$.groups[0].members[4]", "is row 99"),
        (lambda d: d["groups"][0].update(max_per_domain=0), "$.groups[0].max_per_domain", "greater than"),
        (lambda d: d["groups"][0].update(kind="love"), "$.groups[0].kind", "affinity"),
        (lambda d: d["refusals"].append({"vm": 9, "host": 0, "until": 1, "rule": "r"}), "$.refusals[0]", "VM 9 of 8"),
        (
            reads("hosts", "cpu_ratio", 2, 99.0),
            "$.hosts.cpu_ratio.values[2]",
            "99 of h000000000002, believable are 0 to 1.02",
        ),
        (reads("hosts", "power_watts", 3, -5000.0), "$.hosts.power_watts.values[3]", "says -5000 of h000000000003"),
        (reads("hosts", "inlet_celsius", 0, 250.0), "$.hosts.inlet_celsius.values[0]", "says 250"),
        (reads("hosts", "memory_health", 0, 7.0), "$.hosts.memory_health.values[0]", "says 7"),
        (reads("hosts", "storage_bytes_s", 1, -1.0), "$.hosts.storage_bytes_s.values[1]", "says -1"),
        (
            lambda d: d["hosts"]["storage_mib_s"].__setitem__(2, -1),
            "$.hosts.storage_mib_s[2]",
            "greater than or equal to 0",
        ),
        (reads("vms", "steal_ratio", 1, -0.5), "$.vms.steal_ratio.values[1]", "says -0.5"),
        (reads("power", "power_watts", 2, 1e9), "$.power.power_watts.values[2]", "says 1e+09 of p1"),
        (
            lambda d: d["hosts"].update(known=[True] * 6, threads=[8, 0, 8, 8, 8, 8]),
            "$.hosts.threads[1]",
            "h000000000001",
        ),
        (
            lambda d: d["hosts"].update(known=[True] * 6, physical_memory_mib=[0] * 6),
            "$.hosts.physical_memory_mib[0]",
            "says 0 of h000000000000, which the inventory knows",
        ),
        (
            lambda d: d["hosts"].update(known=[True] * 6, threads=[1e-308] * 6),
            "$.hosts.threads[0]",
            "says 1e-308 of h000000000000, which the inventory knows",
        ),
        (lambda d: d.update(taken_at="2026-11-21T04:00:00"), "$.taken_at", "timezone"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_the_place(
    written: Path, change: Callable[[dict[str, Any]], object], where: str, what: str
) -> None:
    path = mend(written, change)
    with pytest.raises(InputError) as caught:
        snapshot_file.read(path)
    assert caught.value.where == f"{path}: {where}"
    assert what in str(caught.value)


def fresh_without_value(document: dict[str, Any]) -> None:
    document["hosts"]["cpu_ratio"]["trust"][2] = 0
    document["hosts"]["cpu_ratio"]["values"][2] = None


def absent_with_value(document: dict[str, Any]) -> None:
    document["hosts"]["cpu_ratio"]["trust"][2] = 3
    document["hosts"]["cpu_ratio"]["values"][2] = 0.0


@pytest.mark.parametrize("change", [fresh_without_value, absent_with_value])
def test_a_missing_value_can_never_pass_for_a_number(written: Path, change: Callable[[dict[str, Any]], None]) -> None:
    with pytest.raises(InputError, match=r"\$\.hosts\.cpu_ratio\[2\]"):
        snapshot_file.read(mend(written, change))


def test_a_value_that_is_not_fresh_may_be_absurd(written: Path) -> None:
    def stale(document: dict[str, Any]) -> None:
        reads("hosts", "cpu_ratio", 2, 99.0)(document)
        document["hosts"]["cpu_ratio"]["trust"][2] = 2

    assert snapshot_file.read(mend(written, stale)).hosts.cpu_ratio.values[2] == 99.0


def test_a_vm_of_an_unknown_project_must_hold_the_highest_classification(written: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["vms"]["system"][4] = -1
        document["vms"]["classification"][4] = 0

    with pytest.raises(InputError, match="highest"):
        snapshot_file.read(mend(written, change))


@pytest.mark.parametrize("keep", [0, 1, 1000])
def test_a_truncated_file_is_refused(written: Path, keep: int) -> None:
    written.write_bytes(written.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"is empty|Invalid JSON"):
        snapshot_file.read(written)


def test_a_file_that_is_not_there_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.json: cannot be read: No such file"):
        snapshot_file.read(tmp_path / "nowhere.json")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_a_cluster_that_could_not_be_read_back_is_not_written(written: Path, bad: float) -> None:
    before = written.read_bytes()
    cluster = random_cluster.cluster(7, hosts=6, vms=8)
    cluster.vms.vcpus[1] = bad
    with pytest.raises(InvariantError):
        snapshot_file.write(cluster, written)
    assert written.read_bytes() == before
    assert list(written.parent.iterdir()) == [written]


def test_an_infinite_reading_is_not_written_as_a_missing_one(tmp_path: Path) -> None:
    cluster = random_cluster.cluster(7, hosts=6, vms=8)
    cluster.hosts.cpu_ratio.values[1] = np.inf
    with pytest.raises(InvariantError):
        snapshot_file.write(cluster, tmp_path / "cluster.json")


def test_a_folder_that_is_not_there_is_an_error_in_one_line(tmp_path: Path) -> None:
    cluster = replace(random_cluster.cluster(7, hosts=1, vms=1), freeze=None)
    with pytest.raises(InputError, match="cannot be written"):
        snapshot_file.write(cluster, tmp_path / "nowhere" / "cluster.json")


def test_a_group_of_an_older_file_wants_one_domain(tmp_path: Path) -> None:
    path = tmp_path / "cluster.json"
    snapshot_file.write(random_cluster.cluster(7, hosts=6, vms=8), path)
    content = json.loads(path.read_text())
    assert [group.pop("min_domains") for group in content["groups"]] == [2]
    path.write_text(json.dumps(content))
    assert [group.min_domains for group in snapshot_file.read(path).groups] == [1]
