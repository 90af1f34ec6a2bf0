"""Takes what already lives under a stack's management: what a preview would create is looked for, and imported by id.

The file that `pulumi import` reads names each resource's parent, so that children stand below their components and
nothing is created beside them.

Some things are made by the login of a service user, whose provider may not exist yet: what lives of those is found in
the project that it will log in to, and imported in a second step, once `logins` are there. A credential cannot be
imported at all, since nobody can read its secret again: one that lives bars the way, and is told.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.adapters.pulumi import barring, finding, fixed, state, urns

PROVIDER = f"{urns.PROVIDERS}openstack"
USER = "openstack:identity/user:User"

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How a preview shows a value that only the run itself will know."""

TELLS_NOTHING = frozenset(
    {
        ("openstack:networking/network:Network", "qosPolicyId"),
        ("openstack:networking/router:Router", "externalNetworkId"),
        ("openstack:networking/subnet:Subnet", "subnetpoolId"),
        ("openstack:identity/user:User", "defaultProjectId"),
    }
)
"""Inputs that are other resources' ids and by which nothing is told from another: it is found without them as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One resource that a preview would create. `uses`: which resources an input comes from; `needs`: all of them."""

    urn: str
    type: str
    custom: bool
    parent: str
    provider: str
    inputs: Mapping[str, Any]
    uses: Mapping[str, tuple[str, ...]]
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name in the program."""
        return urns.name_of(self.urn)

    @property
    def named_provider(self) -> str:
        """The URN of the provider that the program names for it; empty where it is the default one."""
        return urns.named_provider(self.provider)

    @property
    def version(self) -> str:
        """The version of its default provider, which is in that one's name; empty where there is none."""
        name = urns.name_of(self.provider.rpartition("::")[0])
        return name.removeprefix("default_").replace("_", ".") if name.startswith("default_") else ""

    @property
    def unborn_provider(self) -> bool:
        """Whether it is made by a login that does not exist yet: it can be imported only once that one is there."""
        return bool(self.named_provider) and self.provider.endswith(f"::{UNKNOWN}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found for a stack: ids by URN, what the cloud does not have, and what cannot be told apart.

    `later` are ids of what can be imported only once its login is there; `barred` says what must go first, in words,
    `unasked` of what this cloud tells nobody whether it lives.
    """

    ids: Mapping[str, str]
    missing: tuple[str, ...]
    ambiguous: Mapping[str, tuple[str, ...]]
    later: Mapping[str, str] = field(default_factory=dict)
    barred: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()


def declared(preview: Mapping[str, Any]) -> tuple[Declared, ...]:
    """What the JSON of a preview would create, what is used before what uses it."""
    return tuple(
        _declared(step["newState"])
        for step in preview.get("steps") or ()
        if step["op"] == "create" and not step["newState"]["type"].startswith("pulumi:pulumi:")
    )


def standing(preview: Mapping[str, Any]) -> tuple[Declared, ...]:
    """What the preview declares of what the stack has already, as the program says it."""
    return tuple(
        _declared(step["newState"])
        for step in preview.get("steps") or ()
        if step["op"] != "create" and step.get("newState") and not step["newState"]["type"].startswith("pulumi:pulumi:")
    )


def _declared(state: Mapping[str, Any]) -> Declared:
    uses = state.get("propertyDependencies") or {}
    return Declared(
        urn=state["urn"],
        type=state["type"],
        custom=bool(state.get("custom")),
        parent=state.get("parent") or "",
        provider=state.get("provider") or "",
        inputs={key: value for key, value in (state.get("inputs") or {}).items() if not key.startswith("__")},
        uses={key: tuple(urns or ()) for key, urns in uses.items()},
        needs=tuple(state.get("dependencies") or ()),
    )


async def found(cloud: finding.Cloud, wanted: Iterable[Declared], standing: Iterable[state.Resource] = ()) -> Found:
    """Looks for each in the cloud. What uses something that is not there is not there either.

    `standing` is what the stack has already, the logins of its service users among it.
    """
    every = tuple(wanted)
    logins = {each.urn: each.inputs for each in standing if each.type == PROVIDER}
    ids: dict[str, str] = {}
    later: dict[str, str] = {}
    missing: list[str] = []
    barred: list[str] = []
    unasked: list[str] = []
    ambiguous: dict[str, tuple[str, ...]] = {}
    for each in every:
        if each.type == PROVIDER:
            logins[each.urn] = login(each, ids)
        elif each.custom:
            inputs, finder = resolved(each, ids), finding.FINDERS.get(each.type)
            said = logins.get(each.named_provider, {})
            matches = [] if inputs is None or finder is None else await finder(cloud, {**inputs, **finding.owner(said)})
            if len(matches) == 1:
                barred.extend(await fixed.differing(cloud, each.type, matches[0], each.inputs, inputs or {}))
                (later if each.unborn_provider else ids)[each.urn] = matches[0]
            elif matches:
                ambiguous[each.urn] = tuple(sorted(matches))
            else:
                missing.append(each.urn)
                barred.extend(await barring.bars(cloud, each.type, inputs or {}, said))
                unasked.extend(await barring.unasked(cloud, each.type, inputs or {}, said))
    return Found(
        ids=ids,
        missing=tuple(missing),
        ambiguous=ambiguous,
        later=later,
        barred=tuple(barred),
        unasked=tuple(unasked),
    )


def login(provider: Declared, ids: Mapping[str, str]) -> dict[str, Any]:
    """What is known of a provider that is not there yet: its user, and its project where that one was found."""
    known = {key: value for key, value in provider.inputs.items() if value != UNKNOWN}
    sources = [ids[urn] for urn in provider.uses.get("tenantId", ()) if urn in ids]
    return {"tenantId": sources[0], **known} if len(sources) == 1 else known


def logins(preview: Mapping[str, Any], later: Iterable[str]) -> tuple[str, ...]:
    """What an `up` must be held to so that the logins of these are there, and nothing else: URNs.

    Of what the logins depend on: what is to be created, and a user whose password is to be set.
    """
    states = {step["urn"]: step for step in preview.get("steps") or () if step.get("newState")}
    open_ = [states[urn]["newState"]["provider"].rpartition("::")[0] for urn in later if urn in states]
    needed: dict[str, None] = {}
    while open_:
        urn = open_.pop()
        if urn in states and urn not in needed:
            needed[urn] = None
            state_ = states[urn]["newState"]
            open_.extend([*(state_.get("dependencies") or ()), *([state_["parent"]] if state_.get("parent") else ())])
    return tuple(
        sorted(
            urn
            for urn in needed
            if states[urn]["op"] == "create" or (states[urn]["op"] == "update" and urns.type_of(urn) == USER)
        )
    )


def resolved(each: Declared, ids: Mapping[str, str]) -> dict[str, Any] | None:
    """Its inputs, those that are other resources' ids filled in; None where one of them is not known."""
    inputs: dict[str, Any] = {}
    for key, value in each.inputs.items():
        if value == UNKNOWN:
            sources = [ids[urn] for urn in each.uses.get(key, ()) if urn in ids]
            if not sources and (each.type, key) in TELLS_NOTHING:
                continue
            if len(sources) != 1:
                return None
            value = sources[0]  # noqa: PLW2901
        inputs[key] = value
    return inputs


def closed(preview: Mapping[str, Any]) -> tuple[str, ...]:
    """Whom living containers let in and will not once the preview is carried out: a sentence for each ACL."""
    steps = [each for each in preview.get("steps") or () if each["op"] == "update"]
    containers = [each for each in steps if urns.type_of(each["urn"]) == finding.CONTAINER]
    return tuple(
        f"Container {urns.name_of(each['urn'])}: {was} may {verb} it now, {now or 'nobody else'} after the next up"
        for each in containers
        for key, verb in (("containerRead", "read"), ("containerWrite", "write"))
        for was, now in [(_input(each.get("oldState"), key), _input(each.get("newState"), key))]
        if was and was != now
    )


def _input(state_: Mapping[str, Any] | None, key: str) -> str:
    value = ((state_ or {}).get("inputs") or {}).get(key) or ""
    return "those of other projects" if value == UNKNOWN else str(value)


def import_file(wanted: Iterable[Declared], ids: Mapping[str, str]) -> dict[str, Any]:
    """What `pulumi import --file` reads: what was found, below its components, and those components."""
    every = {each.urn: each for each in wanted}
    needed = _with_components(every, ids)
    handles = {urn: f"r{number}" for number, urn in enumerate(needed)}
    known = {each.parent for each in needed.values() if each.parent and each.parent not in needed}
    known |= {each.named_provider for each in needed.values() if each.named_provider}
    table = {f"k{number}": urn for number, urn in enumerate(sorted(known))}
    handles.update({urn: handle for handle, urn in table.items()})
    return {
        "nameTable": table,
        "resources": [_entry(each, handles, ids.get(urn)) for urn, each in needed.items()],
    }


def _with_components(every: Mapping[str, Declared], ids: Mapping[str, str]) -> dict[str, Declared]:
    needed = set(ids)
    for urn in ids:
        above = every[urn].parent
        while above in every:
            needed.add(above)
            above = every[above].parent
    return {urn: each for urn, each in every.items() if urn in needed}


def _entry(each: Declared, handles: Mapping[str, str], resource_id: str | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": each.type, "name": handles[each.urn], "logicalName": each.name}
    if each.parent:
        entry["parent"] = handles[each.parent]
    if each.named_provider:
        entry["provider"] = handles[each.named_provider]
    elif each.version:
        entry["version"] = each.version
    return {**entry, "component": True} if resource_id is None else {**entry, "id": resource_id}
