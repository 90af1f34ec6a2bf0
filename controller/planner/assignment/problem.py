"""An assignment problem as columns: what items ask, what bins offer, and which rules and costs bind them.

Everything is a whole number, so that a cost kept up move by move and one reckoned anew are equal and not near.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
LARGEST_COST = 2**53
"""What sums of costs must stay below, so that a float holds each exactly."""


class UnsoundProblemError(ValueError):
    """The columns do not fit together, or their costs are beyond 2^53."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """`weight * max(0, target * free(first) - free(second))` for every bin: one resource is little use without another.

    Google/ROADEF/EURO challenge 2012, problem definition, 1.3.2.
    """

    first: int
    second: int
    target: int
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Items that stand in bins, and what it would cost to have them elsewhere.

    Hard: usage <= capacity in every bin; two items of a group never share a bin; a group is spread over at least so
    many domains; where a group is, every group it depends on is too, by neighbourhood; an item goes only where bins are
    open to its kind. A transient resource counts both where an item came from and where it goes. What an origin breaks
    may stay so: a bin over its capacity only receives nothing, and two of a group may go on sharing theirs.
    """

    origin: Whole
    """items: the bin where each stands."""
    demand: Whole
    """items x resources."""
    group: Whole
    """items: the group of each."""
    kind: Whole
    """items: row in `open_to`; -1 for one that may be anywhere."""
    open_to: Flags
    """kinds x bins: whether an item of the kind may go there; where it stands at first it may be anyway."""
    move_cost: Whole
    """items: the cost of being elsewhere than at the origin; negative where an item had better leave it."""
    capacity: Whole
    """bins x resources: never exceeded."""
    safety: Whole
    """bins x resources: exceeded at a cost."""
    safety_weight: Whole
    """resources: the cost of one unit above the safety capacity."""
    transient: Flags
    """resources: whether what moved counts at its origin still."""
    domain: Whole
    """bins: the domain over which groups are spread."""
    least_domains: Whole
    """groups: in how many domains each must be."""
    neighbourhood: Whole
    """bins: the neighbourhood in which dependencies must be met."""
    dependencies: Whole
    """pairs x 2: (group, the group it needs in each of its neighbourhoods)."""
    route_class: Whole
    """bins: row and column in `route_cost`."""
    route_cost: Whole
    """classes x classes: the cost of a move between two different bins of these classes."""
    group_move_weight: int
    """the cost of each moved item of the group of which most items moved."""
    balances: tuple[Balance, ...]

    def __post_init__(self) -> None:
        items, resources = self.demand.shape
        bins, groups = len(self.capacity), len(self.least_domains)
        shapes = {
            "origin": (items,),
            "group": (items,),
            "kind": (items,),
            "open_to": (len(self.open_to), bins),
            "move_cost": (items,),
            "capacity": (bins, resources),
            "safety": (bins, resources),
            "safety_weight": (resources,),
            "transient": (resources,),
            "domain": (bins,),
            "neighbourhood": (bins,),
            "route_class": (bins,),
            "dependencies": (len(self.dependencies), 2),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise UnsoundProblemError(f"{name} is {getattr(self, name).shape}, not {shape}")
        _within("origin", self.origin, bins)
        _within("group", self.group, groups)
        _within("kind", self.kind + 1, len(self.open_to) + 1)
        _within("dependencies", self.dependencies, groups)
        _within("route_class", self.route_class, len(self.route_cost))
        if self.demand.size and self.demand.min() < 0:
            raise UnsoundProblemError("a demand is negative")
        if self.largest_cost() >= LARGEST_COST:
            raise UnsoundProblemError("costs are beyond 2^53")

    def largest_cost(self) -> int:
        """No assignment costs more, and no sum on the way to its cost is larger."""
        total = int(self.demand.sum())
        room = int(np.abs(self.capacity).sum())
        loads = sum(
            int(weight) * (int(asked) + int(safe))
            for weight, asked, safe in zip(
                self.safety_weight, self.demand.sum(axis=0), np.abs(self.safety).sum(axis=0), strict=True
            )
        )
        balances = sum(each.weight * (each.target + 1) * (room + total) for each in self.balances)
        moves = int(np.abs(self.move_cost).sum()) + len(self.origin) * int(self.route_cost.max(initial=0))
        return loads + balances + moves + self.group_move_weight * len(self.origin)


def _within(name: str, column: Whole, end: int) -> None:
    if column.size and (column.min() < 0 or column.max() >= end):
        raise UnsoundProblemError(f"{name} points outside 0..{end - 1}")
