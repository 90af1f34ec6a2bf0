"""How large a generated estate is in each of its parts."""

from dataclasses import dataclass

PHASE_ONE_VMS = 12_000
PHASE_ONE_SYSTEMS = 1_570
AGENCIES = 472
"""Public figures of phase one: VMs, systems and agencies."""

_VMS_PER_HOST = 20
_VMS_PER_HOST_IF_SMALL = 12
_SMALL_VMS = 2_000
_FEWEST_HOSTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """`named_share` is the most of the VMs that the systems known by name may take."""

    vms: int
    hosts: int
    systems: int
    agencies: int
    hosts_per_rack: int = 16
    racks_per_zone: int = 10
    zones_per_room: int = 4
    rooms_per_site: int = 2
    named_share: float = 0.5


DEMO = Sizes(
    vms=600, hosts=48, systems=48, agencies=12, hosts_per_rack=6, racks_per_zone=4, zones_per_room=1, named_share=0.6
)
"""Fits a laptop: 2 rooms of 4 racks of 6 hosts."""


def sizes(vms: int) -> Sizes:
    """Sizes that suit a number of VMs: 20 VMs a host, fewer in a small estate; systems grow slower than VMs do.

    Raises `ValueError` below one VM.
    """
    if vms < 1:
        raise ValueError(f"an estate of {vms} VMs is none (ask for at least 1)")
    systems = round(PHASE_ONE_SYSTEMS * (vms / PHASE_ONE_VMS) ** 0.8)
    systems = max(1, min(vms, systems))
    per_host = _VMS_PER_HOST if vms > _SMALL_VMS else _VMS_PER_HOST_IF_SMALL
    return Sizes(
        vms=vms,
        hosts=max(_FEWEST_HOSTS, -(-vms // per_host)),
        systems=systems,
        agencies=min(AGENCIES, systems),
        hosts_per_rack=16 if vms > _SMALL_VMS else 6,
    )
