"""The one door to the compiler: a typed decorator that keeps machine code on disk where a disk can be written.

The code is kept beside the module, or under the user's cache folder where that is read-only (`NUMBA_CACHE_DIR` names
another); where neither can be written it is compiled anew in each process.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")
OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"reassoc", "nsz", "nnan", "contract"},  # which change nothing in sums of whole numbers below 2^53
    "forceinline": True,
    "_nrt": False,  # kernels make no arrays; counting references to those they are given takes five sixths of the time
}


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """A function in machine code, with the types of its first call."""
    try:
        made = numba.njit(cache=True, **OPTIONS)(function)
    except RuntimeError:  # no folder for the cache
        made = numba.njit(**OPTIONS)(function)
    return cast(Callable[P, R], made)
