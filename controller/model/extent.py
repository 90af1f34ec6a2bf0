"""How much there was to see, so that what shrank is noticed."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much there was at a look: hosts the inventory expects, hosts and VMs the cloud shows."""

    expected_hosts: int
    hosts: int
    vms: int

    def or_more(self, other: "Extent") -> "Extent":
        """The greater of each."""
        return Extent(
            expected_hosts=max(self.expected_hosts, other.expected_hosts),
            hosts=max(self.hosts, other.hosts),
            vms=max(self.vms, other.vms),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The most there was of each in the good looks of a stretch of time that began at `since`."""

    since: datetime
    extent: Extent
