"""What Pulumi runs for `--policy-pack infra/policy`."""

from pulumi_policy import EnforcementLevel, PolicyPack

from infra.policy import every
from infra.policy.pack import Pack

PolicyPack(
    name="gdcc",
    policies=Pack().policies(every.RESOURCE_RULES, every.STACK_RULES),
    enforcement_level=EnforcementLevel.MANDATORY,
)
