"""Campaigns over a fake fleet, a real journal and virtual time; `restart` is a new process on the same world.

Racks r1, r2 … each with hosts r1h1, r1h2 …; every host in service carries VMs, and one that is out does so until it is
drained. A group spreads one VM over each rack; another is crowded on the first hosts of rack r1.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from controller.engine.campaign.conductor import Conductor
from controller.engine.campaign.desk import CampaignDesk
from controller.engine.campaign.orders import Variables
from controller.engine.observe import Look
from controller.engine.places import Situation
from controller.engine.ports import Journal
from controller.engine.readings import Readings
from controller.engine.sighting import Seen
from controller.engine.trust import TrustReport
from controller.model.campaign import Canaries, HostState, Limits, Member, Order, State, Work
from controller.model.cloud import CloudFacts
from controller.model.cluster import Cluster
from controller.model.ids import HostName
from controller.model.operation import DrainState
from controller.model.policy import Mode, Policy
from inventory import facility
from inventory import model as estate
from inventory.model import Classification
from tests import builders
from tests.fakes import journals
from tests.fakes.campaigns import FakeFleet, FakePlaybooks, Machine, World
from tests.fakes.clock import VirtualClock

PLAYBOOKS = frozenset({"host-patch.yml", "host-boot-id.yml", "host-reboot.yml", "host-verify.yml"})
TAGS = frozenset({"patch", "all"})
VARIABLES = Variables(known={"patch_packages", "patch_lock_timeout_s", "bmc_password"}, secret={"bmc_password"})
TURN = timedelta(seconds=10)
"""Between two looks of the loop."""


def fleet_estate(racks: int, hosts: int) -> estate.Estate:
    """So many racks on one feed pair, with so many hosts each."""
    names = [f"r{n}" for n in range(1, racks + 1)]
    return estate.Estate(
        name="test",
        sites={"s": facility.Site(name="s")},
        rooms={"room": facility.Room(name="room", site="s")},
        zones={"z": facility.Zone(name="z", room="room")},
        feeds={name: facility.Feed(name=name, room="room", rated_watts=1e5) for name in "AB"},
        racks={name: facility.Rack(name=name, room="room", zone="z") for name in names},
        pdus={
            f"{rack}{feed}": facility.Pdu(name=f"{rack}{feed}", rack=rack, feed=feed, rated_amps=32)
            for rack in names
            for feed in "AB"
        },
        host_types={
            "t": estate.HostType(name="t", vcpus=64, memory_mib=262_144, disk_gib=4000, idle_watts=100, peak_watts=500)
        },
        hosts={
            f"{rack}h{n}": estate.Host(
                name=f"{rack}h{n}", type="t", rack=rack, unit=n, clearance=Classification.SECRET,
                cords=(estate.Cord(pdu=f"{rack}A"), estate.Cord(pdu=f"{rack}B")),
            )
            for rack in names
            for n in range(1, hosts + 1)
        },
    )  # fmt: skip


def order(name: str = "patch-1", hosts: tuple[str, ...] = ("room:room",), **changes: Any) -> Order:
    """A patch of every host, two at once in a rack, with any field changed."""
    values: dict[str, Any] = {
        "work": Work(playbook="host-patch.yml"),
        "limits": Limits(hosts_at_once=2),
        "canaries": Canaries(),
    }
    return Order(name=name, hosts=hosts, **values | changes)


def _failed_before(member: Member, resumed_at: datetime) -> bool:
    """Whether an operator has resumed the campaign beside it."""
    return member.state is HostState.FAILED and member.ended_at is not None and member.ended_at <= resumed_at


class CampaignRig:
    """Everything wired. `wrap` puts something around each port of the next process."""

    def __init__(self, folder: Path, *, racks: int = 2, hosts: int = 2, crowded: int = 0) -> None:
        """`crowded`: so many hosts of rack r1 carry a member each of a group of which one may go at once."""
        self.folder = folder
        self._crowd = tuple(f"r1h{n}" for n in range(1, crowded + 1))
        self.clock = VirtualClock()
        self.estate = fleet_estate(racks, hosts)
        self.world = World({HostName(name): Machine() for name in self.estate.hosts})
        self.world.on_change = self.check
        self.policy = Policy(mode=Mode.AUTO)
        self.journal = journals.opened(folder)
        self.freeze: str | None = None
        self.cluster_changes: dict[str, dict[str, Any]] = {}
        self._clusters: dict[tuple[object, ...], Cluster] = {}
        self.most_out = 0
        self.failures: list[str] = []
        self.start()

    def start(self, wrap: Callable[[Any], Any] = lambda port: port, *, dry_run: bool = False) -> None:
        """Wires a process."""
        journal: Journal = wrap(self.journal)
        records = wrap(self.journal.campaigns)
        self.fleet = FakeFleet(self.world, self.journal, self.clock)
        self.conductor = Conductor(
            records=records,
            journal=journal,
            fleet=wrap(self.fleet),
            playbooks=wrap(FakePlaybooks(self.world, self.clock)),
            clock=self.clock,
            seen=self.seen,
            policy=lambda: self.policy,
            dry_run=dry_run,
        )
        self.desk = CampaignDesk(
            records=records,
            journal=journal,
            clock=self.clock,
            conductor=self.conductor,
            estate=lambda: self.estate,
            playbooks=lambda: PLAYBOOKS,
            variables=lambda: VARIABLES,
            tags=lambda playbook: TAGS,
            dry_run=dry_run,
        )
        self.looked_at = self.clock.now()

    def restart(self, wrap: Callable[[Any], Any] = lambda port: port, *, dry_run: bool = False) -> None:
        self.journal.close_store()
        self.journal = journals.opened(self.folder)
        self.clock.advance(timedelta(seconds=1))
        self.start(wrap, dry_run=dry_run)

    def seen(self) -> Seen:
        """The newest look: who is out, and where VMs are then."""
        out = frozenset(self.world.out())
        draining = frozenset(drain.host for drain in self.journal.drains())
        case = (out, draining, self._emptied(), self.freeze, repr(self.cluster_changes))
        cluster = self._clusters.get(case) or self._clusters.setdefault(case, self._cluster(out, draining))
        facts = CloudFacts(at=self.looked_at, servers=(), services=(), providers=(), aggregates=(), groups=(),
                           migrations=(), projects=())  # fmt: skip
        return Seen(
            look=Look(at=self.looked_at, facts=facts, facts_error=None, readings=Readings(), faults=(), seconds={}),
            facts=facts,
            cluster=cluster,
            report=TrustReport(readings=(), untrusted=(), unknown_hosts=(), missing_hosts=(), unknown_vms=0,
                               freeze=self.freeze, extent=None),
            situation=Situation(estate=self.estate, systems={}, project_of={}, groups={}),
        )  # fmt: skip

    def _cluster(self, out: frozenset[str], draining: frozenset[str]) -> Cluster:
        hosts = [self._host(name, name not in out, name in draining) for name in self.estate.hosts]
        serving = [host.name for host in hosts if host.enabled]
        full = {*serving, *(name for name in out if name not in self._emptied())}
        homes = {name: name if name in full else serving[n % len(serving)] for n, name in enumerate(self.estate.hosts)}
        vms = [builders.Vm(name=f"vm-{name}", host=home) for name, home in homes.items()]
        firsts = tuple(f"vm-{rack}h1" for rack in self.estate.racks)
        groups = [builders.Group(name="spread", members=firsts, domain=estate.Domain.HOST)]
        if self._crowd:
            crowd = tuple(f"vm-{host}" for host in self._crowd)
            groups.append(builders.Group(name="crowd", members=crowd, domain=estate.Domain.HOST))
        return builders.cluster(hosts=hosts, vms=vms, groups=groups, freeze=self.freeze)

    def _emptied(self) -> frozenset[str]:
        """Hosts that are drained, so that nothing is on them."""
        return frozenset(drain.host for drain in self.journal.drains() if drain.state is DrainState.EMPTY)

    def _host(self, name: str, enabled: bool, draining: bool) -> builders.Host:
        values: dict[str, Any] = {"enabled": enabled, "draining": draining, "watts": None}
        return builders.Host(
            name=name, rack=self.estate.hosts[name].rack, **values | self.cluster_changes.get(name, {})
        )

    def check(self) -> None:
        """Called whenever a service is switched: what is out now must be allowed."""
        out = {host for host in self.world.out() if not self.cluster_changes.get(host)}
        self.most_out = max(self.most_out, len(out))
        campaigns = [each for each in self.journal.campaigns.campaigns() if each.state is not State.NEW]
        if not campaigns:
            return
        limits = campaigns[0].order.limits
        members = {member.host: member for member in self.journal.campaigns.members(campaigns[0].id)}
        since = campaigns[0].resumed_at or campaigns[0].created_at
        accepted = {host for host in out if members[host].waits_again or _failed_before(members[host], since)}
        if len(out - accepted) > limits.hosts_at_once:
            self.failures.append(f"{sorted(out - accepted)} are out together")
        if len({self.estate.hosts[host].rack for host in out - accepted}) > 1:
            self.failures.append(f"{sorted(out - accepted)} of several racks are out together")
        in_flight = (out - self._emptied()) & {*self._crowd}
        if len(in_flight) > 1:
            self.failures.append(f"{sorted(in_flight)} take members of one group along together")

    async def begin(self, asked: Order | None = None) -> str:
        """Makes and starts a campaign."""
        asked = asked or order()
        self.desk.new(asked, "op")
        self.desk.start(asked.name, "op")
        return asked.name

    async def live(self, longest: timedelta, until: Callable[[], bool] = lambda: False) -> None:
        """A process lives until `until` or for so long, and then gets SIGTERM."""
        conductor = asyncio.create_task(self.conductor.run())
        ends = self.clock.now() + longest
        try:
            while self.clock.now() < ends and not until() and not conductor.done():
                self.fleet.tend()
                self.looked_at = self.clock.now()
                await self.clock.sleep(TURN)
        finally:
            conductor.cancel()
            (ended,) = await asyncio.gather(conductor, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended

    async def until(self, *states: State, name: str = "patch-1", longest: timedelta = timedelta(hours=6)) -> State:
        """Lives until the campaign is in one of the states; the state it then is in."""
        await self.live(longest, lambda: self.state(name) in states)
        return self.state(name)

    def state(self, name: str = "patch-1") -> State:
        campaign = self.journal.campaigns.campaign(name)
        assert campaign is not None
        return campaign.state

    def why(self, name: str = "patch-1") -> str:
        campaign = self.journal.campaigns.campaign(name)
        assert campaign is not None
        return campaign.why

    def member(self, host: str, name: str = "patch-1") -> Member:
        return next(each for each in self.journal.campaigns.members(name) if each.host == host)

    def states(self, name: str = "patch-1") -> dict[str, HostState]:
        return {member.host: member.state for member in self.journal.campaigns.members(name)}

    def break_host(self, host: str, **changes: Any) -> None:
        """The cluster shows the host so from now on."""
        self.cluster_changes[host] = changes

    def mend(self, host: str) -> None:
        self.world.broken = {key: said for key, said in self.world.broken.items() if key[0] != host}
        self.world.machines = {
            name: replace(machine) if name == host else machine for name, machine in self.world.machines.items()
        }
