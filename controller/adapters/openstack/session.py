"""One authentication, and for each service its endpoint and the microversions that were agreed with it."""

import os
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keystoneauth1 import exceptions as ksa
from keystoneauth1 import session as ksa_session
from keystoneauth1.exceptions import EndpointNotFound
from openstack import exceptions as sdk
from openstack import warnings as sdk_warnings
from openstack.config import OpenStackConfig

from controller.errors import InputError, PermanentError, TransientError

Version = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """The microversions of one service that this program was written for: the best, and the least it works with."""

    header: str
    best: Version
    least: Version


NEEDS: Mapping[str, Need] = {
    # 2.96 shows the zone a server asked for (pinned_availability_zone); all else that is used is there at 2.90
    "compute": Need(header="compute", best=(2, 96), least=(2, 90)),
    # 1.31 limits allocation candidates to one provider (in_tree); forbidden traits are there since 1.22
    "placement": Need(header="placement", best=(1, 31), least=(1, 31)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a service answers. `version` is the agreed microversion, None where the service has none."""

    service: str
    url: str
    version: Version | None

    def headers(self, version: Version | None = None) -> dict[str, str]:
        """The microversion header, for `version` where a call asks for another than the agreed one."""
        asked = version or self.version
        if asked is None:
            return {}
        return {"OpenStack-API-Version": f"{NEEDS[self.service].header} {asked[0]}.{asked[1]}"}


def agreed(service: str, least: Version | None, most: Version | None) -> Version | None:
    """The version to speak with a service that offers `least` to `most`.

    Raises `PermanentError` where it is older than what is needed, `TransientError` where it did not say.
    """
    need = NEEDS.get(service)
    if need is None:
        return None
    if least is None or most is None:
        raise TransientError("its versions could not be discovered", where=service)
    if most < need.least or least > need.best:
        spoken = f"{least[0]}.{least[1]} to {most[0]}.{most[1]}"
        wanted = f"{need.least[0]}.{need.least[1]} to {need.best[0]}.{need.best[1]}"
        raise PermanentError(f"speaks microversions {spoken}, and {wanted} is needed", where=service)
    return min(need.best, most)


UNVERSIONED = frozenset({"object-store"})
"""Services of which nothing is discovered: their URL ends with the account of whoever asks, and tells no versions."""


class Connection:
    """A cloud's session. Nothing is sent before the first use; what was found is kept. Safe to use from threads."""

    def __init__(self, region: Any, *, connect_timeout_s: float, request_timeout_s: float) -> None:
        self._region = region
        self._timeout = (connect_timeout_s, request_timeout_s)
        self._lock = threading.Lock()
        self._endpoints: dict[str, Endpoint] = {}
        self._discoveries: dict[str, threading.Lock] = {}
        try:
            self._session = region.get_session()
        except (sdk.ConfigException, ksa.ClientException) as error:
            raise InputError(str(error), where="cloud", remedy="mend clouds.yaml or the OS_ variables") from error
        self._session.timeout = request_timeout_s

    @property
    def timeout(self) -> tuple[float, float]:
        """Seconds to connect, and seconds of silence in an answer."""
        return self._timeout

    @property
    def region(self) -> str | None:
        """The region that clouds.yaml or a variable names; None where none does."""
        name: str | None = self._region.region_name
        return name or None

    @property
    def session(self) -> Any:
        """The keystoneauth session for reads; it keeps connections open."""
        return self._session

    def fresh_session(self) -> Any:
        """A session on connections of its own: one kept open may have been closed, and then nobody knows what was sent.

        The caller closes it (`close`).
        """
        return ksa_session.Session(verify=self._session.verify, cert=self._session.cert)

    def auth_headers(self) -> dict[str, str]:
        """The token's header; authenticates where there is no valid token.

        Raises keystoneauth's exceptions.
        """
        headers: dict[str, str] = self._session.get_auth_headers() or {}
        return headers

    def project_id(self) -> str | None:
        """The project that it logs in to, None where it is none. Raises `TransientError`."""
        try:
            found: str | None = self._session.get_project_id()
        except ksa.ClientException as error:
            raise TransientError(str(error), where="cloud") from error
        return found

    def renew(self, refused: Mapping[str, str]) -> None:
        """Forgets the token that was refused, unless another thread has already fetched a new one."""
        with self._lock:
            if self._session.get_auth_headers() == refused:
                self._session.invalidate()

    def offers(self, service: str) -> bool:
        """Whether the catalog has this service."""
        try:
            return self._region.get_session_client(service).get_endpoint() is not None
        except EndpointNotFound:
            return False

    def endpoint(self, service: str) -> Endpoint:
        """Where `service` answers, discovered at the first call.

        Raises `PermanentError` where the catalog has none, and what `agreed` raises.
        """
        with self._lock:
            discovery = self._discoveries.setdefault(service, threading.Lock())
        with discovery:  # of its own: a service that does not answer holds up no other
            if service not in self._endpoints:
                self._endpoints[service] = self._discover(service)
            return self._endpoints[service]

    def _discover(self, service: str) -> Endpoint:
        client = self._region.get_session_client(service)
        if service in UNVERSIONED and (url := client.get_endpoint()):
            return Endpoint(service=service, url=url.rstrip("/"), version=None)
        data = client.get_endpoint_data()
        if data is None or not data.url:
            raise PermanentError("is not in the catalog of this cloud and region", where=service)
        version = agreed(service, data.min_microversion, data.max_microversion)
        return Endpoint(service=service, url=data.url.rstrip("/"), version=version)

    def close(self) -> None:
        """Closes the connections kept open."""
        if self._session.session is not None:
            self._session.session.close()


def open_connection(
    cloud_name: str | None,
    *,
    region: str | None = None,
    clouds_file: Path | None = None,
    connect_timeout_s: float = 5.0,
    request_timeout_s: float = 30.0,
) -> Connection:
    """The cloud of that name in clouds.yaml (`clouds_file`, or where openstacksdk looks), or that of the OS_ variables.

    Without a `region` it is the entry's; where that has several, that of OS_REGION_NAME.
    Raises `InputError` where there is none, its description is incomplete, or it has several regions and none is named.
    """
    try:
        with warnings.catch_warnings():
            # openstacksdk warns of its own default here (InfluxDB), whatever the configuration says
            warnings.simplefilter("ignore", sdk_warnings.RemovedInSDK60Warning)
            files = {"config_files": [str(clouds_file)]} if clouds_file is not None else {}
            config = OpenStackConfig(app_name="gdcc-control", **files)
            asked = {"cloud": cloud_name, "region_name": region or _of_several(config, cloud_name)}
            found = config.get_one(**{key: value for key, value in asked.items() if value is not None})
    except (sdk.ConfigException, ksa.ClientException) as error:
        where = f"cloud {cloud_name}" if cloud_name else "cloud"
        raise InputError(str(error), where=where, remedy="mend clouds.yaml or the OS_ variables") from error
    return Connection(found, connect_timeout_s=connect_timeout_s, request_timeout_s=request_timeout_s)


def _of_several(config: OpenStackConfig, cloud_name: str | None) -> str | None:
    """Which of an entry's several regions is meant: openstacksdk would take the first without a word. None where it has
    no several.
    """
    entry = config.cloud_config.get("clouds", {}).get(cloud_name) or {}
    names = [each["name"] if isinstance(each, dict) else str(each) for each in entry.get("regions") or ()]
    named = os.environ.get("OS_REGION_NAME")
    if len(names) > 1 and not named:
        remedy = "name one in cloud.region of the configuration, or OS_REGION_NAME"
        raise InputError(f"has the regions {', '.join(names)}", where=f"cloud {cloud_name}", remedy=remedy)
    return named if len(names) > 1 else None
