"""`gdcc inventory` as a person or a script uses it: output, exit status, one line for each error."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from controller.cli.inventory import DEMO, app, cloud_rows, write_draft
from controller.model.cloud import Aggregate, Amount, CatalogFacts, CloudFacts, Project, Provider
from controller.model.ids import HostName, ProjectId
from inventory import draft, dump, load
from tests.fakes.small_estate import small_estate

RUN = CliRunner()


def broken(directory: Path) -> Path:
    (directory / "estate.yaml").write_text(
        "version: 1\nestate: {name: x}\nsites:\n- {name: s, colour: red}\nrooms:\n- {name: r, site: t}\n",
        encoding="utf-8",
    )
    return directory


def test_check_of_the_demo_says_that_nothing_is_wrong() -> None:
    result = RUN.invoke(app, ["check"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "demo: 48 hosts in 8 racks on 4 feeds, 600 VMs of 48 systems and 12 agencies; nothing is wrong\n"
    )


@pytest.mark.parametrize(("said", "warned"), [(None, True), (True, False), (False, False)])
def test_check_warns_where_no_host_type_says_whether_disks_are_shared(
    tmp_path: Path, said: bool | None, warned: bool
) -> None:
    estate = small_estate()
    types = {name: replace(each, shared_storage=said) for name, each in estate.host_types.items()}
    dump.write_rows(dump.rows(replace(estate, host_types=types)), tmp_path, schema="estate.schema.json")
    result = RUN.invoke(app, ["check", str(tmp_path)])
    assert result.exit_code == 0
    assert ("no host type says shared_storage" in result.stderr) is warned
    assert bool(json.loads(RUN.invoke(app, ["check", str(tmp_path), "--json"]).stdout)["warnings"]) is warned


def test_check_tells_each_error_on_a_line_of_its_own_and_ends_with_one(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["check", str(broken(tmp_path))])
    assert (result.exit_code, result.stdout) == (1, "")
    assert [line.removeprefix(f"{tmp_path}/") for line in result.stderr.splitlines()] == [
        "estate.yaml:4: sites s: unknown key 'colour' (known keys: name, title)",
        "estate.yaml:6: rooms r: site names 't', which is not in sites (declare it there, or correct the name)",
    ]


def test_check_for_machines_lists_the_problems(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["check", str(broken(tmp_path)), "--json"])
    assert result.exit_code == 1
    assert [each["where"].rpartition(":")[2] for each in json.loads(result.stdout)["problems"]] == ["4", "6"]
    assert json.loads(RUN.invoke(app, ["check", "--json"]).stdout)["problems"] == []


def test_show_sums_the_estate_up_by_room_level_and_feed() -> None:
    totals = json.loads(RUN.invoke(app, ["show", "--json"]).stdout)
    assert (totals["vms"], totals["counts"]["hosts"]) == (600, 48)
    assert [room["hosts"] for room in totals["rooms"]] == [24, 24]
    assert sum(level["vms"] for level in totals["levels"]) == 600
    assert all(feed["idle_watts"] < feed["limit_watts"] < feed["peak_watts"] for feed in totals["feeds"])
    people = RUN.invoke(app, ["show"]).stdout
    assert "feeds, each carrying its hosts alone" in people
    assert "feed-2b" in people


@pytest.mark.parametrize("table", sorted(load.TABLES))
def test_show_lists_every_table(table: str) -> None:
    result = RUN.invoke(app, ["show", "--table", table])
    assert result.exit_code == 0
    rows = json.loads(RUN.invoke(app, ["show", "--table", table, "--json"]).stdout)
    assert len(rows) == len(getattr(load.load(DEMO), table))


def test_show_of_one_row_gives_all_its_fields() -> None:
    row = json.loads(RUN.invoke(app, ["show", str(DEMO), "cmp0001", "--table", "hosts", "--json"]).stdout)
    assert (row["rack"], row["lifecycle"], row["cords"][0]) == (
        "rack-001",
        "in-service",
        {"pdu": "rack-001-a", "phase": 1},
    )
    assert "rack-001-a/1" in RUN.invoke(app, ["show", str(DEMO), "cmp0001", "--table", "hosts"]).stdout


def test_show_of_an_unknown_row_is_refused_and_of_an_unknown_table_is_wrong_use() -> None:
    refused = RUN.invoke(app, ["show", str(DEMO), "cmp9", "--table", "hosts"])
    assert (refused.exit_code, refused.stderr.strip()) == (
        1,
        "hosts has no 'cmp9' (see gdcc inventory show --table hosts)",
    )
    assert RUN.invoke(app, ["show", "--table", "castles"]).exit_code == 2
    assert RUN.invoke(app, ["show", str(DEMO), "cmp0001"]).exit_code == 2


def test_show_of_a_broken_estate_tells_its_errors(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["show", str(broken(tmp_path))])
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 2


def test_generate_writes_an_estate_that_check_accepts_with_its_schema(tmp_path: Path) -> None:
    out = tmp_path / "new"
    result = RUN.invoke(app, ["generate", "--vms", "150", "--seed", "4", "--out", str(out)])
    assert result.exit_code == 0
    assert "150 VMs" in result.stdout
    assert (out / "estate.schema.json").exists()
    assert yaml.safe_load((out / "gdcc.yml").read_text()) == yaml.safe_load((DEMO / "gdcc.yml").read_text())
    assert RUN.invoke(app, ["check", str(out)]).exit_code == 0


def test_generate_refuses_a_directory_that_is_not_empty_and_leaves_it_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    result = RUN.invoke(app, ["generate", "--vms", "10", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "is not an empty directory" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_generate_of_no_vms_is_wrong_use(tmp_path: Path) -> None:
    assert RUN.invoke(app, ["generate", "--vms", "0", "--out", str(tmp_path / "x")]).exit_code == 2


def test_generate_into_a_place_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = RUN.invoke(app, ["generate", "--vms", "10", "--out", str(tmp_path / "file" / "x")])
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1


def test_names_are_no_markup(tmp_path: Path) -> None:
    dump.write(replace(small_estate(), name="[/red]"), tmp_path / "[/b]", schema="schema.json")
    result = RUN.invoke(app, ["check", str(tmp_path / "[/b]")])
    assert (result.exit_code, result.stdout.partition(":")[0]) == (0, "[/red]")
    result = RUN.invoke(app, ["generate", "--vms", "1", "--out", str(tmp_path / "[/i]")])
    assert (result.exit_code, result.stdout.partition(": ")[0]) == (0, str(tmp_path / "[/i]"))


@pytest.mark.parametrize("command", [["check"], ["generate", "--vms", "1", "--out"]])
def test_a_path_that_no_disk_can_hold_is_told_in_one_line(command: list[str]) -> None:
    result = RUN.invoke(app, [*command, 300 * "a"])
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "File name too long" in result.stderr


def test_what_a_draft_leaves_out_of_a_cloud_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = CloudFacts(
        at=datetime(2026, 1, 1, tzinfo=UTC), servers=(), services=(), providers=(), aggregates=(), groups=(),
        migrations=(), projects=(), flaws=("hypervisor c9: Placement has no provider 7",) * 60,
    )  # fmt: skip
    write_draft("lab", facts, CatalogFacts(flavors=(), volume_types=(), networks=()), tmp_path / "out")
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "lab: left out, for it could not be understood: hypervisor c9: Placement has no provider 7"
    assert told[-1] == "lab: and 10 more"


def test_a_clouds_facts_become_rows_of_a_draft() -> None:
    inventory = {"VCPU": Amount(total=8, reserved=1, ratio=2.0), "MEMORY_MB": Amount(total=4096, reserved=0, ratio=1.0)}
    facts = CloudFacts(
        at=datetime(2026, 1, 1, tzinfo=UTC),
        servers=(),
        services=(),
        providers=(Provider(id="p", host=HostName("cmp1"), inventory=inventory, traits=frozenset()),),
        aggregates=(Aggregate(name="a", hosts=(HostName("cmp1"),), availability_zone=None, metadata={}),),
        groups=(),
        migrations=(),
        projects=(
            Project(id=ProjectId("1"), name="tax", enabled=True),
            Project(id=ProjectId("2"), name="old", enabled=False),
        ),
    )
    tables = draft.tables(cloud_rows("lab", facts, CatalogFacts(flavors=(), volume_types=(), networks=())))
    assert tables["host_types"][0]["vcpus"] == 8
    assert tables["host_types"][0]["disk_gib"] is draft.GAP
    assert [row["project"] for row in tables["systems"]] == ["tax"]
    assert tables["aggregates"] == [{"name": "a", "hosts": ["cmp1"]}]
