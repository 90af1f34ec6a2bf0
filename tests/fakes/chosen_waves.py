"""The controller's own Chooser over a cluster that stands still, in virtual time: wave after wave to the last host.

Hosts of a wave are out together and done together; afterwards every server stands again where it stood.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from controller.engine.campaign.choosing import RECHECK, Chooser, Facts
from controller.engine.observe import Look
from controller.engine.places import Situation
from controller.engine.readings import Readings
from controller.engine.sighting import Seen
from controller.engine.trust import TrustReport
from controller.model.campaign import Campaign, HostState, Limits, Member, Order, State, Work
from controller.model.cloud import CloudFacts
from controller.model.cluster import Cluster
from controller.model.ids import HostName
from controller.model.policy import Policy
from inventory.model import Estate

EACH = timedelta(minutes=30)
"""How long a wave takes."""

IDLE = 3
"""Choices without a host, one after the other, after which no more is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """`seconds`: of this process's processors, for the choice with what proved it."""

    hosts: tuple[HostName, ...]
    seconds: float


def facts(cluster: Cluster, policy: Policy, now: datetime) -> Facts:
    """What is known of a cluster on which nobody else acts."""
    found = CloudFacts(at=now, servers=(), services=(), providers=(), aggregates=(), groups=(), migrations=(),
                       projects=())  # fmt: skip
    seen = Seen(
        look=Look(at=now, facts=found, facts_error=None, readings=Readings(), faults=(), seconds={}),
        facts=found,
        cluster=cluster,
        report=TrustReport(readings=(), untrusted=(), unknown_hosts=(), missing_hosts=(), unknown_vms=0,
                           freeze=None, extent=None),
        situation=Situation(estate=Estate(name="still"), systems={}, project_of={}, groups={}),
    )  # fmt: skip
    return Facts(now=now, seen=seen, policy=policy, drains=(), runs=(), pauses=(), host_time=EACH)


def campaign(limits: Limits, now: datetime) -> Campaign:
    """A running one."""
    order = Order(name="c", hosts=("site:s",), work=Work(playbook="host-patch.yml"), limits=limits)
    return Campaign(id="c", order=order, who="op", created_at=now, state=State.RUNNING)


async def to_the_end(
    chooser: Chooser, members: Sequence[Member], limits: Limits, cluster: Cluster, policy: Policy, now: datetime
) -> list[Chosen]:
    """All waves; hosts that are held to the end are in none."""
    running, left = campaign(limits, now), {member.host: member for member in members}
    made, idle = list[Chosen](), 0
    while idle < IDLE and any(member.state is HostState.WAITING for member in left.values()):
        began = time.process_time()
        choice = await chooser.choose(running, tuple(left.values()), facts(cluster, policy, now))
        hosts = tuple(member.host for member in choice.hosts)
        idle = 0 if hosts else idle + 1
        if hosts:
            made.append(Chosen(hosts=hosts, seconds=time.process_time() - began))
        now += EACH if hosts else RECHECK
        left |= {host: replace(left[host], state=HostState.DONE, began_at=now - EACH, ended_at=now) for host in hosts}
    return made
