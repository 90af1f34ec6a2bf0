"""Whether a guest's NUMA cells could ever stand on a host's.

Nova lays each cell of a guest on a cell of its own of the host, and refuses one with more vCPUs or memory than that
cell has, whatever the allocation ratios (`numa_fit_instance_to_host` and `_numa_fit_instance_cell` in
nova/virt/hardware.py). A yes is not Nova's: which CPUs are dedicated, which pages are free and what other guests hold,
no API shows.
"""

from collections.abc import Sequence

from inventory.model import NumaCell


def could_hold(host: Sequence[NumaCell], guest: Sequence[NumaCell]) -> bool:
    """False only where Nova is sure to refuse; a host whose cells nobody knows could hold anything.

    One of the guest's cells after the other takes a cell of the host; one that finds all taken asks those that took
    them to take another (bipartite matching by augmenting paths).
    """
    if not host or not guest:
        return True
    taken_by: dict[int, int] = {}

    def takes(cell: int, asked: set[int]) -> bool:
        for at, room in enumerate(host):
            if at not in asked and _inside(guest[cell], room):
                asked.add(at)
                if at not in taken_by or takes(taken_by[at], asked):
                    taken_by[at] = cell
                    return True
        return False

    return len(guest) <= len(host) and all(takes(cell, set()) for cell in range(len(guest)))


def described(cells: Sequence[NumaCell]) -> str:
    """The cells in words: `2 NUMA cells (8 vCPUs and 4096 MiB, 8 vCPUs and 4096 MiB)`."""
    each = ", ".join(f"{cell.vcpus} vCPUs and {cell.memory_mib} MiB" for cell in cells)
    return f"{len(cells)} NUMA cell{'s' * (len(cells) > 1)} ({each})"


def _inside(guest: NumaCell, host: NumaCell) -> bool:
    return guest.vcpus <= host.vcpus and guest.memory_mib <= host.memory_mib
