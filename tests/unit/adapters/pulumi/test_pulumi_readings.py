"""What is read of Pulumi's own words: events, locks, drift and states, recorded from the CLI against the lab."""

import json
import os
import re
import socket
import stat
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from controller.adapters import drift_textfile
from controller.adapters.pulumi import drift, locks, sidecars, state, tool, units
from controller.adapters.pulumi.tally import Tally
from controller.errors import InputError

RECORDED = Path(__file__).with_name("recorded")


def events(name):
    return (RECORDED / f"{name}.jsonl").read_text().splitlines()


def tally_of(lines):
    tally = Tally()
    for line in lines:
        tally.take(line.encode())
    return tally


def test_an_update_is_counted_by_operation_and_leaves_nothing_under_way():
    tally = tally_of(events("up"))
    assert tally.changes == {"create": 13, "delete": 2}
    assert tally.under_way == {}
    assert tally.outputs_changed


def test_an_update_cut_off_names_what_is_under_way_and_counts_what_ended():
    lines = events("up")
    first_network = next(i for i, line in enumerate(lines) if "resOutputs" in line and "network:Network::" in line)
    tally = tally_of(lines[:first_network])
    assert "e4sys-net" in {urn.rpartition("::")[2] for urn in tally.under_way}
    assert tally.changes["create"] < 13


def test_an_operation_of_a_newer_cli_is_passed_over():
    line = '{"resOutputsEvent":{"metadata":{"op":"teleport","urn":"u","type":"t"}}}'
    assert tally_of([line]).seen == 0


def test_a_refresh_that_only_fills_in_empty_lists_is_no_drift():
    assert drift.differences(events("refresh_no_drift")) == ()


def test_drift_is_told_by_resource_as_declared_and_found():
    quota, project, rule = drift.differences(events("refresh_drift"))
    assert str(quota) == "QuotaSetV2 e4sys-compute: cores: declared 10, found 20"
    assert str(project) == "Project e4sys: tags: declared agency:x, system:e4sys, found agency:x"
    assert str(rule) == "SecGroupRule e4sys-web-https: declared, and gone"


def test_drift_says_since_which_run():
    modified = {each.urn: each.modified for each in recorded_state().resources}
    run = {"startTime": "2026-11-21T07:18:24.000Z", "endTime": "2026-11-21T07:18:44.000Z"}
    older = {"startTime": "2026-11-20T07:00:00.000Z", "endTime": "2026-11-20T07:01:00.000Z"}
    quota = drift.dated(drift.differences(events("refresh_drift")), modified, [run, older])[0]
    assert str(quota.since) == "run 2 of 2026-11-21 07:18 UTC"


def test_drift_of_a_run_that_history_forgot_is_dated_by_the_resource():
    modified = {each.urn: each.modified for each in recorded_state().resources}
    quota = drift.dated(drift.differences(events("refresh_drift")), modified, [])[0]
    assert str(quota.since) == "run of 2026-11-21 07:18 UTC"


def recorded_state():
    return state.parsed(json.loads((RECORDED / "state.json").read_text()))


def test_a_state_tells_what_is_protected_and_what_is_pending():
    assert [each.urn.rpartition("::")[2] for each in recorded_state().protected] == ["e4sys"]
    assert recorded_state().pending == ()


def test_an_empty_stack_has_an_empty_state():
    assert state.parsed({"deployment": {}}) == state.State(resources=(), pending=())


