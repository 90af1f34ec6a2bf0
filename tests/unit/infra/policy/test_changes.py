"""What a preview would take away, and the named exceptions that let it."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from infra.policy import changes, exceptions, kinds
from tests.unit.infra.policy.declaring import urn

TODAY = date(2026, 3, 1)


def step(operation: str, kind: str, called: str, old: object = None, new: object = None) -> dict[str, Any]:
    states = {"oldState": old, "newState": new}
    inputs = {key: {"inputs": value} for key, value in states.items() if value is not None}
    return {"op": operation, "urn": urn(kind, called), **inputs}


def hosts(operation: str, old: int, new: int | None) -> dict[str, Any]:
    def inputs(count: int) -> dict[str, Any]:
        return {"name": "room-1", "hosts": [f"cmp{number:04}" for number in range(count)]}

    return step(operation, kinds.AGGREGATE, "room-1", inputs(old), None if new is None else inputs(new))


def excepted(**changed: str) -> str:
    entry = {"rule": "protected-kinds", "resource": "tax-return", "reason": "moved", "until": "2026-03-01", **changed}
    return json.dumps([entry])


def refused(*steps: Mapping[str, Any], allowed: str = "[]") -> list[str]:
    found = changes.refusals({"steps": list(steps)}, exceptions.parse(allowed), TODAY)
    return [f"{rule}: {violation.what}" for rule, violation in found]


DELETED = step("delete", kinds.PROJECT, "tax-return", {"name": "tax-return"})


@pytest.mark.parametrize("operation", ["delete", "replace", "create-replacement", "delete-replaced"])
@pytest.mark.parametrize("kind", sorted(kinds.PROTECTED))
def test_a_protected_kind_is_neither_deleted_nor_replaced(operation: str, kind: str) -> None:
    (what,) = refused(step(operation, kind, "it", {}, {}))
    assert what.startswith("protected-kinds: would be")


def test_a_security_group_whose_rules_would_go_before_neutron_refuses_to_let_it_go_is_kept() -> None:
    rule, group = (step("delete", kind, "db", {}) for kind in (kinds.SECURITY_RULE, kinds.SECURITY_GROUP))
    assert refused(rule) == []
    assert refused(rule, group) == ["protected-kinds: would be deleted"]


def test_a_replacement_shown_in_all_its_steps_is_told_once() -> None:
    operations = ("create-replacement", "replace", "delete-replaced")
    assert len(refused(*(step(each, kinds.NETWORK, "it", {}, {}) for each in operations))) == 1


def test_what_is_made_updated_or_not_protected_may_change() -> None:
    lawful = [
        step("create", kinds.PROJECT, "new", None, {}),
        step("update", kinds.PROJECT, "renamed", {"name": "a"}, {"name": "b"}),
        step("delete", kinds.SECURITY_RULE, "closed", {}),
        step("same", kinds.NETWORK, "same", {}, {}),
    ]
    assert refused(*lawful) == []


def test_what_a_refresh_did_not_find_may_be_made_anew() -> None:
    assert refused(DELETED, step("create", kinds.PROJECT, "tax-return", None, {})) == []


@pytest.mark.parametrize("resource", ["tax-return", DELETED["urn"]])
def test_a_named_exception_lets_it_through_its_last_day(resource: str) -> None:
    assert refused(DELETED, allowed=excepted(resource=resource, until="2026-03-01")) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"until": "2026-02-28"},
        {"resource": "tax-refund"},
        {"rule": "hosts-in-aggregates"},
    ],
)
def test_an_exception_that_expired_or_names_something_else_does_not_count(changed: dict[str, str]) -> None:
    assert len(refused(DELETED, allowed=excepted(**changed))) == 1


@pytest.mark.parametrize("taken_out", [hosts("update", 9, 9 - changes.MOST_HOSTS_OUT), hosts("update", 3, 9)])
def test_a_few_hosts_may_leave_an_aggregate(taken_out: dict[str, Any]) -> None:
    assert refused(taken_out) == []


@pytest.mark.parametrize("taken_out", [hosts("update", 9, 8 - changes.MOST_HOSTS_OUT), hosts("update", 3, 0)])
def test_many_hosts_may_not_leave_an_aggregate_at_once(taken_out: dict[str, Any]) -> None:
    (what,) = refused(taken_out)
    assert what.startswith("hosts-in-aggregates: ")
    assert refused(taken_out, allowed=excepted(rule="hosts-in-aggregates", resource="room-1")) == []


@pytest.mark.parametrize("lost", [hosts("delete", 1, None), hosts("replace", 9, 9)])
def test_an_aggregate_itself_is_a_protected_kind(lost: dict[str, Any]) -> None:
    (what,) = refused(lost)
    assert what.startswith("protected-kinds: ")
    assert refused(lost, allowed=excepted(resource="room-1")) == []


def test_hosts_are_counted_by_name_not_by_number() -> None:
    old, new = ({"hosts": [f"{row}{n}" for n in range(3)]} for row in "ab")
    assert len(refused(step("update", kinds.AGGREGATE, "room-1", old, new))) == 1


def test_an_image_change_that_rebuilds_a_server_is_refused() -> None:
    (what,) = refused(step("update", kinds.INSTANCE, "gate", {"imageId": "1"}, {"imageId": "2"}))
    assert what.startswith("no-rebuild: a change of imageId")
    assert refused(step("update", kinds.INSTANCE, "gate", {"imageId": "1"}, {"imageId": "1", "tags": ["x"]})) == []


def preview(tmp_path: Path, *steps: Mapping[str, Any], **config: str) -> str:
    file = tmp_path / "preview.json"
    file.write_text(json.dumps({"config": config, "steps": list(steps)}))
    return str(file)


def test_a_refusal_is_one_line_and_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert changes.main([preview(tmp_path, DELETED)]) == 1
    assert capsys.readouterr().out == (
        "protected-kinds: Project tax-return would be deleted (gdcc:exceptions may name it)\n"
    )


def test_a_stacks_own_configuration_names_the_exceptions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lasting = preview(tmp_path, DELETED, **{"gdcc:exceptions": excepted(until="9999-12-31")})
    assert changes.main([lasting]) == 0
    assert changes.main([preview(tmp_path, DELETED, **{"gdcc:exceptions": excepted(until="2020-01-01")})]) == 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "text", ["", "[]", "no json", '{"steps": [{"op": "delete"}]}', '{"config": {"gdcc:exceptions": "x"}}']
)
def test_what_cannot_be_judged_is_status_2_and_never_0(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "preview.json"
    file.write_text(text)
    assert changes.main([str(file)]) == 2
    assert "no preview to judge" in capsys.readouterr().err
    assert changes.main([str(tmp_path / "missing.json")]) == 2
    assert changes.main([]) == 2


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"rule": "no-host-pinning"}, "known: protected-kinds"),
        ({"reason": " "}, "lacks reason"),
        ({"until": "soon"}, "2026-01-31"),
        ({"untill": "2026-01-01"}, "unknown untill"),
    ],
)
def test_a_wrong_exception_says_what_is_wrong(changed: dict[str, str], word: str) -> None:
    with pytest.raises(ValueError, match="entry 1") as raised:
        exceptions.parse(excepted(**changed))
    assert word in str(raised.value)


def test_every_wrong_exception_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="entry 1 is no mapping; entry 2 lacks rule"):
        exceptions.parse('["x", {}]')


def test_a_date_written_without_quotes_is_the_same_date() -> None:
    (named,) = exceptions.parse(excepted(until="2026-03-01 00:00:00 +0000 UTC"))
    assert named.until == TODAY
