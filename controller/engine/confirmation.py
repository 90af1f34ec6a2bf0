"""What is not known about a drain, in sentences for the operator who is about to say yes. Pure."""

import numpy as np

from controller.engine.drain import ours
from controller.engine.holdouts import Remains
from controller.engine.places import Situation
from controller.model.cluster import Cluster
from controller.model.ids import HostName
from controller.model.operation import Holdout


def unknowns(
    host: HostName,
    remains: Remains,
    held: tuple[Holdout, ...],
    situation: Situation,
    cluster: Cluster | None,
) -> tuple[str, ...]:
    """One sentence each; empty when everything is known and everything can leave.

    `cluster` is the newest snapshot, None where there is none (a drain with no daemon).
    """
    found = [*_of_service(host, remains), *_of_inventory(host, remains, situation)]
    found += _of_snapshot(host, remains, cluster)
    if situation.freeze is not None:
        found.append(f"The controller is frozen ({situation.freeze}); the drain acts all the same.")
    found += [f"{one.server_name} cannot be moved: it {one.why}. To act: {one.who_must_act}." for one in held]
    return tuple(found)


def _of_service(host: HostName, remains: Remains) -> list[str]:
    service = remains.service
    found = []
    if not remains.up:
        found.append(f"nova-compute on {host} is down: nothing can leave it, {len(remains.servers)} servers are on it.")
    if not service.enabled and not ours(service):
        reason = service.disabled_reason or "no reason given"
        found.append(f"{host} was disabled by somebody else ({reason}); enabling it again will need --force.")
    return found


def _of_inventory(host: HostName, remains: Remains, situation: Situation) -> list[str]:
    found = []
    if situation.host(host) is None:
        found.append(f"The inventory does not know {host}: its rack, feeds and clearance are not known.")
    strangers = [server.name for server in remains.servers if situation.system(server.project_id) is None]
    if strangers:
        found.append(
            f"{len(strangers)} servers belong to projects that the inventory does not know, so they go only to hosts "
            f"cleared for the highest level: {_named(strangers)}."
        )
    locked = [server.name for server in remains.servers if server.locked]
    if locked:
        found.append(f"{len(locked)} servers are locked and will be moved all the same: {_named(locked)}.")
    return found


def _of_snapshot(host: HostName, remains: Remains, cluster: Cluster | None) -> list[str]:
    if cluster is None:
        return ["There is no snapshot: no load, heat or power of any host is known."]
    found = []
    blind = [name for name, trusted in zip(cluster.hosts.names, cluster.hosts.trusted, strict=True) if not trusted]
    if host in blind:
        found.append(f"{host} has no trusted readings.")
    others = [name for name in blind if name != host]
    if others:
        found.append(f"{len(others)} hosts have no trusted readings and receive nothing: {_named(others)}.")
    here = {server.id for server in remains.servers}
    rows = [row for row, server_id in enumerate(cluster.vms.ids) if server_id in here]
    unmeasured = [cluster.vms.names[row] for row in rows if not cluster.vms.dirty_bytes_s.fresh[row]]
    if unmeasured:
        found.append(f"How fast {len(unmeasured)} servers write memory is not known, nor how long their copy takes.")
    unfit = [cluster.vms.names[row] for row in rows if not np.bool_(cluster.vms.fit_known[row])]
    if unfit:
        found.append(f"{len(unfit)} servers are pinned or use NUMA or PCI devices; Nova may refuse: {_named(unfit)}.")
    return found


def _named(names: list[str] | list[HostName], most: int = 5) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(sorted(names)[:most]) + rest