def test_the_textfile_is_one_that_prometheus_reads(tmp_path):
    at = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
    drifted = {"foundation": 0, "agency-a": 3}
    end = datetime(2027, 1, 1, tzinfo=UTC)
    look = drift_textfile.Look(
        drifted=drifted, unread=["agency-b"], at=at, seconds=12.5, credentials_end={"agency-a": end}
    )
    drift_textfile.write(tmp_path / "estate.prom", drift_textfile.ESTATE, look)
    families = {
        family.name: family for family in text_string_to_metric_families((tmp_path / "estate.prom").read_text())
    }
    assert all(family.documentation and family.type == "gauge" for family in families.values())
    drifted = {one.labels["stack"]: one.value for one in families["gdcc_estate_drifted_resources"].samples}
    assert drifted == {"foundation": 0, "agency-a": 3}
    looked = {one.labels["stack"]: one.value for one in families["gdcc_estate_drift_look_success"].samples}
    assert looked == {"foundation": 1, "agency-a": 1, "agency-b": 0}
    ends = {one.labels["stack"]: one.value for one in families["gdcc_estate_credentials_end_timestamp_seconds"].samples}
    assert ends == {"agency-a": end.timestamp()}
    assert list(tmp_path.iterdir()) == [tmp_path / "estate.prom"]


