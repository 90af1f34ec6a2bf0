"""Readings as they come from a source, in batches: a column of values for many things, one quantity, one source."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

FloatColumn = NDArray[np.float64]
IntColumn = NDArray[np.int32]


class Kind(StrEnum):
    """What a reading is about. The subject's name is the inventory's, a VM's its Nova uuid, a phase's `{pdu}/{n}`."""

    HOST = "host"
    VM = "vm"
    PDU = "pdu"
    PHASE = "phase"
    BANK = "bank"
    """A PDU's breaker, `{pdu}/bank{n}`: shown to people; no limit of a plan is a bank's."""
    FEED = "feed"
    ZONE = "zone"
    RACK = "rack"
    PORT = "port"
    """A switch's uplink, `{switch}/{ifName}`: a rack's traffic is the sum of its uplinks'."""
    DEVICE = "device"


class Quantity(StrEnum):
    """What is measured, with its unit."""

    CPU_RATIO = "cpu_ratio"
    """Host: busy share of all its threads, 0 to 1."""
    CPU_VCPUS = "cpu_vcpus"
    """VM: vCPUs' worth of time it uses, 0 to its vCPUs."""
    CPU_AHEAD_VCPUS = "cpu_ahead_vcpus"
    """VM: what it used in the hour that now begins a day ago or a week ago, the greater."""
    STEAL_RATIO = "steal_ratio"
    """VM: share of time it waited for a CPU, 0 to 1."""
    MEMORY_BYTES = "memory_bytes"
    """Host or VM: memory in use."""
    MEMORY_PRESSURE_RATIO = "memory_pressure_ratio"
    """Host: share of time some task waited for memory (PSI), 0 to 1."""
    NETWORK_BYTES_S = "network_bytes_s"
    """Host or VM: sent and received."""
    STORAGE_BYTES_S = "storage_bytes_s"
    """Host or VM: read from and written to its storage."""
    DIRTY_BYTES_S = "dirty_bytes_s"
    """VM: how fast it writes to its memory."""
    POWER_WATTS = "power_watts"
    """Host, PDU, phase or feed (UPS output): power drawn."""
    INLET_CELSIUS = "inlet_celsius"
    """Host: the air it breathes. Zone: that of the host in the middle of those that are read."""
    MEMORY_HEALTH = "memory_health"
    PSU_HEALTH = "psu_health"
    FAN_HEALTH = "fan_health"
    DISK_HEALTH = "disk_health"
    """Host, as `Health`: a value of 0 OK, 1 WARNING (redundancy lost, predicted failure), 2 FAILED."""
    ON_BATTERY = "on_battery"
    """Feed (its UPS): 1 when it runs on battery, 0 when on mains."""
    BATTERY_MINUTES = "battery_minutes"
    """Feed (its UPS): minutes left."""
    UPLINK_IN_BYTES_S = "uplink_in_bytes_s"
    UPLINK_OUT_BYTES_S = "uplink_out_bytes_s"
    """Port or rack: what comes into the rack, and what leaves it, by its uplinks."""
    UP = "up"
    """Device: 1 where it answered."""


class Health(IntEnum):
    OK = 0
    WARNING = 1
    FAILED = 2


class Trust(IntEnum):
    """What the gate says of a reading. Only FRESH is a number in a plan."""

    FRESH = 0
    STALE = 1
    IMPLAUSIBLE = 2
    ABSENT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One quantity of many things of one kind, read by one source.

    `names` has N entries, `values` and `at` have shape (N,); `at` is seconds since the epoch when the *source* took
    the reading (for Prometheus the sample's own time, not the query's). A value that the source could not give is left
    out, not NaN. What the source itself marked bad (a sensor of -99 °C) is a `Fault` beside the batch.
    """

    kind: Kind
    quantity: Quantity
    source: str
    names: tuple[str, ...]
    values: FloatColumn
    at: FloatColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A reading or a whole source that could not be used: counted, shown, never a number in a plan.

    `reason` is from a short fixed list (a metric's label): timeout, auth, report, malformed, truncated, implausible,
    counter_reset, duplicate_engine, duplicate, missing, down, http, nan, empty, stale, partial.
    """

    source: str
    subject: str
    reason: str
    detail: str
