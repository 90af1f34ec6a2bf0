"""What is asked, which steps it takes, and what came of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from controller.model.host_run import HostStep, HostVerb
from controller.model.ids import HostName
from controller.model.playbook import HostResult, Variable

WHY = "gdcc host"
"""How the reason of every drain of ours begins; a drain of another reason is somebody else's to end."""

PLAYBOOKS = {verb: f"host-{verb}.yml" for verb in HostVerb}
VERIFY, REBOOT, LOOK = "host-verify.yml", "host-reboot.yml", "host-boot-id.yml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One verb on some hosts.

    `drain`: configure takes the host out of service. `reboot`: patch reboots where a package asks for it, and so takes
    the host out of service. `give_back`: verify enables the host afterwards. `check` only says what would change.
    `elsewhere` are hosts that Nova does not list by their lifecycle, so that they need no drain. `timeout` is that of
    one playbook, and of each batch of at most `looks_at_once` hosts where it only looks.
    """

    verb: HostVerb
    hosts: tuple[HostName, ...]
    timeout: timedelta
    tags: tuple[str, ...] = ()
    variables: Mapping[str, Variable] = field(default_factory=dict, repr=False)
    check: bool = False
    drain: bool = False
    reboot: bool = False
    give_back: bool = False
    elsewhere: frozenset[HostName] = frozenset()
    looks_at_once: int = 50

    @property
    def steps(self) -> tuple[HostStep, ...]:
        """In order."""
        if self.check:
            return (HostStep.VERIFY if self.verb is HostVerb.VERIFY else HostStep.PLAY,)
        out, play, back = (HostStep.DRAIN,), (HostStep.PLAY,), (HostStep.VERIFY, HostStep.ENABLE)
        boot = (HostStep.LOOK, HostStep.REBOOT)
        in_place = (HostStep.PLAY, HostStep.VERIFY)
        return {
            HostVerb.PREPARE: play,
            HostVerb.CONFIGURE: out + play + back if self.drain else in_place,
            HostVerb.VERIFY: back if self.give_back else back[:1],
            HostVerb.REBOOT: out + boot + back,
            HostVerb.PATCH: out + play + boot + back if self.reboot else in_place,
            HostVerb.ROTATE_KEYS: play,
            HostVerb.DECOMMISSION: out + play,
        }[self.verb]

    @property
    def takes_out(self) -> bool:
        return HostStep.DRAIN in self.steps

    @property
    def one_by_one(self) -> bool:
        """Whether a host is begun only once the one before it has ended well."""
        return self.takes_out or self.verb is HostVerb.DECOMMISSION

    @property
    def why(self) -> str:
        """The reason of its drains."""
        return f"{WHY} {self.verb}"

    @property
    def keep_shutoff(self) -> bool:
        """Whether servers that are shut off may stay, as for a reboot."""
        return self.verb is not HostVerb.DECOMMISSION


class Ended(StrEnum):
    """How a verb ended on one host; NOT_BEGUN where one before it had failed.

    BROKEN_OFF where another failed beside it: it has not failed, may have been changed in part, and is not verified.
    """

    DONE = "done"
    FAILED = "failed"
    BROKEN_OFF = "broken off"
    NOT_BEGUN = "not begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`results` are those of the playbooks that ran on the host, in order; `artifacts` the newest one's folder."""

    host: HostName
    ended: Ended
    said: str
    results: tuple[HostResult, ...] = ()
    artifacts: str = ""

    @property
    def changes(self) -> int:
        return sum(len(result.changes) for result in self.results)
