"""The tables of four kinds of BMC: Dell iDRAC, HPE iLO, Lenovo XCC and Supermicro (ATEN).

Sources: IDRAC-MIB-SMIv2, CPQHLTH-MIB and CPQIDA-MIB, LENOVO-XCC-MIB, ATEN-IPMI-MIB.
"""

from collections.abc import Iterator

from controller.model.sample import Health
from controller.twin.ailments import Part
from controller.twin.snmp import ber
from controller.twin.snmp.table import Row
from controller.twin.snmp.views import Board

_DELL = "1.3.6.1.4.1.674.10892.5"
_HPE = "1.3.6.1.4.1.232"
_LENOVO = "1.3.6.1.4.1.19046.11.1"
_ATEN = "1.3.6.1.4.1.21317.1"

_DELL_STATUS = {Health.OK: 3, Health.WARNING: 4, Health.FAILED: 5}
_HPE_CONDITION = {Health.OK: 2, Health.WARNING: 3, Health.FAILED: 4}
_XCC_HEALTH = {Health.OK: "Normal", Health.WARNING: "Warning", Health.FAILED: "Critical"}
_FANS, _DIMMS, _DISKS = 6, 16, 2
_FAILING_DIMM = 3
"""The module that fails where memory does."""


def _each(count: int, bad: int, health: Health) -> Iterator[tuple[int, Health]]:
    """Parts 1 to `count`; number `bad` has the health of them all."""
    return ((n, health if n == bad else Health.OK) for n in range(1, count + 1))


def idrac(board: Board) -> Iterator[Row]:
    """An iDRAC 9. Unknown readings leave their row without a reading and its status unknown (2)."""
    yield f"{_DELL}.2.1.0", ber.integer(_DELL_STATUS[board.worst])
    yield f"{_DELL}.2.3.0", ber.integer(_DELL_STATUS[board.health[Part.DISK]])
    yield f"{_DELL}.2.4.0", ber.integer(4 if board.powered else 3)
    psu = max(board.health[Part.PSU], Health.OK if all(board.psus) else Health.WARNING)
    rollups = {
        9: psu,
        12: Health.OK,
        21: board.health[Part.FAN],
        24: Health.OK,
        27: board.health[Part.MEMORY],
        50: Health.OK,
    }
    for column, health in rollups.items():
        yield f"{_DELL}.4.200.10.1.{column}.1", ber.integer(_DELL_STATUS[health])
    yield from _idrac_temperatures(board)
    yield from _idrac_power(board, psu)
    for n, health in _each(_FANS, 2, board.health[Part.FAN]):
        fan = f"{_DELL}.4.700.12.1"
        yield f"{fan}.5.1.{n}", ber.integer(_DELL_STATUS[health])
        yield f"{fan}.6.1.{n}", ber.integer(0 if health is Health.FAILED else board.fan_rpm)
        yield f"{fan}.8.1.{n}", ber.text(f"System Board Fan{n}")
    for n, health in _each(_DIMMS, _FAILING_DIMM, board.health[Part.MEMORY]):
        yield f"{_DELL}.4.1100.50.1.5.1.{n}", ber.integer(_DELL_STATUS[health])
        yield f"{_DELL}.4.1100.50.1.8.1.{n}", ber.text(f"DIMM.Socket.A{n}")
    for n in (1, 2):
        yield f"{_DELL}.4.1100.30.1.5.1.{n}", ber.integer(3)
    yield from _idrac_disks(board.health[Part.DISK])


