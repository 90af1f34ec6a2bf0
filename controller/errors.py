"""Every error this program raises on purpose, by what the loop must do about it.

    GdccError
    ├── TransientError      try again later: a timeout, a 503, a locked database
    │   └── StaleError      an answer came, but too old to act on
    ├── PermanentError      do not try again, tell: refused, not found, bad input
    │   ├── RefusedError    Nova, a guard or an operator said no; carries the rule
    │   └── InputError      a file, an argument, a configuration: says where (file and line)
    └── InvariantError      stop: what must not happen did, and going on could harm

Adapters translate their library's errors into these and chain them with `from`.
"""


class GdccError(Exception):
    """`where` names the host, URL, OID, file or request id; `remedy` says what the reader can do."""

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        at = f"{self.where}: " if self.where else ""
        then = f" ({self.remedy})" if self.remedy else ""
        return f"{at}{self.what}{then}"


class TransientError(GdccError):
    """Try again, not before `retry_after_s` where the other side named a time.

    `sent` says whether a request may have reached the other side all the same (a time-out, a reset connection).
    """

    def __init__(
        self, what: str, *, where: str = "", remedy: str = "", retry_after_s: float = 0.0, sent: bool = False
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.retry_after_s = retry_after_s
        self.sent = sent


class StaleError(TransientError):
    """An answer came, but it is too old to act on."""


class PermanentError(GdccError):
    """Do not try again; tell."""


class RefusedError(PermanentError):
    """Somebody with the right to say no said no. `rule` names it, for counting and learning."""

    def __init__(self, what: str, *, rule: str, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.rule = rule


class InputError(PermanentError):
    """Bad input of any kind; nothing was changed."""


class InvariantError(GdccError):
    """What must not happen did. The loop stops its own moves and says why."""
