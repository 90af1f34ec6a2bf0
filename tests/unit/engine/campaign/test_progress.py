"""When a campaign is thought to end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from controller.engine.campaign import progress
from controller.model.campaign import Campaign, HostState, Limits, Member, Order, State, Work
from controller.model.ids import HostName
from inventory import windows
from inventory.model import Window

BANGKOK = "Asia/Bangkok"
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
"""A Saturday, 10:00 in Bangkok."""


def member(number: int, state: HostState = HostState.WAITING, took: timedelta = timedelta(minutes=40)) -> Member:
    done = state is HostState.DONE
    return Member(
        campaign="patch",
        host=HostName(f"h{number}"),
        domain="r1",
        state=state,
        began_at=NOW - took if done else None,
        ended_at=NOW if done else None,
    )


def ends_at(waiting: int, *times: Window, blackouts: tuple[Window, ...] = ()) -> datetime | None:
    """With one host done in 40 minutes, and so many that go one by one."""
    order = Order(
        name="patch", hosts=("h1",), work=Work(playbook="host-patch.yml"), limits=Limits(hosts_at_once=1),
        windows=times, blackouts=blackouts,
    )  # fmt: skip
    campaign = Campaign(id="patch", order=order, who="op", created_at=NOW, state=State.RUNNING)
    members = [member(0, HostState.DONE), *(member(n) for n in range(1, waiting + 1))]
    return progress.ends_at(campaign, members, NOW, BANGKOK)


def test_waves_follow_each_other_where_there_are_no_windows() -> None:
    assert ends_at(6) == NOW + timedelta(hours=4)
    assert ends_at(5_000) == NOW + 5_000 * timedelta(minutes=40)


def test_a_wave_begins_at_the_minute_at_which_a_window_opens_again() -> None:
    daily = windows.window("10:07-11:00")
    assert ends_at(1, daily) == NOW + timedelta(minutes=47)
    assert ends_at(2, daily) == NOW + timedelta(minutes=87)
    assert ends_at(3, daily) == NOW + timedelta(days=1, minutes=47)


def test_blackouts_are_waited_out_to_their_minute() -> None:
    assert ends_at(1, blackouts=(windows.window("09:00-10:05"),)) == NOW + timedelta(minutes=45)


def test_years_of_windows_are_walked_from_edge_to_edge() -> None:
    assert ends_at(520, windows.window("Sat 10:00-10:30")) == NOW + timedelta(days=7 * 519, minutes=40)


def test_no_end_can_be_told_where_blackouts_leave_no_window() -> None:
    assert ends_at(1, windows.window("10:00-11:00"), blackouts=(windows.window("09:00-12:00"),)) is None


def test_only_a_running_campaign_with_a_measured_host_has_an_end() -> None:
    order = Order(name="patch", hosts=("h1",), work=Work(playbook="host-patch.yml"))
    campaign = Campaign(id="patch", order=order, who="op", created_at=NOW, state=State.RUNNING)
    assert progress.ends_at(campaign, [member(1)], NOW, BANGKOK) is None
    measured = [member(0, HostState.DONE), member(1)]
    assert progress.ends_at(replace(campaign, state=State.PAUSED), measured, NOW, BANGKOK) is None
