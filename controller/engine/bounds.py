"""What a quantity can believably be: ranges, how fast it can change, how far two sources may differ.

Ranges per thing (a host type's watts, a VM's vCPUs) are given by the caller; these hold for every thing. The numbers
are modelled: generous enough for any real machine, tight enough for the lies that sensors are known to tell (-99 and
250 °C, -1 W, a counter that wrapped).
"""

from dataclasses import dataclass

from controller.model.sample import Quantity

WORST_COUNTS = frozenset(
    {
        Quantity.MEMORY_HEALTH,
        Quantity.PSU_HEALTH,
        Quantity.FAN_HEALTH,
        Quantity.DISK_HEALTH,
        Quantity.ON_BATTERY,
    }
)
"""States: where two sources differ the worse one counts. To call them implausible would hide a failing part."""

WHOLE = WORST_COUNTS | {Quantity.UP}
"""States are whole numbers."""

_TERA = 1e12

RANGE = {
    Quantity.CPU_RATIO: (0.0, 1.02),
    Quantity.CPU_VCPUS: (0.0, 4096.0),
    Quantity.CPU_AHEAD_VCPUS: (0.0, 4096.0),
    Quantity.STEAL_RATIO: (0.0, 1.02),
    Quantity.MEMORY_BYTES: (1.0, 64 * _TERA),
    Quantity.MEMORY_PRESSURE_RATIO: (0.0, 1.02),
    Quantity.NETWORK_BYTES_S: (0.0, 0.1 * _TERA),
    Quantity.STORAGE_BYTES_S: (0.0, 0.1 * _TERA),
    Quantity.DIRTY_BYTES_S: (0.0, _TERA),
    Quantity.POWER_WATTS: (0.0, 1e7),
    Quantity.INLET_CELSIUS: (1.0, 60.0),
    Quantity.MEMORY_HEALTH: (0.0, 2.0),
    Quantity.PSU_HEALTH: (0.0, 2.0),
    Quantity.FAN_HEALTH: (0.0, 2.0),
    Quantity.DISK_HEALTH: (0.0, 2.0),
    Quantity.ON_BATTERY: (0.0, 1.0),
    Quantity.BATTERY_MINUTES: (0.0, 10_000.0),
    Quantity.UPLINK_IN_BYTES_S: (0.0, 2 * _TERA),
    Quantity.UPLINK_OUT_BYTES_S: (0.0, 2 * _TERA),
    Quantity.UP: (0.0, 1.0),
}
"""Lowest and highest believable value, in the quantity's unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A quantity moves at most `step` plus `per_second` times the seconds since the reading before it.

    A greater jump is believed only when the next reading confirms it.
    """

    step: float
    per_second: float


RATE = {Quantity.INLET_CELSIUS: Rate(step=5.0, per_second=0.5)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """Two fresh readings of one thing agree within `absolute`, or within `relative` times the greater."""

    absolute: float
    relative: float


TOLERANCE = {
    Quantity.CPU_RATIO: Tolerance(absolute=0.15, relative=0.25),
    Quantity.CPU_VCPUS: Tolerance(absolute=0.5, relative=0.35),
    Quantity.CPU_AHEAD_VCPUS: Tolerance(absolute=0.5, relative=0.35),
    Quantity.STEAL_RATIO: Tolerance(absolute=0.15, relative=0.25),
    Quantity.MEMORY_BYTES: Tolerance(absolute=2**30, relative=0.15),
    Quantity.MEMORY_PRESSURE_RATIO: Tolerance(absolute=0.15, relative=0.5),
    Quantity.NETWORK_BYTES_S: Tolerance(absolute=5e7, relative=0.5),
    Quantity.STORAGE_BYTES_S: Tolerance(absolute=5e7, relative=0.5),
    Quantity.DIRTY_BYTES_S: Tolerance(absolute=5e7, relative=0.75),
    Quantity.POWER_WATTS: Tolerance(absolute=30.0, relative=0.25),
    Quantity.INLET_CELSIUS: Tolerance(absolute=4.0, relative=0.0),
    Quantity.BATTERY_MINUTES: Tolerance(absolute=5.0, relative=0.5),
    Quantity.UPLINK_IN_BYTES_S: Tolerance(absolute=5e7, relative=0.5),
    Quantity.UPLINK_OUT_BYTES_S: Tolerance(absolute=5e7, relative=0.5),
    Quantity.UP: Tolerance(absolute=0.0, relative=0.0),
}
