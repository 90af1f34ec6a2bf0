"""How a twin's world behaves: the numbers of its physics, all modelled, none measured."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_Positive = Annotated[float, Field(gt=0)]
_Ratio = Annotated[float, Field(ge=0, le=1)]
_Amount = Annotated[float, Field(ge=0)]


class Nature(BaseModel):
    """`day_seconds` is the length of the daily cycle of load, shorter than a day where a demonstration has no day.

    `begins_at_ratio` is the part of that day at which the twin begins, the clock's own where it is not given.
    `mean_cpu_ratio` is the load of the whole estate's threads at the start; each VM's share of it is drawn from `seed`.
    `copy_speed` multiplies every link that live migrations use. A copy that has not ended after `give_up_s` is
    cancelled, as by libvirt's completion time-out. `record_lag_s`: how long a migration's record says `running` after
    the server is ACTIVE on its new host. `battery_minutes` is what a feed's UPS carries its load for. Loads, watts and
    temperatures are worked out at least once in `span_seconds`. `leaves_rack_ratio` of what VMs send and receive passes
    their rack's uplinks.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 1
    day_seconds: _Positive = 86_400.0
    begins_at_ratio: Annotated[float, Field(ge=0, lt=1)] | None = None
    mean_cpu_ratio: _Ratio = 0.35
    noise_ratio: _Ratio = 0.05
    noise_seconds: _Positive = 60.0
    copy_speed: _Positive = 1.0
    blackout_s: _Amount = 0.3
    give_up_s: _Positive = 600.0
    queue_s: _Amount = 0.1
    prepare_s: _Amount = 0.4
    record_lag_s: _Amount = 0.4
    arrivals_per_hour: _Amount = 0.0
    departures_per_hour: _Amount = 0.0
    supply_celsius: float = 20.0
    inlet_seconds: _Positive = 120.0
    battery_minutes: _Positive = 10.0
    token_seconds: _Positive = 3600.0
    span_seconds: _Positive = 1.0
    leaves_rack_ratio: _Ratio = 0.7
