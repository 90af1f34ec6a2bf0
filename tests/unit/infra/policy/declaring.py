"""Declared resources and stacks, for the tests of single rules."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from infra.policy import kinds
from infra.policy.declared import Resource, Stack
from infra.policy.rule import ResourceRule, StackRule

AGENCY = "agency-tax"
DEFAULT_PROVIDER = f"urn:pulumi:{AGENCY}::gdcc::{kinds.PROVIDER}::default_5_5_3"


def urn(kind: str, name: str, stack: str = AGENCY) -> str:
    return f"urn:pulumi:{stack}::gdcc::gdcc:agency:System${kind}::{name}"


def resource(
    kind: str,
    called: str = "it",
    /,
    *,
    stack: str = AGENCY,
    refer: Mapping[str, Resource | Iterable[Resource]] | None = None,
    identity: str = "",
    provider: str = DEFAULT_PROVIDER,
    ignored_changes: Iterable[str] = (),
    protect: bool = False,
    **inputs: Any,
) -> Resource:
    """A resource with its inputs; `refer` gives the resources that an input is made from."""
    made_from = {key: [one] if isinstance(one, Resource) else list(one) for key, one in (refer or {}).items()}
    return Resource(
        kind=kind,
        urn=urn(kind, called, stack),
        inputs=inputs,
        references={key: tuple(each.urn for each in made) for key, made in made_from.items()},
        identity=identity,
        provider=provider,
        ignored_changes=frozenset(ignored_changes),
        protect=protect,
    )


def project(level: str = "internal", name: str = "return", **more: Any) -> Resource:
    tags = ["agency:tax", f"classification:{level}", f"system:{name}", "tier:standard"]
    return resource(kinds.PROJECT, name, **{"tags": tags, "name": name, **more})


def meanings(levels: Mapping[str, str] | None = None, roles: Mapping[str, str] | None = None) -> Resource:
    return resource(kinds.MEANINGS, "meanings", levels=levels or {}, roles=roles or {})


def broken(rule: ResourceRule | StackRule, *resources: Resource) -> list[str]:
    """What the rule says of these resources."""
    if isinstance(rule, ResourceRule):
        judge: Callable[[Resource], Iterable[str]] = rule.broken
        return [what for each in resources if each.kind in rule.kinds for what in judge(each)]
    return [each.what for each in rule.broken(Stack(resources={each.urn: each for each in resources}))]
