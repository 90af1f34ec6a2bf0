"""From what was typed to the work itself, and its end shown."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import typer
import yaml

from controller.adapters.ansible import held
from controller.adapters.ansible.inventory import Listing
from controller.adapters.clock import SystemClock
from controller.api.controller_client import SocketController
from controller.bootstrap import host as parts
from controller.bootstrap.host import DirectController
from controller.cli.host.screen import Screen, summary
from controller.cli.output import DONE, REFUSED, WRONG_USE, errors, people, print_json, refuse
from controller.engine.host_work.order import Ended, Order, Outcome
from controller.engine.host_work.work import HostWork
from controller.errors import GdccError, InputError, TransientError
from controller.model.ids import HostName
from controller.model.playbook import Variable
from inventory.model import LISTED_IN_NOVA, Lifecycle

MakeOrder = Callable[[tuple[HostName, ...], frozenset[HostName], parts.Tools], Order]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was typed, whatever the verb is. Nobody is asked anything with `yes`."""

    patterns: list[str]
    config: Path
    socket: Path | None = None
    direct: bool = False
    as_json: bool = False
    yes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The tools, and the hosts that were meant, rack by rack.

    `elsewhere` are those that Nova does not list by their lifecycle.
    """

    tools: parts.Tools
    hosts: tuple[HostName, ...]
    elsewhere: frozenset[HostName]


def ready(asked: Asked) -> Ready:
    """Ends with 2 for bad settings, an inventory that cannot be read, or hosts that are not known, all at once."""
    try:
        tools = parts.tools(asked.config)
        listing = tools.playbooks.inventory.listing()
        hosts = listing.by_rack(listing.meant(asked.patterns))
        return Ready(tools=tools, hosts=hosts, elsewhere=_elsewhere(listing))
    except GdccError as error:
        wrong(str(error))


def wrong(lines: str) -> NoReturn:
    """Says why nothing was begun, and ends with 2."""
    errors.print(lines, markup=False)
    raise typer.Exit(WRONG_USE)


def require_deeds(tools: parts.Tools) -> None:
    """Ends with 2 where the controller runs dry: it would call a host empty or enabled that is not."""
    if tools.dry_run:
        wrong("dry_run is set, so the controller neither drains nor enables: set it to false, and restart the daemon")


def do(asked: Asked, make: MakeOrder) -> None:
    """Does the order on the hosts that were meant, shows how it ended, and ends with the exit status."""
    found = ready(asked)
    order = make(found.hosts, found.elsewhere, found.tools)
    if order.takes_out and asked.as_json and not asked.yes:
        wrong("--json takes hosts out of service only with --yes")
    if order.takes_out or order.give_back:
        require_deeds(found.tools)
    try:
        with contextlib.ExitStack() as stack:
            if not order.check:
                stack.enter_context(held.hosts(found.tools.artifacts, order.hosts))
            outcomes = asyncio.run(_done(asked, found.tools, order))
    except KeyboardInterrupt:
        refuse("interrupted: Ansible was ended; what was begun is open, see gdcc host; the same verb goes on with it")
    except TransientError as error:
        refuse(f"{error}\nWhat was begun stays open: gdcc host shows it, and the same verb again goes on with it.")
    except GdccError as error:
        refuse(str(error))
    _show(order, outcomes, asked.as_json)
    raise typer.Exit(DONE if all(one.ended is Ended.DONE for one in outcomes) else REFUSED)


async def _done(asked: Asked, tools: parts.Tools, order: Order) -> tuple[Outcome, ...]:
    drains = order.hosts if order.takes_out or order.give_back else ()
    async with controller(asked, tools, drains=drains) as reached:
        if order.takes_out:
            await confirm(reached, order.hosts, str(order.verb), asked.yes)
        with Screen(order.hosts, people, quiet=asked.as_json) as screen:
            return await HostWork(tools.playbooks, reached, SystemClock(), screen).do(order)


@contextlib.asynccontextmanager
async def controller(
    asked: Asked, tools: parts.Tools, *, drains: Collection[HostName]
) -> AsyncIterator[SocketController | DirectController]:
    """The daemon, or this process in its place, which then carries on the drains of these hosts alone."""
    if asked.direct:
        async with parts.direct(asked.config, drains=drains) as reached:
            yield reached
    else:
        yield SocketController(asked.socket or tools.socket)


async def confirm(
    reached: SocketController | DirectController, hosts: Sequence[HostName], verb: str, yes: bool
) -> None:
    """Says what is not known of each drain, and asks once. Ends with 1 at a no."""
    draining = {drain.host for drain in await reached.drains()}
    for host in hosts:
        if host in draining:
            continue
        try:
            unknowns = await reached.unknowns(host)
        except GdccError as error:
            unknowns = (str(error),)
        for unknown in unknowns:
            errors.print(f"  {host}: not known: {unknown}", markup=False, soft_wrap=True)
    if not yes and not typer.confirm(f"Take {', '.join(hosts)} out of service to {verb}?"):
        refuse("nothing was done")


def variables(given: list[str]) -> dict[str, Variable]:
    """From `NAME=VALUE`, values in YAML. Ends with 2 for what is none."""
    found: dict[str, Variable] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--set")
        try:
            found[name] = _variable(yaml.safe_load(value))
        except (yaml.YAMLError, InputError) as error:
            message = f"the value of {name} is neither a YAML scalar nor a list of them"
            raise typer.BadParameter(message, param_hint="--set") from error
    return found


def _variable(value: Any) -> Variable:
    if isinstance(value, list):
        if not all(isinstance(each, str | int | float | bool | None) for each in value):
            raise InputError("holds more than scalars")
        return tuple(value)
    if not isinstance(value, str | int | float | bool | None):
        raise InputError("is no scalar")
    return value


def _elsewhere(listing: Listing) -> frozenset[HostName]:
    away = (listing.of("lifecycle", each) or () for each in Lifecycle if each not in LISTED_IN_NOVA)
    return frozenset(HostName(host) for hosts in away for host in hosts)


def _show(order: Order, outcomes: Sequence[Outcome], as_json: bool) -> None:
    if as_json:
        print_json({"verb": order.verb, "check": order.check, "hosts": [_row(one) for one in outcomes]})
        return
    people.print(summary(outcomes))
    for folder in dict.fromkeys(one.artifacts for one in outcomes if one.artifacts):
        people.print(f"artifacts: {folder}", markup=False, soft_wrap=True)


def _row(one: Outcome) -> dict[str, object]:
    changes = [{"task": each.task, "diff": each.diff} for result in one.results for each in result.changes]
    failure = next((result.failure for result in reversed(one.results) if result.failure), None)
    told = None if failure is None else {"task": failure.task, "says": failure.said, "unreachable": failure.unreachable}
    return {
        "host": one.host,
        "ended": one.ended,
        "says": one.said,
        "changes": changes,
        "failure": told,
        "artifacts": one.artifacts,
    }
