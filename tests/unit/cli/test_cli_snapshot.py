import json
from pathlib import Path

import typer
from typer.testing import CliRunner

from controller.adapters import snapshot_file
from controller.cli import snapshot

DEMO = Path(__file__).parents[3] / "inventory" / "estates" / "demo"
AT = "2026-11-21T04:00:00"

app = typer.Typer()
app.command()(snapshot.snapshot)
run = CliRunner()


def test_a_made_up_snapshot_is_the_same_for_the_same_seed_and_time(tmp_path: Path) -> None:
    for name in ("one.json", "two.json"):
        asked = ["--estate", str(DEMO), "--seed", "7", "--at", AT, "--out", str(tmp_path / name)]
        done = run.invoke(app, asked)
        assert done.exit_code == 0 and "48 hosts, 600 VMs" in done.output
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert len(snapshot_file.read(tmp_path / "one.json").vms.ids) == 600


def test_an_estate_that_is_not_there_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    done = run.invoke(app, ["--estate", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out.json")])
    assert done.exit_code == 1 and "nowhere" in done.output
    assert not (tmp_path / "out.json").exists()


def test_a_file_to_write_must_be_named() -> None:
    assert run.invoke(app, ["--estate", str(DEMO)]).exit_code == 2


def test_a_time_before_times_begin_is_refused(tmp_path: Path) -> None:
    asked = ["--estate", str(DEMO), "--at", "0001-01-01", "--out", str(tmp_path / "out.json")]
    assert run.invoke(app, asked).exit_code == 2


def test_the_schema_is_printed() -> None:
    assert json.loads(run.invoke(app, ["--schema"]).output) == snapshot_file.json_schema()
