"""Rules of the kernel's audit as they were declared and as `auditctl -l` lists them, which writes them otherwise."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

_FIELD = re.compile(r"([a-z0-9_]+)(!=|>=|<=|&=|=|>|<|&)(.*)", re.IGNORECASE)
_ALIKE = {"unset": "-1", "4294967295": "-1", "root": "0"}
_ARCHES = {"x86_64": "b64", "aarch64": "b64", "ppc64le": "b64", "s390x": "b64", "i386": "b32", "i686": "b32"}
_ALWAYS = frozenset({"always", "exit"})


class Rule(NamedTuple):
    """What the kernel does by it, however it is written; a watch (`-w`) is a rule of its path and permissions."""

    when: frozenset[str]
    syscalls: frozenset[str]
    fields: tuple[str, ...]
    keys: frozenset[str]


def audit_missing(listed: Iterable[str], declared: Iterable[Mapping[str, Any]]) -> list[str]:
    """The declared rules, as they are written, that are not in the kernel as often as they are declared."""
    there = Counter(map(_rule, _rules(listed)))
    missing = []
    for text in _texts(declared):
        rule = _rule(text)
        if not there[rule]:
            missing.append(text)
        there[rule] -= 1
    return missing


def audit_foreign(listed: Iterable[str], declared: Iterable[Mapping[str, Any]]) -> list[str]:
    """Listed rules that are not declared, and have a declared key or keep the kernel from recording."""
    rules = Counter(map(_rule, _texts(declared)))
    keys = frozenset(key for rule in rules for key in rule.keys)
    foreign = []
    for text in _rules(listed):
        rule = _rule(text)
        rules[rule] -= 1
        if rules[rule] < 0 and (rule.keys & keys or "never" in rule.when):
            foreign.append(text)
    return foreign


def _texts(declared: Iterable[Mapping[str, Any]]) -> list[str]:
    return [f"{rule} -k {each['key']}" for each in declared for rule in each["rules"]]


def _rules(listed: Iterable[str]) -> list[str]:
    """Without `No rules`, and what else is no rule."""
    return [line.strip() for line in listed if line.strip().startswith("-")]


def _rule(text: str) -> Rule:
    words = iter(text.split())
    when, syscalls, fields, keys = _ALWAYS, set[str](), list[str](), set[str]()
    for option in words:
        value = next(words, "")
        match option:
            case "-a" | "-A":
                when = frozenset(value.split(","))
            case "-S":
                syscalls.update(value.split(","))
            case "-w":
                fields.append(_path(value))
            case "-p":
                fields.append(_permissions(value))
            case "-k":
                keys.add(value)
            case "-C":
                fields.append(_compared(value))
            case "-F" if value.startswith("key="):
                keys.add(value.removeprefix("key="))
            case "-F":
                fields.append(_field(value))
            case _:
                fields.append(f"{option} {value}")
    return Rule(when, frozenset(syscalls - {"all"}), tuple(sorted(fields)), frozenset(keys))


def _field(text: str) -> str:
    found = _FIELD.fullmatch(text)
    if found is None:
        return text
    name, how, value = found.groups()
    if name in {"path", "dir"} and how == "=":
        return _path(value)
    if name == "perm":
        return _permissions(value)
    if name == "arch":
        value = _ARCHES.get(value, value)
    return f"{name}{how}{_number(_ALIKE.get(value, value))}"


def _path(value: str) -> str:
    """The kernel tells by itself whether it is a file or a folder."""
    return f"path={value.rstrip('/') or '/'}"


def _permissions(value: str) -> str:
    return f"perm={''.join(sorted(value))}"


def _compared(text: str) -> str:
    found = _FIELD.fullmatch(text)
    return text if found is None else f"-C {found[2].join(sorted((found[1], found[3])))}"


def _number(value: str) -> str:
    try:
        return str(int(value, 0))
    except ValueError:
        return value


class FilterModule:
    def filters(self) -> Mapping[str, Any]:
        return {"audit_missing": audit_missing, "audit_foreign": audit_foreign}
