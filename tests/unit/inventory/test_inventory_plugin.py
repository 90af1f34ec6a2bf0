"""The inventory plugin in the real ansible-inventory and ansible-playbook, as an operator runs them."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import inventory
from inventory import generate, hostvars, load
from tests.estates import TEXT

pytestmark = pytest.mark.lab
"""No lab, but too long for every change: Ansible's own processes, many times over."""

REPOSITORY = Path(inventory.__file__).parents[1]
DEMO = REPOSITORY / "inventory" / "estates" / "demo"
WITHOUT_OURS = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}

ODD = (
    TEXT.replace("name: r1,", "name: r-1.north,")
    .replace("rack: r1", "rack: r-1.north")
    .replace("name: r2,", "name: a,")
    .replace("rack: r2", "rack: a")
    .replace("- name: h2\n", "- name: annex\n")
    .replace("[h1, h2]", "[h1, annex, h3.site-1]")
    .replace("aggregates:", """\
- {name: h3.site-1, type: t, rack: spare, unit: 1, clearance: open, cords: [{pdu: spare-a}, {pdu: spare-b}],
   lifecycle: planned, address: "10.0.3.3"}
aggregates:""")
    .replace("pdus:\n", """\
- {name: spare, room: annex, zone: far}
pdus:
- {name: spare-a, rack: spare, feed: c, rated_amps: 16}
- {name: spare-b, rack: spare, feed: d, rated_amps: 16}
""")
    .replace("racks:\n", """\
- {name: c, room: annex, rated_watts: 5000, partner: d}
- {name: d, room: annex, rated_watts: 5000, partner: c}
racks:
""")
)  # fmt: skip
"""A rack with a dash and a dot, a rack and a feed both called `a`, a room and a host both called `annex`."""


def run(command: str, *words: str, ok: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
    """One of Ansible's commands, from the repository as a user would."""
    whole = [str(Path(sys.executable).with_name(command)), *words]
    done = subprocess.run(
        whole, cwd=REPOSITORY, env={**WITHOUT_OURS, **env}, capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) is ok, done.stderr
    return done


def listed(source: Path, **env: str) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(run("ansible-inventory", "-i", str(source), "--list", **env).stdout)
    return whole


def selected(source: Path, limit: str, playbook: str = "host-boot-id.yml") -> set[str]:
    """The hosts that a playbook would go to; none where Ansible refuses to start without a host."""
    words = ("-i", str(source), f"playbooks/{playbook}", "--limit", limit, "--list-hosts")
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), *words],
        cwd=REPOSITORY, env=WITHOUT_OURS, capture_output=True, text=True, check=False,
    )  # fmt: skip
    plays = done.stdout.split("hosts (")
    return set(plays[1].partition("\n\n")[0].split()[1:]) if len(plays) > 1 else set()


def source_of(directory: Path, estate: str = TEXT, source: str = "plugin: gdcc\n") -> Path:
    (directory / "estate.yaml").write_text(estate, encoding="utf-8")
    path = directory / "gdcc.yml"
    path.write_text(source, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return source_of(tmp_path_factory.mktemp("odd"), ODD)


def test_every_host_of_the_demo_is_listed_with_its_variables_and_the_landscapes_settings() -> None:
    whole = listed(DEMO / "gdcc.yml")
    given: Mapping[str, Mapping[str, Any]] = whole["_meta"]["hostvars"]
    declared = hostvars.of(generate.demo())
    assert given.keys() == declared.keys()
    settings = {
        key for path in (DEMO / "group_vars" / "estate").glob("*.yml") for key in yaml.safe_load(path.read_text())
    }
    for name, variables in declared.items():
        assert {key: given[name][key] for key in variables} == variables
        assert given[name].keys() - variables.keys() == settings | {"ansible_local"}


def test_the_graph_nests_places_and_names_every_host() -> None:
    said = run("ansible-inventory", "-i", str(DEMO / "gdcc.yml"), "--graph", "site_site_1")
    lines = said.stdout.splitlines()
    assert [line.strip("| -") for line in lines[:9]] == [
        *("@site_site_1:", "@site-1:", "@room_room_1:", "@room-1:", "@zone_zone_1:", "@zone-1:"),
        *("@rack_rack_001:", "@rack-001:", "cmp0001"),
    ]
    assert sum("cmp" in line for line in lines) == 48
    assert said.stderr == ""


@pytest.mark.parametrize(
    ("limit", "hosts"),
    [
        ("rack:r-1.north", {"h1"}),
        ("rack_a", {"annex"}),
        ("rack:a", set()),
        ("room_annex", {"h3.site-1"}),
        ("annex", {"annex"}),
        ("feed:b:!rack_a", {"h1"}),
        ("lifecycle:planned", {"h3.site-1"}),
        ("estate:!lifecycle_planned", {"h1", "annex"}),
    ],
)
def test_a_limit_selects_the_hosts_that_it_names(odd: Path, limit: str, hosts: set[str]) -> None:
    assert selected(odd, limit) == hosts


def test_what_configures_hosts_leaves_out_those_that_are_only_planned(odd: Path) -> None:
    assert selected(odd, "estate") == {"h1", "annex", "h3.site-1"}
    assert selected(odd, "estate", "site.yml") == {"h1", "annex"}


def test_a_room_called_like_a_host_is_warned_of(odd: Path) -> None:
    said = " ".join(run("ansible", "all", "-i", str(odd), "--list-hosts").stderr.replace("[WARNING]:", "").split())
    assert said == "room annex has the name of a host: --limit room:annex selects that host (write room_annex)"


def test_every_problem_of_a_bad_estate_is_told_with_its_line(tmp_path: Path) -> None:
    estate = TEXT.replace("unit: 1", "unit: 99", 1).replace("rated_watts: 5000, partner: b", "rated_watts: 5 kW")
    said = run("ansible-inventory", "-i", str(source_of(tmp_path, estate)), "--list", ok=False).stderr
    with pytest.raises(load.EstateError) as caught:
        load.load(tmp_path)
    assert len(caught.value.problems) >= 2
    assert f"the estate in {tmp_path} has {len(caught.value.problems)} problems:" in said
    for problem in caught.value.problems:
        assert f"{problem.where}: {problem.what}" in said


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("plugin: gdcc\nestaet: .\n", "unknown option estaet (known options: "),
        ("plugin: gdcc\nestate: nowhere\n", "there is no such directory (give the directory of an estate)"),
        ("plugin: gdcc\nestate: [a, b]\n", "Config 'estate' for 'gdcc' inventory plugin"),
        ("plugin: aws_ec2\n", "Incorrect plugin name in file: aws_ec2"),
    ],
)
def test_a_bad_source_is_refused_with_its_reason(tmp_path: Path, source: str, what: str) -> None:
    said = run("ansible-inventory", "-i", str(source_of(tmp_path, source=source)), "--list", ok=False).stderr
    assert what in said


