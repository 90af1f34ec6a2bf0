"""Faults of what runs: power, cooling, hosts, and the load of VMs."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from controller.errors import InputError
from controller.twin import loads
from controller.twin.faults import base
from controller.twin.openstack.cloud import Cloud


class HostFailure(base.Fault):
    """A host loses power: its guests and its nova-compute stop, its BMC lives. Lifted, it starts again."""

    fault: Literal["host_failure"]
    host: str

    def befall(self, cloud: Cloud) -> None:
        row = base.host_row(cloud, self.host)
        cloud.world.hosts.powered[row], cloud.world.services[row].running = False, False

    def lift(self, cloud: Cloud) -> None:
        row = base.host_row(cloud, self.host)
        cloud.world.hosts.powered[row], cloud.world.services[row].running = True, True


class ServiceDown(base.Fault):
    """A host's nova-compute stops; its guests run on."""

    fault: Literal["service_down"]
    host: str

    def befall(self, cloud: Cloud) -> None:
        cloud.world.services[base.host_row(cloud, self.host)].running = False

    def lift(self, cloud: Cloud) -> None:
        cloud.world.services[base.host_row(cloud, self.host)].running = True


class FeedLoss(base.Fault):
    """A feed loses its mains. Its UPS carries it for `battery_minutes`; after that its cords are dead."""

    fault: Literal["feed_loss"]
    feed: str
    battery_minutes: Annotated[float, Field(ge=0)] | None = None

    def befall(self, cloud: Cloud) -> None:
        row, plant = base.feed_row(cloud, self.feed), cloud.world.plant
        plant.mains[row] = False
        if self.battery_minutes is not None:
            plant.battery_minutes[row] = self.battery_minutes

    def lift(self, cloud: Cloud) -> None:
        cloud.world.plant.mains[base.feed_row(cloud, self.feed)] = True


class ZoneHeat(base.Fault):
    """A zone's cooling supplies air that is warmer by `celsius`."""

    fault: Literal["zone_heat"]
    zone: str
    celsius: float

    def befall(self, cloud: Cloud) -> None:
        self._set(cloud, self.celsius)

    def lift(self, cloud: Cloud) -> None:
        self._set(cloud, 0.0)

    def _set(self, cloud: Cloud, celsius: float) -> None:
        try:
            row = cloud.world.topology.zone_row(self.zone)
        except KeyError as error:
            raise InputError(f"there is no zone {self.zone!r}") from error
        cloud.world.plant.heat_offset[row] = celsius


class VmLoad(base.Fault):
    """A VM keeps `ratio` of its vCPUs busy, whatever the time of day. Lifted, it has its own load again."""

    fault: Literal["vm_load"]
    vm: str
    ratio: Annotated[float, Field(ge=0, le=1)]

    def befall(self, cloud: Cloud) -> None:
        cloud.world.vms.pinned[base.server(cloud, self.vm).row] = self.ratio

    def lift(self, cloud: Cloud) -> None:
        cloud.world.vms.pinned[base.server(cloud, self.vm).row] = np.nan


class CrowdedHost(base.Fault):
    """VMs of the same rack have come to stand on one host, until they demand `ratio` of its threads."""

    fault: Literal["crowded_host"]
    host: str
    ratio: Annotated[float, Field(gt=0, le=3)]

    def befall(self, cloud: Cloud) -> None:
        loads.crowd(cloud.world, cloud.orders.claims, base.host_row(cloud, self.host), self.ratio)


class NoisyNeighbour(base.Fault):
    """The largest unpinned VM of a host uses all its vCPUs, and its others so much that they demand `ratio` threads.

    `ratio` is of the host's threads; above 1 every VM there waits for a CPU.
    """

    fault: Literal["noisy_neighbour"]
    host: str
    ratio: Annotated[float, Field(gt=0, le=3)] = 0.95

    def befall(self, cloud: Cloud) -> None:
        loads.make_noisy(cloud.world, base.host_row(cloud, self.host), self.ratio)


class LoadGrowth(base.Fault):
    """The load of every VM that stands in a rack, on a host or on a feed now is multiplied by `factor`, for good."""

    fault: Literal["load_growth"]
    kind: Literal["host", "rack", "feed"]
    name: str
    factor: Annotated[float, Field(gt=0, le=20)]

    def befall(self, cloud: Cloud) -> None:
        rows = {"host": base.host_row, "rack": base.rack_row, "feed": base.feed_row}[self.kind](cloud, self.name)
        loads.grow(cloud.world, loads.hosts_of(cloud.world, self.kind, rows), self.factor)


class FeedOverload(base.Fault):
    """The VMs on a feed's hosts come to use so much that the feed, alone, would carry `ratio` of its derated rating.

    The load is found by trial on the world's own physics, so that it holds on any estate.
    """

    fault: Literal["feed_overload"]
    feed: str
    ratio: Annotated[float, Field(gt=0, le=2)]

    def befall(self, cloud: Cloud) -> None:
        if not loads.load_feed(cloud.world, base.feed_row(cloud, self.feed), self.ratio):
            raise InputError(f"no load of its VMs brings feed {self.feed!r} to {self.ratio:g} of its rating")


class Churn(base.Fault):
    """From now on VMs of the estate's sets arrive and leave at these rates."""

    fault: Literal["churn"]
    arrivals_per_hour: Annotated[float, Field(ge=0)] = 0.0
    departures_per_hour: Annotated[float, Field(ge=0)] = 0.0

    def befall(self, cloud: Cloud) -> None:
        cloud.world.churn = (self.arrivals_per_hour, self.departures_per_hour)

    def lift(self, cloud: Cloud) -> None:
        nature = cloud.world.nature
        cloud.world.churn = (nature.arrivals_per_hour, nature.departures_per_hour)
