"""The one door to the compiler: typed decorators that keep machine code on disk where a disk can be written.

Numba looks at a kernel's own file to see whether its code is out of date. A kernel holds the code of those it calls
too, so here the sources of all of them are in the key. The code is kept beside the module, or under the user's cache
folder where that is read-only; where neither can be written it is compiled anew in each process. `NUMBA_CACHE_DIR`
names another folder, in which every checkout with the same kernels finds the same code.
"""

import functools
import hashlib
import importlib.util
from collections.abc import Callable
from importlib.abc import InspectLoader
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core import caching

P = ParamSpec("P")
R = TypeVar("R")
OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"reassoc", "nsz", "nnan", "contract"},  # which change nothing in sums of whole numbers below 2^53
    "_nrt": False,  # kernels make no arrays; counting references to those they are given takes five sixths of the time
}


SOURCES = (
    "tables",
    "state",
    "compiled",
    "kernels.dice",
    "kernels.price",
    "kernels.rules",
    "kernels.move",
    "kernels.moves",
    "kernels.anneal",
)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """A function in machine code, with the types of its first call, and part of every kernel that calls it."""
    return _compiled(function, forceinline=True)


def called(function: Callable[P, R]) -> Callable[P, R]:
    """The same for what is large and called in many places: quicker to compile, slower to call."""
    return _compiled(function, forceinline=False)


def _compiled(function: Callable[P, R], *, forceinline: bool) -> Callable[P, R]:
    made: Any = numba.njit(forceinline=forceinline, **OPTIONS)(function)
    try:
        kept: Any = _Kept
        made._cache = kept(function)
    except RuntimeError:  # no folder for the cache
        return cast(Callable[P, R], made)
    return cast(Callable[P, R], made)


def kept(function: Callable[P, R]) -> bool:
    """Whether machine code of a kernel of these sources is on disk, made for some processor: loading it then suffices
    as a rule.
    """
    cache: Any = getattr(function, "_cache", None)
    try:
        return bool(getattr(cache, "_cache_file", None) and cache._cache_file._load_index())
    except OSError:
        return False


class _Shared(caching.UserProvidedCacheLocator):
    """A folder of the named one for these sources, wherever they lie and whenever they were written."""

    @classmethod
    def get_suitable_cache_subpath(cls, py_file: str) -> str:
        return f"assignment_{_sources()}"

    def get_source_stamp(self) -> str:
        return _sources()


class _Folders(caching.CompileResultCacheImpl):
    """Where the code may be kept: the first folder that can be written."""

    _locator_classes = [_Shared, *caching.CompileResultCacheImpl._locator_classes]  # noqa: RUF012 - as Numba has it


class _Kept(caching.FunctionCache):
    """Machine code on disk, valid for the sources it was made of."""

    _impl_class = _Folders

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        above: Any = super()
        return (*above._index_key(sig, codegen), _sources())


@functools.cache
def _sources() -> str:
    read = hashlib.sha256()
    for name in SOURCES:
        found = importlib.util.find_spec(f"{__package__}.{name}")
        assert found is not None and isinstance(found.loader, InspectLoader)
        read.update((found.loader.get_source(found.name) or "").encode())
    return read.hexdigest()