def _idrac_temperatures(board: Board) -> Iterator[Row]:
    """Four probes; the inlet's is not the first on every board, so its location tells it."""
    probe = f"{_DELL}.4.700.20.1"
    inlet = board.inlet_celsius
    exhaust = None if inlet is None else inlet + 12.0
    readings = [
        ("CPU1 Temp", board.cpu_celsius, 95.0), ("System Board Inlet Temp", inlet, board.critical_celsius + 10.0),
        ("System Board Exhaust Temp", exhaust, 75.0), ("CPU2 Temp", board.cpu_celsius - 1.5, 95.0),
    ]  # fmt: skip
    for n, (location, celsius, limit) in enumerate(readings, 1):
        status = 2 if celsius is None else 5 if celsius >= limit else 4 if celsius >= limit - 5.0 else 3
        yield f"{probe}.5.1.{n}", ber.integer(status)
        if celsius is not None:
            yield f"{probe}.6.1.{n}", ber.integer(round(celsius * 10))
        yield f"{probe}.7.1.{n}", ber.integer(3)
        yield f"{probe}.8.1.{n}", ber.text(location)
        yield f"{probe}.10.1.{n}", ber.integer(round(limit * 10))
        yield f"{probe}.11.1.{n}", ber.integer(round((limit - 5.0) * 10))


def _idrac_power(board: Board, psu: Health) -> Iterator[Row]:
    """Amperage probes: one of tenths of an ampere a PSU, then the board's, in watts (type 26)."""
    probe, unit = f"{_DELL}.4.600.30.1", f"{_DELL}.4.600.12.1"
    live = max(sum(board.psus), 1)
    for n, on in enumerate(board.psus, 1):
        yield f"{probe}.5.1.{n}", ber.integer(3 if on else 5)
        yield f"{probe}.6.1.{n}", ber.integer(round((board.watts or 0.0) / live / 230.0 * 10) if on else 0)
        yield f"{probe}.7.1.{n}", ber.integer(23)
        yield f"{probe}.8.1.{n}", ber.text(f"PS{n} Current {n}")
        failed = psu is Health.FAILED and n == 1
        yield f"{unit}.5.1.{n}", ber.integer(5 if failed or not on else 3)
        yield f"{unit}.6.1.{n}", ber.integer(board.psu_rated_watts * 10)
        yield f"{unit}.8.1.{n}", ber.text(f"PS{n} Status")
        yield f"{unit}.11.1.{n}", ber.integer(1 if on and not failed else 3 if failed else 9)
    n = len(board.psus) + 1
    yield f"{probe}.5.1.{n}", ber.integer(2 if board.watts is None else 3)
    if board.watts is not None:
        yield f"{probe}.6.1.{n}", ber.integer(round(board.watts))
    yield f"{probe}.7.1.{n}", ber.integer(26)
    yield f"{probe}.8.1.{n}", ber.text("System Board Pwr Consumption")
    yield f"{_DELL}.4.600.60.1.7.1.1", ber.integer(int(board.energy_wh))


def _idrac_disks(health: Health) -> Iterator[Row]:
    disk, volume = f"{_DELL}.5.1.20.130.4.1", f"{_DELL}.5.1.20.140.1.1"
    for n, each in _each(_DISKS, 1, health):
        yield f"{disk}.4.{n}", ber.integer(7 if each is Health.FAILED else 3)
        yield f"{disk}.24.{n}", ber.integer(_DELL_STATUS[each])
        yield f"{disk}.31.{n}", ber.integer(1 if each is Health.WARNING else 0)
    yield f"{volume}.4.1", ber.integer(4 if health is Health.FAILED else 2)
    yield f"{volume}.20.1", ber.integer(_DELL_STATUS[health])


