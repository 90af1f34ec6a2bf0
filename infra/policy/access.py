"""What a project may use: only what is cleared for its level or a higher one."""

from collections.abc import Iterator

from infra.policy import kinds, levels
from infra.policy.declared import Resource, Stack
from infra.policy.rule import Violation


def below_project(
    stack: Stack, resource: Resource, thing: tuple[str, str, str], project_key: str
) -> Iterator[Violation]:
    """A violation where the thing (its name in words, the input of its id, its kind) is cleared below the project."""
    title, key, kind = thing
    cleared = levels.level_at(stack, resource, key, kind)
    needed = levels.level_at(stack, resource, project_key, kinds.PROJECT)
    if cleared is None:
        what = f"nothing tells the level of {title} {resource.text(key)} (tag it, or tell it by Meanings)"
        yield Violation(urn=resource.urn, what=what)
    elif needed is None:
        yield Violation(urn=resource.urn, what="nothing tells the level of its project (tag it)")
    elif cleared < needed:
        project, mine = levels.word(needed), levels.word(cleared)
        yield Violation(urn=resource.urn, what=f"a {project} project would use {title} cleared for {mine} only")
