"""What a cooling zone's hosts breathe, as one reading a zone."""

from dataclasses import replace

import numpy as np

from controller.model import cluster as model


def with_inlets(zones: model.Zones, racks: model.Racks, hosts: model.Hosts) -> model.Zones:
    """The zones, each with the reading of the host in the middle (the lower of two) of those with a fresh inlet.

    Absent where none has one. It is shown to people: heat is judged host by host.
    """
    zone_of = np.append(racks.zone, -1)[hosts.rack]
    inlet, found = hosts.inlet_celsius, model.absent(len(zones.names))
    for zone in range(len(zones.names)):
        rows = np.flatnonzero(inlet.fresh & (zone_of == zone))
        if len(rows):
            middle = rows[np.argsort(inlet.values[rows], kind="stable")[(len(rows) - 1) // 2]]
            for column in ("values", "at", "source", "trust"):
                getattr(found, column)[zone] = getattr(inlet, column)[middle]
    return replace(zones, inlet_celsius=found)
