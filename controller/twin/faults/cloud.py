"""Faults of the cloud: its API, its tokens, its migrations, and what owners do to their VMs."""

from typing import Annotated, Literal

from pydantic import Field

from controller.twin.copying import Mode
from controller.twin.faults import base
from controller.twin.machines import VM_STATES
from controller.twin.openstack.cloud import Cloud, Trouble
from controller.twin.orders import Mishap


class MigrationFault(base.Fault):
    """What befalls the next `times` migrations of a VM, or of any VM."""

    fault: Literal["migration"]
    mode: Mode
    vm: str | None = None
    times: Annotated[int, Field(ge=1)] = 1

    def befall(self, cloud: Cloud) -> None:
        server_id = None if self.vm is None else base.server(cloud, self.vm).id
        cloud.orders.mishaps.append(Mishap(mode=self.mode, server_id=server_id, times=self.times))

    def lift(self, cloud: Cloud) -> None:
        server_id = None if self.vm is None else base.server(cloud, self.vm).id
        keep = [m for m in cloud.orders.mishaps if (m.mode, m.server_id) != (self.mode, server_id)]
        cloud.orders.mishaps[:] = keep


class ApiFault(base.Fault):
    """Calls of a service fail: with `status`, only after `delay` seconds, or by a `reset` connection.

    `path` is a regular expression that the path must contain. With `after`, the call is carried out and only its answer
    is lost. `times`: that many calls, all until it is lifted where it is not given.
    """

    fault: Literal["api"]
    service: Literal["identity", "compute", "placement", "network", "any"]
    method: Literal["GET", "POST", "PUT", "DELETE"] | None = None
    path: str = ""
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    delay: Annotated[float, Field(ge=0)] = 0.0
    reset: bool = False
    after: bool = False
    retry_after: float | None = None
    times: Annotated[int, Field(ge=1)] | None = None

    def befall(self, cloud: Cloud) -> None:
        cloud.troubles.append(self._trouble())

    def lift(self, cloud: Cloud) -> None:
        mine = self._trouble()
        cloud.troubles[:] = [
            t for t in cloud.troubles if (t.service, t.path, t.status) != (mine.service, mine.path, mine.status)
        ]

    def _trouble(self) -> Trouble:
        return Trouble(
            service=self.service, method=self.method, path=self.path, status=self.status, delay_s=self.delay,
            reset=self.reset, after=self.after, retry_after_s=self.retry_after, times=self.times,
        )  # fmt: skip


class TokenExpiry(base.Fault):
    """Every Keystone token given out so far is worth nothing any more."""

    fault: Literal["token_expiry"]

    def befall(self, cloud: Cloud) -> None:
        cloud.tokens.expire_all()


class VmState(base.Fault):
    """A VM is in another state, as its owner or a crash would have it; `locked` locks or unlocks it."""

    fault: Literal["vm_state"]
    vm: str
    state: Literal["ACTIVE", "PAUSED", "SHUTOFF", "SUSPENDED", "RESCUE", "ERROR"] | None = None
    locked: bool | None = None

    def befall(self, cloud: Cloud) -> None:
        server = base.server(cloud, self.vm)
        if self.state is not None:
            server.vm_state = VM_STATES[self.state]
        if self.locked is not None:
            server.locked = self.locked
        cloud.world.touch(server)


class VmDeleted(base.Fault):
    """A VM is deleted by its owner."""

    fault: Literal["vm_deleted"]
    vm: str

    def befall(self, cloud: Cloud) -> None:
        server = base.server(cloud, self.vm)
        cloud.orders.forget(server)
        cloud.world.remove_server(server)
