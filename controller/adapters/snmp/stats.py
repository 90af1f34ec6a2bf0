"""What the collector did, counted: immutable for those who look, summed up here."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from inventory.facility import SnmpProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Counts since the start.

    `polls`: by profile. `faults`: by profile and reason. `traps`: by outcome (polled, limited, unknown_source, too_big,
    too_many, malformed, auth, reported, unsupported). `trap_names`: by short name of known traps (else `other`).
    `informs`: acknowledged. `requests`: messages asked. `resendings`: of them again, for want of an answer. `timeouts`:
    messages never answered. `restarts`: device agents that began anew. `resyncs`: reports after which a device was
    asked again. `strays`: datagrams nobody asked for. `devices`, `answering`: now.
    """

    polls: Mapping[SnmpProfile, int]
    faults: Mapping[tuple[SnmpProfile, str], int]
    traps: Mapping[str, int]
    trap_names: Mapping[str, int]
    informs: int
    requests: int
    resendings: int
    timeouts: int
    restarts: int
    resyncs: int
    strays: int
    devices: int
    answering: int


@dataclass(slots=True)
class Tally:
    polls: Counter[SnmpProfile] = field(default_factory=Counter)
    faults: Counter[tuple[SnmpProfile, str]] = field(default_factory=Counter)
    traps: Counter[str] = field(default_factory=Counter)
    trap_names: Counter[str] = field(default_factory=Counter)
    informs: int = 0
