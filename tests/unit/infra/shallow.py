"""A stack of calls that is as short as that of a real run of a program."""

import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def run(program: Callable[[], Result]) -> Result:
    """Runs it in a thread of its own, and hands on what it returns or raises.

    For each resource Pulumi's SDK writes down every call on the stack. Below pytest that is most of its work.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(contextvars.copy_context().run, program).result()
