"""What numbers and texts a field may hold, by its name: its unit, its least and its most.

One table for the loader and for the JSON Schema, so that an editor refuses what `load` refuses.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """`least` and `most` are themselves allowed unless `above` says that a value must be greater than `least`."""

    least: float
    most: float
    unit: str
    above: bool = False

    def admits(self, value: float) -> bool:
        """Whether the value lies within; NaN never does."""
        return (self.least < value if self.above else self.least <= value) and value <= self.most

    def __str__(self) -> str:
        floor = f"above {self.least:,.10g}" if self.above else f"from {self.least:,.10g}"
        unit = f" ({self.unit})" if self.unit else ""
        return f"{floor} to {self.most:,.10g}{unit}"


_SHARE = Bound(least=0, most=1, unit="a ratio", above=True)
_OVERCOMMIT = Bound(least=0, most=64, unit="a ratio", above=True)
_COUNT = Bound(least=1, most=1_000_000, unit="")

BY_NAME: dict[str, Bound] = {
    "derating_ratio": _SHARE,
    "cpu_ratio": _OVERCOMMIT,
    "memory_ratio": _OVERCOMMIT,
    "disk_ratio": _OVERCOMMIT,
    "rated_watts": Bound(least=0, most=100e6, unit="watts", above=True),
    "rated_amps": Bound(least=0, most=6300, unit="amperes", above=True),
    "volts": Bound(least=48, most=480, unit="volts"),
    "phases": Bound(least=1, most=3, unit="phases"),
    "phase": Bound(least=1, most=3, unit="a phase's number"),
    "units": Bound(least=1, most=60, unit="rack units"),
    "unit": Bound(least=1, most=60, unit="a rack unit's number, 1 at the bottom"),
    "vlan": Bound(least=1, most=4094, unit="a VLAN's number"),
    "mtu": Bound(least=1280, most=9216, unit="bytes"),
    "vcpus": Bound(least=1, most=8192, unit="vCPUs"),
    "reserved_vcpus": Bound(least=0, most=8192, unit="vCPUs"),
    "max_iops": Bound(least=1, most=100e6, unit="operations a second"),
    "seconds": Bound(least=1, most=900, unit="seconds"),
    "count": _COUNT,
    "max_per_domain": _COUNT,
    "at_least": _COUNT,
    **dict.fromkeys(
        (
            *("instances", "cores", "key_pairs", "server_groups", "server_group_members"),
            *("volumes", "snapshots", "backups", "volume_groups"),
            *("networks", "subnets", "routers", "ports", "floating_ips", "security_groups", "security_group_rules"),
        ),
        Bound(least=0, most=1_000_000, unit="a quota"),
    ),
    "subnet_prefix": Bound(least=16, most=29, unit="bits of an IPv4 prefix"),
    "vm_target": Bound(least=0, most=10_000_000, unit="VMs"),
    "at_once": Bound(least=0, most=100_000, unit="moves"),
    "hosts_at_once": Bound(least=1, most=1000, unit="hosts"),
    "failure_budget": Bound(least=0, most=100_000, unit="hosts"),
    "per_hour": Bound(least=0, most=100_000, unit="moves"),
    "memory_mib": Bound(least=1, most=128 * 1024 * 1024, unit="MiB"),
    "disk_gib": Bound(least=0, most=16 * 1024 * 1024, unit="GiB"),
}

BY_SUFFIX: dict[str, Bound] = {
    "_minutes": Bound(least=0, most=7 * 24 * 60, unit="minutes"),
    "_watts": Bound(least=0, most=1e6, unit="watts"),
    "_celsius": Bound(least=-20, most=80, unit="degrees Celsius"),
    "_mib_s": Bound(least=0, most=1e6, unit="MiB/s", above=True),
    "_mib": Bound(least=0, most=128 * 1024 * 1024, unit="MiB"),
    "_gib": Bound(least=0, most=16 * 1024 * 1024, unit="GiB"),
}

NAMES = frozenset({"name", "project", "role", "formerly", "uplinks"})
"""Texts that name a thing: not empty, no longer than `LONGEST_NAME`, no blank at either end, nothing unprintable."""

LONGEST_NAME = 255


def is_name(text: str) -> bool:
    """Whether a text can name a thing."""
    return 0 < len(text) <= LONGEST_NAME and text == text.strip() and text.isprintable()


def bound_of(field: str) -> Bound:
    """The bound of a numeric field. Raises `KeyError` for one that has none: every number needs its unit here."""
    if field in BY_NAME:
        return BY_NAME[field]
    for suffix, bound in BY_SUFFIX.items():
        if field.endswith(suffix):
            return bound
    raise KeyError(field)
