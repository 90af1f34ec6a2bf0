"""What sudo grants, as `cvtsudoers -f json -e` tells it, beside what is declared."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ansible.errors import AnsibleFilterError

_PREFIX = {"usergroup": "%", "userid": "#", "usergid": "%#", "netgroup": "+", "nonunixgroup": "%:", "nonunixgid": "%:#"}
_ROOT = frozenset({"root", "ALL"})
_NO_COMMA = re.compile(r"\](?=\s*\n\s*\")")
"""cvtsudoers leaves it out after the empty list that an undefined alias of users makes."""


class Grant(NamedTuple):
    """`who` may run `command` as one of `by`; `password`: theirs is asked for."""

    who: str
    command: str
    password: bool
    by: frozenset[str] = _ROOT

    @property
    def asked(self) -> tuple[str, str, bool]:
        return self.who, self.command, self.password

    def __str__(self) -> str:
        others = "" if self.by & _ROOT else f" as {', '.join(sorted(self.by))}"
        return f"{self.who} may run {self.command}{others} {'with' if self.password else 'without'} a password"


def base_sudo_missing(found: str, declared: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is declared and not granted, a sentence each."""
    granted = {grant.asked for grant in _grants(found) if grant.by & _ROOT}
    return [str(grant) for grant in _declared(declared) if grant.asked not in granted]


def base_sudo_foreign(found: str, *declared: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is granted and in none of the lists, a sentence each; to run nothing is no grant."""
    known = {grant.asked for rules in declared for grant in _declared(rules)}
    foreign = (grant for grant in _grants(found) if grant.asked not in known and not grant.command.startswith("!"))
    return [*dict.fromkeys(map(str, foreign)), *_unasked(found)]


def _declared(rules: Iterable[Mapping[str, Any]]) -> Iterator[Grant]:
    for rule in rules:
        for command in rule["commands"]:
            yield Grant(rule["who"], command, bool(rule.get("password", False)))


def _grants(found: str) -> Iterator[Grant]:
    for spec in _read(found).get("User_Specs", ()):
        for who in map(_name, spec["User_List"]):
            for part in spec["Cmnd_Specs"] if who else ():
                runs_as = part.get("runasusers", [{"username": "root"}])
                by = frozenset(map(_name, runs_as)) - {""}
                password = {"authenticate": False} not in part.get("Options", ())
                for each in part["Commands"] if runs_as else ():
                    command = f"{'!' * bool(each.get('negated'))}{_command(each)}"
                    yield Grant(who, command, password, by)


def _unasked(found: str) -> Iterator[str]:
    """For whom no password is asked for at all, whatever their grants say."""
    for defaults in _read(found).get("Defaults", ()):
        nobody = defaults.get("Binding") == []
        if {"authenticate": False} in defaults["Options"] and not nobody:
            of = ", ".join(filter(None, (_name(each) for each in defaults.get("Binding", ())))) or "everybody"
            yield f"no password of {of} is asked for (Defaults !authenticate)"


def _name(entry: Mapping[str, Any]) -> str:
    """As in sudoers; empty for who is taken out of a list."""
    if entry.get("negated"):
        return ""
    ((kind, name),) = ((kind, name) for kind, name in entry.items() if kind != "negated")
    return f"{_PREFIX.get(kind, '')}{name}"


def _command(entry: Mapping[str, Any]) -> str:
    """With its arguments; an alias is told where nothing defines it."""
    return str(entry.get("command") or f"the Cmnd_Alias {entry.get('cmndalias')} (which is not defined)")


def _read(found: str) -> Mapping[str, Any]:
    """Empty where cvtsudoers said nothing, as on a host without sudo. Raises `AnsibleFilterError` for no JSON."""
    try:
        read: Mapping[str, Any] = json.loads(_NO_COMMA.sub("],", found)) if found else {}
    except json.JSONDecodeError as error:
        raise AnsibleFilterError(f"what cvtsudoers tells of sudo cannot be read: {error}; see visudo -c") from error
    return read


class FilterModule:
    def filters(self) -> Mapping[str, Any]:
        return {"base_sudo_missing": base_sudo_missing, "base_sudo_foreign": base_sudo_foreign}
