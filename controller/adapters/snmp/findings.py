"""What a decoder makes of a device's answers: readings that are believable, and faults for what is not."""

from dataclasses import dataclass, field

from controller.adapters.snmp.counters import Counters, Look, NoRate, Rates
from controller.adapters.snmp.failure import Reason
from controller.adapters.snmp.target import Target, Watts
from controller.model.sample import Fault, Health, Kind, Quantity

SOURCE = "snmp"

LEAST_CELSIUS = 1.0
MOST_CELSIUS = 60.0
"""An inlet outside of this is a broken sensor: machines shut down well before 60 °C."""

MOST_MINUTES = 10_000.0

_NO_RATE = {
    Reason.COUNTER_RESET: "had its counters begin anew",
    Reason.IMPLAUSIBLE: "counted more than its speed allows",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    kind: Kind
    quantity: Quantity
    name: str
    value: float


@dataclass(slots=True)
class Findings:
    """Collects one poll's readings and faults. `memory` and `counters` are kept from poll to poll of a device.

    `unchanged`: what was looked at too soon to say anything new; its last readings stand, of their own time.
    """

    target: Target
    memory: set[str] = field(default_factory=set)
    counters: Counters = field(default_factory=Counters)
    readings: list[Reading] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unchanged: set[str] = field(default_factory=set)

    def fault(self, reason: Reason, detail: str, subject: str | None = None) -> None:
        self.faults.append(
            Fault(source=SOURCE, subject=subject or self.target.subject, reason=reason.value, detail=detail)
        )

    def inlet(self, celsius: float | None, sensor: str) -> None:
        """The inlet's temperature, or None where the device has no such sensor."""
        if celsius is None:
            return
        if not LEAST_CELSIUS <= celsius <= MOST_CELSIUS:
            self.fault(Reason.IMPLAUSIBLE, f"{sensor} says {celsius:g} °C")
            return
        self._add(self.target.kind, Quantity.INLET_CELSIUS, self.target.subject, celsius)

    def watts(
        self, watts: float | None, meter: str, *, kind: Kind | None = None, name: str | None = None,
        bounds: Watts | None = None,
    ) -> None:  # fmt: skip
        """Power of the target's subject, or of the named part of it; None where there is no meter."""
        if watts is None:
            return
        name, bounds = name or self.target.subject, bounds or self.target.watts
        if not bounds.least <= watts <= bounds.most:
            self.fault(
                Reason.IMPLAUSIBLE,
                f"{meter} says {watts:g} W, possible are {bounds.least:g} to {bounds.most:g} W",
                name,
            )
            return
        self._add(kind or self.target.kind, Quantity.POWER_WATTS, name, watts)

    def phase_watts(self, number: int, watts: float | None, meter: str) -> None:
        """Power of a PDU's phase; a number that the inventory's PDU does not have is a fault."""
        if watts is None:
            return
        name = f"{self.target.subject}/{number}"
        if not 1 <= number <= self.target.phases:
            self.fault(Reason.IMPLAUSIBLE, f"{meter} is of phase {number}, the inventory knows {self.target.phases}")
            return
        self.watts(watts, meter, kind=Kind.PHASE, name=name, bounds=self.target.phase_watts)

    def missing_phases(self, found: int, declared: int | None) -> None:
        """A PDU that shows fewer phases than it, or the inventory, says it has."""
        expected = max(self.target.phases, declared or 0)
        if found < expected:
            self.fault(Reason.TRUNCATED, f"{found} phases of {expected} were answered")

    def health(self, quantity: Quantity, health: Health | None) -> None:
        """None where the device does not say."""
        if health is not None:
            self._add(self.target.kind, quantity, self.target.subject, float(health))

    def battery(self, *, on_battery: bool | None, minutes: int | None) -> None:
        """A UPS's state, for its feed."""
        if on_battery is not None:
            self._add(self.target.kind, Quantity.ON_BATTERY, self.target.subject, float(on_battery))
        if minutes is None:
            return
        if not 0 <= minutes <= MOST_MINUTES:
            self.fault(Reason.IMPLAUSIBLE, f"the battery would last {minutes} minutes")
            return
        self._add(self.target.kind, Quantity.BATTERY_MINUTES, self.target.subject, float(minutes))

    def traffic(self, port: str, look: Look) -> None:
        """What went through a port each way since the look before; nothing at its first."""
        found = self.counters.rates(port, look)
        if isinstance(found, Reason):
            self.no_traffic(port, found, _NO_RATE[found])
        elif found is NoRate.TOO_SOON:
            self.unchanged.add(self._port(port))
        elif isinstance(found, Rates):
            self._add(Kind.PORT, Quantity.UPLINK_IN_BYTES_S, self._port(port), found.received)
            self._add(Kind.PORT, Quantity.UPLINK_OUT_BYTES_S, self._port(port), found.sent)

    def port_down(self, port: str, state: str) -> None:
        """A port that passes nothing, though it is declared to; its counters are read all the same."""
        self.fault(Reason.DOWN, f"{port} is {state}", self._port(port))

    def no_traffic(self, port: str, reason: Reason, why: str) -> None:
        """A port whose counters say nothing now; what they said before is no longer compared with."""
        if reason is not Reason.COUNTER_RESET:
            self.counters.forget(port)
        self.fault(reason, f"{port} {why}", self._port(port))

    def _port(self, port: str) -> str:
        return f"{self.target.subject}/{port}"

    def _add(self, kind: Kind, quantity: Quantity, name: str, value: float) -> None:
        self.readings.append(Reading(kind=kind, quantity=quantity, name=name, value=value))
