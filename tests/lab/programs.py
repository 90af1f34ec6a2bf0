"""What tests of the lab take from the estate's programs themselves: pure functions beside the resources.

pulumi_openstack warns of its own old names when it is imported: it is imported here once, without the warnings.
"""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "openstack.index/", DeprecationWarning)
    from infra.agency.deployer import password
    from infra.foundation.networks import limit_kbps
    from infra.foundation.volume_types import qos_specs

__all__ = ["limit_kbps", "password", "qos_specs"]
