"""A PDU's breakers are shown to people, as far as their readings can be believed."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from controller.adapters.exposition.registry import registry
from controller.engine.status import BankLoad
from controller.model.sample import Batch, Fault, Kind, Quantity
from tests.fakes.turning import Sensors, Turning

BANKS = {"pdu-1/bank1": (1840.0, 3.0), "pdu-1/bank2": (900.0, 3600.0), "pdu-1/bank3": (-5.0, 3.0)}
"""Watts, and how many seconds ago."""


class WithBanks(Sensors):
    async def collect(self, deadline: timedelta) -> tuple[Sequence[Batch], Sequence[Fault]]:
        batches, faults = await super().collect(deadline)
        watts, ages = (np.array(column) for column in zip(*BANKS.values(), strict=True))
        at = self._rig.clock.now().timestamp() - ages
        banks = Batch(
            kind=Kind.BANK, quantity=Quantity.POWER_WATTS, source="snmp", names=tuple(BANKS), values=watts, at=at
        )
        return (*batches, banks), faults


async def test_each_bank_is_shown_with_its_age_and_its_watts_only_where_they_are_fresh(tmp_path: Path) -> None:
    site = Turning(tmp_path)
    site.sensors = WithBanks(site.rig)
    site.wire()
    await site.loop.turn()
    first, second, third = site.loop.status.banks
    assert first == BankLoad(name="pdu-1/bank1", watts=1840.0, age=3.0)
    assert (second.watts, third.watts) == (None, None)
    metrics = registry(lambda: site.published[-1])
    labels = [{"kind": "bank", "name": name} for name in BANKS]
    assert [metrics.get_sample_value("gdcc_power_watts", each) for each in labels] == [1840.0, None, None]
    assert metrics.get_sample_value("gdcc_power_reading_age_seconds", labels[1]) == 3600.0
    site.rig.journal.close_store()
