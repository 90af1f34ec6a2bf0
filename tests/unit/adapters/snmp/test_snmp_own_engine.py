"""Our engine's id outlives the process, and each start is one more boot under it."""

import json
from pathlib import Path

import pytest

from controller.adapters.snmp import own_engine
from controller.adapters.snmp.own_engine import started
from controller.adapters.snmp.usm import LAST_BOOTS
from controller.adapters.snmp.v3 import ENGINE_ID_BYTES
from controller.errors import InputError


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_each_start_is_one_more_boot_of_the_same_engine_and_its_time_begins_anew(tmp_path: Path) -> None:
    path, clock = tmp_path / "engine.json", Clock()
    first = started(path, clock)
    assert len(first.id) in ENGINE_ID_BYTES and first.id[0] & 0x80, "RFC 3411: the first bit is set"
    assert (first.boots, first.time) == (1, 0)
    clock.seconds += 61.5
    assert first.time == 61
    second = started(path, clock)
    assert (second.id, second.boots, second.time) == (first.id, 2, 0)
    assert first.time == 61, "who was told of the first start goes on with it"
    clock.seconds += 2.0**40
    assert second.time == LAST_BOOTS


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "{}", '{"engine_id": "80001f88", "boots": 3}', '{"engine_id": "xx", "boots": 3}',
        '{"engine_id": "80001f8880aabbccdd00112233", "boots": "3"}',
        '{"engine_id": "80001f8880aabbccdd00112233", "boots": 0}',
        '{"engine_id": "80001f8880aabbccdd00112233", "boots": 2147483646}',
        '{"engine_id": "80001f8880aabbccdd00112233", "boots": 99999999999}',
    ],
)  # fmt: skip
def test_a_file_that_says_nothing_of_use_or_whose_boots_are_used_up_makes_a_new_engine(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "engine.json"
    path.write_text(text)
    engine = started(path, Clock())
    assert engine.boots == 1
    assert engine.id.hex() != "80001f8880aabbccdd00112233"
    assert json.loads(path.read_text()) == {"engine_id": engine.id.hex(), "boots": 1}


def test_an_id_that_is_known_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "engine.json"
    path.write_text('{"engine_id": "80001f8880aabbccdd00112233", "boots": 41}')
    engine = started(path, Clock())
    assert (engine.id.hex(), engine.boots) == ("80001f8880aabbccdd00112233", 42)
    assert [each.name for each in tmp_path.iterdir()] == ["engine.json"]


def test_two_engines_are_not_one(tmp_path: Path) -> None:
    assert started(tmp_path / "one", Clock()).id != started(tmp_path / "two", Clock()).id
    assert own_engine.ENTERPRISE == 8072


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    path = tmp_path / "state" / "of" / "engine.json"
    assert started(path, Clock()).boots == 1
    assert path.exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "engine.json", tmp_path / "file" / "under" / "engine.json"):
        with pytest.raises(InputError, match="boots of our SNMP engine cannot be kept"):
            started(path, Clock())