def ilo(board: Board) -> Iterator[Row]:
    """An iLO 5. A dead temperature sensor reads -99, a dead power meter -1; some sensors of every board read -99."""
    yield f"{_HPE}.6.1.3.0", ber.integer(_HPE_CONDITION[board.worst])
    for column in (1, 3, 4, 5):
        health = board.health[Part.FAN] if column in {1, 4} else Health.OK
        yield f"{_HPE}.6.2.6.{column}.0", ber.integer(_HPE_CONDITION[health])
    sensor = f"{_HPE}.6.2.6.8.1"
    inlet = board.inlet_celsius
    readings = [
        (11, inlet, 42),
        (6, board.cpu_celsius, 70),
        (6, board.cpu_celsius - 2.0, 70),
        (7, 35.0, 90),
        (12, None, 0),
    ]
    for n, (locale, celsius, threshold) in enumerate(readings, 1):
        yield f"{sensor}.3.0.{n}", ber.integer(locale)
        yield f"{sensor}.4.0.{n}", ber.integer(-99 if celsius is None else round(celsius))
        yield f"{sensor}.5.0.{n}", ber.integer(threshold)
        yield f"{sensor}.6.0.{n}", ber.integer(1 if celsius is None else 4 if celsius > threshold else 2)
    for n, health in _each(_FANS, 2, board.health[Part.FAN]):
        yield f"{_HPE}.6.2.6.7.1.9.0.{n}", ber.integer(_HPE_CONDITION[health])
        yield f"{_HPE}.6.2.6.7.1.12.0.{n}", ber.integer(0 if health is Health.FAILED else board.fan_rpm)
    yield from _ilo_power(board)
    yield f"{_HPE}.6.2.14.4.0", ber.integer(_HPE_CONDITION[board.health[Part.MEMORY]])
    for n, health in _each(_DIMMS, _FAILING_DIMM, board.health[Part.MEMORY]):
        yield f"{_HPE}.6.2.14.13.1.20.0.{n}", ber.integer(_HPE_CONDITION[health])
    for n, health in _each(_DISKS, 1, board.health[Part.DISK]):
        yield f"{_HPE}.3.2.5.1.1.6.0.{n}", ber.integer({Health.OK: 2, Health.WARNING: 4, Health.FAILED: 3}[health])
        yield f"{_HPE}.3.2.5.1.1.37.0.{n}", ber.integer(_HPE_CONDITION[health])
        yield f"{_HPE}.3.2.5.1.1.57.0.{n}", ber.integer(3 if health is Health.WARNING else 2)
    volume = board.health[Part.DISK]
    yield f"{_HPE}.3.2.3.1.1.4.0.1", ber.integer(7 if volume is Health.FAILED else 2)
    yield f"{_HPE}.3.2.3.1.1.11.0.1", ber.integer(_HPE_CONDITION[min(volume, Health.WARNING)])


def _ilo_power(board: Board) -> Iterator[Row]:
    supply = f"{_HPE}.6.2.9.3.1"
    health = max(board.health[Part.PSU], Health.OK if all(board.psus) else Health.WARNING)
    yield f"{_HPE}.6.2.9.1.0", ber.integer(_HPE_CONDITION[health])
    live = max(sum(board.psus), 1)
    for n, on in enumerate(board.psus, 1):
        failed = not on or (n == 1 and board.health[Part.PSU] is Health.FAILED)
        yield f"{supply}.3.0.{n}", ber.integer(3)
        yield f"{supply}.4.0.{n}", ber.integer(4 if failed else 2)
        yield f"{supply}.5.0.{n}", ber.integer(2 if failed else 1)
        yield f"{supply}.7.0.{n}", ber.integer(round((board.watts or 0.0) / live) if on else 0)
        yield f"{supply}.8.0.{n}", ber.integer(board.psu_rated_watts)
    yield f"{_HPE}.6.2.15.3.0", ber.integer(-1 if board.watts is None else round(board.watts))


