"""pulumi_openstack warns of its own old names when it is imported: it is imported here once, without the warnings."""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "openstack.index/", DeprecationWarning)
    import pulumi_openstack  # noqa: F401
