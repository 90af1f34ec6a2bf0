"""Placement: what each host has, and whether one host admits one server."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.adapters.openstack import parse
from controller.adapters.openstack.rest import Rest, listing
from controller.errors import RefusedError
from controller.model import cloud

_DISABLED_TRAIT = "COMPUTE_STATUS_DISABLED"
_NUMBERED = re.compile(r"(?:resources|trait)(\d+):")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    generation: int
    inventory: Mapping[str, cloud.Amount]
    traits: frozenset[str]


class Placement:
    """Placement's API. A provider is read again only when its generation has changed."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._kept: dict[str, _Kept] = {}

    async def providers(self, hypervisors: Sequence[parse.Hypervisor]) -> parse.Parsed[cloud.Provider]:
        """The providers of these compute nodes, those that changed read side by side."""
        path = "/resource_providers"
        rows = listing(await self._rest.get("placement", path), "resource_providers", f"GET placement {path}")
        shown = {row.get("uuid"): row.get("generation") for row in rows}
        results = await asyncio.gather(*(self._provider(node, shown) for node in hypervisors))
        self._kept = {node.id: self._kept[node.id] for node in hypervisors if node.id in self._kept}
        return parse.Parsed(
            values=tuple(one for one in results if isinstance(one, cloud.Provider)),
            flaws=tuple(one for one in results if isinstance(one, str)),
        )

    async def _provider(self, node: parse.Hypervisor, shown: Mapping[Any, Any]) -> cloud.Provider | str:
        if node.id not in shown:
            return f"hypervisor {node.host}: Placement has no provider {node.id}"
        kept = self._kept.get(node.id)
        if kept is None or kept.generation != shown[node.id]:
            try:
                kept = await self._read(node.id)
            except parse.RowError as error:
                return f"provider {node.host}: {error.what}"
            except RefusedError as error:
                if error.rule != "not-found":
                    raise
                return f"provider {node.host}: it vanished while it was read"
            self._kept[node.id] = kept
        return cloud.Provider(id=node.id, host=node.host, inventory=kept.inventory, traits=kept.traits)

    async def _read(self, provider: str) -> _Kept:
        path = f"/resource_providers/{provider}"
        inventories, traits = await asyncio.gather(
            self._rest.get("placement", f"{path}/inventories"), self._rest.get("placement", f"{path}/traits")
        )
        key = "resource_provider_generation"
        # the older of the two: what changed between them is then read again at the next look
        generation = min(parse.generation(inventories, key), parse.generation(traits, key))
        return _Kept(generation=generation, inventory=parse.inventory(inventories), traits=parse.traits(traits))

    async def admits(self, server: cloud.Server, provider: str) -> str | None:
        """None where this one provider could take the server now; else why not."""
        try:
            asked = candidates_query(server)
        except parse.RowError as error:
            return error.what
        query = {**asked, "in_tree": provider, "limit": "1"}
        try:
            body = await self._rest.get("placement", "/allocation_candidates", query)
        except RefusedError as error:
            if error.rule == "bad-request":  # a trait or a resource class that this cloud does not know
                return error.what
            raise
        if listing(body, "allocation_requests", "GET placement /allocation_candidates"):
            return None
        return await self._why_not(asked, provider)

    async def _why_not(self, asked: Mapping[str, str], provider: str) -> str:
        path = f"/resource_providers/{provider}"
        try:
            inventories, traits, usages = await asyncio.gather(
                *(self._rest.get("placement", f"{path}/{part}") for part in ("inventories", "traits", "usages"))
            )
        except RefusedError as error:
            if error.rule == "not-found":
                return f"Placement has no provider {provider}"
            raise
        return shortfall(asked, parse.inventory(inventories), usages.get("usages", {}), parse.traits(traits))


def candidates_query(server: cloud.Server) -> dict[str, str]:
    """What Nova asks of Placement for such a server, from its flavor: resources and traits, numbered groups too.

    Raises `parse.RowError` where it cannot be told from the flavor.
    """
    specs = server.demands
    query = {
        "resources": _joined(_resources(server)),
        "required": ",".join(_traits(specs, "trait:", forbid_disabled=True)),
    }
    for n in sorted({found[1] for key in specs if (found := _NUMBERED.match(key))}):
        prefix = f"resources{n}:"
        query[f"resources{n}"] = _joined(
            {key.removeprefix(prefix): specs[key] for key in specs if key.startswith(prefix)}
        )
        query[f"required{n}"] = ",".join(_traits(specs, f"trait{n}:", forbid_disabled=False))
    if "group_policy" in specs:
        query["group_policy"] = specs["group_policy"]
    return {key: value for key, value in query.items() if value}


def _resources(server: cloud.Server) -> dict[str, str]:
    specs = server.extra_specs
    policy = specs.get("hw:cpu_policy", "shared")
    if policy not in {"shared", "dedicated"}:
        raise parse.RowError(f"how many CPUs hw:cpu_policy={policy} pins cannot be told from the flavor alone")
    cpus = "PCPU" if policy == "dedicated" else "VCPU"
    extra = 1 if specs.get("hw:emulator_threads_policy") == "isolate" else 0
    asked = {cpus: str(server.vcpus + extra), "MEMORY_MB": str(server.memory_mib), "DISK_GB": str(server.disk_gib)}
    asked |= {key.removeprefix("resources:"): value for key, value in specs.items() if key.startswith("resources:")}
    return {name: amount for name, amount in asked.items() if amount != "0"}


def _joined(resources: Mapping[str, str]) -> str:
    return ",".join(f"{name}:{amount}" for name, amount in sorted(resources.items()))


def _traits(specs: Mapping[str, str], prefix: str, *, forbid_disabled: bool) -> list[str]:
    named = {key.removeprefix(prefix): value for key, value in specs.items() if key.startswith(prefix)}
    required = sorted(name for name, value in named.items() if value == "required")
    forbidden = sorted(name for name, value in named.items() if value == "forbidden")
    if forbid_disabled:
        forbidden.append(_DISABLED_TRAIT)
    return required + [f"!{name}" for name in forbidden]


def shortfall(
    asked: Mapping[str, str], inventory: Mapping[str, cloud.Amount], used: Mapping[str, Any], traits: frozenset[str]
) -> str:
    """Why a provider is no candidate, in words and numbers."""
    reasons = []
    for pair in filter(None, asked.get("resources", "").split(",")):
        name, amount = pair.split(":")
        has = inventory.get(name)
        free = int((has.total - has.reserved) * has.ratio) - int(used.get(name, 0)) if has else 0
        if int(amount) > free:
            reasons.append(f"needs {amount} {name}, {max(free, 0)} free")
    for trait in filter(None, asked.get("required", "").split(",")):
        if trait == f"!{_DISABLED_TRAIT}" and _DISABLED_TRAIT in traits:
            reasons.append("its compute service is disabled")
        elif trait.startswith("!") and trait[1:] in traits:
            reasons.append(f"has the forbidden trait {trait[1:]}")
        elif not trait.startswith("!") and trait not in traits:
            reasons.append(f"lacks the trait {trait}")
    return "; ".join(reasons) or "Placement offers no allocation candidate there"
