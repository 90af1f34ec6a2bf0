"""Alerts, runbooks and metrics belong together; promtool's own tests of the rules run with the lab."""

import re
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from controller.adapters import drift_textfile
from controller.adapters.exposition.campaigns import CampaignMetrics
from controller.adapters.exposition.registry import registry
from controller.cli.main import app
from controller.engine import census
from controller.engine.status import PlanSummary, Published, Status
from controller.model.campaign import State
from controller.model.ids import HostName
from controller.model.operation import Drain, DrainState, Pause
from controller.model.plan import LimitState
from controller.model.policy import Mode
from tests.fakes import random_cluster
from tests.fakes.campaign_progress import progress

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy/prometheus/gdcc.rules.yaml"
RUNBOOKS = ROOT / "docs/runbooks"
EXPIRY = ROOT / "playbooks/roles/pki/files/gdcc-pki-expiry"
COMMANDS = {
    "inventory", "snapshot", "plan", "explain", "run", "status", "moves", "approve", "pause", "resume", "drain",
    "enable", "twin", "campaign", "host", "estate", "whatif",
}  # fmt: skip
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def alerts() -> list[dict[str, Any]]:
    document = yaml.safe_load(RULES.read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def looked_for() -> set[str]:
    """Every metric that a timer's look for drift in the estate leaves for node_exporter."""
    look = drift_textfile.Look(drifted={"a": 1}, unread=["b"], at=NOW, seconds=1.0, credentials_end={"a": NOW})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "estate.prom"
        drift_textfile.write(file, drift_textfile.ESTATE, look)
        return set(re.findall(r"# TYPE (\w+) gauge", file.read_text()))


def shown() -> set[str]:
    """Every metric of a turn in which everything there is stands."""
    cluster = random_cluster.cluster(7, hosts=6, vms=20)
    limit = LimitState(key="feed:A1", subject="A1", unit="W", limit=1.0, before=2.0, after=1.0)
    drain = Drain(id="d", host=HostName("h"), who="", why="", keep_shutoff=False, since=NOW, state=DrainState.STUCK)
    status = Status(
        version="", estate="", mode=Mode.AUTO, started_at=NOW, interval=timedelta(seconds=30), turned_at=NOW
    )
    status = replace(
        status, turned_at=NOW, hosts=census.hosts(cluster), readings=census.readings(cluster), drains=(drain,),
        pauses=(Pause(scope=None, who="", why="", since=NOW),),
        plan=PlanSummary(id="", created_at=NOW, sentence="", waves=0, limits=(limit,)),
    )  # fmt: skip
    campaign = CampaignMetrics(lambda: progress(State.PAUSED))
    metrics = registry(lambda: Published(status=status, cluster=cluster), campaign)
    families = {family.name: family for family in metrics.collect()}
    on_hosts = re.findall(r"# TYPE (\w+) gauge", EXPIRY.read_text())
    samples = {sample.name for family in families.values() for sample in family.samples}
    return samples | set(families) | set(on_hosts) | looked_for()


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: str(alert["alert"]))
def test_an_alert_has_its_runbook_a_summary_and_a_severity(alert: dict[str, Any]) -> None:
    assert (ROOT / alert["annotations"]["runbook"]).is_file()
    assert alert["annotations"]["summary"]
    assert alert["labels"]["severity"] in {"critical", "warning", "info", "none"}


def test_an_alert_asks_only_for_metrics_that_are_shown() -> None:
    asked = {name for alert in alerts() for name in re.findall(r"\bgdcc_\w+", alert["expr"])}
    assert asked - shown() == set()


@pytest.mark.parametrize("runbook", sorted(RUNBOOKS.glob("gdcc-*.md")), ids=lambda path: path.stem)
def test_a_runbook_belongs_to_an_alert_and_names_only_verbs_and_metrics_that_exist(runbook: Path) -> None:
    text = runbook.read_text()
    assert f"docs/runbooks/{runbook.name}" in {alert["annotations"]["runbook"] for alert in alerts()}
    assert set(re.findall(r"`gdcc (\w+)", text)) <= COMMANDS
    assert "`gdcc status`" in text or "`gdcc moves`" in text
    assert set(re.findall(r"\bgdcc_\w+", text)) <= shown() | {"gdcc_faults_total", "gdcc_loop_phase_duration_seconds"}


def test_the_service_is_what_the_daemon_is_told_to_be() -> None:
    unit = (ROOT / "deploy/gdcc-controller.service").read_text().splitlines()
    assert "Type=notify-reload" in unit
    assert "ExecStart=/usr/bin/gdcc run --config /etc/gdcc/controller.yaml" in unit
    assert any(line.startswith("WatchdogSec=") for line in unit)
    filters = [line for line in unit if line.startswith("SystemCallFilter=")]
    assert filters[-1] == "SystemCallFilter=@chown", "@privileged holds it, and the socket is given to its group"


def test_the_timer_of_drift_writes_what_the_alerts_ask_for_and_takes_drift_for_no_failure() -> None:
    unit = (ROOT / "deploy/gdcc-estate-drift.service").read_text().splitlines()
    (start,) = (line.removeprefix("ExecStart=").split() for line in unit if line.startswith("ExecStart="))
    assert start[:3] == ["/usr/bin/gdcc", "estate", "drift"]
    asked = CliRunner().invoke(app, [*start[1:], "--help"])
    assert asked.exit_code == 0, asked.output
    assert "SuccessExitStatus=1" in unit and "Type=oneshot" in unit
    to = Path(start[start.index("--textfile") + 1])
    (writable,) = (line.removeprefix("ReadWritePaths=").split() for line in unit if line.startswith("ReadWritePaths="))
    assert str(to.parent) in writable and to.suffix == ".prom"
    timer = (ROOT / "deploy/gdcc-estate-drift.timer").read_text().splitlines()
    assert "OnCalendar=hourly" in timer and not any(line.startswith("Unit=") for line in timer), (
        "it starts its namesake"
    )


def test_the_first_time_is_told_for_the_user_that_the_timer_of_drift_runs_as() -> None:
    unit = (ROOT / "deploy/gdcc-estate-drift.service").read_text()
    (user,), (group,) = (re.findall(rf"^{key}=(\w+)$", unit, re.MULTILINE) for key in ("User", "Group"))
    (made,) = re.findall(r"^sudo install -d .*$", (ROOT / "infra/README.md").read_text(), re.MULTILINE)
    assert f"-o {user} -g {group} " in made and "/var/lib/gdcc/pulumi" in made
