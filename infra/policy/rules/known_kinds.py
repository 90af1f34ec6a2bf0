"""What no rule judges may give away what the others keep: a share, a VPN, a stack of Heat, another way to log in."""

from collections.abc import Iterator

from infra.policy import kinds
from infra.policy.declared import Stack
from infra.policy.rule import StackRule, Violation


def broken(stack: Stack) -> Iterator[Violation]:
    """Every resource of OpenStack of a kind that is not known here."""
    for urn, each in sorted(stack.resources.items()):
        if each.kind.startswith("openstack:") and each.kind not in kinds.KNOWN:
            what = "is of a kind that no policy judges (write the rules that it needs, and add it to policy/kinds.py)"
            yield Violation(urn=urn, what=what)


RULE = StackRule(
    name="kinds-are-known",
    description="Only kinds that the policies know are declared.",
    broken=broken,
)
