"""A host's `provider.yaml`: the traits that nova-compute reports for it to Placement when it starts.

Format: https://docs.openstack.org/nova/latest/admin/managing-resource-providers.html; nova-compute reads it from
`[compute] provider_config_location`. Nova refuses additional traits that do not begin with `CUSTOM_`: those of the
hardware (`HW_`) its driver reports itself.
"""

from inventory.model import Classification, Estate, Host, clearance_trait

_HEAD = """\
# Written from the estate; nova-compute reads it at start.
meta:
  schema_version: '1.0'
providers:
- identification:
    uuid: $COMPUTE_NODE
  traits:
    additional:
"""


def clearance_traits(host: Host) -> tuple[str, ...]:
    """Its own level's and every lower one's, the lowest first."""
    return tuple(clearance_trait(level) for level in Classification if level <= host.clearance)


def traits(estate: Estate, host: Host) -> tuple[str, ...]:
    """The custom traits of a host, sorted: its type's and its own, its level's and every lower one's."""
    of_type = {trait for trait in estate.host_types[host.type].traits if trait.startswith("CUSTOM_")}
    return tuple(sorted(of_type.union(host.traits, clearance_traits(host))))


def text(estate: Estate, host: Host) -> str:
    """The file's text."""
    return _HEAD + "".join(f"    - {trait}\n" for trait in traits(estate, host))
