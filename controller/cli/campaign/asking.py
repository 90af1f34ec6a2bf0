"""From options to an order, as a file would give it."""

from dataclasses import dataclass
from datetime import datetime

from controller.errors import InputError
from controller.model.campaign import Canaries, Limits, Order, Reboot, Work
from inventory import windows
from inventory.model import Domain, Window

VERBS = {
    "patch": Work(playbook="host-patch.yml", reboot=Reboot.IF_REQUIRED),
    "reboot": Work(reboot=Reboot.ALWAYS),
    "configure": Work(playbook="host-configure.yml", reboot=Reboot.NEVER),
}
"""What --verb stands for; anything else is a file's `work`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of `gdcc campaign new` without a file. `canaries` is a number or names."""

    verb: str
    hosts: str
    name: str | None = None
    at_once: int = 1
    domain: Domain = Domain.RACK
    failure_budget: int = 0
    canaries: str = ""
    soak_minutes: float = 0.0
    windows: tuple[str, ...] = ()
    blackouts: tuple[str, ...] = ()
    keep_shutoff: bool = False


def order(asked: Asked, now: datetime) -> Order:
    """The order. Raises `InputError` for what cannot be meant."""
    if asked.verb not in VERBS:
        raise InputError(f"{asked.verb!r} is no verb", where="--verb", remedy=f"one of {', '.join(VERBS)}, or a file")
    return Order(
        name=asked.name or f"{asked.verb}-{now:%Y%m%d-%H%M}",
        hosts=_words(asked.hosts),
        work=VERBS[asked.verb],
        limits=Limits(hosts_at_once=asked.at_once, domain=asked.domain, failure_budget=asked.failure_budget),
        canaries=_canaries(asked),
        windows=_windows(asked.windows, "--window"),
        blackouts=_windows(asked.blackouts, "--blackout"),
        keep_shutoff=asked.keep_shutoff,
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _canaries(asked: Asked) -> Canaries:
    if asked.canaries.isdigit():
        return Canaries(count=int(asked.canaries), soak_minutes=asked.soak_minutes)
    return Canaries(hosts=_words(asked.canaries), soak_minutes=asked.soak_minutes)


def _windows(texts: tuple[str, ...], where: str) -> tuple[Window, ...]:
    try:
        return tuple(windows.window(text) for text in texts)
    except ValueError as error:
        raise InputError(str(error), where=where) from error
