"""A cluster as Watcher's compute model and datasource would hold it.

Placement's inventory becomes a node's total, reserve and ratio; readings become the metrics of Watcher's names and
units: a host's CPU in percent and its memory in KiB, an instance's CPU in percent of its vCPUs and its memory in MiB.
"""

from collections.abc import Mapping
from typing import Any

from controller.model import cluster as model

MIB = 2.0**20


def of_cluster(cluster: model.Cluster, parameters: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """What `watcher_run` reads."""
    return {"hosts": _hosts(cluster.hosts), "vms": _vms(cluster), "parameters": dict(parameters), "seed": seed}


def _hosts(hosts: model.Hosts) -> list[dict[str, Any]]:
    return [
        {
            "uuid": name,
            "hostname": name,
            "status": "enabled" if hosts.enabled[row] else "disabled",
            "state": "up" if hosts.up[row] else "down",
            "vcpus": int(hosts.threads[row]),
            "vcpu_reserved": 0,
            "vcpu_ratio": float(hosts.vcpus[row] / hosts.threads[row]),
            "memory": int(hosts.memory_mib[row] + hosts.reserved_memory_mib[row]),
            "memory_mb_reserved": int(hosts.reserved_memory_mib[row]),
            "memory_ratio": 1.0,
            "disk": int(hosts.disk_gib[row]),
            "disk_gb_reserved": 0,
            "disk_ratio": 1.0,
            "metrics": {
                "host_cpu_usage": 100.0 * float(hosts.cpu_ratio.values[row]),
                "host_ram_usage": float(hosts.memory_bytes.values[row]) / 1024,
            },
        }
        for row, name in enumerate(hosts.names)
    ]


def _vms(cluster: model.Cluster) -> list[dict[str, Any]]:
    vms = cluster.vms
    return [
        {
            "uuid": vm,
            "name": vm,
            "host": cluster.hosts.names[vms.host[row]],
            "state": "active",
            "vcpus": round(vms.vcpus[row]),
            "memory": int(vms.memory_mib[row]),
            "disk": int(vms.disk_gib[row]),
            "metrics": {
                "instance_cpu_usage": 100.0 * float(vms.cpu_vcpus.values[row] / vms.vcpus[row]),
                "instance_ram_usage": float(vms.memory_bytes.values[row]) / MIB,
            },
        }
        for row, vm in enumerate(vms.ids)
        if vms.state[row] == model.VmState.ACTIVE and vms.host[row] >= 0
    ]
