"""Writes the lab's service users and endpoints into Keystone; run once, in the lab's environment.

Named services are written, and without names those that the lab always has. The environment's LISTEN is the address
at which hosts reach them.
"""

import os
import sys

import openstack

ADDRESS = os.environ.get("LISTEN") or "127.0.0.1"
SERVICES = [
    ("placement", "placement", f"http://{ADDRESS}:8778"),
    ("nova", "compute", f"http://{ADDRESS}:8774/v2.1"),
    ("glance", "image", f"http://{ADDRESS}:9292"),
    ("neutron", "network", f"http://{ADDRESS}:9696"),
    ("cinder", "block-storage", f"http://{ADDRESS}:8776/v3"),
]
ON_DEMAND = [("swift", "object-store", f"http://{ADDRESS}:8080/v1/AUTH_%(project_id)s")]


def main(*names):
    identity = openstack.connect(
        auth_url="http://127.0.0.1:5000/v3",
        username="admin",
        password="lab",
        project_name="admin",
        user_domain_name="Default",
        project_domain_name="Default",
        region_name="RegionOne",
    ).identity
    project = identity.find_project("service") or identity.create_project(name="service", domain_id="default")
    roles = [identity.find_role("admin"), identity.find_role("service")]
    for name, kind, url in [each for each in SERVICES + ON_DEMAND if each[0] in names] or SERVICES:
        user = identity.find_user(name) or identity.create_user(
            name=name, password="lab", default_project_id=project.id, domain_id="default"
        )
        for role in roles:
            identity.assign_project_role_to_user(project, user, role)
        service = identity.find_service(name) or identity.create_service(name=name, type=kind)
        if not list(identity.endpoints(service_id=service.id)):
            for interface in ("public", "internal", "admin"):
                identity.create_endpoint(service_id=service.id, interface=interface, url=url, region_id="RegionOne")
    if "swift" in names:  # whose administrator opens other projects' accounts by this role alone
        role = identity.find_role("ResellerAdmin") or identity.create_role(name="ResellerAdmin")
        admin = identity.find_project("admin")
        identity.assign_project_role_to_user(admin, identity.find_user("admin"), role)


if __name__ == "__main__":
    main(*sys.argv[1:])
