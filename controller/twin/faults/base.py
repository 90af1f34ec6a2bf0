"""What every fault has, and how it finds what it names."""

from abc import abstractmethod

from pydantic import BaseModel, ConfigDict

from controller.errors import InputError
from controller.twin.machines import Server
from controller.twin.openstack.cloud import Cloud


class Fault(BaseModel):
    """One misfortune. `fault` names its kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @abstractmethod
    def befall(self, cloud: Cloud) -> None:
        """Makes it so. Raises InputError where it names what the twin does not have."""

    def lift(self, cloud: Cloud) -> None:
        """Makes it as it was, as far as that can be."""


def host_row(cloud: Cloud, name: str) -> int:
    """The row of a host. Raises InputError."""
    try:
        return cloud.world.topology.host_row(name)
    except KeyError as error:
        raise InputError(f"there is no host {name!r}") from error


def feed_row(cloud: Cloud, name: str) -> int:
    """The row of a feed. Raises InputError."""
    try:
        return cloud.world.topology.feed_row(name)
    except KeyError as error:
        raise InputError(f"there is no feed {name!r}") from error


def rack_row(cloud: Cloud, name: str) -> int:
    """The row of a rack. Raises InputError."""
    try:
        return cloud.world.topology.rack_row(name)
    except KeyError as error:
        raise InputError(f"there is no rack {name!r}") from error


def require_device(cloud: Cloud, name: str) -> None:
    """Makes sure that there is such a host, PDU or device. Raises InputError."""
    estate = cloud.world.estate
    if name not in estate.hosts and name not in estate.pdus and name not in estate.devices:
        raise InputError(f"there is no host, PDU or device {name!r}")


def require_switch(cloud: Cloud, name: str) -> None:
    """Makes sure that there is such a switch with uplinks. Raises InputError."""
    if not cloud.world.uplinks.of_switch(name):
        raise InputError(f"there is no switch {name!r} with uplinks")


def server(cloud: Cloud, name: str) -> Server:
    """A server by id or name. Raises InputError."""
    if name in cloud.world.servers:
        return cloud.world.servers[name]
    for server in cloud.world.servers.values():
        if server.name == name:
            return server
    raise InputError(f"there is no VM {name!r}")
