"""What changes in a twin's world: VMs and hosts as columns, and the words Nova keeps about each of them."""

from dataclasses import dataclass, field

import numpy as np

from controller.twin.topology import Flags, Floats, Rows
from inventory.model import Flavor

MIB = 1 << 20


@dataclass(slots=True, kw_only=True)
class Server:
    """Nova's row of a server; `row` is its row in `VmColumns`, `host` its host's row, -1 for none.

    `set_key` names its VM set. `resized_from` is the source of a cold migration that waits for confirmation. Times are
    seconds since the epoch.
    """

    id: str
    name: str
    project_id: str
    flavor: Flavor
    row: int
    host: int
    created: float
    updated: float
    system: str
    set_key: str
    vm_state: str = "active"
    task_state: str | None = None
    old_state: str = "active"
    resized_from: int = -1
    locked: bool = False
    pinned_zone: str | None = None
    group: str | None = None
    fault: tuple[int, str, float] | None = None

    @property
    def status(self) -> str:
        """The status the API shows, derived from the two states as Nova does."""
        if self.vm_state == "deleted":
            return "DELETED"
        if self.task_state == "migrating":
            return "MIGRATING"
        if self.task_state is not None and self.task_state.startswith("resize_"):
            return "RESIZE"
        return _STATUS[self.vm_state]

    @property
    def power_state(self) -> int:
        """Nova's number: 1 running, 3 paused, 4 shut down."""
        return {"paused": 3, "stopped": 4, "suspended": 4, "soft-delete": 4}.get(self.vm_state, 1)


_STATUS = {
    "active": "ACTIVE",
    "paused": "PAUSED",
    "stopped": "SHUTOFF",
    "suspended": "SUSPENDED",
    "rescued": "RESCUE",
    "resized": "VERIFY_RESIZE",
    "error": "ERROR",
    "soft-delete": "SOFT_DELETED",
}
VM_STATES = {status: state for state, status in _STATUS.items()}
"""Nova's vm_state of each status."""


@dataclass(slots=True, kw_only=True)
class Group:
    """A server group as Nova keeps it."""

    id: str
    name: str
    policy: str
    max_server_per_host: int
    project_id: str
    members: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Service:
    """The nova-compute service of the host of the same row."""

    id: str
    enabled: bool = True
    forced_down: bool = False
    running: bool = True
    disabled_reason: str | None = None
    updated: float = 0.0

    @property
    def up(self) -> bool:
        return self.running and not self.forced_down


_VM_COLUMNS = (
    "vcpus", "memory_mib", "disk_gib", "base", "scale", "pinned", "peak_at", "swing", "walk", "resident",
    "dirty_mib_s", "net_mib_s", "used", "steal", "memory_bytes", "dirty_bytes_s", "net_bytes_s",
    "storage_bytes_s", "cpu_seconds", "delay_seconds", "rx_bytes", "tx_bytes", "stored_bytes",
)  # fmt: skip


class VmColumns:
    """One row a VM; rows of deleted VMs are used again. `host` is -1 where nothing runs.

    `base`: mean load, of its vCPUs. `scale`: what events made of it. `pinned`: a load that an event fixed, NaN for
    none. `walk`: the state of its noise. `dirty_mib_s`, `net_mib_s`: for each vCPU that it keeps busy. The last five
    are counters.
    """

    vcpus: Floats
    memory_mib: Floats
    disk_gib: Floats
    base: Floats
    scale: Floats
    pinned: Floats
    peak_at: Floats
    swing: Floats
    walk: Floats
    resident: Floats
    dirty_mib_s: Floats
    net_mib_s: Floats
    used: Floats
    steal: Floats
    memory_bytes: Floats
    dirty_bytes_s: Floats
    net_bytes_s: Floats
    storage_bytes_s: Floats
    cpu_seconds: Floats
    delay_seconds: Floats
    rx_bytes: Floats
    tx_bytes: Floats
    stored_bytes: Floats

    def __init__(self, capacity: int) -> None:
        self.host: Rows = np.full(capacity, -1, np.int32)
        self.running = np.zeros(capacity, np.bool_)
        for name in _VM_COLUMNS:
            setattr(self, name, np.zeros(capacity))
        self.servers: list[Server | None] = [None] * capacity
        self._free = list(range(capacity - 1, -1, -1))

    def claim(self) -> int:
        """A free row, every column of it cleared."""
        if not self._free:
            self._double()
        row = self._free.pop()
        for name in _VM_COLUMNS:
            getattr(self, name)[row] = 0.0
        self.scale[row], self.pinned[row] = 1.0, np.nan
        return row

    def release(self, row: int) -> None:
        """Gives a row back."""
        self.host[row], self.running[row], self.servers[row] = -1, False, None
        self._free.append(row)

    def _double(self) -> None:
        old = len(self.servers)
        more = max(old, 64)
        self.host = np.concatenate([self.host, np.full(more, -1, np.int32)])
        self.running = np.concatenate([self.running, np.zeros(more, np.bool_)])
        for name in _VM_COLUMNS:
            setattr(self, name, np.concatenate([getattr(self, name), np.zeros(more)]))
        self.servers += [None] * more
        self._free += range(old + more - 1, old - 1, -1)


@dataclass(slots=True, kw_only=True)
class HostColumns:
    """One row a host. `powered`: it has current and was not switched off. The last five are counters."""

    powered: Flags
    rise: Floats
    cpu_ratio: Floats
    memory_bytes: Floats
    net_bytes_s: Floats
    watts: Floats
    inlet: Floats
    pressure: Floats
    cpu_seconds: Floats
    rx_bytes: Floats
    stored_bytes: Floats
    energy_wh: Floats
    pressure_seconds: Floats


@dataclass(slots=True, kw_only=True)
class Plant:
    """Power and cooling. `mains`: the feed has its utility supply; `battery_minutes` is what its UPS has left."""

    mains: Flags
    battery_minutes: Floats
    heat_offset: Floats
    supply: Floats
    phase_watts: Floats
    pdu_watts: Floats
    feed_watts: Floats
    pdu_energy_wh: Floats

    @property
    def live(self) -> Flags:
        """Feeds that carry current: from the mains, or from a battery that is not empty."""
        return self.mains | (self.battery_minutes > 0.0)
