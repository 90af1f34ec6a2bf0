"""Ansible's `diff` of a task's result as text. Pure."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any


def text(result: Mapping[str, Any]) -> str:
    """What the task changed or would have changed, as unified diffs; empty where it does not say."""
    return "\n".join(part for part in _parts(result) if part)


def _parts(result: Mapping[str, Any]) -> Iterator[str]:
    found = result.get("diff")
    for each in found if isinstance(found, list) else [found]:
        if isinstance(each, dict):
            yield _one(each)
    for item in result.get("results") or ():
        if isinstance(item, dict) and item.get("changed"):
            yield from _parts(item)


def _one(diff: Mapping[str, Any]) -> str:
    if "prepared" in diff:
        return str(diff["prepared"]).strip("\n")
    if "before" not in diff and "after" not in diff:
        return ""
    before, after = (_lines(diff.get(side)) for side in ("before", "after"))
    was, now = (str(diff.get(f"{side}_header") or side) for side in ("before", "after"))
    return "\n".join(difflib.unified_diff(before, after, was, now, lineterm="", n=1))


def _lines(value: object) -> list[str]:
    if isinstance(value, dict | list):
        value = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    return str(value or "").splitlines()
