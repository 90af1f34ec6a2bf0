"""One test for each way a file can be wrong: told with file and line, all at once, nothing loaded."""

import os
import sys
import tempfile
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory import load
from tests.estates import TEXT, line_of, problems, told


def only(directory: Path, old: str, new: str, at: str) -> str:
    """The one problem that the change makes; it must stand at the line of `at`."""
    said = told(directory, old, new)
    assert len(said) == 1, said
    head, _, what = said[0].partition(": ")
    assert head == f"estate.yaml:{line_of(at)}"
    return what


def test_the_small_estate_is_valid_as_it_stands(tmp_path: Path) -> None:
    assert told(tmp_path, "name: small", "name: little") == []


def test_an_unknown_key_is_told_with_what_may_have_been_meant(tmp_path: Path) -> None:
    what = only(tmp_path, "memory_mib: 524288", "memory_mib: 524288, memory_gib: 512", "- {name: t,")
    assert what == "host_types t: unknown key 'memory_gib' (did you mean 'memory_mib'?)"


def test_an_unknown_table_is_told(tmp_path: Path) -> None:
    assert "file: unknown key 'room' (did you mean 'rooms'?)" in told(tmp_path, "rooms:\n", "room:\n")[0]


def test_a_missing_field_is_told(tmp_path: Path) -> None:
    assert only(tmp_path, "vcpus: 64, ", "", "- {name: t,") == "host_types t: vcpus is missing (add it)"


def test_a_number_with_a_unit_behind_it_is_refused(tmp_path: Path) -> None:
    what = only(tmp_path, "memory_mib: 524288", "memory_mib: 512GiB", "- {name: t,")
    assert what == (
        "host_types t: memory_mib must be a whole number, not '512GiB' (write the number alone; the unit is MiB)"
    )


def test_negative_watts_are_refused(tmp_path: Path) -> None:
    what = only(tmp_path, "idle_watts: 180", "idle_watts: -180", "- {name: t,")
    assert what == "host_types t: idle_watts is -180, which cannot be (write a number from 0 to 1,000,000 (watts))"


@pytest.mark.parametrize("digits", [20, 310, 5000])
@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("field", ["vcpus: 64", "idle_watts: 180"])
def test_a_number_of_very_many_digits_is_refused(tmp_path: Path, field: str, sign: str, digits: int) -> None:
    name = field.partition(":")[0]
    what = only(tmp_path, field, f"{name}: {sign}{'9' * digits}", "- {name: t,")
    assert what.startswith(f"host_types t: {name} ")


def test_a_derating_above_one_is_refused(tmp_path: Path) -> None:
    said = told(tmp_path, "rated_watts: 5000, partner: b", "rated_watts: 5000, partner: b, derating_ratio: 80")
    assert said == [
        f"estate.yaml:{line_of('partner: b')}: feeds a: derating_ratio is 80, which cannot be "
        "(write a number above 0 to 1 (a ratio))"
    ]


@pytest.mark.parametrize("value", [".nan", ".inf", "1:30", "true", "'180'", "[180]", "null"])
def test_what_is_no_finite_number_is_refused(tmp_path: Path, value: str) -> None:
    assert "must be a number" in only(tmp_path, "idle_watts: 180", f"idle_watts: {value}", "- {name: t,")


def test_a_leading_zero_is_refused_since_yaml_would_read_it_as_octal(tmp_path: Path) -> None:
    assert "must be a whole number, not '010'" in only(tmp_path, "vcpus: 64", "vcpus: 010", "- {name: t,")


def test_a_fraction_where_whole_numbers_belong_is_refused(tmp_path: Path) -> None:
    assert "must be a whole number" in only(tmp_path, "vcpus: 64", "vcpus: 64.5", "- {name: t,")


def test_a_number_where_text_belongs_is_refused(tmp_path: Path) -> None:
    what = only(
        tmp_path,
        'extra_specs: {"hw:cpu_policy": shared}',
        'extra_specs: {"hw:cpu_policy": shared, "hw:numa_nodes": 2}',
        'extra_specs: {"hw:cpu_policy',
    )
    assert what == 'flavors i.2c8g: extra_specs hw:numa_nodes must be text, not the int 2 (write "2" in quotes)'


