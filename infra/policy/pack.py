"""The rules as Pulumi's policies: the one module that knows the policy SDK.

Pulumi shows a resource's inputs and options before it is made (`Analyze`), and the resources' outputs and what they are
made from at the end (`AnalyzeStack`). A rule of the stack needs both, so the inputs are kept from the one to the other.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pulumi_policy as sdk
from pulumi_policy import proxy
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY, serialize_properties

from infra.policy.declared import UNKNOWN, Resource, Stack
from infra.policy.rule import ResourceRule, StackRule
from infra.policy.rules import secret_inputs

_UNKNOWN_ON_THE_WIRE = frozenset(value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_"))


class Pack:
    """The policies of one run, and what the run has declared so far."""

    def __init__(self) -> None:
        self._seen: dict[str, Resource] = {}

    def policies(self, resource_rules: Iterable[ResourceRule], stack_rules: Iterable[StackRule]) -> list[sdk.Policy]:
        """Every rule as a policy; the first, which Pulumi asks before the others, only keeps the inputs."""
        keep = sdk.ResourceValidationPolicy(
            "inputs-are-kept", "Keeps the inputs for the rules of the stack.", self._keep
        )
        return [
            keep,
            SecretInputs(),
            *(self._resource_policy(rule) for rule in resource_rules),
            *(self._stack_policy(rule) for rule in stack_rules),
        ]

    def _keep(self, args: sdk.ResourceValidationArgs, _: sdk.ReportViolation) -> None:
        self._seen[args.urn] = declared(args)

    def _resource_policy(self, rule: ResourceRule) -> sdk.Policy:
        def validate(args: sdk.ResourceValidationArgs, report: sdk.ReportViolation) -> None:
            if args.resource_type in rule.kinds:
                for what in rule.broken(self._seen[args.urn]):
                    report(what, None)

        level = sdk.EnforcementLevel.ADVISORY if rule.advisory else sdk.EnforcementLevel.MANDATORY
        return sdk.ResourceValidationPolicy(rule.name, rule.description, validate, level)

    def _stack_policy(self, rule: StackRule) -> sdk.Policy:
        def validate(args: sdk.StackValidationArgs, report: sdk.ReportViolation) -> None:
            for violation in rule.broken(self._stack(args.resources)):
                report(violation.what, violation.urn)

        return sdk.StackValidationPolicy(rule.name, rule.description, validate, sdk.EnforcementLevel.MANDATORY)

    def _stack(self, resources: Iterable[sdk.PolicyResource]) -> Stack:
        return Stack(resources={each.urn: self._standing(each) for each in resources})

    def _standing(self, resource: sdk.PolicyResource) -> Resource:
        """A resource as it is declared, with its id and references; as it stood, if this run leaves it alone."""
        kept = self._seen.get(resource.urn)
        return Resource(
            kind=resource.resource_type,
            urn=resource.urn,
            inputs=plain(resource.props) if kept is None else kept.inputs,
            references={key: tuple(each.urn for each in made) for key, made in resource.property_dependencies.items()},
            identity=_identity(resource.props),
            provider=resource.provider.urn if resource.provider else "",
            ignored_changes=frozenset(resource.opts.ignore_changes),
            protect=resource.opts.protect,
        )


class SecretInputs(sdk.ResourceValidationPolicy):
    """Refuses secret inputs in clear. What the remediation step sees, right before the validation, decides."""

    def __init__(self) -> None:
        super().__init__(
            secret_inputs.NAME, secret_inputs.DESCRIPTION, enforcement_level=sdk.EnforcementLevel.REMEDIATE
        )
        self._in_clear: dict[str, tuple[str, ...]] = {}

    def remediate(self, args: sdk.ResourceValidationArgs) -> None:
        """Changes nothing; looks at the marks. What is not known yet is judged once it is, before it is used."""
        marked = {key: _is_marked(value) for key, value in serialize_properties(args.props).items()}
        self._in_clear[args.urn] = secret_inputs.in_clear(args.resource_type, marked)

    def validate(self, args: sdk.ResourceValidationArgs, report_violation: sdk.ReportViolation) -> None:
        """Reports the inputs found in clear, never their values."""
        for key in self._in_clear.pop(args.urn, ()):
            report_violation(f"{key} is not marked secret (pulumi.Output.secret)", None)


def declared(args: sdk.ResourceValidationArgs) -> Resource:
    """A resource before it is made."""
    return Resource(
        kind=args.resource_type,
        urn=args.urn,
        inputs=plain(args.props),
        provider=args.provider.urn if args.provider else "",
        ignored_changes=frozenset(args.opts.ignore_changes),
        protect=args.opts.protect,
    )


def plain(value: Any) -> Any:
    """A value of the SDK as plain dicts and lists, whole numbers as integers, what is not known as `UNKNOWN`."""
    if isinstance(value, Mapping):
        return {key: _item(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_item(value, index) for index in range(len(value))]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _item(holder: Any, key: Any) -> Any:
    try:
        return plain(holder[key])
    except proxy.UnknownValueError:
        return UNKNOWN


def _identity(outputs: Any) -> str:
    try:
        identity = outputs["id"]
    except (KeyError, proxy.UnknownValueError):
        return ""
    return identity if isinstance(identity, str) else ""


def _is_marked(value: Any) -> bool:
    if isinstance(value, Mapping):
        return value.get(SPECIAL_SIG_KEY) == SPECIAL_SECRET_SIG
    return value is None or (isinstance(value, str) and value in _UNKNOWN_ON_THE_WIRE)
