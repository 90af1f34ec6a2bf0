"""What systemd says of units beside what is declared of them."""

from collections.abc import Mapping, Sequence
from typing import Any

_MEANT = {
    "active": ("ActiveState", {"active", "reloading", "refreshing"}),
    "inactive": ("ActiveState", {"inactive", "failed"}),
    "enabled": ("UnitFileState", {"enabled", "enabled-runtime", "alias", "static", "indirect", "generated"}),
    "masked": ("UnitFileState", {"masked", "masked-runtime"}),
    "disabled": ("UnitFileState", {"disabled", "masked", "masked-runtime", ""}),
}
"""Which property a declared word is of, and what systemd says of it where it is so."""


def facts(declared: Mapping[str, Sequence[str]], shown: str) -> dict[str, dict[str, object]]:
    """Unit to `declared`, `found` and `differs`.

    `declared` names the words of each unit that count; `shown` is what `systemctl show` says of the same units, in
    their order, with an empty line between them.
    """
    said = [properties(each) for each in shown.strip().split("\n\n")]
    answers = said if len(said) == len(declared) else [{}] * len(declared)
    return {unit: fact(words, each) for (unit, words), each in zip(declared.items(), answers, strict=True)}


def properties(shown: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)


def fact(words: Sequence[str], said: Mapping[str, str]) -> dict[str, object]:
    """One unit's; what systemd does not answer for differs from whatever is declared."""
    kept = all(said.get(name) in meant for name, meant in (_MEANT[word] for word in words))
    if not said.get("LoadState"):
        found = ["unknown"]
    elif said["LoadState"] == "not-found":
        found = ["absent"]
    else:
        found = [said.get(_MEANT[word][0]) or "unknown" for word in words]
    return {"declared": list(words), "found": found, "differs": not kept}


class FilterModule:
    def filters(self) -> Mapping[str, Any]:
        return {"unit_facts": facts}
