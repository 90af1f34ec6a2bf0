"""Security groups that a killed run was creating, and that still have the rules which Neutron gives every new group.

The provider creates a group and then deletes its default rules, as `deleteDefaultRules` asks. A run killed in between
leaves them: the program's own rule of egress would then be refused as one that exists, and what the program does not
allow would be.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from controller.adapters.pulumi.finding import Cloud
from controller.adapters.pulumi.importing import Declared

SECURITY_GROUP = "openstack:networking/secGroup:SecGroup"
_NAMES_NOTHING = ("protocol", "remote_ip_prefix", "remote_group_id", "remote_address_group_id",
                  "port_range_min", "port_range_max")  # fmt: skip


async def delete(cloud: Cloud, wanted: Iterable[Declared], ids: Mapping[str, str], kept: Iterable[str]) -> None:
    """Deletes the default rules of those groups that were created (`ids`, by URN) and are declared without them.

    No rule of these groups can be the program's, which makes them once the group is done; `kept` are ids that the
    stack's state holds all the same, and stay. Raises what `Rows` raises.
    """
    groups = {
        ids[each.urn]
        for each in wanted
        if each.type == SECURITY_GROUP and each.inputs.get("deleteDefaultRules") and each.urn in ids
    }
    if not groups:
        return
    own = frozenset(kept)
    for rule in await cloud.listing("network", "/security-group-rules", "security_group_rules"):
        if rule.get("security_group_id") in groups and rule["id"] not in own and _is_default(rule):
            await cloud.rows.write("network", "DELETE", f"/security-group-rules/{rule['id']}")


def _is_default(rule: Mapping[str, Any]) -> bool:
    """Everything out, as Neutron allows it in each new group for IPv4 and for IPv6."""
    return rule.get("direction") == "egress" and all(rule.get(name) is None for name in _NAMES_NOTHING)
