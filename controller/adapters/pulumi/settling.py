"""After a killed run: Pulumi knows what it was creating and not whether that was done. Here the cloud is asked.

What was created is taken into the state by its id, what was not is forgotten; then the next update goes on from there,
and nothing stands twice.
"""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager

from controller.adapters.pulumi import finding, importing, tally
from controller.adapters.pulumi.runs import Run, Runner, State, StepFailedError
from controller.adapters.pulumi.state import Pending

OpenCloud = Callable[[], AbstractAsyncContextManager[finding.Cloud]]


def settler(open_cloud: OpenCloud) -> Callable[[Runner, Run, tuple[Pending, ...]], Awaitable[None]]:
    """What settles a stack's pending operations; opens the cloud only when there is something to ask."""

    async def settle(runner: Runner, run: Run, pending: tuple[Pending, ...]) -> None:
        creates = [each for each in pending if each.type == "creating"]
        if not creates:
            return
        run.step = "ask"
        async with open_cloud() as cloud:
            found = await importing.found(cloud, map(_wanted, creates))
        if found.ambiguous:
            raise StepFailedError(State.FAILED, _unclear(found))
        words = [word for pair in sorted(found.ids.items()) for urn_or_id in pair for word in _flag(urn_or_id)]
        await runner.step(run, "settle", "refresh", "--yes", "--skip-preview", *words, "--clear-pending-creates")
        run.settled = tuple(_settled(creates, found))

    return settle


def _wanted(pending: Pending) -> importing.Declared:
    return importing.Declared(
        urn=pending.urn,
        type=tally.type_of(pending.urn),
        custom=True,
        parent="",
        provider="",
        inputs={key: value for key, value in pending.inputs.items() if not key.startswith("__")},
        uses={},
    )


def _flag(value: str) -> tuple[str, str]:
    return "--import-pending-creates", value


def _settled(creates: Iterable[Pending], found: importing.Found) -> Iterable[str]:
    for each in creates:
        name, kind = tally.name_of(each.urn), tally.type_of(each.urn)
        outcome = f"had been created, is {found.ids[each.urn]}" if each.urn in found.ids else "had not been created"
        yield f"{kind} {name}: {outcome}"


def _unclear(found: importing.Found) -> str:
    urn, ids = next(iter(found.ambiguous.items()))
    return f"a killed run was creating {tally.name_of(urn)}, and the cloud has {len(ids)} like it: {', '.join(ids)}"
