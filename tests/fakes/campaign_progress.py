"""A campaign at a glance, for those who show it."""

from datetime import UTC, datetime, timedelta

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
    """Of a campaign with a host in nearly every state, one of them held."""
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
