"""The acting half of the controller over a fake cloud, a real journal and virtual time."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from controller.engine.adopt import Adopter
from controller.engine.follow import Follower
from controller.engine.migrate import Migrator
from controller.engine.order import Order, Result
from controller.engine.places import GroupRule, Situation
from controller.engine.ports import Cloud, Journal
from controller.model.ids import HostName, MoveId, PlanId, ProjectId, ServerId
from controller.model.migration import Outcome, State
from controller.model.policy import Mode, Policy
from inventory import facility
from inventory import model as estate
from inventory.model import Classification
from tests.fakes import journals
from tests.fakes.clock import VirtualClock
from tests.fakes.cloud import FakeCloud

HOSTS = {"c1": "r1", "c2": "r1", "c3": "r2", "c4": "r2"}
"""Four hosts in two racks."""


def small_estate(**systems: Any) -> estate.Estate:
    """Hosts c1 to c4 in racks r1 and r2 on feeds A and B; agency a with system web (project p-web) and db (p-db).

    c4 is cleared for internal data, the others for secret. `systems` changes fields of a system by its name.
    """
    named = {
        name: estate.System(
            name=name,
            agency="a",
            project=f"p-{name}",
            classification=Classification.CONFIDENTIAL,
            tier=estate.Tier.STANDARD,
        )
        for name in ("web", "db")
    }
    for name, changes in systems.items():
        named[name] = replace(named[name], **changes)
    return estate.Estate(
        name="test",
        sites={"s": facility.Site(name="s")},
        rooms={"room": facility.Room(name="room", site="s")},
        zones={"z": facility.Zone(name="z", room="room")},
        feeds={name: facility.Feed(name=name, room="room", rated_watts=1e5) for name in "AB"},
        racks={name: facility.Rack(name=name, room="room", zone="z") for name in ("r1", "r2")},
        pdus={
            f"{rack}{feed}": facility.Pdu(name=f"{rack}{feed}", rack=rack, feed=feed, rated_amps=32)
            for rack in ("r1", "r2")
            for feed in "AB"
        },
        host_types={
            "t": estate.HostType(name="t", vcpus=64, memory_mib=262_144, disk_gib=4000, idle_watts=100, peak_watts=500)
        },
        hosts={
            name: estate.Host(
                name=name,
                type="t",
                rack=rack,
                unit=unit,
                clearance=Classification.INTERNAL if name == "c4" else Classification.SECRET,
                cords=(estate.Cord(pdu=f"{rack}A"), estate.Cord(pdu=f"{rack}B")),
            )
            for unit, (name, rack) in enumerate(HOSTS.items(), start=1)
        },
        agencies={"a": estate.Agency(name="a")},
        systems=named,
    )


def order(name: str = "vm-1", target: str = "c2", **changes: Any) -> Order:
    """An order to move that server from c1, named after it, with any field changed."""
    values: dict[str, Any] = {
        "id": MoveId(f"p1-{name}"),
        "by_operator": False,
        "plan_id": PlanId("p1"),
        "server_id": ServerId(name),
        "server_name": name,
        "source": HostName("c1"),
        "target": HostName(target),
        "cold": False,
        "rule": "cpu",
        "why": "c1 is hot",
    }
    return Order(**values | changes)


class Rig:
    """Everything wired, in mode auto. `restart` is a new process on the same journal and cloud."""

    def __init__(self, folder: Path, *, policy: Policy | None = None) -> None:
        self.folder = folder
        self.clock = VirtualClock()
        self.cloud = FakeCloud(self.clock)
        self.policy = policy or Policy(mode=Mode.AUTO)
        self.estate = small_estate()
        self.groups: Mapping[ServerId, tuple[GroupRule, ...]] = {}
        self.freeze: str | None = None
        self.journal = journals.opened(folder)
        self.start(self.cloud, self.journal)

    def start(self, cloud: Cloud, journal: Journal) -> None:
        """Wires the engine anew, as a process does at its start."""
        epoch = journal.open_epoch("test", self.clock.now())
        self.follower = Follower(cloud, journal, self.clock, lambda: self.policy, self.situation)
        self.adopter = Adopter(journal, self.follower)
        self.migrator = Migrator(
            cloud,
            journal,
            self.clock,
            policy=lambda: self.policy,
            situation=self.situation,
            follower=self.follower,
            epoch=epoch,
        )

    def restart(self) -> None:
        self.journal.close_store()
        self.journal = journals.opened(self.folder)
        self.start(self.cloud, self.journal)

    def situation(self) -> Situation:
        return Situation(
            estate=self.estate,
            systems={ProjectId(system.project): system for system in self.estate.systems.values()},
            project_of={server.id: server.project_id for server in self.cloud.servers.values()},
            groups=self.groups,
            freeze=self.freeze,
        )


async def move(rig: Rig, asked: Order | None = None, host: str = "c1", **server: object) -> Result:
    """Boots the server on a host and carries the order out to its end."""
    rig.cloud.boot("vm-1", host, **server)
    return await rig.migrator.execute(asked or order())


def ended(result: Result) -> tuple[State, str]:
    """How a move that was begun ended, and by which rule."""
    assert result.entry is not None and result.entry.outcome is not None
    return result.entry.state, result.entry.outcome.rule


def refused_by(result: Result) -> str:
    """The rule that a move was refused by."""
    assert result.refusal is not None
    return result.refusal.rule


def outcome(result: Result) -> Outcome:
    """The end of a move that was begun, and what it cost."""
    assert result.entry is not None and result.entry.outcome is not None
    return result.entry.outcome
