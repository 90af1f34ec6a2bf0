"""Placement: providers, what they have and what is used of it, and whether a request would fit."""

from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from aiohttp import web

from controller.twin import scheduling
from controller.twin.openstack import wire
from controller.twin.openstack.cloud import Cloud
from controller.twin.openstack.gate import PLACEMENT_VERSIONS
from controller.twin.orders import RefusalError

ROOT = "/placement"
CLASSES = ("VCPU", "MEMORY_MB", "DISK_GB")
_BAD = "The server could not comply with the request since it is either malformed or otherwise incorrect.\n\n "
_MISSING = "The resource could not be found.\n\n "


class Placement:
    """The handlers of `/placement`. A provider is a host of Nova; its row is the host's."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._rows = {cloud.world.node_ids[row]: int(row) for row in cloud.world.topology.in_nova.nonzero()[0]}
        self._traits = frozenset().union(_STANDARD, *cloud.world.traits)

    def routes(self) -> list[web.RouteDef]:
        one = f"{ROOT}/resource_providers/{{id}}"
        return [
            web.get(ROOT, self.versions),
            web.get(f"{ROOT}/", self.versions),
            web.get(f"{ROOT}/resource_providers", self.providers),
            web.get(one, self.provider),
            web.get(f"{one}/inventories", self._of_provider(self._inventories)),
            web.get(f"{one}/usages", self._of_provider(self._usages)),
            web.get(f"{one}/traits", self._of_provider(self._own_traits)),
            web.get(f"{one}/aggregates", self._of_provider(self._aggregates)),
            web.get(f"{one}/allocations", self._of_provider(self._allocations)),
            web.get(f"{ROOT}/allocations/{{id}}", self.allocations),
            web.get(f"{ROOT}/allocation_candidates", self.candidates),
            web.get(f"{ROOT}/traits", self.traits),
        ]

    async def versions(self, request: web.Request) -> web.Response:
        (low, high) = (f"{major}.{minor}" for major, minor in PLACEMENT_VERSIONS)
        row = {"id": "v1.0", "max_version": high, "min_version": low, "status": "CURRENT"}
        return wire.answer({"versions": [row | {"links": [{"rel": "self", "href": ""}]}]})

    async def providers(self, request: web.Request) -> web.Response:
        names = self._cloud.world.topology.hosts
        query = request.query
        rows = [
            self._provider(each, names[row])
            for each, row in self._rows.items()
            if query.get("name", names[row]) == names[row]
            and query.get("uuid", each) == each
            and query.get("in_tree", each) == each
        ]
        return self._fresh({"resource_providers": rows})

    async def provider(self, request: web.Request) -> web.Response:
        row = self._row(request)
        return self._fresh(self._provider(request.match_info["id"], self._cloud.world.topology.hosts[row]))

    async def allocations(self, request: web.Request) -> web.Response:
        """What one consumer holds: a server, or a migration that keeps the far end."""
        consumer, world = request.match_info["id"], self._cloud.world
        server = world.servers.get(consumer)
        held = {} if server is None else {server.host: server}
        held |= {row: s for row, s, uuid in self._claims() if uuid == consumer}
        body = {
            world.node_ids[row]: {"generation": 2, "resources": _resources(each.flavor)} for row, each in held.items()
        }
        owner = next(iter(held.values()), None)
        extra = {"project_id": owner.project_id, "user_id": "admin", **_CONSUMER} if owner else {}
        return self._fresh({"allocations": body} | extra)

    async def traits(self, request: web.Request) -> web.Response:
        return self._fresh({"traits": sorted(self._traits)})

    async def candidates(self, request: web.Request) -> web.Response:
        """Where a request for resources would fit. Raises RefusalError (400) for an unknown class or trait."""
        asked = self._asked(request)
        need, never = self._required(request)
        tree = request.query.get("in_tree")
        rows = {each: row for each, row in self._rows.items() if tree in {None, each}}
        used = (
            {tree: scheduling.host_usage(self._cloud.world, self._cloud.orders.claims, rows[tree])}
            if tree in rows
            else {}
        )
        if not used and tree is None:
            table = scheduling.usage(self._cloud.world, self._cloud.orders.claims)
            used = {each: (int(table[r][0]), int(table[r][1]), int(table[r][2])) for each, r in rows.items()}
        limit = int(request.query.get("limit", "1000"))
        fitting = [e for e, row in rows.items() if self._fits(row, used[e], asked, need, never)][:limit]
        return self._fresh(
            {
                "allocation_requests": [
                    {"allocations": {each: {"resources": asked}}, "mappings": {"": [each]}} for each in fitting
                ],
                "provider_summaries": {each: self._summary(each, rows[each], used[each]) for each in fitting},
            }
        )

    def _fits(
        self, row: int, used: tuple[int, int, int], asked: dict[str, int], need: set[str], never: set[str]
    ) -> bool:
        """Whether one provider has the resources and the traits (a disabled service's host is forbidden by trait)."""
        held = self._traits_of(row)
        room = all(used[k] + asked.get(name, 0) <= self._cloud.world.capacity[row][k] for k, name in enumerate(CLASSES))
        return room and need <= held and not never & held

    def _asked(self, request: web.Request) -> dict[str, int]:
        asked = {}
        for part in filter(None, request.query.get("resources", "").split(",")):
            name, _, amount = part.partition(":")
            if name not in CLASSES:
                raise RefusalError(
                    400, f"{_BAD}Invalid resource class in resources parameter: No such resource class {name}.  "
                )
            if not amount.isdigit() or amount == "0":
                what = f"Requested resource {name} expected positive integer amount. Got: {amount}."
                raise RefusalError(400, f"{_BAD}{what}  ")
            asked[name] = int(amount)
        if not asked:
            raise RefusalError(400, f"{_BAD}There must be at least one resources or resources[$S] parameter.  ")
        return asked

    def _required(self, request: web.Request) -> tuple[set[str], set[str]]:
        names = [n for value in request.query.getall("required", []) for n in value.split(",") if n]
        unknown = sorted({name.removeprefix("!") for name in names} - self._traits)
        if unknown:
            raise RefusalError(400, f"{_BAD}No such trait(s): {', '.join(unknown)}.  ")
        never = {name[1:] for name in names if name.startswith("!")}
        return {name for name in names if not name.startswith("!")}, never

    def _of_provider(self, view: Callable[[int], dict[str, Any]]) -> Callable[[web.Request], Any]:
        async def handler(request: web.Request) -> web.Response:
            return self._fresh(view(self._row(request)) | {"resource_provider_generation": 2})

        return handler

    def _inventories(self, row: int) -> dict[str, Any]:
        kind = self._cloud.host_type(row)
        sizes = {
            "VCPU": (kind.vcpus, kind.reserved_vcpus, kind.cpu_ratio),
            "MEMORY_MB": (kind.memory_mib, kind.reserved_memory_mib, kind.memory_ratio),
            "DISK_GB": (kind.disk_gib, kind.reserved_disk_gib, kind.disk_ratio),
        }
        return {
            "inventories": {
                name: {
                    "total": total, "reserved": reserved, "min_unit": 1, "max_unit": total, "step_size": 1,
                    "allocation_ratio": ratio,
                }
                for name, (total, reserved, ratio) in sizes.items()
            }
        }  # fmt: skip

    def _usages(self, row: int) -> dict[str, Any]:
        used = scheduling.host_usage(self._cloud.world, self._cloud.orders.claims, row)
        return {"usages": dict(zip(CLASSES, used, strict=True))}

    def _own_traits(self, row: int) -> dict[str, Any]:
        return {"traits": sorted(self._traits_of(row))}

    def _aggregates(self, row: int) -> dict[str, Any]:
        return {"aggregates": self._cloud.aggregate_ids(row)}

    def _allocations(self, row: int) -> dict[str, Any]:
        held = {server.id: server for server in self._cloud.world.servers_on(row)}
        held |= {uuid: server for at, server, uuid in self._claims() if at == row}
        return {
            "allocations": {consumer: {"resources": _resources(s.flavor), **_CONSUMER} for consumer, s in held.items()}
        }

    def _claims(self) -> list[tuple[int, Any, str]]:
        return [(row, server, uuid) for uuid, row, server in self._cloud.orders.claims.rows()]

    def _traits_of(self, row: int) -> frozenset[str]:
        service = self._cloud.world.services[row]
        off = frozenset() if service.enabled else frozenset({"COMPUTE_STATUS_DISABLED"})
        return self._cloud.world.traits[row] | {"COMPUTE_NODE", "OWNER_NOVA"} | off

    def _summary(self, provider: str, row: int, used: tuple[int, int, int]) -> dict[str, Any]:
        sizes = self._cloud.world.capacity[row]
        return {
            "resources": {n: {"capacity": int(sizes[k]), "used": used[k]} for k, n in enumerate(CLASSES)},
            "traits": sorted(self._traits_of(row)), "parent_provider_uuid": None, "root_provider_uuid": provider,
        }  # fmt: skip

    def _provider(self, provider: str, name: str) -> dict[str, Any]:
        parts = ("inventories", "usages", "aggregates", "traits", "allocations")
        path = f"/resource_providers/{provider}"
        links = [{"rel": "self", "href": path}, *({"rel": part, "href": f"{path}/{part}"} for part in parts)]
        return {
            "uuid": provider, "name": name, "generation": 2, "links": links, "parent_provider_uuid": None,
            "root_provider_uuid": provider,
        }  # fmt: skip

    def _row(self, request: web.Request) -> int:
        provider = request.match_info["id"]
        if provider not in self._rows:
            again = f"No resource provider with uuid {provider} found"
            raise RefusalError(404, f"{_MISSING}{again} : {again}  ")
        return self._rows[provider]

    def _fresh(self, body: dict[str, Any]) -> web.Response:
        stamp = formatdate(self._cloud.world.now, usegmt=True)
        return wire.answer(body, 200, {"Last-Modified": stamp, "Cache-Control": "no-cache"})


def _resources(flavor: Any) -> dict[str, int]:
    return {"VCPU": flavor.vcpus, "MEMORY_MB": flavor.memory_mib, "DISK_GB": flavor.disk_gib}


_CONSUMER = {"consumer_generation": 1, "consumer_type": "INSTANCE"}
_STANDARD = frozenset({"COMPUTE_NODE", "OWNER_NOVA", "COMPUTE_STATUS_DISABLED", "COMPUTE_TRUSTED_CERTS"})
