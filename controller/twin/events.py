"""What happens when: a scenario's events, the faults that tests add and lift, and VMs that come and go."""

from dataclasses import dataclass

from controller.errors import InputError
from controller.twin import churn
from controller.twin.faults.catalogue import AnyFault
from controller.twin.openstack.cloud import Cloud
from controller.twin.scenario import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A fault that is on, or was: its number, when it began, and when it will be lifted (None: not by itself)."""

    number: int
    fault: AnyFault
    began: float
    until: float | None
    error: str | None = None


class Timeline:
    """Lets events happen at their time. `happenings` are those that are on, by number."""

    def __init__(self, cloud: Cloud, events: tuple[Event, ...]) -> None:
        self._cloud = cloud
        self._coming = list(events)
        self._count = 0
        self.happenings: dict[int, Happening] = {}
        self.errors: list[str] = []

    def step(self, dt: float) -> None:
        """Lets what is due happen, what is over end, and VMs come and go for `dt` seconds."""
        since = self._cloud.world.now - self._cloud.world.began
        while self._coming and self._coming[0].at.total_seconds() <= since:
            event = self._coming.pop(0)
            try:
                self.begin(event.fault, event.lasts.total_seconds() if event.lasts else None)
            except InputError as error:
                self.errors.append(f"{event.fault.fault}: {error}")
        for number, each in list(self.happenings.items()):
            if each.until is not None and each.until <= self._cloud.world.now:
                self.end(number)
        churn.step(self._cloud, dt)

    def begin(self, fault: AnyFault, lasts_s: float | None) -> Happening:
        """A fault befalls the twin now. Raises InputError where it names what is not there."""
        fault.befall(self._cloud)
        self._count += 1
        now = self._cloud.world.now
        until = None if lasts_s is None else now + lasts_s
        happening = Happening(number=self._count, fault=fault, began=now, until=until)
        self.happenings[self._count] = happening
        return happening

    def end(self, number: int) -> bool:
        """Lifts a fault; False where there is none of that number."""
        happening = self.happenings.pop(number, None)
        if happening is None:
            return False
        happening.fault.lift(self._cloud)
        return True
