"""What each verb does with one stack, call by call."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from controller.adapters.pulumi import locks, stack_files, state, urns
from controller.adapters.pulumi.runs import Run, Runner, State, StepFailedError
from controller.adapters.pulumi.stacks import FOUNDATION, Verb
from controller.adapters.pulumi.tool import Tool
from controller.errors import GdccError, InvariantError

LOGIN_PROJECT = "gdcc:loginProject"

Settle = Callable[[Runner, Run, state.State], Awaitable[None]]
Beside = Callable[[Run, state.State], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a run needs to know beside the stack's name.

    `looking` says that an import shall leave nothing behind, as previews and drift never do.

    `estate` is the inventory's folder as the stack files name it, `known` the stacks the backend has, `settle` clears
    up after a killed run, `beside` refuses what an `up` would make beside a living one, `take` imports what a preview
    would create, `roles` asks the cloud for the roles it has from the start, `login_project` for the project of whoever
    asks, `login_quota` for what Neutron gives that one, `cloud` is that project's cloud as clouds.yaml names it, and
    `unprotect` names the stacks whose protection a destroy may take away.
    """

    tool: Tool
    estate: str
    today: date
    settle: Settle
    beside: Beside
    roles: Callable[[], Awaitable[Mapping[str, str]]]
    login_project: Callable[[], Awaitable[str | None]]
    login_quota: Callable[[str], Awaitable[Mapping[str, int]]]
    cloud: str | None = None
    take: Callable[[Runner, Run], Awaitable[None]] | None = None
    known: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    secrets_provider: str | None = None
    policy: bool = True
    refresh: bool = False
    unprotect: frozenset[str] = frozenset()
    looking: bool = False


def worker(orders: Orders) -> Callable[[Runner, Run], Awaitable[None]]:
    """The work of one stack, whatever its verb."""
    verbs = {
        Verb.PREVIEW: _preview,
        Verb.UP: _up,
        Verb.REFRESH: _refresh,
        Verb.DESTROY: _destroy,
        Verb.DRIFT: _drift,
        Verb.IMPORT: _import,
    }

    async def work(runner: Runner, run: Run) -> None:
        await verbs[run.verb](runner, run, orders)

    return work


async def _preview(runner: Runner, run: Run, orders: Orders) -> None:
    await _there(run, orders)
    await _telling_what_is_open(run, orders, _look_ahead(runner, run, orders))
    run.said = words(run.tally.changes, would=True)


async def _up(runner: Runner, run: Run, orders: Orders) -> None:
    await _there(run, orders)
    found = await asyncio.to_thread(state.export, orders.tool, run.stack)
    if found.pending:
        await orders.settle(runner, run, found)
        found = await asyncio.to_thread(state.export, orders.tool, run.stack)
    lifted = await _lift(run, orders, found)
    async with contextlib.AsyncExitStack() as unless_it_ends_well:
        unless_it_ends_well.push_async_callback(_put_back, run, orders, lifted)
        await _look_ahead(runner, run, orders)
        if run.tally.changes or run.tally.outputs_changed or run.tally.state_changed:
            await changes_allowed(run, orders, "preview")
            await orders.beside(run, found)
            await runner.step(run, "up", "up", "--yes", "--skip-preview", *_looking(orders), *policy(orders))
        unless_it_ends_well.pop_all()
    run.said = words(run.tally.changes)


async def _telling_what_is_open(run: Run, orders: Orders, look: Awaitable[None]) -> None:
    """A look, and beside it what a killed run left open: no look of the CLI's tells that.

    What a run has under way that is going on at that moment is told as such, where its lock can be read.
    """
    if run.stack not in orders.known:
        await look
        return
    kept = asyncio.ensure_future(asyncio.to_thread(_open_now, orders.tool, run.stack))
    try:
        await look
    finally:
        (seen,) = await asyncio.gather(kept, return_exceptions=True)
    if isinstance(seen, BaseException):
        raise seen
    run.pending, run.beside = seen


def _open_now(tool: Tool, stack: str) -> tuple[tuple[state.Pending, ...], str]:
    """What a run left open; or, where one is going on, a sentence that says whose."""
    before = locks.living(tool, stack)
    pending = state.export(tool, stack).pending
    held = before or (locks.living(tool, stack) if pending else ())
    if not pending or not held:
        return pending, ""
    return (), f"a run is going on ({held[0]}), and what it has under way was not looked at"


async def _lift(run: Run, orders: Orders, found: state.State) -> list[str]:
    """Takes the protection off what a named exception lets go; without that the engine would refuse its own preview.

    Gives what it was taken off.
    """
    named = stack_files.exceptions(orders.tool.root, run.stack)
    protected = {each.urn: each for each in found.protected}
    if not named or not protected or not (orders.tool.root / "infra/policy/lifting.py").is_file():
        return []
    status, said = await _asked(orders.tool, "infra.policy.lifting", given={"exceptions": named, "urns": [*protected]})
    let_go = said.split() if status == 0 else []  # what is wrong with exceptions, the program says
    if let_go:
        await asyncio.to_thread(orders.tool.call, "state", "unprotect", *let_go, "--yes", "--stack", run.stack)
        sentence = "{}: unprotected, since gdcc:exceptions lets it go"
        run.settled = (*run.settled, *(sentence.format(protected[urn]) for urn in let_go))
    return let_go


