"""Faults of what tells: BMCs, PDUs, UPSs and exporters."""

from typing import Annotated, Literal

from pydantic import Field

from controller.errors import InputError
from controller.model.sample import Health
from controller.twin.ailments import Part, Sensor
from controller.twin.faults import base
from controller.twin.openstack.cloud import Cloud
from controller.twin.uplinks import Port


class SensorFault(base.Fault):
    """A sensor of a host's BMC or a PDU says `value`; without one it is dead, and says so in its device's own way."""

    fault: Literal["sensor"]
    device: str
    sensor: Sensor
    value: float | None = None

    def befall(self, cloud: Cloud) -> None:
        base.require_device(cloud, self.device)
        cloud.world.ailments.sensors[self.device, self.sensor] = self.value

    def lift(self, cloud: Cloud) -> None:
        cloud.world.ailments.sensors.pop((self.device, self.sensor), None)


class HealthFault(base.Fault):
    """A part of a host is failing; its BMC tells it by poll and by trap."""

    fault: Literal["health"]
    host: str
    part: Part
    state: Literal["ok", "warning", "failed"] = "failed"

    def befall(self, cloud: Cloud) -> None:
        base.host_row(cloud, self.host)
        cloud.world.ailments.health[self.host, self.part] = Health[self.state.upper()]

    def lift(self, cloud: Cloud) -> None:
        cloud.world.ailments.health.pop((self.host, self.part), None)


class SlowDevice(base.Fault):
    """A device answers SNMP only after `seconds`."""

    fault: Literal["slow_device"]
    device: str
    seconds: Annotated[float, Field(gt=0)]

    def befall(self, cloud: Cloud) -> None:
        base.require_device(cloud, self.device)
        cloud.world.ailments.slow[self.device] = self.seconds

    def lift(self, cloud: Cloud) -> None:
        cloud.world.ailments.slow.pop(self.device, None)


class DeadDevice(base.Fault):
    """A device answers no SNMP at all."""

    fault: Literal["dead_device"]
    device: str

    def befall(self, cloud: Cloud) -> None:
        base.require_device(cloud, self.device)
        cloud.world.ailments.dead.add(self.device)

    def lift(self, cloud: Cloud) -> None:
        cloud.world.ailments.dead.discard(self.device)


class GarbledDevice(base.Fault):
    """A device's answers are cut short in the middle."""

    fault: Literal["garbled_device"]
    device: str

    def befall(self, cloud: Cloud) -> None:
        base.require_device(cloud, self.device)
        cloud.world.ailments.garbled.add(self.device)

    def lift(self, cloud: Cloud) -> None:
        cloud.world.ailments.garbled.discard(self.device)


class DuplicateEngine(base.Fault):
    """A device answers SNMPv3 with the engine id of another."""

    fault: Literal["duplicate_engine"]
    device: str
    of: str

    def befall(self, cloud: Cloud) -> None:
        base.require_device(cloud, self.device)
        base.require_device(cloud, self.of)
        cloud.world.ailments.impostors[self.device] = self.of

    def lift(self, cloud: Cloud) -> None:
        cloud.world.ailments.impostors.pop(self.device, None)


class RebootDevice(base.Fault):
    """A device's agent starts anew: sysUpTime from zero, engine boots one more; a switch counts from zero."""

    fault: Literal["reboot_device"]
    device: str

    def befall(self, cloud: Cloud) -> None:
        base.require_device(cloud, self.device)
        _, times = cloud.world.ailments.restarts.get(self.device, (0.0, 0))
        cloud.world.ailments.restarts[self.device] = (cloud.world.now, times + 1)
        cloud.world.uplinks.renew(self.device, None)


class CounterReset(base.Fault):
    """The counters of a switch's uplinks begin anew while it runs on; it tells so by ifCounterDiscontinuityTime."""

    fault: Literal["counter_reset"]
    device: str

    def befall(self, cloud: Cloud) -> None:
        base.require_switch(cloud, self.device)
        cloud.world.uplinks.renew(self.device, cloud.world.now)


class PortDown(base.Fault):
    """An uplink of a switch goes down; the rack's other uplinks carry what it carried."""

    fault: Literal["port_down"]
    device: str
    port: str

    def befall(self, cloud: Cloud) -> None:
        self._port(cloud).up = False

    def lift(self, cloud: Cloud) -> None:
        self._port(cloud).up = True

    def _port(self, cloud: Cloud) -> Port:
        base.require_switch(cloud, self.device)
        ports = cloud.world.uplinks.of_switch(self.device)
        if self.port not in ports:
            raise InputError(f"{self.device!r} has no uplink {self.port!r}")
        return ports[self.port]


class DeadExporters(base.Fault):
    """A host's exporters answer no more."""

    fault: Literal["dead_exporters"]
    host: str

    def befall(self, cloud: Cloud) -> None:
        base.host_row(cloud, self.host)
        cloud.world.ailments.mute_exporters.add(self.host)

    def lift(self, cloud: Cloud) -> None:
        cloud.world.ailments.mute_exporters.discard(self.host)


class SlowExporters(base.Fault):
    """A host's exporters answer only after `seconds`."""

    fault: Literal["slow_exporters"]
    host: str
    seconds: Annotated[float, Field(gt=0)]

    def befall(self, cloud: Cloud) -> None:
        base.host_row(cloud, self.host)
        cloud.world.ailments.slow_exporters[self.host] = self.seconds

    def lift(self, cloud: Cloud) -> None:
        cloud.world.ailments.slow_exporters.pop(self.host, None)
