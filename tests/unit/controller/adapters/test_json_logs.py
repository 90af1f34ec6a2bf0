"""Logs for machines: one JSON object a line, with what it is about and without secrets."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from controller.adapters import logs

LOG = logging.getLogger("controller.test")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, logging.getLogger("controller").level)
    text = io.StringIO()
    logs.set_up("info", text)
    yield text
    logging.captureWarnings(capture=False)
    root.handlers[:], level, ours = before
    root.setLevel(level)
    logging.getLogger("controller").setLevel(ours)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_what_and_about_what(stream: io.StringIO) -> None:
    LOG.info("move %s", "sent", extra={"move": "p1-1", "host": "c3", "seconds": 1.5, "at": {"rack": ("r1",)}})
    (line,) = lines(stream)
    assert line["time"].endswith("+00:00")
    assert {key: line[key] for key in ("level", "logger", "event", "move", "host", "seconds", "at")} == {
        "level": "info", "logger": "controller.test", "event": "move sent", "move": "p1-1", "host": "c3",
        "seconds": 1.5, "at": {"rack": ["r1"]},
    }  # fmt: skip


def test_a_field_cannot_hide_the_lines_own(stream: io.StringIO) -> None:
    LOG.info("seen", extra={"time": "yesterday", "event": "other"})
    (line,) = lines(stream)
    assert (line["event"], line["event_"], line["time_"]) == ("seen", "other", "yesterday")


async def test_tasks_side_by_side_keep_their_own_context(stream: io.StringIO) -> None:
    async def move(name: str) -> None:
        with logs.context(move=name):
            await asyncio.sleep(0)
            LOG.info("sent")

    with logs.context(turn=7):
        await asyncio.gather(move("a"), move("b"))
    LOG.info("after")
    assert [(line.get("turn"), line.get("move")) for line in lines(stream)] == [(7, "a"), (7, "b"), (None, None)]


def test_a_traceback_is_a_field(stream: io.StringIO) -> None:
    try:
        raise ValueError("no such host\nanywhere")
    except ValueError:
        LOG.exception("turn failed")
    (line,) = lines(stream)
    assert line["traceback"].endswith("ValueError: no such host\nanywhere")
    assert line["level"] == "error"


@pytest.mark.parametrize(
    "extra",
    [
        {"password": "hunter2"},
        {"snmp": {"community": "hunter2"}},
        {"headers": {"X-Auth-Token": "hunter2"}},
        {"url": "http://gdcc:hunter2@prometheus:9090/"},
        {"said": "Authorization: Bearer hunter2"},
        {"said": "request failed with {'X-Subject-Token': 'hunter2'}"},
        {"said": ["password=hunter2"]},
        {"error": RuntimeError("token: hunter2")},
    ],
)
def test_secrets_are_not_written(stream: io.StringIO, extra: dict[str, object]) -> None:
    LOG.info("asked", extra=extra)
    assert "hunter2" not in stream.getvalue()
    assert "***" in stream.getvalue()


def test_secrets_in_messages_and_tracebacks_are_not_written(stream: io.StringIO) -> None:
    try:
        raise RuntimeError("Basic aHVudGVyMg== was refused")
    except RuntimeError:
        LOG.exception("Bearer hunter2 was refused")
    assert "hunter2" not in stream.getvalue()
    assert "aHVudGVyMg" not in stream.getvalue()


def test_what_is_no_json_is_written_as_text(stream: io.StringIO) -> None:
    LOG.info("read", extra={"value": float("nan"), "thing": object})
    (line,) = lines(stream)
    assert (line["value"], line["thing"]) == ("nan", "<class 'object'>")


def test_libraries_speak_from_warning_on(stream: io.StringIO) -> None:
    logging.getLogger("keystoneauth").info("REQ: curl")
    logging.getLogger("keystoneauth").warning("slow")
    assert [line["event"] for line in lines(stream)] == ["slow"]