async def _put_back(run: Run, orders: Orders, lifted: Collection[str]) -> None:
    """Protects again what stands of this: the run that was to let it go came to nothing."""
    if not lifted:
        return
    try:
        kept = await asyncio.to_thread(state.export, orders.tool, run.stack)
        standing = {each.urn: each for each in kept.resources if each.urn in lifted}
        if standing:
            await asyncio.to_thread(orders.tool.call, "state", "protect", *standing, "--yes", "--stack", run.stack)
        said = [f"{each}: protected again, since the run did not end well" for each in standing.values()]
    except GdccError as error:
        names = ", ".join(map(urns.name_of, lifted))
        said = [f"{names}: may stand unprotected, what was lifted could not be put back: {error}"]
    run.settled = (*run.settled, *said)


async def _refresh(runner: Runner, run: Run, orders: Orders) -> None:
    _known(run, orders)
    await runner.step(run, "refresh", "refresh", "--yes", "--skip-preview")
    run.said = words(run.tally.changes)


async def _destroy(runner: Runner, run: Run, orders: Orders) -> None:
    if run.stack not in orders.known:
        stack_files.check(orders.tool, run.stack, None)
        run.said = "nothing to destroy"  # and so nothing that the foundation would have to stay for
        return
    _known(run, orders)
    await _nobody_stands_on(run, orders)
    found = await asyncio.to_thread(state.export, orders.tool, run.stack)
    if found.protected and run.stack not in orders.unprotect:
        raise StepFailedError(
            State.FAILED, f"{len(found.protected)} resources are protected (--yes-destroy {run.stack})"
        )
    if found.pending:
        await orders.settle(runner, run, found)
    if found.protected:
        await asyncio.to_thread(orders.tool.call, "state", "unprotect", "--all", "--yes", "--stack", run.stack)
    await runner.step(run, "destroy", "destroy", "--yes", "--skip-preview")
    run.said = words(run.tally.changes)


async def _nobody_stands_on(run: Run, orders: Orders) -> None:
    """The cloud would let go of much that agencies still use: flavors, volume types, roles."""
    if run.stack == FOUNDATION:
        known = await asyncio.to_thread(stack_files.existing, orders.tool)
        standing = sorted(name for name, row in known.items() if name != FOUNDATION and row.get("resourceCount"))
        if standing:
            more = f" and {len(standing) - 1} more" if len(standing) > 1 else ""
            raise StepFailedError(State.FAILED, f"{standing[0]}{more} stand on it: destroy them first")


async def _drift(runner: Runner, run: Run, orders: Orders) -> None:
    """Refreshing without writing: the cloud against the last run, whatever the programs say by now."""
    _known(run, orders)
    run.copy = await asyncio.to_thread(stack_files.copied, orders.tool, run.stack, run.folder)
    await _telling_what_is_open(run, orders, runner.step(run, "drift", "refresh", "--preview-only"))
    differing = sum(run.tally.changes.values()) + len(run.pending)
    run.said = f"{differing} differ" if differing else "as declared"


async def _import(runner: Runner, run: Run, orders: Orders) -> None:
    if orders.take is None:
        raise InvariantError("an import without anybody to take what is found")
    await _there(run, orders)
    # What stands is told as well: an import that was killed may have left it incomplete.
    await _look_ahead(runner, run, orders, "--show-sames")
    await orders.take(runner, run)


async def _look_ahead(runner: Runner, run: Run, orders: Orders, *words: str) -> None:
    await runner.step(run, "preview", "preview", "--json", *words, *_looking(orders), *policy(orders))


def _looking(orders: Orders) -> tuple[str, ...]:
    """What a preview saw in the cloud an `up` must see as well: it goes by its state otherwise."""
    return ("--refresh",) if orders.refresh else ()


