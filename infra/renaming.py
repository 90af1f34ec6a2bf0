"""What a renamed system's resources were called before: Pulumi finds them by it, so that nothing is replaced."""

from collections.abc import Iterable, Iterator, Mapping

import pulumi

from infra.policy import kinds
from inventory.model import System

_NAMED_OTHERWISE = frozenset({kinds.CONTAINER, kinds.SERVER_GROUP})
"""A container bears its data set's name, which may begin like a system's; a server group says its aliases itself."""


def of_stack(systems: Iterable[System]) -> pulumi.ResourceTransformation:
    """Gives every resource that is named after a renamed system an alias for each name that it bore before.

    Also one that is named after two systems, such as a network's sharing with another agency's.
    """
    names = {each.name: each.formerly for each in systems}

    def aliased(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        known = former(args.name, names) if args.type_ not in _NAMED_OTHERWISE else ()
        aliases = [pulumi.Alias(name=name) for name in known]
        if not aliases:
            return None
        opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(aliases=aliases))
        return pulumi.ResourceTransformationResult(props=args.props, opts=opts)

    return aliased if any(names.values()) else lambda _: None


def former(name: str, names: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """The former names of a resource: `SYSTEM` or `SYSTEM.…`, after whose point another may stand."""
    of = max((each for each in names if _begins(name, each)), key=len, default=None)
    if of is None:
        return
    rest = name.removeprefix(of)
    rests = [rest, *(f".{each}" for each in names.get(rest.removeprefix("."), ()) if rest.startswith("."))]
    for head in (of, *names[of]):
        yield from (f"{head}{tail}" for tail in rests if f"{head}{tail}" != name)


def _begins(name: str, system: str) -> bool:
    return name == system or name.startswith(f"{system}.")
