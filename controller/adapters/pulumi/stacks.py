"""Which stacks an estate has, and in which order they run. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from controller.errors import InputError
from inventory import names
from inventory.model import Estate

FOUNDATION = names.FOUNDATION
agency_of = names.agency_of
agency_stack = names.agency_stack


class Verb(StrEnum):
    """What is done with a stack."""

    PREVIEW = "preview"
    UP = "up"
    REFRESH = "refresh"
    DESTROY = "destroy"
    DRIFT = "drift"
    IMPORT = "import"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Stacks that may run side by side. With `needs_all`, nothing of it runs unless all before it succeeded."""

    stacks: tuple[str, ...]
    needs_all: bool = True


def chosen(estate: Estate, agencies: Sequence[str], foundation: bool) -> tuple[str, ...]:
    """The stacks that were asked for, all of them where none was; the foundation first.

    Raises `InputError` that names every agency the estate does not have.
    """
    unknown = sorted(set(agencies) - set(estate.agencies))
    if unknown:
        names = ", ".join(unknown)
        raise InputError(f"no agency is called {names}", where=estate.name, remedy="see gdcc estate list")
    if not agencies and not foundation:
        return (FOUNDATION, *map(agency_stack, estate.agencies))
    first = (FOUNDATION,) if foundation else ()
    return (*first, *map(agency_stack, dict.fromkeys(agencies)))


def waves(verb: Verb, stacks: Iterable[str]) -> tuple[Wave, ...]:
    """The order of a run: agencies use what the foundation made, so it comes first, and is destroyed last.

    Looking (drift) and reading back (refresh) depend on nothing and run all at once.
    """
    every = tuple(dict.fromkeys(stacks))
    agencies = tuple(each for each in every if each != FOUNDATION)
    if verb in {Verb.DRIFT, Verb.REFRESH} or len(agencies) == len(every) or not agencies:
        return (Wave(stacks=every),) if every else ()
    foundation = Wave(stacks=(FOUNDATION,))
    rest = Wave(stacks=agencies)
    return (rest, foundation) if verb is Verb.DESTROY else (foundation, rest)
