"""One OpenStack cloud over its public APIs: what it is, and the few things that are asked of it.

`session` holds the one authentication and what each service can do, `rest` is the only place that sends a request,
`nova`, `placement`, `neutron`, `keystone` and `cinder` know paths and paging, `parse` turns rows into values, and
`cloud` puts them together as the engine's `ports.Cloud`. Reads are repeated while it is worth it; a write is sent once.
"""

from controller.adapters.openstack.cloud import OpenStackCloud, connect

__all__ = ["OpenStackCloud", "connect"]
