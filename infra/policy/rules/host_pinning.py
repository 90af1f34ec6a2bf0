"""No program says where a server runs: the controller moves it, and the next `up` would replace it."""

from collections.abc import Iterator, Mapping

from infra.policy import kinds
from infra.policy.declared import Resource
from infra.policy.rule import ResourceRule

ALLOWED_HINTS = frozenset({"group"})
"""Scheduler hints that name no host, cell or other server."""


def broken(resource: Resource) -> Iterator[str]:
    """Every input that names a host."""
    if resource.kind == kinds.PORT:
        if resource.mapping("binding").get("hostId"):
            yield "binding.hostId binds the port to one host (leave it out: Nova sets it)"
        return
    if resource.inputs.get("hypervisorHostname"):
        yield "hypervisorHostname names a host, and the server is replaced once it was moved (leave it out)"
    for key in ("availabilityZone", "availabilityZoneHints"):
        if ":" in resource.text(key):
            yield f"{key} {resource.text(key)!r} names a host (name the zone alone)"
    for hint in resource.values("schedulerHints"):
        said = hint if isinstance(hint, Mapping) else {}
        for key in sorted(key for key, value in said.items() if value and key not in ALLOWED_HINTS):
            yield f"scheduler hint {key} binds the server to hosts (use a server group: hint 'group')"


RULE = ResourceRule(
    name="no-host-pinning",
    description="No program says on which host a server runs.",
    kinds=frozenset({kinds.INSTANCE, kinds.PORT}),
    broken=broken,
)
