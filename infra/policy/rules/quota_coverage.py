"""A project without a quota has the cloud's defaults, which nobody declared."""

from collections.abc import Iterator, Mapping

from infra.policy import kinds
from infra.policy.declared import Stack
from infra.policy.rule import StackRule, Violation

QUOTAS: Mapping[str, str] = {
    kinds.QUOTA_SET: "compute",
    kinds.VOLUME_QUOTA: "block storage",
    kinds.NETWORK_QUOTA: "network",
}


def broken(stack: Stack) -> Iterator[Violation]:
    """Projects that lack one of the three quotas; a domain holds nothing itself."""
    covered = {
        (project.urn, quota.kind)
        for quota in stack.of_kind(*QUOTAS)
        for project in stack.referred(quota, "projectId", kinds.PROJECT)
    }
    for project in stack.of_kind(kinds.PROJECT):
        missing = [title for kind, title in QUOTAS.items() if (project.urn, kind) not in covered]
        if missing and project.inputs.get("isDomain") is not True:
            yield Violation(urn=project.urn, what=f"no {' and no '.join(missing)} quota (declare one beside it)")


RULE = StackRule(
    name="quotas-for-every-project",
    description="Every project has a compute, a block storage and a network quota.",
    broken=broken,
)
