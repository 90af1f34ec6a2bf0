"""Runs a program against Pulumi's mocks, and keeps what it declared."""

import asyncio
import functools
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import mocks, stack
from pulumi.runtime.settings import SETTINGS

from infra import naming
from tests.unit.infra import shallow

_PROVIDER = "openstack:"


@dataclass(slots=True, kw_only=True)
class Engine(mocks.Mocks):
    """Every id is `ID of TYPE NAME`; components count as resources too."""

    resources: list[mocks.MockResourceArgs] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.resources.append(args)
        return f"id of {args.typ.rpartition(':')[2]} {args.name}", dict(args.inputs)

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise AssertionError(f"the program looks up {args.token} while it is being built")

    def of(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Inputs by resource name of every resource of a kind, such as `Flavor`."""
        found = [each for each in self.resources if each.typ.endswith(f":{kind}")]
        assert len({each.name for each in found}) == len(found), f"two {kind} of one name"
        return {each.name: each.inputs for each in found}

    def of_the_cloud(self) -> list[mocks.MockResourceArgs]:
        """All but components, which exist for Pulumi alone."""
        return [each for each in self.resources if each.typ.startswith(_PROVIDER)]


def declared(
    stack_name: str,
    build: Callable[[], None],
    engine: Engine | None = None,
    monitor: mocks.MockMonitor | None = None,
) -> Engine:
    """What a program declares, run to its end. What it raises comes through."""
    engine = engine or Engine()
    shallow.run(functools.partial(_declare, engine, stack_name, build, monitor))
    return engine


def _declare(engine: Engine, stack_name: str, build: Callable[[], None], monitor: mocks.MockMonitor | None) -> None:
    with _loop() as loop, ThreadPoolExecutor(1) as thread:
        loop.set_default_executor(thread)
        of_thread = thread.submit(_thread_loop).result()
        try:
            mocks.set_mocks(engine, naming.PROJECT, stack_name, monitor=monitor, organization="organization")
            SETTINGS.outputs.clear()  # what a program before left unfinished stays there
            loop.run_until_complete(_run(engine, build))
        finally:
            of_thread.close()


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        loop.run_until_complete(_ended(loop))
        asyncio.set_event_loop(None)
        loop.close()


async def _ended(loop: asyncio.AbstractEventLoop) -> None:
    """Waits for what a program that failed had begun; the first of its errors has been raised already."""
    loop.set_exception_handler(lambda _loop, _context: None)
    while others := asyncio.all_tasks(loop) - {asyncio.current_task(loop)}:
        await asyncio.wait(others)


def _thread_loop() -> asyncio.AbstractEventLoop:
    """Pulumi's mocks answer on the loop's executor, and make a loop there that nobody closes: this one is closed."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop


async def _run(engine: Engine, build: Callable[[], None]) -> None:
    exported: dict[str, Any] = {}

    def kept() -> None:
        root = pulumi.runtime.get_root_resource()
        assert root is not None
        root.outputs.clear()  # Pulumi's mocks keep the stack of the program before,
        root._transformations = []  # and what it had done to all that it declares
        build()
        exported.update(root.outputs)

    try:
        kept()
    finally:
        await _ended(asyncio.get_running_loop())
        await stack.wait_for_rpcs()
    for name, value in exported.items():
        output = pulumi.Output.from_input(value)
        engine.outputs[name] = await output.future()
        if await output.is_secret():
            engine.secrets.add(name)
