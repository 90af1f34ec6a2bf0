"""What all services share: the world, its orders, the tokens, and the troubles that tests ask for."""

import secrets
from dataclasses import dataclass, field

from controller.twin.machines import Server
from controller.twin.orders import Orders, RefusalError
from controller.twin.world import World, named_id
from inventory.model import Flavor, HostType

PREFIXES = {
    "identity": "/identity", "compute": "/compute", "placement": "/placement", "network": "/networking",
    "image": "/image",
}  # fmt: skip
REGION = "RegionOne"


@dataclass(slots=True, kw_only=True)
class Token:
    """Who holds it and until when (seconds since the epoch). `methods` is `password` or `token`."""

    issued: float
    expires: float
    project: str | None


class Tokens:
    """The tokens given out, until they expire."""

    def __init__(self) -> None:
        self._held: dict[str, Token] = {}

    def issue(self, now: float, lifetime: float, project: str | None) -> tuple[str, Token]:
        """A new token and its secret."""
        secret = "gAAAAA" + secrets.token_urlsafe(96)
        token = Token(issued=now, expires=now + lifetime, project=project)
        self._held[secret] = token
        return secret, token

    def valid(self, secret: str | None, now: float) -> Token | None:
        """The token, if there is one that has not expired."""
        token = self._held.get(secret or "")
        if token is None or token.expires <= now:
            self._held.pop(secret or "", None)
            return None
        return token

    def expire_all(self) -> None:
        """Every token given out so far is worth nothing from now on."""
        self._held.clear()


@dataclass(slots=True, kw_only=True)
class Trouble:
    """What befalls API calls: an error `status`, a `delay_s` before the answer, or a `reset` of the connection.

    It strikes calls of `service` whose method and path match, `times` of them (None: until it is lifted). With
    `after`, the call is carried out before its answer is lost.
    """

    service: str
    method: str | None = None
    path: str = ""
    status: int | None = None
    delay_s: float = 0.0
    reset: bool = False
    after: bool = False
    retry_after_s: float | None = None
    times: int | None = None


@dataclass(slots=True, kw_only=True)
class Cloud:
    """One OpenStack. `base_url` is where it is reached; the password is its administrator's.

    `image_properties` are those of the one image that its servers are made from.
    """

    world: World
    orders: Orders
    base_url: str
    password: str
    tokens: Tokens = field(default_factory=Tokens)
    troubles: list[Trouble] = field(default_factory=list)
    image_properties: dict[str, str] = field(default_factory=dict)

    def url(self, service: str, path: str = "") -> str:
        """The address of a service's resource."""
        return f"{self.base_url}{PREFIXES[service]}{path}"

    def server(self, server_id: str) -> Server:
        """A server. Raises RefusalError (404)."""
        server = self.world.servers.get(server_id)
        if server is None:
            raise RefusalError(404, f"Instance {server_id} could not be found.")
        return server

    def host_type(self, row: int) -> HostType:
        """The type of a host."""
        estate = self.world.estate
        return estate.host_types[estate.hosts[self.world.topology.hosts[row]].type]

    def zone_of(self, row: int) -> str:
        """The availability zone of a host: its aggregate's, or Nova's own default."""
        name = self.world.topology.hosts[row]
        zones = (a.availability_zone for a in self.world.estate.aggregates.values() if name in a.hosts)
        return next((zone for zone in zones if zone is not None), "nova")

    def aggregate_ids(self, row: int) -> list[str]:
        """The uuids of a host's aggregates."""
        name = self.world.topology.hosts[row]
        return [named_id("aggregate", a.name) for a in self.world.estate.aggregates.values() if name in a.hosts]

    def flavor_id(self, flavor: Flavor) -> str:
        """Nova's id of a flavor."""
        return named_id("flavor", flavor.name)
