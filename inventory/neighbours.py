"""Which subnets of its agency's a system may speak with: those that its data may flow to."""

from collections.abc import Iterable
from dataclasses import dataclass

from inventory.model import Agency, System


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """`pool` is the agency's whole range, None where it holds more than the system may speak with.

    `systems` are those whose subnets must be named one by one, in the estate's order.
    """

    pool: str | None = None
    systems: tuple[System, ...] = ()

    @property
    def ranges(self) -> int:
        """How many ranges of addresses these are."""
        return len(self.systems) + (self.pool is not None)


def of(agency: Agency, system: System, systems: Iterable[System]) -> Neighbours:
    """The neighbours among all `systems` of the agency, `system` itself among them; none where it has no pool.

    A subnet that was there before the estate lies outside of the pool.
    """
    if agency.pool is None:
        return Neighbours()
    ours = [each for each in systems if each.agency == agency.name]
    near = [each for each in ours if each.classification >= system.classification]
    if len(near) < len(ours):
        return Neighbours(systems=tuple(near))
    return Neighbours(pool=agency.pool, systems=tuple(each for each in near if each.subnet is not None))
