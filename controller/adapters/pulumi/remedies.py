"""What a reader can do about refusals whose own words do not say it: the CLI's, the plugin's and the clouds'. Pure."""

import re
from collections.abc import Iterable

_KNOWN: Iterable[tuple[re.Pattern[str], str]] = (
    (
        re.compile(r"^(?P<name>[^:]+): .*objectstorage_container.*There was a conflict", re.DOTALL),
        "{name} holds objects, and nobody but its owners deletes data: have them move or delete it, then destroy again",
    ),
    (
        re.compile(r'resource "[^"]*:(?P<kind>\w+)::(?P<name>[^"]+)" cannot be deleted\s+because it is protected'),
        "protected-kinds: {kind} {name} would be deleted (gdcc:exceptions may name it, see infra/policy/README.md)",
    ),
    (
        re.compile(r'unable to replace resource "[^"]*:(?P<kind>\w+)::(?P<name>[^"]+)"\s+as it is currently marked'),
        "protected-kinds: {kind} {name} would be replaced (gdcc:exceptions may name it, see infra/policy/README.md)",
    ),
    (
        re.compile(r"incorrect passphrase"),
        "incorrect passphrase: it is not the one that this stack was made with (PULUMI_CONFIG_PASSPHRASE, or _FILE)",
    ),
    (
        re.compile(r"no space left on device", re.IGNORECASE),
        "no space left on the device of the backend, of PULUMI_HOME or of XDG_STATE_HOME: make room, then run it again",
    ),
    (
        re.compile(r"(?P<what>Could not automatically download and install .*?), install"),
        "{what}: put the plugin below PULUMI_HOME, see infra/README.md",
    ),
)


def told(error: str) -> str:
    """The first line of an error; where it is a known one, what it means and what to do."""
    for pattern, sentence in _KNOWN:
        match = pattern.search(error)
        if match is not None:
            return sentence.format(**match.groupdict())
    return error.splitlines()[0]
