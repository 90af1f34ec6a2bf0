"""In which unit the provider counts what a resource says, and such an amount in words. Pure."""

from collections.abc import Mapping

NO_LIMIT = -1
"""A quota without a limit."""

_OF_KIND: Mapping[str, Mapping[str, str]] = {
    "Flavor": {"ram": "MiB", "swap": "MiB", "disk": "GiB", "ephemeral": "GiB"},
    "QuotaSetV2": {"ram": "MiB", "injectedFileContentBytes": "bytes", "injectedFilePathBytes": "bytes"},
    "QuoteSetV3": {"gigabytes": "GiB", "perVolumeGigabytes": "GiB", "backupGigabytes": "GiB"},
    "QosBandwidthLimitRule": {"maxKbps": "kbit/s", "maxBurstKbps": "kbit"},
    "Volume": {"size": "GiB"},
    "Image": {"minDiskGb": "GiB", "minRamMb": "MiB", "sizeBytes": "bytes"},
    "Monitor": {"delay": "seconds", "timeout": "seconds"},
}
"""By kind and the provider's own name: its "gigabytes" and "Gb" are GiB, as OpenStack's are."""

_QUOTAS = frozenset({"QuotaSetV2", "QuoteSetV3", "QuotaV2"})

_BY_PREFIX: Mapping[str, str] = {
    "gigabytes_": "GiB",
    "total_bytes_sec": "bytes/s",
    "read_bytes_sec": "bytes/s",
    "write_bytes_sec": "bytes/s",
    "total_iops_sec": "operations/s",
    "read_iops_sec": "operations/s",
    "write_iops_sec": "operations/s",
}
"""By what begins a key within a mapping: Cinder's quotas of each volume type, and QoS specs."""


def words(value: object, kind: str, name: str) -> str:
    """A value of a resource of that kind as a reader is told it."""
    match value:
        case None | "" | []:
            said = "nothing"
        case list():
            said = ", ".join(words(each, kind, name) for each in value)
        case dict() if not value:
            said = "nothing"
        case dict():
            said = ", ".join(f"{key}={words(each, kind, key)}" for key, each in sorted(value.items()))
        case bool():
            said = "true" if value else "false"
        case int() | float() if value == NO_LIMIT and kind in _QUOTAS:
            said = "no limit"
        case int() | float():
            said = _amount(str(int(value) if value == int(value) else value), kind, name)
        case _:
            said = _amount(str(value), kind, name) if str(value).isdecimal() else str(value)
    return said


def _amount(number: str, kind: str, name: str) -> str:
    unit = _unit(kind, name)
    return f"{number} {unit}" if unit else number


def _unit(kind: str, name: str) -> str:
    own = _OF_KIND.get(kind, {}).get(name)
    return own or next((unit for prefix, unit in _BY_PREFIX.items() if name.startswith(prefix)), "")
