"""The campaign that goes on: its state, its hosts, why some wait, what its steps take and when it should end."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from controller.adapters.exposition.family import counted, gauge, gauges
from controller.model.campaign import OPEN, OUT, HostState, Progress, State


class CampaignMetrics(Collector):
    """Nothing while no campaign goes on. `newest` answers the progress of the one that does, or of an ended one."""

    def __init__(self, newest: Callable[[], Progress | None]) -> None:
        self._newest = newest

    def collect(self) -> Iterable[Metric]:
        """Labels are states, steps and rules, never names."""
        found = self._newest()
        if found is not None and found.campaign.state in OPEN:
            yield from _families(found)

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry need not collect to learn names."""
        return ()


def _families(seen: Progress) -> Iterator[Metric]:
    states = [((state.value,), float(state is seen.campaign.state)) for state in State if state in OPEN]
    yield gauges("gdcc_campaign_state", "1 for the state of the campaign that goes on.", ("state",), states)
    hosts = {state.value: seen.count(state) for state in HostState}
    yield counted("gdcc_campaign_hosts", "Hosts of the campaign by state.", "state", hosts)
    out = float(seen.count(*OUT) + sum(member.waits_again for member in seen.members))
    yield gauge("gdcc_campaign_hosts_out", "Hosts out of service on the campaign's account.", out)
    allowed = float(seen.campaign.order.limits.hosts_at_once)
    yield gauge("gdcc_campaign_hosts_at_once", "Hosts that may be under way together.", allowed)
    held = Counter(each.rule for each in seen.held)
    yield counted("gdcc_campaign_hosts_held", "Hosts that cannot be begun, by the rule that holds them.", "rule", held)
    waits = float(bool(seen.waits))
    yield gauge(
        "gdcc_campaign_waits", "1 while no host is begun though some are left; gdcc campaign show says why.", waits
    )
    yield gauge("gdcc_campaign_waves_left", "The fewest waves that the limits still allow.", float(seen.waves_left))
    steps = (((step.value,), seconds) for step, seconds in seen.seconds.items())
    yield gauges("gdcc_campaign_step_seconds", "Mean duration of each step of the newest hosts.", ("step",), steps)
    if seen.ends_at is not None:
        ends = seen.ends_at.timestamp()
        yield gauge("gdcc_campaign_end_estimate_timestamp_seconds", "When the campaign should have ended.", ends)
