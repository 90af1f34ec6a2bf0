"""Why a device gave nothing usable this time."""

from enum import StrEnum

from controller.errors import TransientError


class Reason(StrEnum):
    """The words of `Fault.reason` that this package uses."""

    TIMEOUT = "timeout"
    AUTH = "auth"
    REPORT = "report"
    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    IMPLAUSIBLE = "implausible"
    DUPLICATE_ENGINE = "duplicate_engine"
    DUPLICATE = "duplicate"
    MISSING = "missing"
    DOWN = "down"
    COUNTER_RESET = "counter_reset"


class PollError(TransientError):
    """A device could not be read. It is asked again at its pace, whatever the reason."""

    def __init__(self, reason: Reason, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where=where, remedy=remedy, sent=True)
        self.reason = reason


class RefusedError(PollError):
    """The device itself said a clear no; to wait for a better answer to the same message is of no use."""
