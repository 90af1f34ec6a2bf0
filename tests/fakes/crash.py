"""A process that dies at a step: before or after a call to the cloud or the journal takes effect."""

import inspect
from typing import Any, Protocol


class Crash(BaseException):
    """What kill -9 is to a test: nothing catches it."""


class Fate(Protocol):
    """Is told of every step, and raises Crash at one of them and at all later ones."""

    def step(self, name: str, args: tuple[Any, ...], *, done: bool) -> None: ...


CHANGES = frozenset(
    {"open_epoch", "intend", "advance", "close", "learn", "note", "live_migrate", "cold_migrate", "confirm_resize"}
)
"""Calls with an effect: to die after one differs from dying before the next."""


class Fuse:
    """Dies at step `at`, counted over all ports: before any call, or after one with an effect."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.steps = 0
        self.blown = False

    def step(self, name: str, args: tuple[Any, ...], *, done: bool) -> None:
        self.steps += not done or name in CHANGES
        self.blown = self.blown or self.steps == self.at
        if self.blown:
            raise Crash


class Trap:
    """Dies at the first call of that name that is given `argument`: before its effect, or when it is `done`."""

    def __init__(self, name: str, argument: object, *, done: bool) -> None:
        self.name = name
        self.argument = argument
        self.done = done
        self.sprung = False

    def step(self, name: str, args: tuple[Any, ...], *, done: bool) -> None:
        self.sprung = self.sprung or (name == self.name and self.argument in args and done == self.done)
        if self.sprung:
            raise Crash


class Mortal:
    """Any port, every call of which is two steps; a part of it is another."""

    def __init__(self, port: object, fate: Fate) -> None:
        self._port = port
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not callable(method):
            return Mortal(method, self._fate)

        def call(*args: Any, **named: Any) -> Any:
            self._fate.step(name, args, done=False)
            result = method(*args, **named)
            self._fate.step(name, args, done=True)
            return result

        async def acall(*args: Any, **named: Any) -> Any:
            self._fate.step(name, args, done=False)
            result = await method(*args, **named)
            self._fate.step(name, args, done=True)
            return result

        return acall if inspect.iscoroutinefunction(method) else call