def test_a_word_where_true_or_false_belongs_is_refused(tmp_path: Path) -> None:
    assert "must be true or false, not 'yes'" in only(tmp_path, "public: true", "public: yes", "- {name: rates")


def test_an_unknown_choice_is_told_with_the_choices(tmp_path: Path) -> None:
    what = only(tmp_path, "clearance: internal", "clearance: top", "clearance: internal")
    assert what == "hosts h2: clearance is 'top' (write one of: open, internal, confidential, secret)"


def test_a_level_by_number_is_refused(tmp_path: Path) -> None:
    assert "tier is '2' (write one of: critical, standard, basic)" in only(
        tmp_path, "tier: standard", "tier: 2", "tier:"
    )


@pytest.mark.parametrize(
    "window", ["weekdays", "Mon-Fri 22:00", "Mon-Fri 25:00-26:00", "Mon 09:00-09:00", "Mon 24:00-01:00"]
)
def test_a_window_that_is_none_is_refused(tmp_path: Path, window: str) -> None:
    what = only(tmp_path, "Mon-Fri 22:00-05:00", window, "windows:")
    assert what.startswith("systems filing: windows: '")


@pytest.mark.parametrize(
    ("pause", "why"),
    [
        ("{windows: [Sun 02:00-04:00]}", "pause: seconds is missing"),
        ("{seconds: 0}", "pause: seconds is 0"),
        ("{seconds: 2000}", "pause: seconds is 2000"),
        ("{seconds: 60, windows: [Sunday]}", "pause: windows: 'Sunday' is not a time of the week"),
    ],
)
def test_a_pause_that_is_none_is_refused_with_its_line(tmp_path: Path, pause: str, why: str) -> None:
    assert why in only(tmp_path, "budget: {at_once: 1, per_hour: 4}", f"pause: {pause}", "budget:")


def test_a_list_where_a_mapping_belongs_is_refused(tmp_path: Path) -> None:
    assert "budget must be a mapping, not a list" in only(tmp_path, "{at_once: 1, per_hour: 4}", "[1, 4]", "budget:")


def test_a_mapping_where_a_list_belongs_is_refused(tmp_path: Path) -> None:
    assert "readers must be a list, not 'law'" in only(tmp_path, "readers: [law]", "readers: law", "- {name: rulings")


def test_a_name_with_an_outer_blank_is_refused(tmp_path: Path) -> None:
    assert "name ' fast' is no name" in only(tmp_path, "name: fast", "name: ' fast'", "name: fast")


def test_a_row_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    assert "agencies: 'law' is not a mapping" in told(tmp_path, "- {name: law}", "- law")[0]


def test_a_table_that_is_no_list_is_refused(tmp_path: Path) -> None:
    assert "sites must be a list of mappings, not a mapping" in told(tmp_path, "- {name: s1}", "  {name: s1}")[0]


def test_a_duplicate_key_is_told_with_its_first_line(tmp_path: Path) -> None:
    line = line_of("  unit: 1\n  clearance: internal")
    said = told(tmp_path, "  unit: 1\n  clearance: internal", "  unit: 1\n  unit: 3\n  clearance: internal")
    assert said == [f"estate.yaml:{line + 1}: hosts h2: duplicate key 'unit', first on line {line} (keep one)"]


def test_a_duplicate_name_is_told_with_where_the_first_stands(tmp_path: Path) -> None:
    line = line_of("- {name: law}")
    said = told(tmp_path, "- {name: law}", "- {name: tax}\n- {name: law}")
    first = f"{tmp_path}/estate.yaml:{line - 1}"
    assert said == [f"estate.yaml:{line}: agencies tax: declared a second time, first at {first} (keep one)"]


