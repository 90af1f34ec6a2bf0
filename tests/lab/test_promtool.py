"""promtool's own word on the rules, the metrics' names and the built-in queries."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from prometheus_client.exposition import generate_latest

from controller.adapters.exposition.registry import registry
from controller.adapters.prometheus.query import defaults
from controller.engine import census
from controller.engine.status import PlanSummary, Published, Status
from controller.engine.tally import Turns
from controller.model.policy import Mode
from controller.model.sample import Kind, Quantity
from tests.fakes import random_cluster

pytestmark = pytest.mark.lab

RULES = Path(__file__).parents[2] / "deploy/prometheus"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def promtool(*arguments: str, text: str = "") -> str:
    """What it said; fails where it was not content."""
    done = subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_rules_raise_what_they_should_and_nothing_else() -> None:
    assert "SUCCESS" in promtool("test", "rules", str(RULES / "gdcc.rules.test.yaml"))


def test_the_metrics_names_and_units_follow_prometheus_conventions() -> None:
    cluster = random_cluster.cluster(7, hosts=6, vms=20)
    status = Status(
        version="1", estate="e", mode=Mode.AUTO, started_at=NOW, interval=timedelta(seconds=30), turned_at=NOW
    )
    status = replace(
        status, turned_at=NOW, readings=census.readings(cluster), racks=census.racks(cluster),
        turns=Turns().add({"observe": 1.0}),
        plan=PlanSummary(id="p", created_at=NOW, sentence="", waves=1, moves={"hot": 1}, score_before={"hot": 1.0}),
    )  # fmt: skip
    ours = [line for line in _page(status, cluster).splitlines() if "python_info" not in line]
    assert promtool("check", "metrics", text="\n".join(ours) + "\n") == ""


def test_the_built_in_queries_are_promql(tmp_path: Path) -> None:
    rules = [{"record": f"q{n}", "expr": text} for n, text in enumerate(_texts())]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    assert "SUCCESS" in promtool("check", "rules", str(file))


REBOOTED = """
rule_files: []
tests:
  - interval: 15s
    input_series:
      - {series: 'node_cpu_seconds_total{instance="h", job="n", cpu="0", mode="idle"}', values: '900+11.25x8 5+11.25x9'}
      - {series: 'node_cpu_seconds_total{instance="h", job="n", cpu="0", mode="iowait"}', values: '0x21'}
      - {series: 'node_network_receive_bytes_total{instance="h", job="n", device="e0"}', values: '9e6+1500x8 0+1500x9'}
      - {series: 'node_network_receive_bytes_total{instance="h", job="n", device="e1"}', values: '0x21'}
      - {series: 'node_network_transmit_bytes_total{instance="h", job="n", device="e0"}', values: '0x21'}
    promql_expr_test:
"""
"""A host that works a quarter of the time and waits for no disk, before and after a reboot at 2m15s."""


def test_a_host_that_rebooted_is_not_read_as_busy_nor_as_silent(tmp_path: Path) -> None:
    wanted = {Quantity.CPU_RATIO: 0.25, Quantity.NETWORK_BYTES_S: 100}
    cases = [
        {"expr": query.promql, "eval_time": at, "exp_samples": [{"labels": '{instance="h"}', "value": value}] * known}
        for query in defaults()
        if query.kind is Kind.HOST and (value := wanted.get(query.quantity)) is not None
        for at, known in (("2m", 1), ("2m15s", 0), ("3m", 0), ("3m30s", 1))
    ]
    document = yaml.safe_load(REBOOTED)
    document["tests"][0]["promql_expr_test"] = cases
    file = tmp_path / "reboot.yaml"
    file.write_text(yaml.safe_dump(document))
    assert "SUCCESS" in promtool("test", "rules", str(file))


def _texts() -> list[str]:
    return [text for query in defaults() for text in (query.promql, query.age)]


def _page(status: Status, cluster: object) -> str:
    published = Published(status=status, cluster=cluster)  # type: ignore[arg-type]
    return generate_latest(registry(lambda: published)).decode()
