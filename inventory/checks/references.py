"""Every name that refers to another row must be declared."""

from collections.abc import Iterator

from inventory.checks.case import Case
from inventory.facility import DeviceKind
from inventory.model import Problem

SERVED = {DeviceKind.UPS: "feeds", DeviceKind.COOLING: "zones", DeviceKind.SWITCH: "racks"}
"""The table that `Device.serves` names a row of."""

_PLAIN = (
    ("rooms", "site", "sites"),
    ("zones", "room", "rooms"),
    ("feeds", "room", "rooms"),
    ("feeds", "partner", "feeds"),
    ("racks", "room", "rooms"),
    ("racks", "zone", "zones"),
    ("pdus", "rack", "racks"),
    ("pdus", "feed", "feeds"),
    ("hosts", "type", "host_types"),
    ("hosts", "rack", "racks"),
    ("systems", "agency", "agencies"),
    ("data_sets", "system", "systems"),
)


def check(case: Case) -> Iterator[Problem]:
    """Problems of names that no row has."""
    for table, field_name, target in _PLAIN:
        for name, row in getattr(case.estate, table).items():
            referred = getattr(row, field_name)
            if referred is not None:
                yield from _unknown(case, (table, name, field_name), target, referred)
    yield from _listed(case)
    yield from _backends(case)


def _listed(case: Case) -> Iterator[Problem]:
    estate = case.estate
    for host in estate.hosts.values():
        for cord in host.cords:
            yield from _unknown(case, ("hosts", host.name, "cords"), "pdus", cord.pdu)
    for device in estate.devices.values():
        yield from _unknown(case, ("devices", device.name, "serves"), SERVED[device.kind], device.serves)
    for aggregate in estate.aggregates.values():
        for host_name in aggregate.hosts:
            yield from _unknown(case, ("aggregates", aggregate.name, "hosts"), "hosts", host_name)
    for system in estate.systems.values():
        for vm_set in system.vm_sets:
            yield from _unknown(case, ("systems", system.name, "vm_sets"), "flavors", vm_set.flavor)
        for storage in system.storage:
            yield from _unknown(case, ("systems", system.name, "storage"), "volume_types", storage.volume_type)
        for sharer in system.share_network_with:
            yield from _unknown(case, ("systems", system.name, "share_network_with"), "systems", sharer)
    for data_set in estate.data_sets.values():
        for reader in data_set.readers:
            yield from _unknown(case, ("data_sets", data_set.name, "readers"), "agencies", reader)


def _backends(case: Case) -> Iterator[Problem]:
    """An estate may leave its backends' capacity unsaid; one that states any states them all."""
    if case.estate.storage_backends or any(table == "storage_backends" for table, _ in case.broken):
        for each in case.estate.volume_types.values():
            yield from _unknown(case, ("volume_types", each.name, "backend"), "storage_backends", each.backend)


def _unknown(case: Case, source: tuple[str, str, str], target: str, referred: str) -> Iterator[Problem]:
    if not case.declares(target, referred):
        table, name, field_name = source
        what = f"{field_name} names {referred!r}, which is not in {target} (declare it there, or correct the name)"
        yield case.problem(table, name, what, field_name)
