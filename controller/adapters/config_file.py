"""The configuration's text as nodes that know their line, and as values. What is wrong is told without its words.

Any of them may be a secret that stands there in clear, and what is told goes to the log.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from controller.errors import InputError

_QUOTED = re.compile(r"'(?!<)[^']{2,}'")
"""What a YAML error quotes of the file; `'<block end>'` and the like are its own words."""


class _Loader(yaml.SafeLoader):
    """Says where a value stands that is none, as the 30th of February."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError:
            raise yaml.constructor.ConstructorError(None, None, "no such value", node.start_mark) from None


def parsed(path: Path, text: str) -> tuple[yaml.Node | None, Any]:
    """The document's root and its value, None where it is empty. Raises InputError with the line of what is wrong."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        twice = [f"{path}:{line}: {key} stands there twice" for line, key in _twice(node, set())]
        value = None if node is None or twice else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = _QUOTED.sub("…", error.problem or error.context or "")
        raise InputError(f"is not YAML: {what}", where=f"{path}:{mark.line + 1 if mark else 1}") from None
    except yaml.YAMLError:
        raise InputError("is not YAML: it holds what is not text", where=f"{path}:1") from None
    except RecursionError:
        raise InputError("is nested too deep", where=f"{path}:1") from None
    if twice:
        raise InputError("\n".join(twice))
    return node, value


def line(node: yaml.Node | None, keys: list[Any]) -> int:
    """The line of the deepest of `keys` that stands in the file, 1 for the file itself."""
    line = 1
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(key)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
    return line


def _twice(node: yaml.Node | None, seen: set[int]) -> Iterator[tuple[int, str]]:
    """Line and name of each key that its mapping has already; YAML itself takes the last of them."""
    if not isinstance(node, yaml.CollectionNode) or id(node) in seen:
        return
    seen.add(id(node))
    keys: set[str] = set()
    for each in node.value:
        key, value = each if isinstance(node, yaml.MappingNode) else (None, each)
        if isinstance(key, yaml.ScalarNode):
            if key.value in keys:
                yield key.start_mark.line + 1, key.value
            keys.add(key.value)
        yield from _twice(value, seen)
