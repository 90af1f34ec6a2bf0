"""Rows of the APIs as values. Strict: what is missing or of another kind makes the row a flaw, never a guess."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from controller.errors import PermanentError
from controller.model import cloud
from controller.model.ids import HostName, ProjectId, ServerId

T = TypeVar("T")
Row = Mapping[str, Any]


class RowError(PermanentError):
    """A row that cannot be understood; `what` says which key and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed(Generic[T]):
    """The rows that were understood, and in words those that were not."""

    values: tuple[T, ...]
    flaws: tuple[str, ...] = ()


def parsed(kind: str, rows: Iterable[Row], read: Callable[[Row], T]) -> Parsed[T]:
    """Every row through `read`; one that it refuses becomes a flaw that names it."""
    values: list[T] = []
    flaws: list[str] = []
    for row in rows:
        try:
            values.append(read(row))
        except RowError as error:
            flaws.append(f"{kind} {row.get('id') or row.get('uuid') or row.get('name') or '?'}: {error.what}")
    return Parsed(values=tuple(values), flaws=tuple(flaws))


def server(row: Row, *, zone_shown: bool) -> cloud.Server:
    """A server at microversion 2.47 or later (its flavor embedded).

    `zone_shown`: the answer is at 2.96 or later and says which zone the server asked for. Before that nobody can say,
    and the zone it stands in counts as asked for.
    """
    if row.get("status") == "UNKNOWN" and "flavor" not in row:
        raise RowError("its cell is down: Nova shows only its id")
    flavor = _table(row, "flavor")
    zone_key = "pinned_availability_zone" if zone_shown else "OS-EXT-AZ:availability_zone"
    return cloud.Server(
        id=ServerId(_text(row, "id")),
        name=_text(row, "name"),
        project_id=ProjectId(_text(row, "tenant_id")),
        host=_host(row, "OS-EXT-SRV-ATTR:host"),
        status=_text(row, "status"),
        task_state=_text_or_none(row, "OS-EXT-STS:task_state"),
        locked=_flag(row, "locked"),
        flavor_name=_text(flavor, "original_name"),
        vcpus=_count(flavor, "vcpus"),
        memory_mib=_count(flavor, "ram"),
        disk_gib=_disk_gib(flavor, from_volume=not row.get("image")),
        extra_specs=_specs(flavor),
        pinned_zone=_text_or_none(row, zone_key) or None,
        updated_at=_time_or_none(row, "updated"),
        image_id=_text(_table(row, "image"), "id") if row.get("image") else None,
        volume_ids=tuple(_text(volume, "id") for volume in row.get("os-extended-volumes:volumes_attached", ())),
    )


