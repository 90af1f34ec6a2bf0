"""The tables of rack PDUs (APC rPDU2, Raritan PX) and of a UPS.

Sources: PowerNet-MIB, PDU2-MIB (Raritan), UPS-MIB (RFC 1628).
"""

from collections.abc import Iterator

from controller.twin.snmp import ber
from controller.twin.snmp.table import Row
from controller.twin.snmp.views import Strip, Supply

_APC = "1.3.6.1.4.1.318.1.1.26"
_RARITAN = "1.3.6.1.4.1.13742.6"
_UPS = "1.3.6.1.2.1.33.1"
_DERATING = 0.8


def apc(strip: Strip) -> Iterator[Row]:
    """An APC rPDU2: phases in tenths of an ampere and hundredths of a kilowatt, a bank of outlets a phase.

    A dead meter reads -1, as objects of this MIB do that a model does not support.
    """
    watts = strip.watts
    limit = strip.rated_amps * strip.volts * len(strip.phase_watts)
    yield f"{_APC}.2.1.3.1", ber.text(strip.name)
    yield f"{_APC}.4.1.1.8.1", ber.integer(round(limit * _DERATING / 100))
    yield f"{_APC}.4.1.1.9.1", ber.integer(round(limit / 100))
    yield f"{_APC}.4.3.1.1.1", ber.integer(1)
    yield f"{_APC}.4.3.1.3.1", ber.text(strip.name)
    yield f"{_APC}.4.3.1.4.1", ber.integer(_load_state(watts, limit))
    yield f"{_APC}.4.3.1.5.1", ber.integer(-1 if watts is None else round(watts / 10))
    yield f"{_APC}.4.3.1.9.1", ber.integer(round(strip.energy_kwh * 10))
    yield f"{_APC}.4.3.1.12.1", ber.integer(1)
    for n, each in enumerate(strip.phase_watts, 1):
        amps = None if each is None else each / strip.volts
        yield f"{_APC}.6.1.1.6.{n}", ber.integer(round(strip.rated_amps * _DERATING))
        yield f"{_APC}.6.1.1.7.{n}", ber.integer(round(strip.rated_amps))
        yield f"{_APC}.6.3.1.3.{n}", ber.integer(n)
        yield f"{_APC}.6.3.1.4.{n}", ber.integer(_load_state(each, strip.rated_amps * strip.volts))
        yield f"{_APC}.6.3.1.5.{n}", ber.integer(-1 if amps is None else round(amps * 10))
        yield f"{_APC}.6.3.1.6.{n}", ber.integer(round(strip.volts))
        yield f"{_APC}.6.3.1.7.{n}", ber.integer(-1 if each is None else round(each / 10))
        yield f"{_APC}.8.3.1.3.{n}", ber.integer(n)
        yield f"{_APC}.8.3.1.4.{n}", ber.integer(_load_state(each, strip.rated_amps * strip.volts))
        yield f"{_APC}.8.3.1.5.{n}", ber.integer(-1 if amps is None else round(amps * 10))


def _load_state(watts: float | None, limit: float) -> int:
    """rPDU2's load state: 1 low, 2 normal, 3 near overload, 4 overload."""
    if watts is None or watts < 0.01 * limit:
        return 1
    return 4 if watts > limit else 3 if watts > limit * _DERATING else 2


_CURRENT, _VOLTAGE, _POWER, _ENERGY = 1, 4, 5, 8


def raritan(strip: Strip) -> Iterator[Row]:
    """A Raritan PX: values as whole numbers, with the decimal digits of each sensor in a table of their own.

    A dead sensor is `unavailable` (-1) with the value 0 and `isAvailable` false (2).
    """
    volts, phases = strip.volts, strip.phase_watts
    watts = strip.watts
    yield f"{_RARITAN}.3.2.2.1.13.1", ber.text(strip.name)
    inlet: list[tuple[int, int, float | None]] = [(_POWER, 0, watts), (_ENERGY, 0, strip.energy_kwh * 1000.0)]
    if len(phases) == 1:
        inlet = [(_CURRENT, 3, None if watts is None else watts / volts), (_VOLTAGE, 0, volts), *inlet]
    for kind, digits, value in inlet:
        yield from _sensor(f"{_RARITAN}.5.2.3.1", f"{_RARITAN}.3.3.4.1.7", f"1.1.{kind}", digits, value)
    for pole, each in enumerate(phases if len(phases) > 1 else (), 1):
        amps = None if each is None else each / volts
        for kind, digits, value in ((_CURRENT, 3, amps), (_VOLTAGE, 0, volts), (_POWER, 0, each)):
            yield from _sensor(f"{_RARITAN}.5.2.4.1", f"{_RARITAN}.3.3.6.1.7", f"1.1.{pole}.{kind}", digits, value)


def _sensor(measured: str, decimals: str, index: str, digits: int, value: float | None) -> Iterator[Row]:
    yield f"{decimals}.{index}", ber.integer(digits, ber.GAUGE32)
    yield f"{measured}.2.{index}", ber.integer(2 if value is None else 1)
    yield f"{measured}.3.{index}", ber.integer(-1 if value is None else 4)
    yield f"{measured}.4.{index}", ber.gauge(0 if value is None else value * 10**digits)


def ups(supply: Supply) -> Iterator[Row]:
    """A three-phase UPS by RFC 1628; its output table has a row a line."""
    low = supply.minutes < 0.2 * supply.full_minutes
    status = 4 if supply.minutes <= 0.0 else 3 if low else 2
    yield f"{_UPS}.1.1.0", ber.text("Twin")
    yield f"{_UPS}.1.5.0", ber.text(supply.name)
    yield f"{_UPS}.2.1.0", ber.integer(status)
    yield f"{_UPS}.2.2.0", ber.integer(round((supply.full_minutes - supply.minutes) * 60) if supply.on_battery else 0)
    yield f"{_UPS}.2.3.0", ber.integer(round(supply.minutes))
    yield f"{_UPS}.2.4.0", ber.integer(round(100 * supply.minutes / max(supply.full_minutes, 1e-9)))
    yield f"{_UPS}.2.5.0", ber.integer(5400)
    yield f"{_UPS}.2.7.0", ber.integer(25)
    yield f"{_UPS}.3.2.0", ber.integer(3)
    yield f"{_UPS}.4.1.0", ber.integer(2 if not supply.live else 5 if supply.on_battery else 3)
    yield f"{_UPS}.4.2.0", ber.integer(500)
    yield f"{_UPS}.4.3.0", ber.integer(3)
    each = supply.watts / 3.0 if supply.live else 0.0
    for line in (1, 2, 3):
        yield f"{_UPS}.3.3.1.3.{line}", ber.integer(0 if supply.on_battery else 230)
        yield f"{_UPS}.4.4.1.2.{line}", ber.integer(230 if supply.live else 0)
        yield f"{_UPS}.4.4.1.3.{line}", ber.integer(round(each / 230.0 * 10))
        yield f"{_UPS}.4.4.1.4.{line}", ber.integer(round(each))
        yield f"{_UPS}.4.4.1.5.{line}", ber.integer(round(300.0 * each / supply.rated_watts))
    yield f"{_UPS}.6.1.0", ber.gauge(int(supply.on_battery))