async def _there(run: Run, orders: Orders) -> None:
    """Makes the stack where the backend has none, and fills in what its file lacks; for a look, in a copy of it."""
    _same_cloud(run, orders)
    await asyncio.to_thread(stack_files.check, orders.tool, run.stack, orders.known.get(run.stack))
    if run.verb is Verb.PREVIEW or orders.looking:
        run.copy = await asyncio.to_thread(stack_files.copied, orders.tool, run.stack, run.folder)
    if run.stack not in orders.known:
        run.step = "init"
        await _made(run, orders)
    said = stack_files.setting(orders.tool.root, run.stack, "gdcc:estate")
    if said is not None and (orders.tool.root / said).resolve() != (orders.tool.root / orders.estate).resolve():
        raise StepFailedError(State.FAILED, f"its file says gdcc:estate {said}, this run {orders.estate}")
    login = await orders.login_project() if _lacks(run, orders, LOGIN_PROJECT) else None
    known = login or (_said(orders, LOGIN_PROJECT) if run.stack == FOUNDATION else None)
    first = stack_files.First(
        estate=orders.estate,
        credentials_from=orders.today,
        roles=await orders.roles() if _lacks(run, orders, "gdcc:roles") else {},
        login_project=login,
        login_quota=await orders.login_quota(known) if known and _lacks(run, orders, "gdcc:loginQuota") else {},
        cloud=None if run.stack in orders.known else orders.cloud,
    )
    await asyncio.to_thread(stack_files.configure, orders.tool, run.stack, first, run.copy)


def _same_cloud(run: Run, orders: Orders) -> None:
    """Pulumi goes to the cloud that the stack's file names, and everything else here to that of the run."""
    said = stack_files.setting(orders.tool.root, run.stack, stack_files.CLOUD)
    if said is not None and said != orders.cloud:
        here = orders.cloud or "none, by OS_AUTH_URL"
        raise StepFailedError(State.FAILED, f"its file says {stack_files.CLOUD} {said}, this run {here}")


def _own_login(run: Run, orders: Orders) -> None:
    """What asks no program is refused here: with `OS_CLOUD` its service users would log in as whoever runs this."""
    named = stack_files.setting(orders.tool.root, run.stack, stack_files.CLOUD)
    if run.stack != FOUNDATION and named is None and orders.tool.env.get("OS_CLOUD"):
        said = "OS_CLOUD is set and its file names no cloud: its service users would log in as you"
        remedy = f"pulumi config set {stack_files.CLOUD} NAME --stack {run.stack}, or take OS_CLOUD away"
        raise StepFailedError(State.FAILED, f"{said} ({remedy})")


async def _made(run: Run, orders: Orders) -> None:
    if run.copy is None:
        await asyncio.to_thread(stack_files.create, orders.tool, run.stack, orders.secrets_provider)
    else:
        await asyncio.to_thread(
            stack_files.create_for_a_look, orders.tool, run.stack, orders.secrets_provider, run.copy
        )
        run.made = True


async def leave_nothing(run: Run, tool: Tool) -> None:
    """Takes away the stack that a look made; once all have looked, for others may refer to it."""
    why = await asyncio.to_thread(stack_files.remove_after_a_look, tool, run.stack) if run.made else ""
    if why:
        run.settled = (*run.settled, f"was made for this look, and stays: {why}")


def _said(orders: Orders, key: str) -> str | None:
    return stack_files.setting(orders.tool.root, FOUNDATION, key)


def _lacks(run: Run, orders: Orders, key: str) -> bool:
    return run.stack == FOUNDATION and stack_files.lacks(orders.tool.root, key)


def _known(run: Run, orders: Orders) -> None:
    if run.stack not in orders.known:
        stack_files.check(orders.tool, run.stack, None)
        raise StepFailedError(State.SKIPPED, "there is no such stack yet")
    _same_cloud(run, orders)
    _own_login(run, orders)


def policy(orders: Orders) -> tuple[str, ...]:
    """The words that have the CLI ask the policy pack."""
    pack = orders.tool.policy_pack
    return ("--policy-pack", str(pack)) if orders.policy and pack is not None else ()


async def changes_allowed(run: Run, orders: Orders, preview: str) -> None:
    """Asks about a preview as a whole: deletions, replacements, aggregates that would lose hosts. `--no-policy` or not.

    `preview` is the step that wrote it. Raises `StepFailedError` with what is refused.
    """
    if not (orders.tool.root / "infra/policy/changes.py").is_file():
        return
    run.step = "check"
    status, said = await _asked(orders.tool, "infra.policy.changes", str(run.output(preview)))
    if status != 0:
        raise StepFailedError(State.FAILED, said or f"the changes check ended with status {status}")


async def _asked(tool: Tool, module: str, *words: str, given: object = None) -> tuple[int, str]:
    """Asks a module of the policies; `given` is what it reads, its exit status and words are the answer."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *words),
        cwd=tool.root,
        env=dict(tool.env),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    said, _ = await process.communicate(json.dumps(given, default=str).encode())
    return process.returncode or 0, " ".join(said.decode(errors="replace").split())


_PAST = {"create": "created", "update": "updated", "delete": "deleted", "replace": "replaced", "refresh": "refreshed"}


def words(changes: Mapping[str, int], *, would: bool = False) -> str:
    """The counts as a phrase."""
    if not changes:
        return "no changes"
    if would:
        return ", ".join(f"{count} to {op}" for op, count in changes.items())
    return ", ".join(f"{count} {_PAST.get(op, op)}" for op, count in changes.items())
