"""Whether an order can be meant, before a campaign is made of it. Pure."""

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass, fields

from controller.errors import InputError
from controller.model.campaign import Order, Reboot
from inventory import bounds

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
NEWEST = "newest"
"""What the API calls the campaign that goes on, so that none can be named so."""

_CANARIES = bounds.Bound(least=0, most=1_000_000, unit="hosts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """The names that playbooks and roles know, and those whose values they keep out of logs."""

    known: Collection[str] = ()
    secret: Collection[str] = ()


def check(order: Order, playbooks: Collection[str], variables: Variables, tags: Collection[str]) -> None:
    """Raises `InputError` for a name, playbook, tag, variable or number that cannot be meant, and for doing nothing.

    `tags` are those of the order's playbook. A secret's value is refused too: an order stands in clear in the journal,
    and in what is shown of it.
    """
    where = f"campaign {order.name}"
    if not _NAME.fullmatch(order.name) or order.name == NEWEST:
        raise InputError(f"{order.name!r} is no name", where="name", remedy="a-z, 0-9, dot, dash, underscore")
    playbook = order.work.playbook
    if playbook is not None and playbook not in playbooks:
        remedy = f"one of {', '.join(sorted(playbooks))}"
        raise InputError(f"there is no playbook {playbook!r}", where=where, remedy=remedy)
    if playbook is None and order.work.reboot is not Reboot.ALWAYS:
        raise InputError("does nothing", where=where, remedy="give work.playbook, or work.reboot: always")
    untagged = sorted(set(order.work.tags) - set(tags))
    if untagged:
        what = f"nothing in {playbook or 'a mere reboot'} is tagged {', '.join(untagged)}"
        raise InputError(
            what, where=where, remedy=_meant(untagged, tags) or (f"one of {', '.join(sorted(tags))}" if tags else "")
        )
    strange = sorted(set(order.work.variables) - set(variables.known))
    if strange:
        what = f"no playbook or role has {', '.join(strange)}"
        raise InputError(what, where=where, remedy=_meant(strange, variables.known))
    secret = sorted(set(order.work.variables) & set(variables.secret))
    if secret:
        what = f"a campaign is kept in clear, and {', '.join(secret)} is secret"
        raise InputError(what, where=where, remedy="keep it in a vault beside the inventory, for the playbook to find")
    flaws = [flaw for part in ("work", "limits", "canaries") for flaw in _flaws(part, getattr(order, part))]
    if flaws:
        raise InputError("; ".join(flaws), where=where)


def _meant(strange: Collection[str], known: Collection[str]) -> str:
    """The known names that are near to mistyped ones; empty where none is."""
    near = [name for each in strange for name in difflib.get_close_matches(each, sorted(known), n=1, cutoff=0.8)]
    return f"did you mean {', '.join(near)}?" if near else ""


def _flaws(part: str, held: object) -> list[str]:
    """Its numbers beyond their bounds: a file is held to them when it is read, and whoever asks by the API here."""
    told = []
    for each in fields(held):  # type: ignore[arg-type]
        value = getattr(held, each.name)
        if isinstance(value, int | float) and not _bound(each.name).admits(value):
            told.append(f"{part}.{each.name} is {value} and must be {_bound(each.name)}")
    return told


def _bound(name: str) -> bounds.Bound:
    return _CANARIES if name == "count" else bounds.bound_of(name)
