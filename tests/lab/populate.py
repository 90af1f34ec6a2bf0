"""Gives the lab its tenants: the estate's projects and flavors, a network, server groups, and 30 servers. Idempotent.

What the estate declares is made as it declares it; a set with a spread rule becomes a hard anti-affinity group. Servers
that it does not declare are deleted, those that are not ACTIVE are made anew, and every compute service is enabled.
Run as `python -m tests.lab.populate [--estate FOLDER] [NAME…]`, with the lab's environment (`lab env`): NAMEs are left
alone.
"""

import argparse
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import openstack

from inventory import load
from inventory.model import Estate, System, VmSet

ESTATE = Path(__file__).parent / "estate"
NETWORK = "provider-lab"
IMAGE = "lab"
AT_ONCE = 6
PATIENCE_S = 180.0


def wanted(estate: Estate) -> Iterator[tuple[System, VmSet, str]]:
    """Every server that the estate's systems ask for, by name."""
    for system in estate.systems.values():
        for vm_set in system.vm_sets:
            for n in range(1, vm_set.count + 1):
                yield system, vm_set, f"{system.name}-{vm_set.role}-{n}"


def define(cloud: Any, estate: Estate) -> None:
    """Flavors, the network, the image and the projects, where they are missing."""
    for flavor in estate.flavors.values():
        if not cloud.compute.find_flavor(flavor.name):
            made = cloud.compute.create_flavor(
                name=flavor.name, vcpus=flavor.vcpus, ram=flavor.memory_mib, disk=flavor.disk_gib
            )
            cloud.compute.create_flavor_extra_specs(made, dict(flavor.nova_extra_specs))
    if not cloud.network.find_network(NETWORK):
        network = cloud.network.create_network(
            name=NETWORK,
            is_shared=True,
            provider_network_type="vlan",
            provider_physical_network=estate.networks[NETWORK].physical_network,
            provider_segmentation_id=estate.networks[NETWORK].vlan,
        )
        cloud.network.create_subnet(network_id=network.id, ip_version=4, cidr=estate.networks[NETWORK].cidr)
    if not cloud.image.find_image(IMAGE):
        cloud.image.create_image(
            name=IMAGE, disk_format="raw", container_format="bare", visibility="public", data=b"lab" * 100
        )
    admin, role = cloud.identity.find_user("admin"), cloud.identity.find_role("admin")
    for system in estate.systems.values():
        project = cloud.identity.find_project(system.project) or cloud.identity.create_project(
            name=system.project, domain_id="default"
        )
        cloud.identity.assign_project_role_to_user(project, admin, role)
        cloud.compute.update_quota_set(project, cores=-1, instances=-1, ram=-1)
        cloud.network.update_quota(project.id, ports=-1)


def boot(cloud: Any, estate: Estate, missing: set[str]) -> list[str]:
    """Asks for the servers that are missing, each in its project; their ids."""
    asked: list[str] = []
    for system in estate.systems.values():
        tenant = cloud.connect_as_project(system.project)
        for owner, vm_set, name in wanted(estate):
            if owner is system and name in missing:
                asked.append(_create(tenant, system, vm_set, name))
                if len(asked) % AT_ONCE == 0:
                    _wait(cloud, asked[-AT_ONCE:])
    _wait(cloud, asked)
    return asked


def _create(tenant: Any, system: System, vm_set: VmSet, name: str) -> str:
    group_name = f"{system.name}-{vm_set.role}"
    hints = {}
    if vm_set.spreads:
        group = tenant.compute.find_server_group(group_name) or tenant.compute.create_server_group(
            name=group_name, policy="anti-affinity"
        )
        hints = {"scheduler_hints": {"group": group.id}}
    network, image = tenant.network.find_network(NETWORK), tenant.image.find_image(IMAGE)
    made = tenant.compute.create_server(
        name=name,
        flavor_id=tenant.compute.find_flavor(vm_set.flavor).id,
        image_id=image.id,
        networks=[{"uuid": network.id}],
        **hints,
    )
    return str(made.id)


def _wait(cloud: Any, ids: list[str]) -> None:
    for server_id in ids:
        cloud.compute.wait_for_server(cloud.compute.get_server(server_id), wait=180, interval=1)


def clear(cloud: Any, names: set[str], kept: Collection[str]) -> set[str]:
    """Enables every service, deletes what does not belong here or is not ACTIVE; the names that are then there."""
    for service in cloud.compute.services(binary="nova-compute"):
        if service.status == "disabled":
            cloud.compute.enable_service(service)
    there: set[str] = set()
    for server in _settled(cloud):
        if server.name in kept:
            continue
        if server.name in names - there and server.status == "ACTIVE" and server.task_state is None:
            there.add(server.name)
        else:
            cloud.compute.delete_server(server, ignore_missing=True)
            cloud.compute.wait_for_delete(server, interval=1, wait=120)
    return there


def _settled(cloud: Any) -> list[Any]:
    """Every server, once none has a task under way, or after a minute."""
    end = time.monotonic() + PATIENCE_S
    while True:
        servers = list(cloud.compute.servers(all_projects=True))
        if all(server.task_state is None for server in servers) or time.monotonic() > end:
            return servers
        time.sleep(1)


def populate(folder: Path, kept: Collection[str]) -> int:
    """Everything that the estate in a folder declares; how many servers were made."""
    cloud, estate = openstack.connect(), load.load(folder)
    names = {name for _, _, name in wanted(estate)}
    missing = names - clear(cloud, names, kept)
    if missing:
        define(cloud, estate)
        boot(cloud, estate, missing)
    return len(missing)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--estate", type=Path, default=ESTATE)
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    sys.stdout.write(f"{populate(asked.estate, asked.names)} servers made\n")
