"""Whether a guest's NUMA cells could ever stand on a host's.

Nova lays each cell of a guest on a cell of its own of the host, and refuses one with more vCPUs or memory than that
cell has, whatever the allocation ratios (`numa_fit_instance_to_host` and `_numa_fit_instance_cell` in
nova/virt/hardware.py). A yes is not Nova's: which CPUs are dedicated, which pages are free and what other guests hold,
no API shows.
"""

from collections.abc import Sequence
from itertools import permutations

from inventory.model import NumaCell


def could_hold(host: Sequence[NumaCell], guest: Sequence[NumaCell]) -> bool:
    """False only where Nova is sure to refuse; a host whose cells nobody knows could hold anything."""
    if not host or not guest:
        return True
    return any(all(map(_inside, guest, cells)) for cells in permutations(host, len(guest)))


def described(cells: Sequence[NumaCell]) -> str:
    """The cells in words: `2 NUMA cells (8 vCPUs and 4096 MiB, 8 vCPUs and 4096 MiB)`."""
    each = ", ".join(f"{cell.vcpus} vCPUs and {cell.memory_mib} MiB" for cell in cells)
    return f"{len(cells)} NUMA cell{'s' * (len(cells) > 1)} ({each})"


def _inside(guest: NumaCell, host: NumaCell) -> bool:
    return guest.vcpus <= host.vcpus and guest.memory_mib <= host.memory_mib
