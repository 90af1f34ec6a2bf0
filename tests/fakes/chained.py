"""A cluster in which one VM finds room only where another leaves for room that a third leaves first."""

from controller.model.cluster import Cluster
from inventory.model import Classification
from tests import builders
from tests.builders import Host, System, Vm


def cluster(*, held: bool = False) -> Cluster:
    """`secret` may go from the failing c1 to c2 alone, `inner` from there to c3 alone, `plain` from there to c4.

    `held`: `plain` is locked.
    """
    levels = (Classification.SECRET, Classification.SECRET, Classification.CONFIDENTIAL, Classification.OPEN)
    return builders.cluster(
        hosts=[
            Host(name=f"c{n}", memory_gib=64, clearance=level, memory_health=2 * (n == 1))
            for n, level in enumerate(levels, start=1)
        ],
        vms=[
            Vm(name="secret", host="c1", memory_gib=60, classification=Classification.SECRET),
            Vm(name="inner", host="c2", memory_gib=60, classification=Classification.CONFIDENTIAL),
            Vm(name="plain", host="c3", memory_gib=60, classification=Classification.OPEN, locked=held),
        ],
        systems=[System(classification=Classification.SECRET)],
    )
