"""How the memory of a running guest is copied: rounds at the speed of shared links, while the guest goes on writing."""

import enum
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from controller.twin.machines import MIB
from controller.twin.topology import Floats, Topology

_LEAST_SHARE = 0.05


class Stage(enum.Enum):
    """Where a migration is."""

    ACCEPTED = enum.auto()
    QUEUED = enum.auto()
    PREPARING = enum.auto()
    RUNNING = enum.auto()
    SETTLING = enum.auto()


class Mode(enum.StrEnum):
    """What befalls a migration. `LIE`: its record says completed and the server did not move."""

    REFUSE = "refuse"
    PREPARE_FAILS = "prepare-fails"
    FAIL = "fail"
    STALL = "stall"
    ERROR = "error"
    LIE = "lie"
    UNBOUND = "unbound"


@dataclass(slots=True, kw_only=True)
class Copy:
    """A migration under way. Bytes; `age` is seconds in this stage, `total_age` since it was asked for."""

    stage: Stage
    remaining: float
    total: float
    processed: float = 0.0
    age: float = 0.0
    total_age: float = 0.0
    mode: Mode | None = None
    aborted: bool = False
    forced: bool = False

    def enter(self, stage: Stage) -> None:
        """Begins the next stage."""
        self.stage, self.age = stage, 0.0

    def advance(self, rate: float, dirty: float, dt: float) -> None:
        """Copies for `dt` seconds at `rate` bytes/s while the guest dirties `dirty` bytes/s, never above its memory."""
        sent = min(self.remaining, rate * dt)
        self.processed += sent
        self.remaining = min(self.total, self.remaining - sent + dirty * dt)

    def converged(self, last_round: float) -> bool:
        """Whether what is left fits into the last round, for which the guest is stopped."""
        return self.remaining <= last_round


def shares(
    copies: Mapping[int, tuple[int, int]], topology: Topology, speed: float, vms_bytes_s: Floats | None = None
) -> dict[int, float]:
    """Bytes/s of each copy (source row, target row): the least of its equal shares of every link that it uses.

    A host's link carries copies out and copies in apart; a rack's uplink all that cross it, beside `vms_bytes_s`.
    """
    uplink_mib_s = _free_mib_s(topology, speed, vms_bytes_s)
    out = Counter(source for source, _ in copies.values())
    into = Counter(target for _, target in copies.values())
    crossing: Counter[int] = Counter()
    for source, target in copies.values():
        racks = {int(topology.host_rack[source]), int(topology.host_rack[target])}
        crossing.update(racks if len(racks) > 1 else ())
    rates = {}
    for number, (source, target) in copies.items():
        limits = [topology.link_mib_s[source] / out[source], topology.link_mib_s[target] / into[target]]
        racks = {int(topology.host_rack[source]), int(topology.host_rack[target])}
        if len(racks) > 1:
            limits += [uplink_mib_s[rack] / crossing[rack] for rack in racks]
        rates[number] = float(min(limits)) * MIB * speed
    return rates


def _free_mib_s(topology: Topology, speed: float, vms_bytes_s: Floats | None) -> Floats:
    """What VMs leave of each rack's uplinks; copies get a little whatever happens, as TCP's flows do."""
    uplink = topology.rack_uplink_mib_s
    taken = np.zeros(len(uplink)) if vms_bytes_s is None else vms_bytes_s / MIB / speed
    free: Floats = np.maximum(uplink - taken, _LEAST_SHARE * uplink)
    return free
