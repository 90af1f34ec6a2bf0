"""One quantity of 100,000 VMs from Prometheus: seconds, and the longest time in which nothing else ran in the loop.

Ours (series by series, in a thread) beside the answer decoded whole in the event loop.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

from controller.adapters.prometheus.answer import Vector, vector
from controller.adapters.prometheus.joined import HostLabels, joined
from controller.adapters.prometheus.query import defaults
from controller.model.sample import Kind

VMS = 100_000
QUERY = next(query for query in defaults() if query.kind is Kind.VM)
NOBODY = HostLabels.of(())


def answer(value: float) -> bytes:
    """What Prometheus sends for that many VMs."""
    series = [
        {"metric": {"uuid": str(UUID(int=n << 64 | n))}, "value": [1.7e9, f"{value + n / VMS}"]} for n in range(VMS)
    ]
    whole = {"status": "success", "data": {"resultType": "vector", "result": series}}
    return json.dumps(whole, separators=(",", ":")).encode()


def decoded_whole(body: bytes) -> Vector:
    return Vector(values={one["metric"]["uuid"]: float(one["value"][1]) for one in json.loads(body)["data"]["result"]})


async def in_the_loop(values: bytes, times: bytes) -> None:
    joined(QUERY, decoded_whole(values), decoded_whole(times), NOBODY)


async def in_threads(values: bytes, times: bytes) -> None:
    found, at = [await asyncio.to_thread(vector, body, "uuid") for body in (values, times)]
    await asyncio.to_thread(joined, QUERY, found, at, NOBODY)


async def measured(work: Callable[[bytes, bytes], Awaitable[None]], values: bytes, times: bytes) -> tuple[float, float]:
    """Seconds in all, and the longest that the loop stood still."""
    longest, beat = 0.0, time.perf_counter()

    async def heart() -> None:
        nonlocal longest, beat
        while True:
            await asyncio.sleep(0)
            longest, beat = max(longest, time.perf_counter() - beat), time.perf_counter()

    task = asyncio.create_task(heart())
    await asyncio.sleep(0.01)
    begun = time.perf_counter()
    await work(values, times)
    await asyncio.sleep(0)
    seconds = time.perf_counter() - begun
    task.cancel()
    return seconds, longest


async def main() -> None:
    values, times = answer(0.5), answer(1.7e9)
    print(f"{VMS} VMs, {len(values) / 1e6:.1f} MB an answer, two answers a quantity")
    stalls = {}
    for work in (in_the_loop, in_threads):
        seconds, stalls[work] = min([await measured(work, values, times) for _ in range(3)])
        print(f"{work.__name__:12} {seconds:.2f} s, the loop stood still for {stalls[work] * 1e3:.0f} ms")
    print(f"ratio of the stalls {stalls[in_the_loop] / stalls[in_threads]:.0f}")


asyncio.run(main())
