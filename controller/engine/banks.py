"""The load of PDUs' breakers, for people: no limit of a plan is a bank's, so no snapshot holds them. Pure."""

from datetime import datetime

import numpy as np

from controller.engine.gate import Gate
from controller.engine.readings import Readings
from controller.engine.status import BankLoad
from controller.model.policy import TrustPolicy
from controller.model.sample import Kind, Quantity


def loads(readings: Readings, policy: TrustPolicy, now: datetime) -> tuple[BankLoad, ...]:
    """Every bank that a PDU tells of, by name; those whose reading is not fresh have no watts."""
    columns = readings.of(Kind.BANK, Quantity.POWER_WATTS)
    names = tuple(sorted({name for _, column in columns for name in column.names}))
    gate = Gate(readings=readings, sources=readings.sources, policy=policy, now=now.timestamp())
    found = gate.reading(Kind.BANK, Quantity.POWER_WATTS, names)
    watts = np.where(found.fresh, found.values, np.nan)
    return tuple(
        BankLoad(name=name, watts=None if np.isnan(value) else value, age=now.timestamp() - at)
        for name, value, at in zip(names, watts.tolist(), found.at.tolist(), strict=True)
        if np.isfinite(at)
    )
