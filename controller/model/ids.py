"""Ids, so that a server's id is not passed where a host's name belongs."""

from typing import NewType

ServerId = NewType("ServerId", str)
"""Nova's instance uuid."""
HostName = NewType("HostName", str)
"""A compute host as Nova names it (`OS-EXT-SRV-ATTR:host`), the same name as in the inventory."""
ProjectId = NewType("ProjectId", str)
"""Keystone's project id."""
PlanId = NewType("PlanId", str)
MoveId = NewType("MoveId", str)
"""One intended move of one VM; the journal's key. `{plan id}-{n}`, or `{drain id}-{n}`."""
RequestId = NewType("RequestId", str)
"""`x-openstack-request-id` of a call."""
