"""What is wrong with the devices and exporters of a twin: not physics, but how they tell it, or that they do not."""

from dataclasses import dataclass, field
from enum import StrEnum

from controller.model.sample import Health


class Part(StrEnum):
    """A part of a host whose health its BMC tells."""

    MEMORY = "memory"
    PSU = "psu"
    FAN = "fan"
    DISK = "disk"


class Sensor(StrEnum):
    """A sensor that can lie or die: a host's inlet or power, a PDU's power."""

    INLET = "inlet"
    POWER = "power"


@dataclass(slots=True, kw_only=True)
class Ailments:
    """Keyed by the device's name in the inventory; a host's name stands for its BMC.

    `sensors`: what a sensor says instead of the truth, None where it is dead and its device says so in its own way.
    `slow`: seconds before an answer. `garbled`: its answers are cut short. `impostors`: devices that use another
    device's engine id. `restarts`: when a device last started anew, and how often it has. `unsent`:
    SNMP messages that the machine would not send.
    """

    dead: set[str] = field(default_factory=set)
    slow: dict[str, float] = field(default_factory=dict)
    garbled: set[str] = field(default_factory=set)
    sensors: dict[tuple[str, Sensor], float | None] = field(default_factory=dict)
    health: dict[tuple[str, Part], Health] = field(default_factory=dict)
    impostors: dict[str, str] = field(default_factory=dict)
    restarts: dict[str, tuple[float, int]] = field(default_factory=dict)
    mute_exporters: set[str] = field(default_factory=set)
    unsent: int = 0
    slow_exporters: dict[str, float] = field(default_factory=dict)

    def health_of(self, host: str, part: Part) -> Health:
        """The health of a part; OK where nothing was said."""
        return self.health.get((host, part), Health.OK)

    def reading(self, device: str, sensor: Sensor, truth: float) -> float | None:
        """What a sensor says of the truth."""
        return self.sensors.get((device, sensor), truth)
