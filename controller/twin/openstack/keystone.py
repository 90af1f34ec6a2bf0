"""Keystone v3: discovery, password and token authentication, the catalog, and projects."""

import uuid
from typing import Any

from aiohttp import web

from controller.twin.openstack import wire
from controller.twin.openstack.cloud import REGION, Cloud, Token
from controller.twin.orders import RefusalError
from controller.twin.world import named_id

ADMIN_PROJECT = "admin"
ADMIN_USER = "admin"
_DOMAIN = {"id": "default", "name": "Default"}
_CATALOG = {
    "identity": ("keystone", "/v3"),
    "compute": ("nova", "/v2.1"),
    "placement": ("placement", ""),
    "network": ("neutron", ""),
    "image": ("glance", ""),
}


class Keystone:
    """The handlers of `/identity`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.admin_project_id = _hex("project", ADMIN_PROJECT)
        self._user_id = _hex("user", ADMIN_USER)

    def routes(self) -> list[web.RouteDef]:
        root = "/identity"
        return [
            web.get(root, self.versions),
            web.get(f"{root}/", self.versions),
            web.get(f"{root}/v3", self.version),
            web.get(f"{root}/v3/", self.version),
            web.post(f"{root}/v3/auth/tokens", self.issue),
            web.get(f"{root}/v3/auth/tokens", self.show),
            web.get(f"{root}/v3/projects", self.projects),
            web.get(f"{root}/v3/projects/{{id}}", self.project),
            web.get(f"{root}/v3/domains", self.domains),
        ]

    async def versions(self, request: web.Request) -> web.Response:
        body = {"versions": {"values": [self._version()]}}
        return wire.answer(body, 300, {"Location": self._cloud.url("identity", "/v3/")})

    async def version(self, request: web.Request) -> web.Response:
        return wire.answer({"version": self._version()})

    async def issue(self, request: web.Request) -> web.Response:
        """Authenticates by password, or by a token that is still good."""
        given = (await wire.body_of(request)).get("auth", {})
        self._authenticate(given.get("identity", {}))
        project = self._scope(given.get("scope"))
        cloud = self._cloud
        secret, token = cloud.tokens.issue(cloud.world.now, cloud.world.nature.token_seconds, project)
        return wire.answer({"token": self._token(token)}, 201, {"X-Subject-Token": secret})

    async def show(self, request: web.Request) -> web.Response:
        """Validates the token named by X-Subject-Token."""
        secret = request.headers.get("X-Subject-Token", "")
        token = self._cloud.tokens.valid(secret, self._cloud.world.now)
        if token is None:
            raise RefusalError(404, "This is not a recognized Fernet token")
        return wire.answer({"token": self._token(token)}, 200, {"X-Subject-Token": secret})

    async def projects(self, request: web.Request) -> web.Response:
        """By id, `wire.MAX_LIMIT` at most; who names a limit is told of the rest, and nobody else (Keystone 27)."""
        rows = [self._project(each_id, name) for each_id, name in self._all_projects().items()]
        if (name := request.query.get("name")) is not None:
            rows = [row for row in rows if row["name"] == name]
        rows.sort(key=lambda row: str(row["id"]))
        here = self._cloud.url("identity", "/v3/projects")
        chosen, more = wire.page(request, rows, [row["id"] for row in rows], "projects", here)
        told = more if "limit" in request.query else {}
        following = told["projects_links"][0]["href"] if told else None
        body = {"projects": chosen, "links": {"next": following, "self": here, "previous": None}}
        return wire.answer({**body, "truncated": True} if following else body)

    async def project(self, request: web.Request) -> web.Response:
        project_id = request.match_info["id"]
        names = self._all_projects()
        if project_id not in names:
            raise RefusalError(404, f"Could not find project: {project_id}.")
        return wire.answer({"project": self._project(project_id, names[project_id])})

    async def domains(self, request: web.Request) -> web.Response:
        row = {**_DOMAIN, "description": "The default domain", "enabled": True, "tags": [], "options": {}}
        here = self._cloud.url("identity", "/v3/domains")
        return wire.answer({"domains": [row], "links": {"next": None, "self": here, "previous": None}})

    def _authenticate(self, identity: dict[str, Any]) -> None:
        methods = identity.get("methods", [])
        if "token" in methods:
            secret = identity.get("token", {}).get("id")
            known = self._cloud.tokens.valid(secret, self._cloud.world.now) is not None
        else:
            user = identity.get("password", {}).get("user", {})
            named = user.get("name") == ADMIN_USER or user.get("id") == self._user_id
            known = "password" in methods and named and user.get("password") == self._cloud.password
        if not known:
            raise RefusalError(401, "The request you have made requires authentication.")

    def _scope(self, scope: Any) -> str | None:
        """The project's id; None for an unscoped token or one of the system."""
        asked = scope.get("project") if isinstance(scope, dict) else None
        if asked is None:
            return None
        names = self._all_projects()
        by_name = {name: each_id for each_id, name in names.items()}
        project = asked.get("id") or by_name.get(asked.get("name", ""), "")
        if project not in names:
            raise RefusalError(401, "The request you have made requires authentication.")
        return str(project)

    def _all_projects(self) -> dict[str, str]:
        own = {self.admin_project_id: ADMIN_PROJECT, _hex("project", "service"): "service"}
        return own | {project.id: project.name for project in self._cloud.world.projects.values()}

    def _project(self, project_id: str, name: str) -> dict[str, Any]:
        return {
            "id": project_id, "name": name, "domain_id": "default", "description": "", "enabled": True,
            "parent_id": "default", "is_domain": False, "tags": [], "options": {},
            "links": {"self": self._cloud.url("identity", f"/v3/projects/{project_id}")},
        }  # fmt: skip

    def _token(self, token: Token) -> dict[str, Any]:
        body: dict[str, Any] = {
            "methods": ["password"],
            "user": {"domain": _DOMAIN, "id": self._user_id, "name": ADMIN_USER, "password_expires_at": None},
            "audit_ids": [uuid.uuid4().hex[:22]],
            "expires_at": wire.micro(token.expires) + "Z",
            "issued_at": wire.micro(token.issued) + "Z",
        }
        if token.project is None:
            return body
        name = self._all_projects()[token.project]
        return body | {
            "project": {"domain": _DOMAIN, "id": token.project, "name": name},
            "is_domain": False,
            "roles": [{"id": _hex("role", role), "name": role} for role in ("reader", "manager", "admin", "member")],
            "catalog": [self._entry(kind, *named) for kind, named in _CATALOG.items()],
        }

    def _entry(self, kind: str, name: str, path: str) -> dict[str, Any]:
        endpoints = [
            {
                "id": _hex("endpoint", kind, interface), "interface": interface, "region_id": REGION,
                "url": self._cloud.url(kind, path), "region": REGION,
            }
            for interface in ("internal", "public", "admin")
        ]  # fmt: skip
        return {"endpoints": endpoints, "id": _hex("service", kind), "type": kind, "name": name}

    def _version(self) -> dict[str, Any]:
        return {
            "id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
            "links": [{"rel": "self", "href": self._cloud.url("identity", "/v3/")}],
            "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
        }  # fmt: skip


def _hex(*parts: str) -> str:
    return uuid.UUID(named_id("keystone", *parts)).hex
