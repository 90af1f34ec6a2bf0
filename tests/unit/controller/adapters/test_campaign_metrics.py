"""A campaign as metrics: nothing while none goes on, and no label that names a host or a campaign."""

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from controller.adapters.exposition.campaigns import CampaignMetrics
from controller.model.campaign import (
    Campaign,
    Held,
    HostState,
    Limits,
    Member,
    Order,
    Progress,
    Reboot,
    State,
    Step,
    Work,
)
from controller.model.ids import HostName

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def progress(state: State) -> Progress:
    order = Order(name="kernel", hosts=("h1",), work=Work(reboot=Reboot.ALWAYS), limits=Limits(hosts_at_once=4))
    states = (HostState.DONE, HostState.UNDER_WAY, HostState.FAILED, HostState.WAITING, HostState.WAITING)
    return Progress(
        campaign=Campaign(id="kernel", order=order, who="op", created_at=NOW, state=state),
        members=tuple(
            Member(campaign="kernel", host=HostName(f"h{n}"), domain="r1", state=each) for n, each in enumerate(states)
        ),
        doing={HostName("h1"): "work"},
        held=(Held(host=HostName("h3"), rule="capacity", why="h3 has no room elsewhere"),),
        waits="its window is closed",
        domain="r1",
        seconds={Step.DRAIN: 90.0},
        waves_left=2,
        host_time=timedelta(minutes=5),
        ends_at=NOW,
    )


def served(found: Progress | None) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(CampaignMetrics(lambda: found))
    return registry


@pytest.mark.parametrize("found", [None, progress(State.DONE), progress(State.NEW), progress(State.ABORTED)])
def test_nothing_is_shown_while_no_campaign_goes_on(found: Progress | None) -> None:
    assert generate_latest(served(found)) == b""


def test_a_campaign_that_goes_on_is_shown_by_states_steps_and_rules() -> None:
    registry = served(progress(State.RUNNING))

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"gdcc_campaign_{name}", labels)

    assert (value("state", state="running"), value("state", state="paused")) == (1, 0)
    assert (value("hosts", state="waiting"), value("hosts", state="returned")) == (2, 0)
    assert (value("hosts_out"), value("hosts_at_once"), value("hosts_held", rule="capacity")) == (2, 4, 1)
    assert (value("waits"), value("waves_left"), value("step_seconds", step="drain")) == (1, 2, 90)
    assert value("end_estimate_timestamp_seconds") == NOW.timestamp()
    text = generate_latest(registry).decode()
    assert "h3" not in text and "kernel" not in text and "window" not in text
