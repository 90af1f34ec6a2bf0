"""After a killed run: Pulumi knows what it was creating and not whether that was done. Here the cloud is asked.

What had been created is imported by its id, what had not is forgotten; then the next update goes on from there, and
nothing stands twice. (`pulumi refresh --import-pending-creates` would be made for it, and of CLI 3.250 loses the
resource it should import: its `importing` operations are finished by nobody.)
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager

from controller.adapters.pulumi import create_only, finding, importing, urns
from controller.adapters.pulumi.runs import Run, Runner, State, StepFailedError
from controller.adapters.pulumi.state import Pending
from controller.adapters.pulumi.state import State as Kept

OpenCloud = Callable[[], AbstractAsyncContextManager[finding.Cloud]]


def settler(open_cloud: OpenCloud) -> Callable[[Runner, Run, Kept], Awaitable[None]]:
    """What settles a stack's pending operations; opens the cloud only when there is something to ask."""

    async def settle(runner: Runner, run: Run, kept: Kept) -> None:
        creates = unfinished(kept)
        wanted = [_wanted(each) for each in creates]
        run.step = "ask"
        if creates:
            async with open_cloud() as cloud:
                found = await importing.found(cloud, wanted)
            await _adopt(runner, run, wanted, found)
            run.settled = tuple(_settled(creates, found))
        await runner.step(run, "settle", "refresh", "--yes", "--skip-preview", "--clear-pending-creates", *_root(kept))

    return settle


def unfinished(kept: Kept) -> list[Pending]:
    """The creates whose end nobody saw, without those that an earlier settling has already taken in."""
    known = {each.urn for each in kept.resources}
    return [each for each in kept.pending if each.type == "creating" and each.urn not in known]


async def _adopt(runner: Runner, run: Run, wanted: Sequence[importing.Declared], found: importing.Found) -> None:
    if found.ambiguous:
        raise StepFailedError(State.FAILED, _unclear(found))
    if found.ids:
        file = run.folder / "adopt.json"
        text = json.dumps(importing.import_file(wanted, found.ids), indent=2)
        await asyncio.to_thread(file.parent.mkdir, parents=True, exist_ok=True)
        await asyncio.to_thread(file.write_text, text, encoding="utf-8")
        await runner.step(run, "adopt", "import", "--file", str(file), *importing.FLAGS)
        adopted = [each for each in wanted if each.urn in found.ids]
        await asyncio.to_thread(create_only.complete, runner.tool, run.stack, adopted, run.folder / "state.json")


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
        uses={},
    )


def _settled(creates: Iterable[Pending], found: importing.Found) -> Iterable[str]:
    for each in creates:
        name, kind = urns.name_of(each.urn), urns.type_of(each.urn)
        outcome = f"had been created, is {found.ids[each.urn]}" if each.urn in found.ids else "had not been created"
        yield f"a killed run was creating {kind} {name}: {outcome}"


def _unclear(found: importing.Found) -> str:
    urn, ids = next(iter(found.ambiguous.items()))
    return f"a killed run was creating {urns.name_of(urn)}, and the cloud has {len(ids)} like it: {', '.join(ids)}"
