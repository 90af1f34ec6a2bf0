"""An application credential is a password that no person keeps: few roles, no power to make others, and an end."""

from collections.abc import Iterator
from datetime import datetime

from infra.policy import kinds
from infra.policy.declared import UNKNOWN, Resource
from infra.policy.rule import ResourceRule

FORBIDDEN_ROLES = frozenset({"admin", "manager", "service"})


def broken(resource: Resource) -> Iterator[str]:
    """What makes it more than it needs to be, or everlasting."""
    if resource.inputs.get("unrestricted"):
        yield "unrestricted: it could make more credentials and trusts (leave it out)"
    roles = resource.inputs.get("roles")
    if not roles:
        yield "roles not named, which gives it all of its user's (name them)"
    elif roles is not UNKNOWN:
        for role in sorted({role for role in roles if isinstance(role, str) and role.lower() in FORBIDDEN_ROLES}):
            yield f"role {role} (name a narrower one)"
    expires_at = resource.inputs.get("expiresAt")
    if expires_at is not UNKNOWN and not _is_time(expires_at):
        yield "no expiresAt in RFC 3339, so it never ends (set it)"


def _is_time(text: object) -> bool:
    try:
        return isinstance(text, str) and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


RULE = ResourceRule(
    name="narrow-credentials",
    description="An application credential is restricted, names its roles, and expires.",
    kinds=frozenset({kinds.APPLICATION_CREDENTIAL}),
    broken=broken,
)
