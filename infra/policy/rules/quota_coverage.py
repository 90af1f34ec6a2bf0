"""A project without a quota has the cloud's defaults, which nobody declared."""

from collections.abc import Iterator, Mapping

from infra import naming
from infra.policy import kinds
from infra.policy.declared import Stack, stack_name
from infra.policy.rule import StackRule, Violation

QUOTAS: Mapping[str, str] = {
    kinds.QUOTA_SET: "compute",
    kinds.VOLUME_QUOTA: "block storage",
    kinds.NETWORK_QUOTA: "network",
}


def broken(stack: Stack) -> Iterator[Violation]:
    """Agencies' projects that lack one of the three quotas."""
    covered = {
        (project.urn, quota.kind)
        for quota in stack.of_kind(*QUOTAS)
        for project in stack.referred(quota, "projectId", kinds.PROJECT)
    }
    for project in stack.of_kind(kinds.PROJECT):
        missing = [title for kind, title in QUOTAS.items() if (project.urn, kind) not in covered]
        if missing and naming.agency_of(stack_name(project.urn)) is not None:
            yield Violation(urn=project.urn, what=f"no {' and no '.join(missing)} quota (declare one beside it)")


RULE = StackRule(
    name="quotas-for-every-project",
    description="Every project of an agency has a compute, a block storage and a network quota.",
    broken=broken,
)
