"""What the estate's cloud would say of itself, every VM of its sets running."""

import hashlib
from datetime import datetime

from controller.engine.synthetic.seats import Seated, expected_hosts, seats
from controller.engine.synthetic.traits import host_traits
from controller.model import cloud
from controller.model.ids import HostName, ProjectId, ServerId
from inventory.model import Estate, HostType


def facts(estate: Estate, seed: int, now: datetime) -> cloud.CloudFacts:
    """One look at `now`. Ids follow from names and `seed`. Raises `InputError` where the VMs do not fit the hosts."""
    hosts = expected_hosts(estate)
    projects = {name: ProjectId(_hex(seed, "project", system.project)) for name, system in estate.systems.items()}
    return cloud.CloudFacts(
        at=now,
        servers=tuple(_server(seed, vm, projects[vm.system.name]) for vm in seats(estate)),
        services=tuple(
            cloud.Service(
                id=_uuid(seed, "service", host.name),
                host=HostName(host.name),
                enabled=True,
                up=True,
                forced_down=False,
                disabled_reason=None,
                updated_at=now,
            )
            for host in hosts
        ),
        providers=tuple(
            cloud.Provider(
                id=_uuid(seed, "provider", host.name),
                host=HostName(host.name),
                inventory=_inventory(estate.host_types[host.type]),
                traits=traits,
            )
            for host, traits in zip(hosts, host_traits(estate, hosts), strict=True)
        ),
        aggregates=tuple(
            cloud.Aggregate(
                name=aggregate.name,
                hosts=tuple(HostName(host) for host in aggregate.hosts),
                availability_zone=aggregate.availability_zone,
                metadata=aggregate.metadata,
            )
            for aggregate in estate.aggregates.values()
        ),
        groups=(),
        migrations=(),
        projects=tuple(
            cloud.Project(id=projects[name], name=system.project, enabled=True)
            for name, system in estate.systems.items()
        ),
    )


def _server(seed: int, vm: Seated, project: ProjectId) -> cloud.Server:
    return cloud.Server(
        id=ServerId(_uuid(seed, "server", vm.name)),
        name=vm.name,
        project_id=project,
        host=HostName(vm.host),
        status="ACTIVE",
        task_state=None,
        locked=False,
        flavor_name=vm.flavor.name,
        vcpus=vm.flavor.vcpus,
        memory_mib=vm.flavor.memory_mib,
        disk_gib=vm.flavor.disk_gib,
        extra_specs=vm.flavor.nova_extra_specs,
    )


def _inventory(type_: HostType) -> dict[str, cloud.Amount]:
    return {
        "VCPU": cloud.Amount(total=type_.vcpus, reserved=type_.reserved_vcpus, ratio=type_.cpu_ratio),
        "MEMORY_MB": cloud.Amount(total=type_.memory_mib, reserved=type_.reserved_memory_mib, ratio=type_.memory_ratio),
        "DISK_GB": cloud.Amount(total=type_.disk_gib, reserved=type_.reserved_disk_gib, ratio=type_.disk_ratio),
    }


def _hex(seed: int, kind: str, name: str) -> str:
    return hashlib.blake2b(f"{seed}/{kind}/{name}".encode(), digest_size=16).hexdigest()


def _uuid(seed: int, kind: str, name: str) -> str:
    text = _hex(seed, kind, name)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"
