"""A process that dies at its k-th step: before or after a call to the cloud or the journal takes effect."""

import inspect
from collections.abc import Callable
from typing import Any


class Crash(BaseException):
    """What kill -9 is to a test: nothing catches it."""


class Fuse:
    """Burns one step at a time and dies at step `at`; whoever steps on a blown fuse dies too."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.steps = 0
        self.blown = False

    def step(self) -> None:
        self.steps += 1
        self.blown = self.blown or self.steps == self.at
        if self.blown:
            raise Crash


class Mortal:
    """Any port, every call of which burns the fuse twice: before its effect and after."""

    def __init__(self, port: object, fuse: Fuse) -> None:
        self._port = port
        self._fuse = fuse

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)

        def call(*args: Any, **named: Any) -> Any:
            self._fuse.step()
            result = method(*args, **named)
            self._fuse.step()
            return result

        async def acall(*args: Any, **named: Any) -> Any:
            self._fuse.step()
            result = await method(*args, **named)
            self._fuse.step()
            return result

        return acall if inspect.iscoroutinefunction(method) else call
