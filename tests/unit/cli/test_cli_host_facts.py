"""What `gdcc host facts` says differs, and what of it Prometheus is told."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from controller.adapters import drift_textfile
from controller.cli.host import finding

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fact", "differs"),
    [
        ({"declared": "6.1", "found": "6.1"}, False),
        ({"declared": "6.1", "found": "6.0"}, True),
        ({"declared": ["a", "b"], "found": ["b", "a"]}, False),
        ({"declared": ["hugepages=4", "hugepages=4"], "found": ["hugepages=4"]}, False),
        ({"declared": ["a", "b"], "found": ["a"]}, True),
        ({"declared": ["Westmere"], "found": []}, True),
        ({"declared": [], "found": []}, False),
        ({"found": "x"}, False),
        ({"declared": "/dev/vg/lv", "found": "/dev/mapper/vg-lv", "differs": False}, False),
        ({"declared": {"days_left_at_least": 30}, "found": {"days_left": 99}, "differs": False}, False),
        ({"declared": {"days_left_at_least": 30}, "found": "none", "differs": True}, True),
    ],
)
def test_a_fact_differs_by_what_the_playbook_says_and_else_by_words(fact: dict[str, Any], differs: bool) -> None:
    assert finding.differs(fact) is differs
    (row,) = finding.rows({"fact": fact})
    assert row.differs is differs


def test_json_says_of_each_fact_with_a_declared_value_whether_it_differs_however_deep() -> None:
    mount = {"device": {"declared": "/dev/sda", "found": "/dev/sdb"}, "size_bytes": 1}
    facts: dict[str, object] = {
        "mounts": {"/": mount},
        "cpu": {"flags": ["aes"]},
        "line": {"declared": [], "found": []},
    }
    assert finding.judged(facts) == {
        "mounts": {"/": {"device": {"declared": "/dev/sda", "found": "/dev/sdb", "differs": True}, "size_bytes": 1}},
        "cpu": {"flags": ["aes"]},
        "line": {"declared": [], "found": []},
    }


def test_facts_and_drift_have_metrics_of_their_own_so_that_one_folder_holds_both_textfiles(tmp_path: Path) -> None:
    look = drift_textfile.Look(drifted={"c1": 2}, unread=["c2"], at=NOW, seconds=1.0)
    names = []
    for subject in (drift_textfile.HOSTS, drift_textfile.FACTS):
        drift_textfile.write(tmp_path / "x.prom", subject, look)
        names.append({one.name: one for one in text_string_to_metric_families((tmp_path / "x.prom").read_text())})
    assert names[0].keys().isdisjoint(names[1])
    assert names[1]["gdcc_host_differing_facts"].samples[0].value == 2
    success = names[1]["gdcc_host_facts_look_success"].samples
    assert {each.labels["host"]: each.value for each in success} == {"c1": 1, "c2": 0}
    assert names[1]["gdcc_host_facts_look_timestamp_seconds"].samples[0].value == NOW.timestamp()
