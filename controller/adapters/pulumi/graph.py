"""What a stack holds and how it hangs together: boxes of resources, one a component, and what needs what. Pure.

It is read from a stack's state, or from a preview where nothing stands yet.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.adapters.pulumi import urns


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One resource, component or not."""

    urn: str
    type: str
    parent: str
    needs: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name in the program."""
        return urns.name_of(self.urn)

    @property
    def kind(self) -> str:
        """Its type's last word; a provider's is its service."""
        if self.type.startswith(urns.PROVIDERS):
            return f"Provider of {self.type.removeprefix(urns.PROVIDERS)}"
        return self.type.rpartition(":")[2]

    @property
    def component(self) -> bool:
        """Whether it only groups others."""
        return self.type.startswith("gdcc:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A component with the resources right below it; `needs` are boxes whose resources its own ones use."""

    urn: str
    title: str
    rows: tuple[Node, ...]
    needs: tuple[str, ...]


def nodes(rows: Iterable[Mapping[str, Any]]) -> tuple[Node, ...]:
    """The resources in the rows of a state or of a preview; providers that the program did not name are left out."""
    found = (
        Node(
            urn=row["urn"],
            type=row["type"],
            parent=row.get("parent") or "",
            needs=tuple(sorted({*(row.get("dependencies") or ()), *_provider(row)})),
        )
        for row in rows
    )
    return tuple(node for node in found if not (node.type.startswith(urns.PROVIDERS) and urns.is_default(node.urn)))


def _provider(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The provider it is made through, where the program names one."""
    urn = urns.named_provider(row.get("provider") or "")
    return (urn,) if urn else ()


def boxes(every: Sequence[Node]) -> tuple[Box, ...]:
    """The resources by the component they stand in; other stacks that are read from are boxes too."""
    owner = {node.urn: _owner(node) for node in every if not node.component and node.type != urns.STACK}
    rows: dict[str, list[Node]] = {}
    for node in every:
        if node.urn in owner:
            rows.setdefault(owner[node.urn], []).append(node)
    titles = {node.urn: f"{node.kind} {node.name}" for node in every}
    return tuple(_box(urn, titles, inside, owner) for urn, inside in rows.items())


def _owner(node: Node) -> str:
    return node.urn if node.type == urns.REFERENCE else node.parent


def _box(urn: str, titles: Mapping[str, str], inside: Sequence[Node], owner: Mapping[str, str]) -> Box:
    reference = inside[0].type == urns.REFERENCE
    used = {owner[need] for node in inside for need in node.needs if need in owner}
    return Box(
        urn=urn,
        title=f"stack {urns.name_of(urn).rpartition('/')[2]}" if reference else titles.get(urn, "Stack"),
        rows=() if reference else tuple(sorted(inside, key=lambda node: (node.kind, node.name))),
        needs=tuple(sorted(used - {urn})),
    )


def layers(found: Sequence[Box]) -> tuple[tuple[Box, ...], ...]:
    """The boxes in columns: each stands to the right of what it needs. Of a circle, one need is not looked at."""
    by_urn = {box.urn: box for box in found}
    depth: dict[str, int] = {}

    def measured(urn: str, path: frozenset[str]) -> int:
        if urn not in depth:
            ahead = [need for need in by_urn[urn].needs if need in by_urn and need not in path]
            depth[urn] = 1 + max((measured(need, path | {urn}) for need in ahead), default=-1)
        return depth[urn]

    for box in found:
        measured(box.urn, frozenset({box.urn}))
    columns: list[list[Box]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for box in found:
        columns[depth[box.urn]].append(box)
    return tuple(map(tuple, columns))


def text(every: Sequence[Node]) -> str:
    """The resources as a tree, each with what it needs beside its parent's."""
    below: dict[str, list[Node]] = {}
    for node in every:
        below.setdefault(node.parent, []).append(node)
    names = {node.urn: f"{node.kind} {node.name}" for node in every}
    roots = [node for node in every if node.parent not in names]
    return "\n".join(line for root in roots for line in _lines(root, below, names, "", ""))


def _lines(
    node: Node, below: Mapping[str, Sequence[Node]], names: Mapping[str, str], lead: str, hang: str
) -> Iterator[str]:
    needs = ", ".join(names[need] for need in node.needs if need in names)
    yield f"{lead}{names[node.urn]}" + (f"  ← {needs}" if needs else "")
    children = sorted(below.get(node.urn, ()), key=lambda child: (child.component, child.kind, child.name))
    for index, child in enumerate(children):
        last = index == len(children) - 1
        yield from _lines(child, below, names, hang + ("└─ " if last else "├─ "), hang + ("   " if last else "│  "))
