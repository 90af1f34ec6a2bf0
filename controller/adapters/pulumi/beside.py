"""Before an `up`: what could only go wrong in its middle is refused, with what to do.

Keystone refuses a second project or user of one name, and with it all that would stand in it. Nova makes a second
server group beside the first, which keeps its servers, and refuses a quota beneath what is used; and of an application
credential that is left over, its service user would hear only in the middle of the run; as of an RBAC policy that
Neutron has already, which a network shared between two stacks may have had since before both. A container is made over
one that lives, and leaves whom that lets in. A host that Nova does not list enters no aggregate.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from controller.adapters.pulumi import finding, hosts, importing, stacks, state, urns, used
from controller.adapters.pulumi.runs import Run, State, StepFailedError

OpenCloud = Callable[[], AbstractAsyncContextManager[finding.Cloud]]

_KINDS = frozenset({finding.SERVER_GROUP, finding.APPLICATION_CREDENTIAL, finding.CONTAINER})


def guard(open_cloud: OpenCloud, *, usage: bool = True) -> Callable[[Run, state.State], Awaitable[None]]:
    """What looks at a run's preview; opens the cloud only where the preview makes one of these.

    It asks what projects use where `usage`: not of a cloud that the environment does not name. The control project's
    quotas follow from no estate, and nobody could raise them there.
    """

    async def beside(run: Run, kept: state.State) -> None:
        preview = json.loads(run.output("preview").read_text(encoding="utf-8"))
        asked = questions(importing.declared(preview), kept.resources)
        entering = hosts.entering(preview)
        quotas = _judged(run.stack, used.changed(preview)) if usage else ()
        if asked or entering or quotas:
            run.step = "ask"
            async with open_cloud() as cloud:
                found = await importing.found(cloud, asked, kept.resources)
                listed = await hosts.listed(cloud) if entering else frozenset[str]()
                await used.refuse(cloud, quotas)
            refuse(run.stack, found)
            refuse_unlisted(entering, listed)
            run.settled = (*run.settled, *(f"warning: made all the same: {each}" for each in found.unasked))

    return beside


def _judged(stack: str, quotas: Sequence[used.Changed]) -> tuple[used.Changed, ...]:
    ours = stacks.agency_of(stack) is not None
    return tuple(each for each in quotas if ours or urns.name_of(each.urn) == used.LOGIN)


def questions(
    wanted: Iterable[importing.Declared], standing: Iterable[state.Resource]
) -> tuple[importing.Declared, ...]:
    """Of what would be created: these kinds, where what tells them apart lives, and the logins that are not there yet.

    That is the project of their login; of an RBAC policy, the thing and the project that it opens it to.
    """
    every = tuple(wanted)
    logins: dict[str, Mapping[str, Any]] = {
        each.urn: each.inputs for each in standing if each.type == importing.PROVIDER
    }
    new = {each.urn: importing.login(each, {}) for each in every if each.type == importing.PROVIDER}
    asked = [
        each
        for each in every
        if (each.type in _KINDS and finding.owner({**logins, **new}.get(each.named_provider, {})))
        or (each.type == finding.RBAC_POLICY and importing.UNKNOWN not in each.inputs.values())
    ]
    needed = {each.named_provider for each in asked}
    return tuple(each for each in every if each.urn in needed or each in asked)


def refuse(stack: str, found: importing.Found) -> None:
    """Raises `StepFailedError` that names the first of what lives already."""
    living = {**found.ids, **found.later, **{urn: ids[0] for urn, ids in found.ambiguous.items()}}
    if living:
        urn, id_ = next(iter(living.items()))
        kind, agency = urns.kind_of(urn), stacks.agency_of(stack)
        words = "--foundation" if agency is None else f"--agency {agency}"
        raise StepFailedError(
            State.FAILED,
            f"would make a second {kind} {urns.name_of(urn)} beside {id_}, which lives: take it under management with "
            f"gdcc estate import {words} --write",
        )
    if found.barred:
        raise StepFailedError(State.FAILED, "; ".join(found.barred))


def refuse_unlisted(entering: Mapping[str, Sequence[str]], listed: Collection[str]) -> None:
    """Raises `StepFailedError` that names the hosts which would enter aggregates and cannot."""
    unlisted = sorted(entering.keys() - set(listed))
    if unlisted:
        first, more = unlisted[0], f" (and {len(unlisted) - 1} more)" if len(unlisted) > 1 else ""
        raise StepFailedError(
            State.FAILED,
            f"Nova does not list host {first}{more}, which would enter {', '.join(entering[first])}: start its "
            "nova-compute, or take its lifecycle back to installed (all: gdcc estate list --foundation)",
        )