def test_a_duplicate_name_in_another_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "agencies.yml").write_text("version: 1\nagencies:\n- {name: tax}\n", encoding="utf-8")
    line = line_of("- {name: tax")
    said = told(tmp_path, "name: small", "name: little")
    first = f"{tmp_path}/estate.yaml:{line}"
    assert said == [f"more/agencies.yml:3: agencies tax: declared a second time, first at {first} (keep one)"]


def test_a_second_estate_section_is_told(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("version: 1\nestate: {name: other}\n", encoding="utf-8")
    assert "other.yaml:2: estate: declared a second time" in told(tmp_path, "name: small", "name: little")[0]


def test_an_estate_without_its_section_is_told(tmp_path: Path) -> None:
    assert "no file has an 'estate:' section" in told(tmp_path, "estate:\n  name: small\n", "")[0]


def test_an_unknown_timezone_is_told(tmp_path: Path) -> None:
    said = told(tmp_path, "  name: small\n", "  name: small\n  timezone: Asia/Bankok\n")
    assert said == ["estate.yaml:4: estate: timezone 'Asia/Bankok' is unknown (write a name such as 'Asia/Bangkok')"]


@pytest.fixture
def no_time_zones(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine, or an image, with no time zone data of its own and without the tzdata package."""
    monkeypatch.setitem(sys.modules, "tzdata", None)
    zoneinfo.reset_tzpath(to=[])
    yield
    zoneinfo.reset_tzpath()


@pytest.mark.usefixtures("no_time_zones")
@pytest.mark.parametrize("declared", ["", "  timezone: Asia/Bangkok\n"])
def test_a_machine_without_time_zone_data_is_told(tmp_path: Path, declared: str) -> None:
    said = told(tmp_path, "  name: small\n", f"  name: little\n{declared}")
    assert [each.partition(": ")[2] for each in said] == [
        "estate: timezone 'Asia/Bangkok' cannot be looked up: this machine has no time zone data (install tzdata)"
    ]


def test_a_file_of_another_version_is_refused_whole(tmp_path: Path) -> None:
    said = told(tmp_path, "version: 1", "version: 2")
    assert said[0] == (
        "estate.yaml:1: version is '2', this program reads version 1 "
        "(convert the file, or use the program that wrote it)"
    )


def test_a_file_without_a_version_is_refused(tmp_path: Path) -> None:
    assert told(tmp_path, "version: 1\n", "")[0].startswith("estate.yaml:1: version is missing")


def test_invalid_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text("version: 1\nsites:\n- {name: s1\nrooms: []\n", encoding="utf-8")
    (problem,) = problems(tmp_path)
    assert problem.where == f"{tmp_path}/estate.yaml:4"
    assert problem.what.startswith("is not valid YAML: did not find expected ',' or '}'")


def test_two_documents_in_one_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text("version: 1\n---\nversion: 1\n", encoding="utf-8")
    assert problems(tmp_path)[0].where == f"{tmp_path}/estate.yaml:2"


def test_a_file_that_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_bytes(b"version: 1\nestate: {name: caf\xe9}\n")
    assert [each.where for each in problems(tmp_path)] == [f"{tmp_path}/estate.yaml:2"]


def test_a_control_character_is_told(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_bytes(b"version: 1\nestate: {name: \x07}\n")
    assert "is not valid YAML" in problems(tmp_path)[0].what


def test_nesting_that_would_overflow_the_stack_is_told(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text("version: 1\nsites: " + "[" * 100_000, encoding="utf-8")
    (problem,) = problems(tmp_path)
    assert problem.where == f"{tmp_path}/estate.yaml:2"
    assert problem.what.startswith("is nested more than 32 levels deep")


def test_a_file_with_a_tag_that_would_make_an_object_makes_none(tmp_path: Path) -> None:
    said = told(tmp_path, "{name: law}", "{name: law, title: !!python/object/apply:os.getcwd []}")
    assert "agencies law: title must be text, not a list" in said[0]


@settings(deadline=None)
@given(at=st.integers(0, len(TEXT)), cut=st.integers(0, 12), put=st.text(alphabet="[]{}:-&*!#|>'\"\n ,?0a", max_size=8))
def test_a_damaged_file_is_told_or_read_and_never_breaks_the_reader(
    tmp_path_factory: pytest.TempPathFactory, at: int, cut: int, put: str
) -> None:
    directory = tmp_path_factory.mktemp("damaged")
    (directory / "estate.yaml").write_text(TEXT[:at] + put + TEXT[at + cut :], encoding="utf-8")
    assert all(problem.where.startswith(str(directory)) and problem.what for problem in problems(directory))


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text("# nothing\n", encoding="utf-8")
    assert problems(tmp_path)[0].what.startswith("is empty")


def test_a_file_that_is_no_mapping_is_told(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text("- version: 1\n", encoding="utf-8")
    assert problems(tmp_path)[0].what.startswith("is not a mapping")


def test_an_empty_directory_is_told(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path)
    assert (problem.where, problem.what) == (
        f"{tmp_path}:1",
        "holds no *.yaml file (an estate needs at least estate.yaml)",
    )


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "there is no such directory" in problems(tmp_path / "nowhere")[0].what


def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").symlink_to(tmp_path / "gone.yaml")
    (problem,) = problems(tmp_path)
    assert (problem.where, problem.what) == (
        f"{tmp_path}/estate.yaml:1",
        "cannot be read: No such file or directory (check its permissions)",
    )


@pytest.fixture
def nobody() -> Iterator[Path]:
    """A folder, and a process that permissions bind, as they do not bind root's."""
    with tempfile.TemporaryDirectory() as made:
        folder, user = Path(made), os.geteuid()
        folder.chmod(0o777)
        if user == 0:
            os.seteuid(65534)
        yield folder
        os.seteuid(user)


def test_a_folder_that_may_not_be_looked_into_is_told_and_what_it_holds_not_left_out(nobody: Path) -> None:
    (nobody / "estate.yaml").write_text(TEXT, encoding="utf-8")
    (nobody / "more").mkdir(mode=0)
    assert [(each.where, each.what) for each in problems(nobody)] == [
        (f"{nobody}/more:1", "cannot be read: Permission denied (check its permissions)")
    ]
    assert [(each.where, each.what) for each in problems(nobody / "more" / "estate")] == [
        (f"{nobody}/more/estate:1", "cannot be read: Permission denied (check its permissions)")
    ]


def test_a_merge_key_is_no_way_around_the_known_keys(tmp_path: Path) -> None:
    assert "unknown key '<<'" in only(tmp_path, "{name: law}", "{name: law, <<: {pool: 10.1.0.0/16}}", "{name: law}")


def test_an_alias_of_itself_is_refused(tmp_path: Path) -> None:
    assert "must be a mapping of text to text" in told(tmp_path, "availability_zone: az1", "metadata: &a [*a]")[0]


def test_all_errors_of_all_files_are_told_at_once_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("version: 1\nsites:\n- {name: s9, titel: x}\n- {title: y}\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text("version: 3\n", encoding="utf-8")
    said = told(tmp_path, "rack: r2\n  unit: 1", "rack: r9\n  unit: one")
    assert [each.split(": ")[0] for each in said] == [
        "a.yaml:1",
        "b.yaml:3",
        "b.yaml:4",
        f"estate.yaml:{line_of('  rack: r2') + 1}",
    ]


def test_a_broken_row_hides_no_error_of_another_and_makes_none(tmp_path: Path) -> None:
    text = TEXT.replace("unit: 1\n  clearance: internal", "unit: one\n  clearance: internal").replace(
        "site: s1}", "site: s7}"
    )
    (tmp_path / "estate.yaml").write_text(text, encoding="utf-8")
    whats = [each.what for each in problems(tmp_path)]
    assert len(whats) == 3
    assert [what.split(":")[0] for what in whats] == ["rooms hall", "rooms annex", "hosts h2"]


def test_the_error_prints_one_line_for_each_problem(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text("version: 1\nracks: 1\nhosts: 2\n", encoding="utf-8")
    with pytest.raises(load.EstateError) as caught:
        load.load(tmp_path)
    assert len(str(caught.value).splitlines()) == len(caught.value.problems) == 2