def test_text_of_an_estate_is_never_a_template(tmp_path: Path) -> None:
    source = source_of(
        tmp_path, TEXT.replace("credential: bmc-v3}\n  exporters", "credential: '{{ 1 + 1 }}'}\n  exporters")
    )
    said = run("ansible", "h1", "-i", str(source), "-m", "debug", "-a", "var=gdcc_bmc.credential").stdout
    assert "{{ 1 + 1 }}" in said


def test_an_estate_elsewhere_and_groups_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "estate").mkdir()
    source_of(tmp_path / "estate")
    path = tmp_path / "mine.gdcc.yml"
    path.write_text(
        yaml.safe_dump({
            "plugin": "gdcc",
            "estate": "estate",
            "strict": True,
            "groups": {"cleared": "'CUSTOM_CLEARANCE_CONFIDENTIAL' in gdcc_clearance_traits"},
            "compose": {"rack_and_unit": "gdcc_rack ~ '/' ~ gdcc_unit"},
            "keyed_groups": [{"key": "gdcc_bmc.profile", "prefix": "bmc"}],
        }),
        encoding="utf-8",
    )  # fmt: skip
    whole = listed(path)
    assert whole["cleared"]["hosts"] == ["h1"]
    assert whole["bmc_ilo"]["hosts"] == ["h2"]
    given = json.loads(run("ansible-inventory", "-i", str(path), "--host", "h2").stdout)
    assert given["rack_and_unit"] == "r2/1"


def test_a_cache_gives_the_same_and_never_what_a_changed_estate_was(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "estate").mkdir()
    cached = f"plugin: gdcc\ncache: true\ncache_plugin: jsonfile\ncache_connection: {tmp_path / 'kept'}\n"
    source = source_of(tmp_path / "estate", source=cached)
    fresh, again = listed(source), listed(source)
    assert fresh == again
    (kept,) = (tmp_path / "kept").iterdir()
    unit = r"\"gdcc_unit\": "
    kept.write_text(kept.read_text().replace(f"{unit}1", f"{unit}41"))
    assert listed(source)["_meta"]["hostvars"]["h1"]["gdcc_unit"] == 41, "what is kept is what is read"
    source_of(tmp_path / "estate", TEXT.replace("unit: 1", "unit: 7"), cached)
    assert listed(source)["_meta"]["hostvars"]["h1"]["gdcc_unit"] == 7


def test_what_an_estate_settles_holds_over_the_playbooks_for_all_and_under_a_racks(tmp_path: Path) -> None:
    for name in ("landscape", "playbooks"):
        (tmp_path / name).mkdir()
    landscape, playbooks = tmp_path / "landscape", tmp_path / "playbooks"
    source = source_of(landscape)
    written = {
        playbooks / "group_vars" / "all" / "x.yml": {"x": "all", "y": "all", "z": "all"},
        landscape / "group_vars" / "estate" / "x.yml": {"x": "estate", "y": "estate"},
        landscape / "group_vars" / "rack_r1" / "x.yml": {"x": "rack"},
        playbooks / "say.yml": [{"hosts": "estate", "gather_facts": False, "tasks": [
            {"ansible.builtin.debug": {"msg": "said {{ inventory_hostname }} {{ x }} {{ y }} {{ z }}"}}]}],
    }  # fmt: skip
    for path, content in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
    said = run("ansible-playbook", "-i", str(source), str(playbooks / "say.yml")).stdout
    assert "said h1 rack estate all" in said
    assert "said h2 estate estate all" in said
