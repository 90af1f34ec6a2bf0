"""What a search hands over: moves, before they have waves."""

from dataclasses import dataclass

from controller.model.plan import Breach


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A VM, where it shall go, and the breach that it mends: its own, or that of the VM which it makes room for."""

    vm: int
    target: int
    breach: Breach
    room_for: int | None = None