def xcc(board: Board) -> Iterator[Row]:
    """An XClarity Controller: nearly everything is a DisplayString, a dead sensor's reading is empty."""
    temperature = f"{_LENOVO}.1.1.2.1"
    inlet = board.inlet_celsius
    readings = [("Ambient Temp", inlet, 47, 43), ("CPU 1 Temp", board.cpu_celsius, 95, 90)]
    for n, (name, celsius, critical, warning) in enumerate(readings, 1):
        hot = celsius is not None and celsius >= warning
        yield f"{temperature}.2.{n}", ber.text(name)
        yield f"{temperature}.3.{n}", ber.text("" if celsius is None else f"{celsius:.2f}")
        yield f"{temperature}.6.{n}", ber.text(f"{critical}.00")
        yield f"{temperature}.7.{n}", ber.text(f"{warning}.00")
        yield f"{temperature}.11.{n}", ber.text("Unknown" if celsius is None else "Warning" if hot else "Normal")
    for n, health in _each(_FANS, 2, board.health[Part.FAN]):
        speed = f"{min(100, board.fan_rpm // 120)}% of maximum"
        yield f"{_LENOVO}.1.3.2.1.2.{n}", ber.text(f"Fan {n} Tach")
        yield f"{_LENOVO}.1.3.2.1.3.{n}", ber.text("offline" if health is Health.FAILED else speed)
        yield f"{_LENOVO}.1.3.2.1.10.{n}", ber.text(_XCC_HEALTH[health])
    for n, on in enumerate(board.psus, 1):
        health = board.health[Part.PSU] if n == 1 else Health.OK
        yield f"{_LENOVO}.1.11.2.1.2.{n}", ber.text(f"Power Supply {n}")
        yield f"{_LENOVO}.1.11.2.1.6.{n}", ber.text(_XCC_HEALTH[health if on else Health.FAILED])
    for n, health in _each(_DISKS, 1, board.health[Part.DISK]):
        yield f"{_LENOVO}.1.12.2.1.2.{n}", ber.text(f"Drive {n - 1}")
        yield f"{_LENOVO}.1.12.2.1.3.{n}", ber.text(_XCC_HEALTH[health])
    for n, health in _each(_DIMMS, _FAILING_DIMM, board.health[Part.MEMORY]):
        yield f"{_LENOVO}.1.5.21.1.2.{n}", ber.text(f"DIMM {n}")
        yield f"{_LENOVO}.1.5.21.1.8.{n}", ber.text(_XCC_HEALTH[health])
    yield f"{_LENOVO}.1.4.1.0", ber.integer({Health.OK: 255, Health.WARNING: 4, Health.FAILED: 2}[board.worst])
    yield f"{_LENOVO}.1.10.1.10.0", ber.text("N/A" if board.watts is None else f"{round(board.watts)} Watts")


def supermicro(board: Board) -> Iterator[Row]:
    """A Supermicro BMC: one sensor table, readings and limits as 16-byte strings padded with zeros."""
    table = f"{_ATEN}.3.1"
    failed, speed = {part for part, health in board.health.items() if health is Health.FAILED}, float(board.fan_rpm)
    sensors: list[tuple[int, str, float | None, float]] = [
        (1, "CPU1 Temp", board.cpu_celsius, 95.0), (2, "CPU2 Temp", board.cpu_celsius - 2.0, 95.0),
        (10, "Inlet Temp", board.inlet_celsius, 45.0), (11, "System Temp", 33.0, 85.0),
        (40, "P1-DIMMA1 Temp", None if Part.MEMORY in failed else 36.0, 85.0),
        *((64 + n, f"FAN{n}", 0.0 if n == 2 and Part.FAN in failed else speed, 25300.0) for n in range(1, 5)),
        (90, "PW Consumption", board.watts, 2000.0),
        *((199 + n, f"PS{n} Status", _psu_bits(board, n), 0.0) for n in range(1, len(board.psus) + 1)),
    ]  # fmt: skip
    for n, name, reading, limit in sensors:
        yield f"{table}.1.{n}", ber.integer(n)
        yield f"{table}.2.{n}", _padded("" if reading is None else f"{reading:.3f}")
        for column, margin in ((8, 10.0), (9, 5.0), (10, 0.0)):
            yield f"{table}.{column}.{n}", _padded(f"{max(0.0, limit - margin):.3f}")
        yield f"{table}.13.{n}", _padded(name)
    yield f"{_ATEN}.4.0", ber.integer(1 if board.powered else 0)


def _psu_bits(board: Board, n: int) -> float:
    """IPMI's power supply states: 1 presence, 2 failure, 8 input lost."""
    failed = n == 1 and board.health[Part.PSU] is Health.FAILED
    return 1.0 + 2.0 * failed + 8.0 * (not board.psus[n - 1])


def _padded(value: str) -> bytes:
    return ber.tlv(ber.OCTETS, value.encode()[:16].ljust(16, b"\0"))
