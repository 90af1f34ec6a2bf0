"""What would become of the estate: something is lost, and everything that ran on it has to start elsewhere."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from controller.model.ids import HostName, ServerId
from inventory.model import Domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A part of the estate that fails as one: `rack:r12`, `feed:A1`."""

    kind: Domain
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


class Verdict(StrEnum):
    """What a loss comes to, best first."""

    SURVIVED = "survived"
    """Every server has a place inside every safety limit."""
    HOT = "hot"
    """Every server has a place, and some host or supply is then over a safety limit."""
    OVERLOADED = "overloaded"
    """Every server has a place, but the partner of a lost feed, or what is behind it, carries more than it may."""
    SHORT = "short"
    """Some server has no place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """A server that must start elsewhere. `target` None: no place was found, `why` says what rules them out.

    `source` is None for a server that does not exist yet. `hot`: its target is over a safety limit with it.
    """

    vm: ServerId
    name: str
    system: str | None
    source: HostName | None
    target: HostName | None
    hot: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRule:
    """A group (spread, affinity, soft kinds too) whose rule is broken: already `before`; while servers are `down`, when
    none of those runs that stand apart for one to outlast the other; `after`, with all where they start.
    """

    rule: str
    before: bool
    down: bool
    after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemLoss:
    """A system that has servers down: `down` of `servers`, `unplaced` of them without a place.

    `rules`: its groups that keep a server from every place that has room. `broken`: its groups that have servers down
    or moving and whose rules are broken at any time.
    """

    system: str
    agency: str
    tier: int
    down: int
    servers: int
    unplaced: int
    rules: tuple[str, ...]
    broken: tuple[BrokenRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What servers of one classification without a place ask for together."""

    classification: str
    servers: int
    vcpus: float
    memory_mib: float
    disk_gib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Overload:
    """What must carry more than it may, now that the partner of `feed` has failed: that feed, or a PDU or phase on it.

    `supply`: which, as breaches name it (`feed:B`, `pdu:r1-b`, `phase:r1-b/2`).
    """

    feed: str
    supply: str
    watts: float
    limit_watts: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a loss comes to, or the hosts that are `emptied`. `hosts`: those that go down.

    `rounds`: how often servers are started, or moved, as many at once as the limits allow. `recovery`: how long that
    takes, where each start takes as long as was asked and each move as its copy.
    """

    losses: tuple[Loss, ...]
    emptied: tuple[HostName, ...] = ()
    verdict: Verdict
    hosts: tuple[HostName, ...]
    restarts: tuple[Restart, ...]
    systems: tuple[SystemLoss, ...]
    overloads: tuple[Overload, ...]
    missing: tuple[Missing, ...]
    rounds: int
    recovery: timedelta


class Resource(StrEnum):
    """What a host, or a supply of it, has too little of for one more server. In the order of `spare`'s rows."""

    VCPUS = "vcpus"
    MEMORY = "memory"
    DISK = "disk"
    CPU_LIMIT = "cpu limit"
    MEMORY_LIMIT = "memory limit"
    NETWORK_LIMIT = "network limit"
    STORAGE_LIMIT = "storage limit"
    POWER = "power"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """On how many hosts a resource runs out first; of `racks` and `rooms` on how many hosts in each, the most first."""

    resource: Resource
    hosts: int
    racks: tuple[tuple[str, int], ...]
    rooms: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A move of a plan that makes room."""

    vm: ServerId
    name: str
    source: HostName
    target: HostName


@dataclass(frozen=True, slots=True, kw_only=True)
class Defragmented:
    """How many more servers of a flavor fit after these moves, made in this order, and how long they take."""

    more: int
    moves: tuple[Shift, ...]
    takes: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How many more servers of one flavor and classification have a place.

    `servers`: that there are. `hosts`: that may start one. `now`: how many more fit. `kept`: how many with N+1 held,
    and `kept_for` the loss that alone allows least, None where none was looked at. `binding`: on how many of the hosts
    each resource runs out first, `where`: where these stand. `in_pieces`: how many more there would be room for if all
    that the hosts have left, inside their limits, were one host's, supplies aside. `freed`: what moves would make of
    that; None where nobody looked.
    """

    flavor: str
    classification: str
    servers: int
    hosts: int
    now: int
    kept: int
    kept_for: Loss | None
    binding: tuple[tuple[Resource, int], ...]
    where: tuple[Binding, ...]
    in_pieces: int
    freed: Defragmented | None = None
