"""Clusters of any size whose columns hold random values: good for file formats, nonsense for planning."""

from datetime import UTC, datetime

import numpy as np

from controller.model import cluster as model
from controller.model.ids import HostName, ServerId
from controller.model.sample import Trust
from inventory.model import Domain, NumaCell

_TAKEN_AT = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


def cluster(seed: int, *, hosts: int, vms: int) -> model.Cluster:
    """A cluster that a snapshot file must accept, the same for the same seed."""
    return _Dice(seed, hosts, vms).cluster()


class _Dice:
    def __init__(self, seed: int, hosts: int, vms: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.hosts, self.vms = hosts, vms
        self.racks = max(1, hosts // 20)

    def cluster(self) -> model.Cluster:
        return model.Cluster(
            taken_at=_TAKEN_AT,
            estate="random",
            sources=("prometheus", "snmp"),
            flavors=("m1", "m2", "m3"),
            hosts=self._hosts(),
            host_types=model.HostTypes(
                names=("big", "small"),
                generation=("", "2024"),
                numa=((NumaCell(vcpus=32, memory_mib=65536),) * 2, ()),
                traits=(frozenset({"A"}), frozenset()),
                post_copy=self._flags(2),
                shared_storage=self._flags(2),
                storage_mib_s=self._some(2),
                **{
                    name: self._numbers(2)
                    for name in (
                        "vcpus",
                        "memory_mib",
                        "disk_gib",
                        "reserved_vcpus",
                        "reserved_memory_mib",
                        "reserved_disk_gib",
                        "threads",
                        "physical_memory_mib",
                        "migration_mib_s",
                        "watts_per_thread",
                        "watts_error",
                        "idle_watts",
                    )
                },
            ),
            catalog=model.Catalog(
                names=("m1", "m9"),
                classification=self._bytes(0, 4, 2),
                requirement=np.array([0, 1], np.int32),
                vcpus=self._numbers(2),
                memory_mib=self._numbers(2),
                disk_gib=self._numbers(2),
                fit_known=self._flags(2),
            ),
            vms=self._vms(),
            racks=model.Racks(
                names=self._names("r", self.racks),
                zone=self._rows(0, 2, self.racks),
                room=self._rows(0, 1, self.racks),
                uplink_mib_s=self._numbers(self.racks),
                uplink_in_bytes_s=self._reading(self.racks),
                uplink_out_bytes_s=self._reading(self.racks),
            ),
            rooms=model.Rooms(names=("room",), site=("site",)),
            zones=model.Zones(
                names=("z1", "z2"),
                warning_celsius=np.array([27.0, 27.0]),
                critical_celsius=np.array([32.0, -1.5]),
                inlet_celsius=self._reading(2),
            ),
            power=self._power(),
            systems=self._systems(),
            agencies=self._agencies(),
            requirements=(
                model.Requirement(required_traits=frozenset({"HW_CPU_X86_AVX2"}), project_id="p"),
                model.Requirement(
                    availability_zone="az1", aggregate_specs={"ssd": "true"}, numa=(NumaCell(vcpus=4, memory_mib=8192),)
                ),
            ),
            aggregates=(model.Aggregate(name="a", hosts=self._rows(0, 1, min(1, self.hosts)), metadata={"k": "v"}),),
            groups=(
                model.Group(
                    name="g",
                    kind=model.GroupKind.ANTI_AFFINITY,
                    domain=Domain.RACK,
                    max_per_domain=1,
                    min_domains=2,
                    members=np.arange(0, self.vms, 2, dtype=np.int32),
                ),
            ),
            breach_since={"cpu:h00000": 1.5},
            moved_last_hour=3,
            freeze="because",
        )

    def _hosts(self) -> model.Hosts:
        count = self.hosts
        known = self._flags(count)
        readings = {
            name: self._reading(count)
            for name in (
                "cpu_ratio", "memory_bytes", "memory_pressure_ratio", "network_bytes_s", "storage_bytes_s",
                "power_watts", "inlet_celsius", "memory_health", "psu_health", "fan_health", "disk_health",
            )
        }  # fmt: skip
        return model.Hosts(
            names=tuple(HostName(name) for name in self._names("h", count)),
            rack=self._rows(-1, self.racks, count),
            type=self._rows(-1, 2, count),
            clearance=self._bytes(0, 4, count),
            vcpus=self._numbers(count),
            memory_mib=self._numbers(count),
            disk_gib=self._numbers(count),
            reserved_vcpus=self._numbers(count),
            reserved_memory_mib=self._numbers(count),
            reserved_disk_gib=self._numbers(count),
            threads=np.ceil(self._numbers(count)),
            physical_memory_mib=np.ceil(self._numbers(count)),
            migration_mib_s=self._numbers(count),
            storage_mib_s=self._some(count),
            post_copy=self._flags(count),
            unsaid_storage=self._flags(count),
            shared_storage=self._flags(count),
            enabled=self._flags(count),
            up=self._flags(count),
            known=known,
            trusted=known & self._flags(count),
            unread_health=self._flags(count),
            draining=self._flags(count),
            withheld=self._flags(count),
            power=self._rows(-1, 6, count * 4).reshape(count, 4 if count else 0),
            watts_per_thread=self._numbers(count),
            watts_error=self._numbers(count),
            traits=tuple(frozenset({"A", "B"}) if n % 2 else frozenset() for n in range(count)),
            availability_zone=tuple("nova" if n % 3 else None for n in range(count)),
            cpu_high_ratio=self._some(count),
            network_high_bytes_s=self._some(count),
            **readings,
        )

    def _vms(self) -> model.Vms:
        count = self.vms
        host = self._rows(-1, self.hosts, count)
        system = self._rows(-1, 2, count)
        readings = {
            name: self._reading(count)
            for name in (
                "cpu_vcpus",
                "cpu_ahead_vcpus",
                "steal_ratio",
                "memory_bytes",
                "network_bytes_s",
                "storage_bytes_s",
                "dirty_bytes_s",
            )
        }
        return model.Vms(
            ids=tuple(ServerId(name) for name in self._names("00000000-0000-4000-8000-", count)),
            names=self._names("vm", count),
            host=host,
            target=np.where(host == 0, -1, self._rows(-1, min(1, self.hosts), count)).astype(np.int32),
            system=system,
            classification=np.where(system < 0, 3, self._bytes(0, 4, count)).astype(np.int8),
            requirement=self._rows(0, 2, count),
            flavor=self._rows(0, 3, count),
            vcpus=self._numbers(count),
            memory_mib=self._numbers(count),
            disk_gib=self._numbers(count),
            state=self._bytes(0, 4, count),
            busy=self._flags(count),
            locked=self._flags(count),
            fit_known=self._flags(count),
            cooldown_until=self._numbers(count),
            cpu_high_vcpus=self._some(count),
            network_high_bytes_s=self._some(count),
            **readings,
        )

    def _power(self) -> model.Power:
        return model.Power(
            names=("A", "B", "p1", "p2", "p1/1", "p2/1"),
            kind=np.array([0, 0, 1, 1, 2, 2], np.int8),
            limit_watts=self._numbers(6),
            base_watts=self._numbers(6),
            feed=np.array([0, 1, 0, 1, 0, -1], np.int32),
            partner=np.array([1, 0, -1, -1, -1, -1], np.int32),
            ups=("ups-a", None, None, None, None, None),
            power_watts=self._reading(6),
            on_battery=self._reading(6),
            silent_on_battery=np.zeros(6, np.bool_),
            battery_minutes=self._reading(6),
        )

    def _systems(self) -> model.Systems:
        return model.Systems(
            names=("s1", "s2"),
            agency=np.zeros(2, np.int32),
            classification=self._bytes(0, 4, 2),
            tier=self._bytes(1, 4, 2),
            at_once=self._rows(-1, 9, 2),
            per_hour=self._rows(-1, 9, 2),
            moved_last_hour=self._rows(0, 9, 2),
            open=self._flags(2),
            withheld=self._flags(2),
            pause_s=np.array([0.0, 45.5]),
        )

    def _agencies(self) -> model.Agencies:
        return model.Agencies(
            names=("agency",),
            at_once=self._rows(-1, 9, 1),
            per_hour=self._rows(-1, 9, 1),
            moved_last_hour=self._rows(0, 9, 1),
        )

    def _reading(self, count: int) -> model.Reading:
        trust = self._bytes(0, 4, count)
        gone = trust == Trust.ABSENT
        return model.Reading(
            values=np.where(gone, np.nan, self._numbers(count) % 1.0),
            at=np.where(gone, np.nan, 1.7e9 + self._numbers(count)),
            source=np.where(gone, -1, self._rows(0, 2, count)).astype(np.int32),
            trust=trust,
        )

    def _names(self, head: str, count: int) -> tuple[str, ...]:
        return tuple(f"{head}{n:012d}" for n in range(count))

    def _numbers(self, count: int) -> np.ndarray:
        return np.round(self.rng.random(count) * 1000, int(self.rng.integers(0, 12)))

    def _some(self, count: int) -> np.ndarray:
        """Numbers, some of which nobody knows."""
        return np.where(self._flags(count), self._numbers(count), np.nan)

    def _rows(self, low: int, high: int, count: int) -> np.ndarray:
        return self.rng.integers(low, max(high, low + 1), count).astype(np.int32)

    def _bytes(self, low: int, high: int, count: int) -> np.ndarray:
        return self.rng.integers(low, high, count).astype(np.int8)

    def _flags(self, count: int) -> np.ndarray:
        return self.rng.random(count) < 0.5