def test_a_textfile_is_for_everybody_to_read_whatever_the_umask(tmp_path):
    look = drift_textfile.Look(drifted={}, unread=(), at=datetime.now(UTC), seconds=0.0)
    was = os.umask(0o027)
    try:
        drift_textfile.write(tmp_path / "estate.prom", drift_textfile.ESTATE, look)
    finally:
        os.umask(was)
    assert stat.S_IMODE((tmp_path / "estate.prom").stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [tmp_path / "estate.prom"]


def test_a_textfile_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        to = tmp_path / "none" / "estate.prom"
        look = drift_textfile.Look(drifted={}, unread=(), at=datetime.now(UTC), seconds=0.0)
        drift_textfile.write(to, drift_textfile.ESTATE, look)


REFUSAL = (
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the"
    " lock file with `pulumi cancel`.\n"
    "  file:///s/.pulumi/locks/organization/gdcc/foundation/10e74e34.json?no_tmp_dir=true:"
    " created by root@vm (pid 9955) at 2026-11-21T07:13:56Z\n"
)


def test_a_refusal_tells_whose_lock_it_is_and_since_when():
    (lock,) = locks.told(REFUSAL)
    assert str(lock) == "locked by root@vm (process 9955) since 2026-11-21 07:13:56 UTC"


def test_another_refusal_is_no_lock():
    assert locks.told("error: created by nobody@vm (pid 1) at 2026-11-21T07:13:56Z") == ()


def test_locks_of_a_file_backend_are_read_from_it(tmp_path):
    folder = tmp_path / "a b/.pulumi/locks/organization/gdcc/agency-x"
    folder.mkdir(parents=True)
    row = {"pid": 7, "username": "ada", "hostname": "h1", "timestamp": "2026-11-21T07:20:28.872896673Z"}
    (folder / "1.json").write_text(json.dumps(row))
    (tmp_path / "a b/.pulumi/locks/organization/gdcc/agency-y").mkdir()
    (lock,) = locks.in_files(f"file://{tmp_path}/a%20b", "gdcc")["agency-x"]
    assert (lock.user, lock.pid, lock.since.hour) == ("ada", 7, 7)
    assert list(locks.in_files(f"file://{tmp_path}/a%20b", "gdcc")) == ["agency-x"]


@pytest.mark.parametrize(
    "text", ["", "{", "{}", "null", "[]", '{"pid": 7, "username": "ada", "hostname": "h1", "timestamp": "now"}']
)
def test_a_lock_whose_writing_was_cut_short_is_still_one_and_can_be_taken_away(tmp_path, text):
    folder = tmp_path / ".pulumi/locks/organization/gdcc/agency-x"
    folder.mkdir(parents=True)
    (folder / "1.json").write_text(text)
    (lock,) = locks.in_files(f"file://{tmp_path}", "gdcc")["agency-x"]
    assert locks.lives(lock) is None
    assert locks.remedy("agency-x", lock) == (
        "look on a machine unknown whether it still runs; if not: --unlock agency-x"
    )


def test_locks_of_other_backends_are_not_looked_for():
    assert locks.in_files("s3://bucket", "gdcc") == {}


def test_attribute_files_that_a_kill_left_empty_are_taken_away_and_no_others(tmp_path):
    kept = tmp_path / "a b/.pulumi"
    texts = {
        "stacks/gdcc/agency-x.json": "",
        "stacks/gdcc/agency-x.json.attrs": "",
        "stacks/gdcc/agency-y.json.attrs": '{"user.content_type":',
        "stacks/gdcc/agency-z.json.attrs": '{"user.content_type": "text/plain"}',
        "meta.yaml.attrs": "",
        "locks/organization/gdcc/agency-x/1.json": "{}",
        "locks/organization/gdcc/agency-x/1.json.attrs": "",
    }
    for name, text in texts.items():
        (kept / name).parent.mkdir(parents=True, exist_ok=True)
        (kept / name).write_text(text)
    of = partial(tool.Tool, command="pulumi", root=tmp_path)
    broken = sidecars.take_away_broken(of(env={"PULUMI_BACKEND_URL": "file://a%20b?metadata=skip"}))
    assert [path.name for path in broken] == [
        "1.json.attrs", "meta.yaml.attrs", "agency-x.json.attrs", "agency-y.json.attrs",
    ]  # fmt: skip
    left = {str(path.relative_to(kept)) for path in kept.rglob("*") if path.is_file()}
    assert left == texts.keys() - {str(path.relative_to(kept)) for path in broken}
    assert sidecars.take_away_broken(of(env={"PULUMI_BACKEND_URL": "file://a%20b"})) == ()
    assert sidecars.take_away_broken(of(env={})) == ()


def held_by(pid, host):
    return locks.Lock(user="ada", host=host, pid=pid, since=datetime.now(UTC))


def test_a_lock_of_this_machine_lives_as_long_as_its_process():
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(child, 0)
    assert locks.lives(held_by(os.getpid(), socket.gethostname())) is True
    assert locks.lives(held_by(child, socket.gethostname())) is False
    assert locks.lives(held_by(os.getpid(), "elsewhere")) is None
    earlier = replace(held_by(os.getpid(), socket.gethostname()), since=datetime(2020, 1, 1, tzinfo=UTC))
    assert locks.lives(earlier) is False, "another process has its number"


def test_each_kind_of_lock_has_its_remedy():
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(child, 0)
    assert "wait" in locks.remedy("x", held_by(os.getpid(), socket.gethostname()))
    assert re.search(r"--unlock x$", locks.remedy("x", held_by(child, socket.gethostname())))
    assert "look on elsewhere" in locks.remedy("x", held_by(1, "elsewhere"))


@pytest.mark.parametrize(
    ("kind", "name", "value", "said"),
    [
        ("QuotaSetV2", "ram", 4096.0, "4096 MiB"),
        ("QuotaSetV2", "cores", 21, "21"),
        ("QuotaSetV2", "ram", -1, "no limit"),
        ("QuoteSetV3", "backupGigabytes", 10, "10 GiB"),
        ("QuoteSetV3", "volumeTypeQuota", {"gigabytes_a": "5", "volumes_a": "2"}, "gigabytes_a=5 GiB, volumes_a=2"),
        ("Flavor", "disk", 20, "20 GiB"),
        ("QosV3", "specs", {"total_bytes_sec": "100"}, "total_bytes_sec=100 bytes/s"),
        ("QosBandwidthLimitRule", "maxKbps", 1.5, "1.5 kbit/s"),
        ("Monitor", "delay", 5, "5 seconds"),
        ("Network", "shared", False, "false"),
        ("Network", "tags", ["a", "1"], "a, 1"),
        ("Network", "name", None, "nothing"),
        ("Network", "valueSpecs", {}, "nothing"),
    ],
)
def test_an_amount_is_told_in_its_unit(kind, name, value, said):
    assert units.words(value, kind, name) == said
