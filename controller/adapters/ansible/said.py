"""What a failed task said, in one line that a person can act on. Pure."""

import re
from collections.abc import Mapping
from typing import Any

_LONGEST = 500
_CHANGED_KEY = "REMOTE HOST IDENTIFICATION HAS CHANGED"
_OFFENDING = re.compile(r"Offending (\S+ )?key in (\S+)")
_UNVERIFIED = "Host key verification failed"
_OF_ANSIBLE, _OF_SSH = "Task failed: ", "Failed to connect to the host via ssh: "
_HIDDEN = "the output is hidden, for the task is marked no_log"


def line(result: Mapping[str, Any]) -> str:
    """One line from a task's result."""
    if "censored" in result:
        return _HIDDEN
    items = [each for each in result.get("results") or () if isinstance(each, dict) and each.get("failed")]
    if items:
        more = f" (and {len(items) - 1} more items)" if len(items) > 1 else ""
        return _short(f"{_item(items[0])}{line(items[0])}{more}")
    return _short(": ".join(part for part in (_message(result), _detail(result)) if part) or "it failed without a word")


def unreachable(result: Mapping[str, Any]) -> str:
    """Why a host could not be reached; a changed host key is named as what it is."""
    said = str(result.get("msg") or result.get("censored") or "no word why")
    if _CHANGED_KEY in said:
        found = _OFFENDING.search(said)
        where = f" in {found[2]}" if found else ""
        return f"its SSH host key is not the one that is known{where}; if that is as it should be, replace the entry"
    if _UNVERIFIED in said:
        return "its SSH host key is not known; verify it and add it to known_hosts"
    return _short(said.removeprefix(_OF_ANSIBLE).removeprefix(_OF_SSH))


def _message(result: Mapping[str, Any]) -> str:
    return _one_line(result.get("msg") or result.get("reason") or "").removeprefix(_OF_ANSIBLE)


def _detail(result: Mapping[str, Any]) -> str:
    """What the message leaves out: the last line of what a command or a crashed module wrote."""
    for name in ("stderr", "module_stderr", "stdout", "module_stdout"):
        lines = [one.strip() for one in str(result.get(name) or "").splitlines() if one.strip()]
        if lines and lines[-1] not in _message(result):
            return lines[-1]
    return ""


def _item(result: Mapping[str, Any]) -> str:
    label = result.get("_ansible_item_label", result.get("item"))
    return f"{_one_line(label)}: " if isinstance(label, str | int | float) else ""


def _one_line(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(map(_one_line, value))
    return " ".join(str(value).split())


def _short(text: str) -> str:
    flat = _one_line(text)
    return flat if len(flat) <= _LONGEST else f"{flat[: _LONGEST - 1]}…"
