"""After a killed run: Pulumi knows what it was creating and not whether that was done. Here the cloud is asked.

What had been created is imported by its id, what had not is forgotten; then the next update goes on from there, and
nothing stands twice. (`pulumi refresh --import-pending-creates` would be made for it, and of CLI 3.250 loses the
resource it should import: its `importing` operations are finished by nobody.)

A security group may still have the default rules that the run would have deleted next: they are deleted here.

Of an application credential the secret died with the run. It is deleted, and the next update makes it anew; but only
the very one that the run asked for, and only once the stack's lock was ours: a run that still goes on keeps its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager

from controller.adapters.pulumi import adopting, credentials, default_rules, finding, importing, state, urns
from controller.adapters.pulumi.runs import Run, Runner, State, StepFailedError
from controller.adapters.pulumi.state import Pending
from controller.adapters.pulumi.state import State as Kept

OpenCloud = Callable[[], AbstractAsyncContextManager[finding.Cloud]]


def settler(open_cloud: OpenCloud) -> Callable[[Runner, Run, Kept], Awaitable[None]]:
    """What settles a stack's pending operations; opens the cloud only when there is something to ask."""

    async def settle(runner: Runner, run: Run, kept: Kept) -> None:
        begun, creates = under_way(kept), unfinished(kept)
        clear = ("settle", "refresh", "--yes", "--skip-preview", "--clear-pending-creates", *_root(kept))
        if not begun:
            await runner.step(run, *clear)
            return
        wanted = [_wanted(each) for each in creates]
        run.step = "ask"
        async with open_cloud() as cloud:
            found = await importing.found(cloud, wanted, kept.resources)
            orphans = await credentials.asked_for(cloud, wanted, kept.resources)
            if found.ambiguous:
                raise StepFailedError(State.FAILED, _unclear(found))
            await default_rules.delete(cloud, wanted, found.ids, (each.id for each in kept.resources if each.id))
            # What a settling that was killed itself had taken in, and not completed, is completed by this one.
            await adopting.adopt(runner, run, map(_wanted, begun), found.ids, "adopt")
            await runner.step(run, *clear)
            after = await asyncio.to_thread(state.export, runner.tool, run.stack)
            gone = await credentials.delete(cloud, orphans, {each.id for each in after.resources})
        run.settled = tuple(_settled(creates, found, gone))

    return settle


def under_way(kept: Kept) -> list[Pending]:
    """The creates whose end nobody saw."""
    return [each for each in kept.pending if each.type == "creating"]


def unfinished(kept: Kept) -> list[Pending]:
    """Those of them that no earlier settling has already taken in."""
    known = {each.urn for each in kept.resources}
    return [each for each in under_way(kept) if each.urn not in known]


def _root(kept: Kept) -> tuple[str, ...]:
    """Only the stack itself is refreshed on the way: what else the cloud has is not this step's business."""
    roots = [each.urn for each in kept.resources if each.type == urns.STACK]
    return ("--target", roots[0]) if roots else ()


def _wanted(pending: Pending) -> importing.Declared:
    return importing.Declared(
        urn=pending.urn,
        type=urns.type_of(pending.urn),
        custom=True,
        parent=pending.parent,
        provider=pending.provider,
        inputs={key: value for key, value in pending.inputs.items() if not key.startswith("__")},
        uses=pending.uses,
        needs=pending.dependencies,
    )


def _settled(creates: Iterable[Pending], found: importing.Found, gone: Mapping[str, str]) -> Iterator[str]:
    for each in creates:
        name, kind = urns.name_of(each.urn), urns.type_of(each.urn)
        outcome = "had not been created"
        if each.urn in found.ids:
            outcome = f"had been created, is {found.ids[each.urn]}"
        elif each.urn in gone:
            outcome = f"had been created, as {gone[each.urn]}; nobody has its secret, so it was deleted"
        yield f"a killed run was creating {kind} {name}: {outcome}"


def _unclear(found: importing.Found) -> str:
    urn, ids = next(iter(found.ambiguous.items()))
    return f"a killed run was creating {urns.name_of(urn)}, and the cloud has {len(ids)} like it: {', '.join(ids)}"
