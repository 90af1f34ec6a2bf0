"""Every fault there is."""

from typing import Annotated

from pydantic import Field

from controller.twin.faults import cloud, devices, plant

AnyFault = Annotated[
    devices.SensorFault
    | devices.HealthFault
    | devices.SlowDevice
    | devices.DeadDevice
    | devices.GarbledDevice
    | devices.DuplicateEngine
    | devices.RebootDevice
    | devices.CounterReset
    | devices.PortDown
    | devices.DeadExporters
    | devices.SlowExporters
    | plant.HostFailure
    | plant.ServiceDown
    | plant.FeedLoss
    | plant.ZoneHeat
    | plant.VmLoad
    | plant.CrowdedHost
    | plant.NoisyNeighbour
    | plant.LoadGrowth
    | plant.FeedOverload
    | plant.Churn
    | cloud.MigrationFault
    | cloud.ApiFault
    | cloud.TokenExpiry
    | cloud.VmState
    | cloud.VmDeleted,
    Field(discriminator="fault"),
]
"""Any fault, told apart by its `fault`."""
