"""JSON logs on stderr, one object a line, and the context that every line of an operator's request carries.

A message is an event in a few fixed words; what it is about stands in fields: `log.info("move sent",
extra={"move": move_id, "host": target})`. Values under names that tell a secret are not written, nor what looks like
one inside a text.
"""

import contextlib
import contextvars
import json
import logging
import math
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

_context: contextvars.ContextVar[Mapping[str, object]] = contextvars.ContextVar("log_context")

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_SECRET_NAMES = re.compile(
    r"password|passwd|secret|token|community|authorization|passphrase|credential_value|private_key|api_?key|priv_?key"
    r"|auth_?key",
    re.IGNORECASE,
)
_SECRETS = (
    (re.compile(r"\b(Bearer|Basic|Token)\s+[A-Za-z0-9._~+/=-]{4,}", re.IGNORECASE), r"\1 ***"),
    (re.compile(r"\b(https?://[^\s/:@]*):[^\s/@]+@"), r"\1:***@"),
    (re.compile(r"(X-(?:Auth|Subject|Service)-Token['\"]?\s*[:=]\s*['\"]?)[^\s'\",}]+", re.IGNORECASE), r"\1***"),
    (re.compile(r"((?:password|passwd|secret|token)['\"]?\s*[:=]\s*['\"]?)[^\s'\",}]+", re.IGNORECASE), r"\1***"),
)
_DEEPEST = 6


@contextlib.contextmanager
def context(**fields: object) -> Iterator[None]:
    """Every line logged inside, in this task and those it starts, carries these fields."""
    token = _context.set({**_context.get({}), **fields})
    try:
        yield
    finally:
        _context.reset(token)


class JsonFormatter(logging.Formatter):
    """`time` (UTC), `level`, `logger`, `event`, the context's fields, the line's own, and `traceback`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": redacted(record.getMessage()),
        }
        extra = {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
        for key, value in {**_context.get({}), **extra}.items():
            line[f"{key}_" if key in line else key] = _plain(key, value)
        if record.exc_info:
            line["traceback"] = redacted(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def redacted(text: str) -> str:
    """The text without what looks like a secret."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def set_up(level: str = "info", stream: TextIO | None = None) -> None:
    """Sends all logs to stderr (or `stream`) as JSON; libraries speak from warning on."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("controller").setLevel(level.upper())
    logging.captureWarnings(capture=True)


def _plain(key: str, value: object, depth: int = 0) -> Any:
    """The value as JSON can hold it, its secrets left out."""
    if _SECRET_NAMES.search(key):
        return "***"
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {str(inner): _plain(str(inner), item, depth + 1) for inner, item in value.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [_plain(key, item, depth + 1) for item in value]
    return redacted(str(value))
