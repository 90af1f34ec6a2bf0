"""Why a server has no place, in a sentence."""

import numpy as np

from controller.model import cluster as model
from controller.model.sample import FloatColumn, IntColumn
from controller.planner import describe
from controller.planner.whatif.restart import NOWHERE, Placed
from controller.planner.whatif.spare import HARD, Spare

_WORDS = ("{:,.0f} vCPUs", "{:,.0f} MiB of memory", "{:,.0f} GiB of disk")


def why_nowhere(spare: Spare, down: model.BoolColumn, placed: Placed, vm: int) -> str:
    """The first of these that holds: nobody knows, no host may, no group lets it, no host has room, or too few have."""
    cluster = spare.situation.cluster
    if cluster.vms.requirement[vm] < 0:
        return describe.RULES["requirement-unknown"]
    if not cluster.vms.fit_known[vm]:
        return describe.RULES["fit-unknown"]
    hosts = _left(spare, down, vm)
    if not len(hosts):
        return f"no host is left that may start it: {_closed(spare, down, vm)}"
    roomy = hosts[_has_room(spare, vm, hosts)]
    if not len(roomy):
        return f"none of the {len(hosts)} hosts that may start it has {_amounts(spare.amount[:HARD, vm])} left"
    groups = placed.members.admitted(vm)
    if groups is not None and not groups[roomy].any():
        return f"{groups_of(placed, vm)} keeps it from all {len(roomy)} hosts that have room for it"
    return _together(spare, down, placed, vm)


def bound_by_groups(spare: Spare, down: model.BoolColumn, placed: Placed, vm: int) -> bool:
    """Whether only a group keeps the server from every host that has room for it."""
    groups = placed.members.admitted(vm)
    hosts = _left(spare, down, vm)
    roomy = hosts[_has_room(spare, vm, hosts)]
    return groups is not None and len(roomy) > 0 and not groups[roomy].any()


def groups_of(placed: Placed, vm: int) -> str:
    """The groups that bind it, by name."""
    return ", ".join(f"group {name}" for name in placed.members.names(vm))


def _closed(spare: Spare, down: model.BoolColumn, vm: int) -> str:
    counts = spare.closed_by(vm, np.flatnonzero(~down).astype(np.int32))
    parts = [f"{count} hosts by {rule}" for rule, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    return ", ".join(parts) or "none is left at all"


def _together(spare: Spare, down: model.BoolColumn, placed: Placed, vm: int) -> str:
    """What all servers of its kind ask for, beside what the hosts that may start them have left."""
    like = [each for each in placed.target if spare.kind(each) == spare.kind(vm)]
    hosts = _left(spare, down, vm)
    asked = spare.amount[:HARD, like].sum(axis=1)
    left = np.maximum(spare.room[:HARD][:, hosts], 0.0).sum(axis=1)
    open_to = f"{len(hosts)} hosts that may start"
    for row, word in enumerate(_WORDS):
        if asked[row] > left[row]:
            needed, free = word.format(asked[row]), word.format(left[row])
            return f"{len(like)} servers like it ask for {needed}, the {open_to} them have {free}"
    without = sum(placed.target[each] == NOWHERE for each in like)
    return f"what the {open_to} it have left is in pieces too small for {without} of {len(like)}"


def _left(spare: Spare, down: model.BoolColumn, vm: int) -> IntColumn:
    hosts = spare.open_to(vm)
    return hosts[~down[hosts]]


def _has_room(spare: Spare, vm: int, hosts: IntColumn) -> model.BoolColumn:
    amount = spare.amount[:HARD, vm]
    room: model.BoolColumn = ((spare.room[:HARD][:, hosts] >= amount[:, None]) | (amount[:, None] == 0)).all(axis=0)
    return room


def _amounts(amounts: FloatColumn) -> str:
    return ", ".join(word.format(amount) for word, amount in zip(_WORDS, amounts, strict=True) if amount > 0)