def service(row: Row) -> cloud.Service:
    """A compute service at 2.53 or later (its id is a uuid)."""
    if "state" not in row:
        raise RowError("its cell is down: Nova does not show its state")
    return cloud.Service(
        id=_text(row, "id"),
        host=HostName(_text(row, "host")),
        enabled=_choice(row, "status", "enabled", "disabled"),
        up=_choice(row, "state", "up", "down"),
        forced_down=_flag(row, "forced_down"),
        disabled_reason=_text_or_none(row, "disabled_reason"),
        updated_at=_time_or_none(row, "updated_at"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypervisor:
    """A compute node: its id is its Placement provider's uuid, `host` its compute service's name."""

    id: str
    host: HostName


def hypervisor(row: Row) -> Hypervisor:
    """A hypervisor at 2.53 or later."""
    return Hypervisor(id=_text(row, "id"), host=HostName(_text(_table(row, "service"), "host")))


def inventory(body: Row) -> dict[str, cloud.Amount]:
    """A provider's inventories, keyed by resource class."""
    table = _table(body, "inventories")
    return {name: _amount(_table(table, name)) for name in table}


def traits(body: Row) -> frozenset[str]:
    """A provider's traits."""
    return frozenset(_texts(body, "traits"))


def generation(body: Row, key: str) -> int:
    """A provider's generation: it grows with every change of its inventory, traits and allocations."""
    return _count(body, key)


def aggregate(row: Row) -> cloud.Aggregate:
    metadata = _string_table(row, "metadata")
    return cloud.Aggregate(
        name=_text(row, "name"),
        hosts=tuple(HostName(name) for name in sorted(_texts(row, "hosts"))),
        availability_zone=_text_or_none(row, "availability_zone"),
        metadata={key: value for key, value in metadata.items() if key != "availability_zone"},
    )


def group(row: Row) -> cloud.ServerGroup:
    """A server group at 2.64 or later (one policy and its rules)."""
    rules = _table(row, "rules")
    return cloud.ServerGroup(
        id=_text(row, "id"),
        name=_text(row, "name"),
        policy=_text(row, "policy"),
        max_server_per_host=_count(rules, "max_server_per_host") if rules else 1,
        members=tuple(ServerId(one) for one in _texts(row, "members")),
    )


def migration(row: Row) -> cloud.Migration:
    """A row of /os-migrations, or of a server's own migrations, which call some keys otherwise and count memory."""
    return cloud.Migration(
        id=_count(row, "id"),
        uuid=_text(row, "uuid"),
        server_id=ServerId(_text(row, "instance_uuid" if "instance_uuid" in row else "server_uuid")),
        type=_text(row, "migration_type") if "migration_type" in row else "live-migration",
        status=_text(row, "status"),
        source=HostName(_text(row, "source_compute")),
        target=_host(row, "dest_compute"),
        created_at=moment(row, "created_at"),
        updated_at=_time_or_none(row, "updated_at"),
        memory_total_bytes=_count_or_none(row, "memory_total_bytes"),
        memory_remaining_bytes=_count_or_none(row, "memory_remaining_bytes"),
        memory_processed_bytes=_count_or_none(row, "memory_processed_bytes"),
    )


def project(row: Row) -> cloud.Project:
    return cloud.Project(id=ProjectId(_text(row, "id")), name=_text(row, "name"), enabled=_flag(row, "enabled"))


def port(row: Row) -> cloud.Port:
    """A port as an administrator sees it, with its binding."""
    return cloud.Port(
        id=_text(row, "id"),
        server_id=ServerId(_text(row, "device_id")),
        host=_host(row, "binding:host_id"),
        vif_type=_text_or_none(row, "binding:vif_type"),
    )


def whole(kind: str, rows: Sequence[Row], read: Callable[[Row], T]) -> tuple[T, ...]:
    """Every row, where an answer with a gap would mislead; `RowError` at the first that cannot be understood."""
    found = parsed(kind, rows, read)
    if found.flaws:
        raise RowError(found.flaws[0])
    return found.values


def _amount(row: Row) -> cloud.Amount:
    ratio = row.get("allocation_ratio")
    if isinstance(ratio, bool) or not isinstance(ratio, int | float) or ratio <= 0:
        raise RowError(f"allocation_ratio is {ratio!r}, not a number above 0")
    return cloud.Amount(total=_count(row, "total"), reserved=_count(row, "reserved"), ratio=float(ratio))


def _disk_gib(flavor: Row, *, from_volume: bool) -> int:
    """What Placement counts as DISK_GB: the root disk where it is local, ephemeral disk, and swap (MiB) rounded up."""
    root = 0 if from_volume else _count(flavor, "disk")
    return root + _count(flavor, "ephemeral") + -(-_count(flavor, "swap") // 1024)


def _specs(flavor: Row) -> dict[str, str]:
    if "extra_specs" not in flavor:
        raise RowError("its flavor's extra_specs are not shown (policy servers:show:flavor-extra-specs)")
    return _string_table(flavor, "extra_specs")


def _value(row: Row, key: str) -> Any:
    if key not in row:
        raise RowError(f"{key} is missing")
    return row[key]


def _text(row: Row, key: str) -> str:
    value = _value(row, key)
    if not isinstance(value, str):
        raise RowError(f"{key} is {value!r}, not a text")
    return value


def _text_or_none(row: Row, key: str) -> str | None:
    return None if _value(row, key) is None else _text(row, key)


def _host(row: Row, key: str) -> HostName | None:
    name = _text_or_none(row, key)
    return HostName(name) if name else None


def _count(row: Row, key: str) -> int:
    value = _value(row, key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise RowError(f"{key} is {value!r}, not a whole number from 0")
    return value


def _count_or_none(row: Row, key: str) -> int | None:
    return None if row.get(key) is None else _count(row, key)


def _flag(row: Row, key: str) -> bool:
    value = _value(row, key)
    if not isinstance(value, bool):
        raise RowError(f"{key} is {value!r}, not true or false")
    return value


def _choice(row: Row, key: str, yes: str, no: str) -> bool:
    value = _text(row, key)
    if value not in {yes, no}:
        raise RowError(f"{key} is {value!r}, neither {yes} nor {no}")
    return value == yes


def _table(row: Row, key: str) -> Row:
    value = _value(row, key)
    if not isinstance(value, dict):
        raise RowError(f"{key} is {value!r}, not a table")
    return value


def _string_table(row: Row, key: str) -> dict[str, str]:
    table = _table(row, key)
    return {name: _text(table, name) for name in table}


def _texts(row: Row, key: str) -> tuple[str, ...]:
    value = _value(row, key)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise RowError(f"{key} is {value!r}, not a list of texts")
    return tuple(value)


def moment(row: Row, key: str) -> datetime:
    """A time of Nova's: UTC, with or without saying so."""
    value = _text(row, key)
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise RowError(f"{key} is {value!r}, not a time") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _time_or_none(row: Row, key: str) -> datetime | None:
    return None if row.get(key) is None else moment(row, key)
