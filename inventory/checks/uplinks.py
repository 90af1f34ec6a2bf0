"""Racks' uplinks: ports of switches that are read, none of them forgotten, and nothing that is read for nothing."""

from collections.abc import Iterator

from inventory.checks.case import Case
from inventory.facility import Device, DeviceKind
from inventory.model import Problem


def check(case: Case) -> Iterator[Problem]:
    """Problems of uplinks."""
    devices = case.estate.devices.values()
    described = {device.serves for device in devices if device.kind is DeviceKind.SWITCH and device.uplinks}
    for device in devices:
        for key, what in _wrong(device, described):
            yield case.problem("devices", device.name, what, key)


def _wrong(device: Device, described: set[str]) -> Iterator[tuple[str, str]]:
    """The key and what is wrong with it. `described`: racks of which a switch names uplinks."""
    if device.kind is not DeviceKind.SWITCH:
        if device.uplinks is not None:
            yield "uplinks", f"names uplinks and is of kind {device.kind} (only a switch has uplinks: remove them)"
    elif device.uplinks and device.profile is None:
        yield "uplinks", "nothing reads its uplinks (give it profile if-mib and a credential, or leave out its uplinks)"
    elif device.profile is not None and not device.uplinks:
        yield (
            "profile",
            "names no uplinks, so nothing of it would be read (name them by ifName, or remove it)",
        )
    elif device.uplinks is None and device.serves in described:
        what = f"says nothing of uplinks, and another switch of {device.serves} names its own: what passes the rack"
        yield "kind", f"{what} would be told in part (name them, or say uplinks: [] where none leads out)"
