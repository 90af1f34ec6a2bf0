"""Which host new ones are like: where it stands, and what machine it is.

c17         stands where c17 stands, and is the machine that c17 is
gen3        like the first host of that type that may receive; where none may, the machine is what the inventory
            says of the type, and it stands where the first of them stands
gen3@c17    the machine is what the inventory says of the type, and it stands where c17 stands
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from controller import errors
from controller.model import cluster as model
from controller.model.ids import HostName
from controller.planner.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Like:
    """Rows: of the host beside which new ones stand, and of the type that they are of; -1 for what that host is."""

    host: int
    type: int = -1


def of_word(cluster: model.Cluster, standing: Standing, word: str) -> Like:
    """`InputError` where the snapshot knows no such host or type, or no host of a type that is put beside none."""
    if word in cluster.hosts.names:
        return _of_host(cluster, _host(cluster, word))
    kind, at, host = word.partition("@")
    if at:
        return Like(host=_host(cluster, host), type=_type(cluster, kind))
    return _of_type(cluster, standing, _type(cluster, word))


def _of_host(cluster: model.Cluster, host: int) -> Like:
    """One that Placement shows nothing of has what its type has."""
    nothing = cluster.hosts.vcpus[host] <= 0 or cluster.hosts.memory_mib[host] <= 0
    return Like(host=host, type=int(cluster.hosts.type[host]) if nothing else -1)


def _of_type(cluster: model.Cluster, standing: Standing, kind: int) -> Like:
    of_type = np.flatnonzero(cluster.hosts.type == kind)
    if not len(of_type):
        name = cluster.host_types.names[kind]
        raise errors.InputError(
            f"there is no host of type {name}, so nobody knows where one would stand",
            remedy=f"name a host beside which it stands: {name}@HOST",
        )
    serving = of_type[standing.open[of_type]]
    if len(serving):
        return Like(host=int(serving[0]))
    places = [host for host in of_type.tolist() if not (standing.on_battery[host] or standing.shut["facility"][host])]
    return Like(host=(places or of_type.tolist())[0], type=kind)


def _host(cluster: model.Cluster, name: str) -> int:
    if name not in cluster.hosts.names:
        raise errors.InputError(f"the snapshot knows no host {name}")
    return cluster.hosts.names.index(HostName(name))


def _type(cluster: model.Cluster, name: str) -> int:
    known: Sequence[str] = cluster.host_types.names
    if name not in known:
        what = f"the snapshot knows no host {name}, and no type of that name"
        raise errors.InputError(what, remedy="name a host that the new ones are like, or a type: " + ", ".join(known))
    return known.index(name)
