"""The foundation's stack outputs by name: what an agency's stack gets through its StackReference.

Each is a mapping but `ADDRESS_SCOPE_ID`, which is one id.
"""

FLAVOR_IDS = "flavor_ids"
"""Nova's id of each flavor, by the estate's name."""

VOLUME_TYPE_IDS = "volume_type_ids"
"""Cinder's id of each volume type, by the estate's name."""

EXTERNAL_NETWORK_IDS = "external_network_ids"
"""Neutron's id of the external network of each classification that has one: open, internal, confidential, secret."""

NETWORK_IDS = "network_ids"
"""Neutron's id of each provider network, by the estate's name."""

ADDRESS_SCOPE_ID = "address_scope_id"
"""Neutron's id of the address scope that agencies' subnet pools belong to: in one scope no two pools overlap."""

ROLE_IDS = "role_ids"
"""Keystone's id of each role by name: those of `gdcc:roles` and those that the foundation declares."""

IMAGE_IDS = "image_ids"
"""Glance's id of each image, by the estate's name."""

DOMAIN_IDS = "domain_ids"
"""Keystone's id of each domain: `operators`, which the foundation declares, and `agencies`."""

PROJECT_IDS = "project_ids"
"""Keystone's id of each project that the foundation declares: `control`."""

GROUP_IDS = "group_ids"
"""Keystone's id of each group of operators, by the estate's name."""
