"""`gdcc whatif`: what would become of the estate if something were lost, emptied or added. It moves nothing."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, NoReturn

import typer

from controller.api.wire import to_json
from controller.cli import whatif_tables
from controller.cli.output import REFUSED, people, print_json, told
from controller.cli.seen import Config, Snapshot, seen
from controller.cli.steps import stepped
from controller.model.cluster import Cluster
from controller.model.ids import HostName
from controller.model.policy import Policy
from controller.model.whatif import Loss, Outcome, Verdict
from controller.planner.whatif import emptying, grown, loss, outcome
from inventory.model import Domain

Lose = Annotated[list[str] | None, typer.Option("--lose", metavar="KIND:NAME", help="host, rack, feed, zone, room or "
                 "site that fails; may be given more than once: all of them fail together.")]  # fmt: skip
Single = Annotated[bool, typer.Option("--all-single-failures", help="Every host, rack and feed, each on its own.")]
Drain = Annotated[list[str] | None, typer.Option("--drain", metavar="HOST", help="A host that is emptied; may be given "
                  "more than once.")]  # fmt: skip
Retire = Annotated[str | None, typer.Option("--retire", metavar="GENERATION|TYPE", help="Every host of a generation or "
                   "type is emptied.")]  # fmt: skip
Hosts = Annotated[list[str] | None, typer.Option("--add-hosts", metavar="N:HOST|TYPE[@HOST]",
                  help="N more hosts like that one, or of that type; of a type beside a host.")]  # fmt: skip
Servers = Annotated[str | None, typer.Option("--add-servers", metavar="N:AGENCY/FLAVOR",
                    help="N more servers of an agency.")]  # fmt: skip
Start = Annotated[float, typer.Option("--start-seconds", min=0, max=86_400,
                  help="How long one server takes to start elsewhere.")]  # fmt: skip


def whatif(
    lose: Lose = None,
    all_single_failures: Single = False,
    drain: Drain = None,
    retire: Retire = None,
    add_hosts: Hosts = None,
    add_servers: Servers = None,
    start_seconds: Start = 60.0,
    snapshot: Snapshot = None,
    config: Config = None,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Show what goes down or must move, what goes where, and what is missing. Exit status 1 where something is.

    Hosts are added first, then others emptied, and the loss and the new servers are asked of what is left.
    """
    losses = [_loss(word) for word in lose or ()]
    more = [_counted(word, "--add-hosts") for word in add_hosts or ()]
    servers = None if add_servers is None else _servers(add_servers)
    if not (losses or all_single_failures or drain or retire or servers):
        raise typer.BadParameter("say one of them", param_hint=_QUESTIONS)
    if all_single_failures and (losses or servers):
        raise typer.BadParameter("is a question of its own", param_hint="--all-single-failures")
    each = timedelta(seconds=start_seconds)
    with told():
        cluster, policy, now = seen(snapshot, config)
        for count, like in more:
            cluster = grown.with_hosts(cluster, like, count, policy)
        found = []
        if drain or retire:
            found.append(_emptied(cluster, policy, now, drain or (), retire))
            cluster = emptying.after(cluster, policy, found[0], now)
        if all_single_failures:
            found += _every_loss(cluster, policy, now, each)
        elif losses or servers:
            found.append(_asked(cluster, policy, now, losses, servers, each))
    emptied, rest = (found[:1], found[1:]) if drain or retire else ([], found)
    if json:
        print_json([to_json(one) for one in found] if all_single_failures or len(found) > 1 else to_json(found[0]))
    else:
        _show(emptied, rest, every=all_single_failures)
    if any(one.verdict is not Verdict.SURVIVED for one in found):
        raise typer.Exit(REFUSED)


MOST_MORE = 100_000
"""Hosts or servers added at once: more would fill the memory of the machine that is asked."""

_QUESTIONS = "--lose, --all-single-failures, --drain, --retire, --add-servers"


def _show(emptied: Sequence[Outcome], rest: Sequence[Outcome], *, every: bool) -> None:
    for one in emptied:
        whatif_tables.show(one)
    if emptied and rest:
        people.print("Once they are empty:")
    if every:
        whatif_tables.show_all(rest)
    else:
        for one in rest:
            whatif_tables.show(one)


def _emptied(cluster: Cluster, policy: Policy, now: datetime, drain: Sequence[str], generation: str | None) -> Outcome:
    hosts = {HostName(name) for name in drain}
    if generation is not None:
        hosts.update(emptying.of_generation(cluster, generation))
    return outcome.empty(cluster, policy, now, hosts)


def _every_loss(cluster: Cluster, policy: Policy, now: datetime, each: timedelta) -> list[Outcome]:
    spare = outcome.spare(cluster, policy, now)
    return [outcome.lose(spare, [one], each) for one in stepped(loss.every_single(cluster), "losing each")]


def _asked(
    cluster: Cluster,
    policy: Policy,
    now: datetime,
    losses: Sequence[Loss],
    servers: tuple[int, str, str] | None,
    each: timedelta,
) -> Outcome:
    if servers is None:
        return outcome.lose(outcome.spare(cluster, policy, now), losses, each)
    count, agency, flavor = servers
    cluster, new = grown.with_servers(cluster, agency, flavor, count)
    return outcome.lose(outcome.spare(cluster, policy, now), losses, each, new)


def _servers(word: str) -> tuple[int, str, str]:
    count, kind = _counted(word, "--add-servers")
    agency, slash, flavor = kind.partition("/")
    if not slash:
        _wrong(word, "N:AGENCY/FLAVOR", "--add-servers")
    return count, agency, flavor


def _loss(word: str) -> Loss:
    kind, colon, name = word.partition(":")
    if not colon or not name or kind not in set(Domain):
        _wrong(word, f"KIND:NAME, the kind one of {', '.join(Domain)}", "--lose")
    return Loss(kind=Domain(kind), name=name)


def _counted(word: str, option: str) -> tuple[int, str]:
    found = re.fullmatch(r"([1-9]\d{0,5}):(.+)", word)
    if found is None or int(found[1]) > MOST_MORE:
        _wrong(word, f"a number from 1 to {MOST_MORE:,}, a colon and a name", option)
    return int(found[1]), found[2]


def _wrong(word: str, right: str, option: str) -> NoReturn:
    raise typer.BadParameter(f"{word!r} is not {right}", param_hint=option)
