"""An agency's program against Pulumi's mocks: things land in the project that their provider is logged in to."""

import functools
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime import mocks

from infra import naming, program
from infra.config import Stack, StackConfig
from infra.foundation import exports
from inventory.model import Classification, Estate
from tests.unit.infra.foundation import engine

SEED = "ab" * 32
TODAY = date(2026, 3, 1)
ADMINISTRATOR = "the project of who runs Pulumi"
CREDENTIAL = "ApplicationCredential"

_COMPONENTS = "gdcc:"
_REFERENCE = "pulumi:pulumi:StackReference"


class EngineError(grpc.RpcError):
    """How a refusal of Pulumi's engine reaches its SDK."""

    def __init__(self, details: str) -> None:
        super().__init__(details)
        self._details = details

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return self._details


@dataclass(slots=True, kw_only=True)
class Cloud(engine.Engine):
    """The foundation is up but for `missing`. `stacks` are other stacks' outputs by full name; any other is unknown.

    `refusal`: what the engine says when it cannot read other stacks, `refusals` times or always. `overridden`: the
    environment makes every provider log in as the administrator, as OS_CLOUD does. `rangeless`: Neutron tells no
    subnet's range.
    """

    estate: Estate
    stacks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    refusal: str | None = None
    refusals: int | None = None
    overridden: bool = False
    rangeless: bool = False
    subnets: dict[str, Any] = field(default_factory=dict)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        if args.typ == _REFERENCE:
            outputs = {key: value for key, value in foundation(self.estate).items() if key not in self.missing}
            return args.name, {"name": args.name, "outputs": outputs, "secretOutputNames": []}
        identity, outputs = engine.Engine.new_resource(self, args)
        if args.typ.endswith(f":{CREDENTIAL}"):
            outputs |= {"projectId": self.project_of(args), "secret": f"secret of {args.name}"}
        if args.typ.endswith(":Subnet"):
            outputs.setdefault("cidr", "" if self.rangeless else self._taken_from_the_pool(args.name))
        return identity, outputs

    def _taken_from_the_pool(self, system: str) -> str:
        """The next free range of the pool of the system's agency, as Neutron gives it."""
        declared = self.estate.systems[system]
        pool = ipaddress.ip_network(str(self.estate.agencies[declared.agency].pool))
        free = (
            each
            for each in pool.subnets(new_prefix=declared.subnet_prefix)
            if not any(each.overlaps(other) for other in self.subnets.values())
        )
        self.subnets[system] = next(free)
        return str(self.subnets[system])

    def call(self, args: mocks.MockCallArgs) -> Any:
        assert args.token == "pulumi:pulumi:readStackOutputs", f"the program looks up {args.token}"
        name = args.args["name"]
        if self.refusal is not None and self.refusals != 0:
            self.refusals = None if self.refusals is None else self.refusals - 1
            raise EngineError(self.refusal)
        if name not in self.stacks:
            raise EngineError(f'invocation of {args.token} returned an error: unknown stack "{name}"')
        return {"name": name, "outputs": dict(self.stacks[name]), "secretOutputNames": []}

    def of(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Inputs by resource name of every resource of a kind of the cloud, such as `Flavor`; components are none."""
        return {
            each.name: each.inputs
            for each in self.resources
            if each.typ.endswith(f":{kind}") and not each.typ.startswith(_COMPONENTS)
        }

    def project_of(self, args: mocks.MockResourceArgs) -> str:
        """The project that a resource without a project of its own lands in."""
        provider = (args.provider or "").rpartition("::")[0].rpartition("::")[2]
        logins = self.of("openstack")
        return ADMINISTRATOR if self.overridden or provider not in logins else str(logins[provider]["tenantId"])


def foundation(estate: Estate) -> dict[str, Any]:
    """The outputs of a foundation's stack that is up."""
    return {
        exports.FLAVOR_IDS: {name: f"flavor {name}" for name in estate.flavors},
        exports.VOLUME_TYPE_IDS: {name: f"type {name}" for name in estate.volume_types},
        exports.ROLE_IDS: {"member": "id of member", "reader": "id of reader", "admin": "id of admin"},
        exports.EXTERNAL_NETWORK_IDS: {level.name.lower(): f"external {level.name}" for level in Classification},
        exports.ADDRESS_SCOPE_ID: "scope",
    }


def settings(agency: str, **changed: Any) -> StackConfig:
    """A complete configuration of an agency's stack."""
    given: dict[str, Any] = {
        "stack": Stack(name=naming.agency_stack(agency), agency=agency),
        "estate": Path(),
        "seed": SEED,
        "credentials_from": date(2026, 1, 1),
        **changed,
    }
    return StackConfig(**given)


def declared(estate: Estate, agency: str, **cloud: Any) -> Cloud:
    """What the agency's program declares, run to its end in such a cloud."""
    made = Cloud(estate=estate, **cloud)
    run(made, agency)
    return made


def run(cloud: Cloud, agency: str, monitor: mocks.MockMonitor | None = None) -> None:
    """Runs the agency's program to its end in that cloud."""
    given, settled = cloud.estate.agencies[agency], settings(agency)
    build = functools.partial(program.declare, cloud.estate, given, settled, TODAY)
    engine.declared(naming.agency_stack(agency), build, cloud, monitor)
