"""A snapshot of an estate that has no cloud: its VM sets placed so that no rule breaks, and loads drawn from a seed.

All of it is modelled. Pure: same estate, seed and time, same snapshot. `facts` and `batches` are what a cloud and its
collectors would have said; `snapshot` sends them through the same assembly as a living site's.
"""

from controller.engine.synthetic.facts import facts
from controller.engine.synthetic.look import batches, snapshot

__all__ = ["batches", "facts", "snapshot"]
