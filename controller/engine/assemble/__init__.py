"""Joins the estate, the cloud's facts and the readings into one snapshot. Pure: no I/O, no clock.

Nova says what runs where, Placement what fits, the inventory where a host stands and whose a VM is, the gate which
readings count. Names and uuids are the only join; what joins to nothing is marked as not known, never left out.
"""

from controller.engine.assemble.history import History
from controller.engine.assemble.snapshot import assemble

__all__ = ["History", "assemble"]
