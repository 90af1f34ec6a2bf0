"""YAML as nodes that know their line, before any meaning: which files an estate has and what stands in each."""

import functools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode
from yaml.resolver import Resolver

from inventory.model import Gap, Problem

GAP_TAG = "!gap"
"""Marks a value that a draft could not know: `rack: !gap`."""

_DEEPEST = 32

SUFFIXES = frozenset({".yaml", ".yml"})

_ANSIBLE_FOLDERS = frozenset({"group_vars", "host_vars"})
_ANSIBLE_SOURCES = frozenset({"gdcc.yml", "gdcc.yaml"})


@dataclass(slots=True, kw_only=True)
class Findings:
    """What reading has found so far; it grows while files are read, so that all errors are told at once."""

    problems: list[Problem] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file of an estate, as a mapping node. `file` is its path as people should see it."""

    file: str
    root: MappingNode
    findings: Findings

    def where(self, node: Node) -> str:
        """`file:line` of a node, lines from 1."""
        return f"{self.file}:{node.start_mark.line + 1}"

    def problem(self, node: Node, what: str) -> None:
        self.findings.problems.append(Problem(where=self.where(node), what=what))


def documents(directory: Path, findings: Findings) -> Iterator[Document]:
    """Every YAML file below the directory, in the order of their paths; what cannot be read becomes a problem."""
    try:
        there = directory.is_dir()
    except OSError as error:
        findings.problems.append(_problem(directory, _unread(error)))
        return
    if not there:
        findings.problems.append(_problem(directory, "there is no such directory (give the directory of an estate)"))
        return
    closed: list[OSError] = []
    files = paths(directory, closed.append)
    findings.problems.extend(_problem(Path(error.filename), _unread(error)) for error in closed)
    if not files and not closed:
        findings.problems.append(_problem(directory, "holds no *.yaml file (an estate needs at least estate.yaml)"))
    yield from filter(None, (document(path, findings) for path in files))


def paths(directory: Path, closed: Callable[[OSError], object] | None = None) -> list[Path]:
    """An estate's files, sorted: every YAML file below its directory but Ansible's own.

    `closed` is told of each folder that cannot be looked into.
    """
    every = (Path(folder, name) for folder, _, names in os.walk(directory, onerror=closed) for name in names)
    return sorted(path for path in every if path.suffix in SUFFIXES and not _is_ansibles(path.relative_to(directory)))


def _is_ansibles(path: Path) -> bool:
    """Whether a file is an inventory source of the plugin `gdcc`, or holds a landscape's variables."""
    return str(path) in _ANSIBLE_SOURCES or path.parts[0] in _ANSIBLE_FOLDERS


def document(path: Path, findings: Findings) -> Document | None:
    """One YAML file; None where it cannot be read, which becomes a problem."""
    root = _root(path, findings)
    return None if root is None else Document(file=str(path), root=root, findings=findings)


_RESOLVER = Resolver()


class _TooDeepError(Exception):
    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class _Composer(yaml.CSafeLoader):
    """Makes nodes. Each text's tag is looked up once; nesting ends before libyaml's composer overflows the stack."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self.resolve = functools.cache(_RESOLVER.resolve)  # type: ignore[method-assign]

    def descend_resolver(self, parent: Node | None, index: object) -> None:
        """Goes one level down. Raises `_TooDeepError`."""
        self._depth += 1
        if self._depth > _DEEPEST + 1 and parent is not None:
            raise _TooDeepError(parent.start_mark.line + 1)

    def ascend_resolver(self) -> None:
        """Goes one level up."""
        self._depth -= 1


def _root(path: Path, findings: Findings) -> MappingNode | None:
    try:
        text = path.read_bytes().decode("utf-8")
        node = yaml.compose(text, Loader=_Composer)
    except _TooDeepError as error:
        what = f"is nested more than {_DEEPEST} levels deep (no estate needs that; unfold it)"
        findings.problems.append(_problem(path, what, error.line))
    except OSError as error:
        findings.problems.append(_problem(path, _unread(error)))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        findings.problems.append(_problem(path, "is not UTF-8 text (save it as UTF-8)", line))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"is not valid YAML: {error.problem or error.context} (correct the syntax here or just above)"
        findings.problems.append(_problem(path, what, mark.line + 1 if mark else 1))
    except yaml.YAMLError as error:
        what = f"is not valid YAML: {str(error).splitlines()[0]} (remove what is not text)"
        findings.problems.append(_problem(path, what))
    else:
        if isinstance(node, MappingNode):
            return node
        line = node.start_mark.line + 1 if node is not None else 1
        what = "is empty" if node is None else "is not a mapping"
        findings.problems.append(
            _problem(path, f"{what} (begin with 'version: 1', then tables such as 'hosts:')", line)
        )
    return None


def _unread(error: OSError) -> str:
    return f"cannot be read: {error.strerror} (check its permissions)"


def _problem(path: Path, what: str, line: int = 1) -> Problem:
    return Problem(where=f"{path}:{line}", what=what)


def is_gap(node: Node) -> bool:
    return bool(node.tag == GAP_TAG)


def shown(node: Node) -> str:
    """The node's value as an error message shows it."""
    if isinstance(node, ScalarNode):
        value = node.value if len(node.value) <= 60 else node.value[:57] + "..."
        return "nothing" if value == "" else repr(value)
    return "a mapping" if isinstance(node, MappingNode) else "a list"


def entries(document: Document, node: MappingNode, subject: str) -> dict[str, tuple[Node, Node]]:
    """The mapping's keys, each with its key node and value node; a duplicate or a key that is no text is a problem."""
    found: dict[str, tuple[Node, Node]] = {}
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            document.problem(key, f"{subject}: a key must be a plain word, not {shown(key)}")
        elif key.value in found:
            first = found[key.value][0].start_mark.line + 1
            document.problem(key, f"{subject}: duplicate key {key.value!r}, first on line {first} (keep one)")
        else:
            found[key.value] = (key, value)
    return found
