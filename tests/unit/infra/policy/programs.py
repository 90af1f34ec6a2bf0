"""Programs run against Pulumi's mocks, and judged as Pulumi would have the pack judge them."""

import asyncio
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_policy as sdk
from google.protobuf import json_format
from pulumi.runtime import mocks, rpc, stack
from pulumi.runtime.proto import resource_pb2
from pulumi_policy.deserialize import deserialize_properties
from pulumi_policy.proxy import unknown_checking_proxy

from infra import naming
from infra.policy import every, kinds
from infra.policy.pack import Pack
from tests.unit.infra import shallow

REFERENCE = "pulumi:pulumi:StackReference"


@dataclass(slots=True, kw_only=True)
class Cloud(mocks.Mocks):
    """Once it is up, every resource has an id and a subnet its range; a credential is one of its provider's project.

    `told` are the outputs of other stacks, by the last part of their names.
    """

    preview: bool
    told: Mapping[str, Mapping[str, Any]]
    projects: dict[str, Any] = field(default_factory=dict)
    subnets: int = 0

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        if args.typ == REFERENCE:
            return args.name, {"name": args.name, "outputs": self.told[args.name.rpartition("/")[2]]}
        if args.typ == kinds.PROVIDER:
            self.projects[args.name] = args.inputs.get("tenantId")
        outputs = dict(args.inputs)
        if args.typ == kinds.APPLICATION_CREDENTIAL:
            provider = str(args.provider).rpartition("::")[0].rpartition("::")[2]
            outputs |= {"projectId": self.projects[provider], "secret": "s"}
        if args.typ == kinds.SUBNET and not self.preview:
            self.subnets += 1
            outputs.setdefault("cidr", f"10.250.{self.subnets}.0/26")
        made_now = args.custom and not self.preview
        return f"{args.typ.rpartition(':')[2]}-{args.name}" if made_now else "", outputs

    def call(self, args: mocks.MockCallArgs) -> dict[Any, Any]:
        return {"outputs": dict(self.told[args.args["name"].rpartition("/")[2]])}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What the engine was asked for, and the URN and id that it gave."""

    urn: str
    identity: str
    request: resource_pb2.RegisterResourceRequest


class Monitor(mocks.MockMonitor):
    """Keeps every request whole: inputs with their marks, options, and what each input is made from."""

    def __init__(self, stack_name: str, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.stack_name = stack_name
        self.registered: list[Registered] = []

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Pulumi's own asks its thread's settings for the stack, and there are none in the mocks' thread."""
        urn = super().make_urn(parent, type_, name)
        return "::".join([f"urn:pulumi:{self.stack_name}", naming.PROJECT, *urn.split("::")[2:]])

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> Any:
        response = super().RegisterResource(request)
        self.registered.append(Registered(urn=response.urn, identity=response.id, request=request))
        return response


def run(
    stack_name: str, program: Callable[[], None], *, told: Mapping[str, Mapping[str, Any]], preview: bool = False
) -> list[Registered]:
    """What a program asks the engine for, run to its end; in a preview no id is known."""
    monitor = Monitor(stack_name, Cloud(preview=preview, told=told))
    shallow.run(functools.partial(_run, monitor, program, preview=preview))
    return monitor.registered


def _run(monitor: Monitor, program: Callable[[], None], *, preview: bool) -> None:
    with _loop() as loop:
        mocks.set_mocks(monitor.mocks, naming.PROJECT, monitor.stack_name, preview=preview, monitor=monitor)
        root = pulumi.runtime.get_root_resource()
        assert root is not None
        root._transformations = []  # Pulumi's mocks keep the stack of the program before
        loop.run_until_complete(stack.run_pulumi_func(program))


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop; and one for the thread of Pulumi's mocks, which else make one there that nobody closes."""
    loop, of_thread = asyncio.new_event_loop(), asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with ThreadPoolExecutor(1) as thread:
        loop.set_default_executor(thread)
        thread.submit(asyncio.set_event_loop, of_thread).result()
        try:
            yield loop
        finally:
            asyncio.set_event_loop(None)
            loop.close()
    of_thread.close()


def reports(registered: Sequence[Registered]) -> list[str]:
    """Everything the pack reports, mandatory or not, each as `policy: resource: sentence`."""
    policies = Pack().policies(every.RESOURCE_RULES, every.STACK_RULES)
    said: list[str] = []
    for each in registered:
        marked, shown = _arguments(each, marked=True), _arguments(each, marked=False)
        for policy in policies:
            if isinstance(policy, sdk.ResourceValidationPolicy):
                if policy.enforcement_level is sdk.EnforcementLevel.REMEDIATE:
                    policy.remediate(marked)
                policy.validate(shown, _reporter(policy, said, each.urn))
    held = [_resource(each) for each in registered]
    by_urn = {each.urn: each for each in held}
    for each, resource in zip(registered, held, strict=True):
        for key, made_from in each.request.propertyDependencies.items():
            resource.property_dependencies[key] = [by_urn[urn] for urn in made_from.urns if urn in by_urn]
    for policy in policies:
        if isinstance(policy, sdk.StackValidationPolicy):
            policy.validate(sdk.StackValidationArgs(held), _reporter(policy, said))
    return said


def _arguments(each: Registered, *, marked: bool) -> sdk.ResourceValidationArgs:
    inputs = unknown_checking_proxy(deserialize_properties(json_format.MessageToDict(each.request.object), marked))
    kind, name = each.request.type, each.request.name
    return sdk.ResourceValidationArgs(kind, inputs, each.urn, name, _options(each), _provider(each))


def _reporter(policy: sdk.Policy, said: list[str], of: str = "") -> sdk.ReportViolation:
    def report(what: str, urn: str | None = None) -> None:
        said.append(f"{policy.name}: {(of or urn or '').rpartition('::')[2]}: {what}")

    return report


def _resource(each: Registered) -> sdk.PolicyResource:
    outputs = {**json_format.MessageToDict(each.request.object), "id": each.identity or rpc.UNKNOWN}
    props = unknown_checking_proxy(deserialize_properties(outputs))
    request = each.request
    return sdk.PolicyResource(
        request.type, props, each.urn, request.name, _options(each), _provider(each), None, [], {}
    )


def _options(each: Registered) -> sdk.PolicyResourceOptions:
    timeouts = sdk.PolicyCustomTimeouts(0, 0, 0)
    ignored = list(each.request.ignoreChanges)
    return sdk.PolicyResourceOptions(each.request.protect, ignored, None, [], timeouts, [], each.request.parent)


def _provider(each: Registered) -> sdk.PolicyProviderResource | None:
    urn = each.request.provider.rpartition("::")[0]
    return sdk.PolicyProviderResource(kinds.PROVIDER, {}, urn, urn.rpartition("::")[2]) if urn else None
