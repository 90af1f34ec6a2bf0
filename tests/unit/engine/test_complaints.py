"""What cannot be read is named in the log, and not again and again."""

import asyncio
import logging
from datetime import timedelta
from pathlib import Path

import pytest

from controller.engine.complaints import AGAIN_AFTER, MOST_AT_ONCE, Complaints, news
from controller.engine.observe import Observer
from controller.errors import TransientError
from controller.model.cloud import CloudFacts
from controller.model.sample import Fault
from tests.fakes.clock import VirtualClock
from tests.fakes.cloud import FakeCloud
from tests.fakes.journals import START
from tests.fakes.turning import Turning


def fault(subject: str, detail: str = "", reason: str = "implausible") -> Fault:
    return Fault(source="snmp", subject=subject, reason=reason, detail=detail)


class DownCloud(FakeCloud):
    """Nova refuses each look by a request of its own."""

    asked = 0

    async def facts(self) -> CloudFacts:
        self.asked += 1
        raise TransientError("down", where=f"GET compute /servers/detail: 503 [req-{self.asked}]")


def test_a_fault_that_goes_on_is_told_once_an_hour() -> None:
    complaints, first = news(Complaints(), [fault("c1", "250 °C")], START)
    again = [fault("c1", "251 °C"), fault("c1", reason="timeout")]
    complaints, second = news(complaints, again, START + AGAIN_AFTER / 2)
    _, third = news(complaints, [fault("c1", "252 °C")], START + AGAIN_AFTER)
    assert [each.detail for each in first] == ["250 °C"]
    assert [each.reason for each in second] == ["timeout"]
    assert [each.detail for each in third] == ["252 °C"]


async def test_a_cloud_that_cannot_be_read_is_told_once_and_each_row_of_it_that_cannot() -> None:
    clock = VirtualClock()
    looking = Observer(DownCloud(clock), (), clock, deadline=timedelta(seconds=20))
    complaints, told = Complaints(), list[str]()
    for _ in range(3):
        look = await looking.look()
        complaints, now = news(complaints, look.faults, look.at)
        told += [each.detail for each in now]
    assert told == ["GET compute /servers/detail: 503 [req-1]: down"]
    flaws = [Fault(source="cloud", subject="", reason="malformed", detail=f"server s{n}: no flavor") for n in (1, 2)]
    assert len(news(complaints, flaws, START)[1]) == 2


def test_many_that_fail_at_once_are_told_over_some_looks_and_none_is_left_out() -> None:
    every = [fault(f"c{n}") for n in range(2 * MOST_AT_ONCE + 1)]
    complaints, told = Complaints(), []
    for turn in range(4):
        complaints, now = news(complaints, every, START + turn * timedelta(seconds=30))
        told.append(len(now))
    assert told == [MOST_AT_ONCE, MOST_AT_ONCE, 1, 0]


def test_a_clock_that_goes_back_keeps_nothing_quiet_for_longer() -> None:
    complaints, _ = news(Complaints(), [fault("c1")], START)
    assert news(complaints, [fault("c1")], START - timedelta(days=1))[1]


def test_a_reading_that_could_not_be_used_is_named_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    site = Turning(tmp_path)
    site.sensors.faults = (fault("c3", "inlet says 250 °C"),)
    with caplog.at_level(logging.WARNING, "controller"):
        asyncio.run(site.turns(2))
    site.rig.journal.close_store()
    (record,) = [each for each in caplog.records if each.getMessage() == "a reading cannot be used"]
    assert (record.source, record.subject, record.reason, record.detail) == (  # type: ignore[attr-defined]
        "snmp", "c3", "implausible", "inlet says 250 °C",
    )  # fmt: skip
