"""A campaign as metrics: nothing while none goes on, and no label that names a host or a campaign."""

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from controller.adapters.exposition.campaigns import CampaignMetrics
from controller.model.campaign import Progress, State
from tests.fakes.campaign_progress import NOW, progress


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
