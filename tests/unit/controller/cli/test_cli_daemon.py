"""What the daemon's verbs show a person, and how long they follow a drain."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from controller.cli import daemon, tables
from controller.cli.main import app
from tests import estates

STUCK = {"state": "stuck"}
DONE_MOVE = {"outcome": {}}
INTENT = {
    "id": "p1-1", "created_at": "2026-11-21T05:00:00Z", "server_name": "[/red] web", "source": "c1", "target": "c2",
    "rule": "cpu",
}  # fmt: skip


def shown(*things: object) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(*things)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_drain_that_is_stuck_at_once_is_followed_for_two_steps_more() -> None:
    quiet = daemon.quiet_since(None, STUCK, [], 500)
    assert quiet == (0, 500)
    assert daemon.quiet_since(quiet, STUCK, [], 502) == (0, 500)


def test_a_drain_that_moved_or_moves_is_not_quiet() -> None:
    assert daemon.quiet_since((0, 500), STUCK, [DONE_MOVE], 501) == (1, 501)
    assert daemon.quiet_since((1, 501), STUCK, [{"outcome": None}], 503) == (1, 503)
    assert daemon.quiet_since((1, 501), {"state": "emptying"}, [DONE_MOVE], 503) == (1, 503)


def test_a_name_that_looks_like_markup_is_shown_as_it_is() -> None:
    entry = {"intent": INTENT, "state": "failed", "outcome": {"why": "[/] [bold]no", "seconds": 1.0}}
    page = shown(tables.moves([entry]))
    assert "[/red] web" in page and "[/] [bold]no" in page


def test_a_limit_of_a_name_with_brackets_is_shown_as_it_is() -> None:
    row = {"key": "feed:[/A]", "unit": "W", "before": 5.0, "after": 4.0, "limit": 4.5, "unread": 0.0}
    assert "feed:[/A]" in shown(tables.limits([row]))


def test_what_hosts_that_are_not_read_may_add_is_shown_where_there_is_any() -> None:
    row = {"key": "feed:A", "unit": "W", "before": 5.0, "after": 4.0, "limit": 9.0, "unread": 0.0}
    assert "not read" not in shown(tables.limits([row]))
    assert "1,130.0" in shown(tables.limits([row, {**row, "key": "feed:B", "unread": 1130.0}]))


@pytest.mark.parametrize("verb", ["run", "drain"])
def test_a_broken_estate_is_told_whole_with_status_1_and_nothing_is_started(verb: str, tmp_path: Path) -> None:
    bad = estates.TEXT.replace("memory_mib: 524288", "memory_mib: 512GiB").replace("rack: r2\n", "rack: r9\n")
    (tmp_path / "estate").mkdir()
    (tmp_path / "estate" / "estate.yaml").write_text(bad, encoding="utf-8")
    config = tmp_path / "controller.yaml"
    config.write_text("version: 1\nestate: estate\nstate_dir: state\nsocket: {path: state/s.sock}\n", encoding="utf-8")
    more = ["c1", "--direct", "--yes"] if verb == "drain" else []
    ended = CliRunner().invoke(app, [verb, *more, "--config", str(config)])
    assert ended.exit_code == 1
    for line, what in ((estates.line_of("- {name: t,"), "memory_mib"), (estates.line_of("- name: h2") + 2, "r9")):
        assert any(f"estate.yaml:{line}" in said and what in said for said in ended.stderr.splitlines()), ended.stderr
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("verb", ["run", "drain"])
def test_a_configuration_that_is_not_there_is_one_line_and_status_1(verb: str, tmp_path: object) -> None:
    more = ["c1", "--direct", "--yes"] if verb == "drain" else []
    ended = CliRunner().invoke(app, [verb, *more, "--config", f"{tmp_path}/none.yaml"])
    assert (ended.exit_code, len(ended.stderr.splitlines())) == (1, 1)
    assert "none.yaml: the configuration cannot be read" in ended.stderr
