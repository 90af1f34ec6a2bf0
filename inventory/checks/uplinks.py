"""Racks' uplinks: ports of switches that are read, and nothing that is read for nothing."""

from collections.abc import Iterator

from inventory.checks.case import Case
from inventory.model import DeviceKind, Problem


def check(case: Case) -> Iterator[Problem]:
    """Problems of uplinks."""
    for device in case.estate.devices.values():
        if device.kind is not DeviceKind.SWITCH:
            if device.uplinks:
                what = f"names uplinks and is of kind {device.kind} (only a switch has uplinks: remove them)"
                yield case.problem("devices", device.name, what, "uplinks")
        elif device.uplinks and device.profile is None:
            what = "nothing reads its uplinks (give it profile if-mib and a credential, or leave out its uplinks)"
            yield case.problem("devices", device.name, what, "uplinks")
        elif device.profile is not None and not device.uplinks:
            what = "names no uplinks, so nothing of it would be read (name them by ifName, or leave out its profile)"
            yield case.problem("devices", device.name, what, "profile")
