"""Values to JSON and back, by their types."""

from typing import Any

from pydantic import TypeAdapter

from controller.errors import GdccError, InputError, RefusedError, TransientError


def to_json(value: object) -> Any:
    """A frozen value as plain JSON data: times in ISO 8601, durations in seconds, NaN as null."""
    return TypeAdapter(type(value)).dump_python(value, mode="json", serialize_as_any=True)


def problem(error: GdccError) -> dict[str, str]:
    """An error as the API sends it."""
    rule = error.rule if isinstance(error, RefusedError) else ""
    return {"error": error.what, "where": error.where, "remedy": error.remedy, "rule": rule}


def http_status(error: GdccError) -> int:
    """409 refused, 400 bad input, 503 try again, 500 otherwise."""
    if isinstance(error, RefusedError):
        return 409
    if isinstance(error, InputError):
        return 400
    return 503 if isinstance(error, TransientError) else 500
