"""How Nova matches an aggregate's metadata against a flavor's extra spec.

The operators are those of nova/scheduler/filters/extra_specs_ops.py; without one the value must be equal. A value that
is no number never matches a numeric operator.
"""

import operator
from collections.abc import Callable, Mapping

_NUMERIC: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
}
_TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "s==": operator.eq,
    "s!=": operator.ne,
    "s<": operator.lt,
    "s<=": operator.le,
    "s>": operator.gt,
    "s>=": operator.ge,
}


def matches(value: str, wanted: str) -> bool:
    """Whether one metadata value satisfies one extra spec, for instance `matches("8", ">= 4")`."""
    verb, *words = wanted.split() or [""]
    if verb == "<or>":
        return value in words[::2]
    if verb == "<all-in>":
        return bool(words) and all(word in value for word in words)
    if verb == "<in>":
        return bool(words) and words[0] in value
    if verb in _TEXT:
        return bool(words) and _TEXT[verb](value, words[0])
    if verb in _NUMERIC:
        return bool(words) and _compared(_NUMERIC[verb], value, words[0])
    return value == wanted


def _compared(compare: Callable[[float, float], bool], value: str, wanted: str) -> bool:
    try:
        return compare(float(value), float(wanted))
    except ValueError:
        return False
