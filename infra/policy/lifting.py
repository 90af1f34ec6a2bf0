"""Which of a stack's protected resources named exceptions let go.

A resource that its program still declares loses its protection with the next `up` (`infra/protection.py`), one that no
program declares any more keeps it in the state. `gdcc estate up` takes it off there, where an exception says so.
`python -m infra.policy.lifting` reads `{"exceptions": [...], "urns": [...]}` and writes those URNs, one a line. Exit
status: 2 where the exceptions cannot be read.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime

from infra.policy import exceptions
from infra.policy.declared import resource_name


def lifted(urns: Iterable[str], allowed: Iterable[exceptions.Named], today: date) -> Iterator[str]:
    """The URNs that an exception of the protected kinds names, by themselves or by their resource's name."""
    every = tuple(allowed)
    return (urn for urn in urns if exceptions.allows(every, exceptions.PROTECTED, (urn, resource_name(urn)), today))


def main() -> int:
    """Judges what standard input says."""
    try:
        given = json.load(sys.stdin)
        allowed = exceptions.parse(json.dumps(given["exceptions"]))
        found = list(lifted(given["urns"], allowed, datetime.now(UTC).date()))
    except (ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"no exceptions to judge by: {type(error).__name__}: {error}\n")
        return 2
    sys.stdout.writelines(f"{urn}\n" for urn in found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
