"""`gdcc whatif` from a snapshot file, with no cloud and no configuration."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from controller.adapters import snapshot_file
from controller.cli.main import app
from controller.model import cluster as model
from tests import builders
from tests.builders import Host, Vm


@pytest.fixture
def snapshot(tmp_path: Path) -> str:
    """Two racks of a full host and one with a little room each."""
    hosts = [Host(name=f"r{rack}h{n}", rack=f"r{rack}", memory_gib=32) for rack in (1, 2) for n in (1, 2)]
    vms = [Vm(name=f"full-{rack}", host=f"r{rack}h1", memory_gib=28) for rack in (1, 2)]
    vms += [Vm(name=f"small-{rack}", host=f"r{rack}h2", memory_gib=12) for rack in (1, 2)]
    path = tmp_path / "cluster.json"
    snapshot_file.write(builders.cluster(hosts=hosts, vms=vms), path)
    return str(path)


def whatif(snapshot: str, *words: str) -> Result:
    return CliRunner().invoke(app, ["whatif", "--snapshot", snapshot, *words])


def said(answer: Result) -> str:
    """Everything that was printed, however wide the screen."""
    return " ".join(re.sub(r"[│┃]", " ", answer.output).split())


def test_a_loss_that_is_survived_says_what_starts_where_and_how_long_it_takes(snapshot: str) -> None:
    answer = whatif(snapshot, "--lose", "host:r1h2", "--start-seconds", "90")
    assert answer.exit_code == 0, answer.output
    assert "Without host:r1h2, 1 host and 1 server go down: all start; 1 round, about 1 min 30 s: survived." in said(
        answer
    )
    assert "small-1" in said(answer)
    assert "r2h2" in said(answer)


def test_what_has_no_place_is_told_with_the_reason_and_what_is_missing(snapshot: str) -> None:
    answer = whatif(snapshot, "--lose", "rack:r1")
    assert answer.exit_code == 1
    assert "2 hosts and 2 servers go down: 1 start, 1 have no place" in said(answer)
    assert "none of the 2 hosts that may start it has 4 vCPUs, 28 GiB of memory, 40 GiB of disk left" in said(answer)
    assert "what is missing" in said(answer)


def test_losses_given_together_fail_together(snapshot: str) -> None:
    answer = whatif(snapshot, "--lose", "host:r1h2", "--lose", "host:r2h2", "--json")
    assert answer.exit_code == 1
    outcome = json.loads(answer.stdout)
    assert outcome["hosts"] == ["r1h2", "r2h2"]
    assert outcome["verdict"] == "short"
    assert [each["target"] for each in outcome["restarts"]] == [None, None]


def test_every_single_failure_is_counted_and_those_not_survived_are_listed(snapshot: str) -> None:
    answer = whatif(snapshot, "--all-single-failures")
    assert answer.exit_code == 1
    for subject in ("host:r1h1", "host:r2h1", "rack:r1", "rack:r2"):
        assert subject in said(answer)
    assert "host:r1h2" not in said(answer)
    outcomes = json.loads(whatif(snapshot, "--all-single-failures", "--json").stdout)
    assert len(outcomes) == 4 + 2 + 2


def test_one_more_host_makes_a_loss_survivable(snapshot: str) -> None:
    answer = whatif(snapshot, "--all-single-failures", "--add-hosts", "2:r1h2", "--add-hosts", "2:r2h2")
    assert answer.exit_code == 0, answer.output
    assert "Every host, rack and feed can be lost." in said(answer)


def test_more_servers_start_where_there_is_room(snapshot: str) -> None:
    answer = whatif(snapshot, "--add-servers", "3:agency/m1")
    assert answer.exit_code == 1
    assert "3 servers more: 0 start, 3 have no place" in said(answer)
    answer = whatif(snapshot, "--add-servers", "1:agency/m1", "--add-hosts", "1:r1h2")
    assert answer.exit_code == 0, answer.output
    assert "agency+m1+1" in said(answer)
    assert "r1h2+1" in said(answer)


def test_emptied_hosts_tell_where_their_servers_go_and_what_stays(snapshot: str) -> None:
    answer = whatif(snapshot, "--drain", "r1h2")
    assert answer.exit_code == 0, answer.output
    assert "To empty r1h2, 1 server must move: all have a place; 1 round, about" in said(answer)
    assert ": possible." in said(answer)
    answer = whatif(snapshot, "--drain", "r1h1", "--drain", "r1h2", "--json")
    assert answer.exit_code == 1
    found = json.loads(answer.stdout)
    assert (found["emptied"], found["verdict"], found["hosts"]) == (["r1h1", "r1h2"], "short", [])


def test_a_generation_may_be_retired_where_enough_comes_for_it_and_n_plus_1_is_asked_of_the_rest(snapshot: str) -> None:
    assert whatif(snapshot, "--retire", "t0").exit_code == 1
    answer = whatif(snapshot, "--add-hosts", "3:r1h1", "--drain", "r1h1", "--all-single-failures")
    assert "Once they are empty:" in said(answer)
    found = json.loads(whatif(snapshot, "--drain", "r1h2", "--lose", "host:r2h2", "--json").stdout)
    assert [each["verdict"] for each in found] == ["survived", "short"]
    assert [each["source"] for each in found[1]["restarts"]] == ["r2h2", "r2h2"]


def test_a_loss_and_more_servers_are_one_question(snapshot: str) -> None:
    answer = whatif(snapshot, "--lose", "host:r1h2", "--add-servers", "1:agency/m1")
    assert answer.exit_code == 1
    assert "Without host:r1h2, 1 host and 1 server go down and 1 server more: 1 start, 1 have no place" in said(answer)


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        ([], 2, "say one of them"),
        (["--lose", "host:r1h1", "--all-single-failures"], 2, "is a question of its own"),
        (["--add-hosts", "1:r1h1"], 2, "say one of them"),
        (["--drain", "r9h1"], 1, "the snapshot knows no host r9h1"),
        (["--retire", "gen9"], 1, "the snapshot has no hosts of a type or generation gen9"),
        (["--lose", "r1h1"], 2, "'r1h1' is not KIND:NAME"),
        (["--lose", "pdu:x"], 2, "the kind one of host, rack, feed, zone, room, site"),
        (["--lose", "rack:r9"], 1, "the snapshot knows no rack r9"),
        (["--lose", "rack:r1", "--add-hosts", "0:r1h1"], 2, "a number from 1 to 100,000, a colon and a name"),
        (["--lose", "rack:r1", "--add-hosts", "100001:r1h1"], 2, "a number from 1 to 100,000, a colon and a name"),
        (["--lose", "rack:r1", "--add-hosts", "1:r9h1"], 1, "the snapshot knows no host r9h1"),
        (["--add-servers", "3:agency"], 2, "is not N:AGENCY/FLAVOR"),
        (["--lose", "rack:r1", "--start-seconds", "nan"], 2, "Invalid value for '--start-seconds'"),
        (["--lose", "rack:r1", "--start-seconds", "inf"], 2, "Invalid value for '--start-seconds'"),
        (["--lose", "rack:r1", "--start-seconds", "1e300"], 2, "Invalid value for '--start-seconds'"),
        (["--add-servers", "3:agency/m9"], 1, "the snapshot knows no flavor m9"),
    ],
)
def test_what_is_not_understood_is_told_and_nothing_is_worked_out(
    snapshot: str, words: list[str], status: int, says: str
) -> None:
    answer = whatif(snapshot, *words)
    assert answer.exit_code == status
    assert says in said(answer)


def test_capacity_tells_what_more_fits_what_n_plus_1_holds_back_and_that_it_is_not_held(snapshot: str) -> None:
    words = ["capacity", "--snapshot", snapshot]
    answer = CliRunner().invoke(app, words)
    assert answer.exit_code == 0, answer.output
    assert "N+1 is not held: without rack:r1, rack:r2 servers have no place" in said(answer)
    (fit,) = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert (fit["flavor"], fit["classification"], fit["servers"], fit["kept"]) == ("m1", "open", 4, 0)
    (fit,) = json.loads(CliRunner().invoke(app, [*words, "--now", "--json"]).stdout)
    assert (fit["now"], fit["kept"], fit["kept_for"]) == (fit["kept"], fit["now"], None)


def test_rules_broken_before_and_while_servers_are_down_are_told_apart(tmp_path: Path) -> None:
    hosts = [Host(name=f"c{n}") for n in range(1, 6)]
    vms = [Vm(name=name, host=host) for name, host in (("a", "c1"), ("b", "c1"), ("x", "c1"), ("y", "c2"))]
    groups = [builders.Group(name="web", members=("a", "b")), builders.Group(name="db", members=("x", "y"))]
    path = tmp_path / "cluster.json"
    snapshot_file.write(builders.cluster(hosts=hosts, vms=vms, groups=groups), path)
    answer = whatif(str(path), "--lose", "host:c1", "--lose", "host:c2")
    assert "db: all of it down at once" in said(answer)
    assert "web: broken before, all of it down at once" in said(answer)


def test_a_pdu_behind_the_partner_that_cannot_carry_both_is_named(tmp_path: Path) -> None:
    pdu, feed = model.PowerKind.PDU, model.PowerKind.FEED
    supplies = [builders.Supply(name=name, kind=feed) for name in "AB"]
    supplies.append(builders.Supply(name="P", kind=pdu, feed="B", limit_watts=200))
    cluster = builders.cluster(hosts=[Host(name="c1", supplies=("A", "B", "P"))], supplies=supplies)
    partner = np.array([1, 0, -1], np.int32)
    path = tmp_path / "cluster.json"
    snapshot_file.write(replace(cluster, power=replace(cluster.power, partner=partner)), path)
    answer = whatif(str(path), "--lose", "feed:A")
    assert answer.exit_code == 1
    assert "pdu:P carries 300 of 200 W then" in said(answer)


@pytest.fixture
def pieces(tmp_path: Path) -> str:
    """Two hosts with 12 GiB left each; a flavor of 16 GiB that no server runs."""
    hosts = [Host(name=name, memory_gib=32) for name in ("c1", "c2")]
    vms = [Vm(name=f"{size}-{host.name}", host=host.name, memory_gib=size) for host in hosts for size in (4, 16)]
    flavors = [builders.Flavor(name="big", memory_gib=16), builders.Flavor(name="small", memory_gib=4)]
    path = tmp_path / "pieces.json"
    snapshot_file.write(builders.cluster(hosts=hosts, vms=vms, flavors=flavors), path)
    return str(path)


def capacity(snapshot: str, *words: str) -> Result:
    return CliRunner().invoke(app, ["capacity", "--snapshot", snapshot, *words])


def test_capacity_counts_declared_flavors_names_where_they_bind_and_what_moves_would_free(pieces: str) -> None:
    found = {fit["flavor"]: fit for fit in json.loads(capacity(pieces, "--json").stdout)}
    assert {name: (fit["now"], fit["servers"]) for name, fit in found.items()} == {
        "big": (0, 0), "m1": (0, 4), "small": (6, 0),
    }  # fmt: skip
    assert found["big"]["where"] == [{"resource": "memory", "hosts": 2, "racks": [["r1", 2]], "rooms": [["room1", 2]]}]
    freed = found["big"]["freed"]
    assert (freed["more"], [move["name"][:2] for move in freed["moves"]]) == (1, ["4-"])
    text = said(capacity(pieces, "--flavor", "big", "--now"))
    for word in ("memory", "(r1)", "1 by 1", "move,"):
        assert word in text
    assert "small" not in text


def test_capacity_leaves_moves_out_where_none_are_asked_for(pieces: str) -> None:
    assert all(fit["freed"] is None for fit in json.loads(capacity(pieces, "--json", "--moves", "0").stdout))
    assert "moves would free" not in said(capacity(pieces, "--moves", "0"))


def test_capacity_of_a_flavor_that_nobody_knows_is_refused(pieces: str) -> None:
    answer = capacity(pieces, "--flavor", "m9")
    assert answer.exit_code == 1
    assert "the snapshot knows no flavor m9" in said(answer)
