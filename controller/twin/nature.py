"""How a twin's world behaves: the numbers of its physics, all modelled, none measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Nature:
    """`day_seconds` is the length of the daily cycle of load, shorter than a day where a demonstration has no day.

    `mean_cpu_ratio` is the load of the whole estate's threads at the start; each VM's share of it is drawn from `seed`.
    `copy_speed` multiplies every link that live migrations use. A copy that has not ended after `give_up_s` is
    cancelled, as by libvirt's completion time-out. `record_lag_s`: how long a migration's record says `running` after
    the server is ACTIVE on its new host. `battery_minutes` is what a feed's UPS carries its load for.
    """

    seed: int = 1
    day_seconds: float = 86_400.0
    mean_cpu_ratio: float = 0.35
    noise_ratio: float = 0.05
    noise_seconds: float = 60.0
    copy_speed: float = 1.0
    blackout_s: float = 0.3
    give_up_s: float = 600.0
    queue_s: float = 0.1
    prepare_s: float = 0.4
    record_lag_s: float = 0.4
    arrivals_per_hour: float = 0.0
    departures_per_hour: float = 0.0
    supply_celsius: float = 20.0
    inlet_seconds: float = 120.0
    battery_minutes: float = 10.0
    token_seconds: float = 3600.0
