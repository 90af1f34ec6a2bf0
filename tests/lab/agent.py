"""What a real snmpd asks for the lab's devices (its `pass_persist` protocol): iDRACs, APC PDUs and UPSes of `world`.

Run by snmpd as `agent.py LAB DEVICE`. OIDs and units from DELL-RAC-MIB (IDRAC-MIB-SMIv2), APC PowerNet-MIB (rPDU2) and
UPS-MIB (RFC 1628). Standard library only.
"""

import sys
import time
from bisect import bisect_right
from pathlib import Path

import world

Oid = tuple[int, ...]
Value = tuple[str, str]

KEPT_S = 0.5
STATUS = {"ok": "3", "warning": "4", "failed": "5"}
IDRAC = ".1.3.6.1.4.1.674.10892.5"
APC = ".1.3.6.1.4.1.318.1.1.26"
UPS = ".1.3.6.1.2.1.33.1"


def oid(text: str) -> Oid:
    return tuple(int(part) for part in text.strip(".").split("."))


def idrac(lab: Path, host: str) -> dict[str, Value]:
    """A BMC: rollups by ObjectStatus (ok 3, nonCritical 4, critical 5), inlet in 0.1 °C, watts of type 26."""
    found = world.machine(lab, host)
    memory = STATUS[found.memory_health]
    inlet = round(found.inlet_celsius * 10)
    probe, reading, dimm, array, supply = (f"{IDRAC}.{part}" for part in (
        "4.700.20.1", "4.600.30.1", "4.1100.50.1", "5.1.20.140.1.1", "4.600.12.1"))  # fmt: skip
    return {
        f"{IDRAC}.2.1.0": ("integer", memory),
        f"{IDRAC}.2.3.0": ("integer", "3"),
        f"{IDRAC}.2.4.0": ("integer", "4"),
        **{f"{IDRAC}.4.200.10.1.{part}.1": ("integer", "3") for part in (9, 12, 21, 24, 50)},
        f"{IDRAC}.4.200.10.1.27.1": ("integer", memory),
        f"{probe}.5.1.1": ("integer", "3"),
        f"{probe}.6.1.1": ("integer", str(inlet)),
        f"{probe}.7.1.1": ("integer", "3"),
        f"{probe}.8.1.1": ("string", "System Board Inlet Temp"),
        f"{probe}.10.1.1": ("integer", "470"),
        f"{probe}.11.1.1": ("integer", "420"),
        f"{reading}.5.1.1": ("integer", "3"),
        f"{reading}.6.1.1": ("integer", str(round(found.watts))),
        f"{reading}.7.1.1": ("integer", "26"),
        f"{reading}.8.1.1": ("string", "System Board Pwr Consumption"),
        **{f"{supply}.5.1.{n}": ("integer", "3") for n in (1, 2)},
        **{f"{IDRAC}.4.700.12.1.5.1.{n}": ("integer", "3") for n in (1, 2)},
        **{f"{IDRAC}.4.700.12.1.6.1.{n}": ("integer", "6000") for n in (1, 2)},
        **{f"{IDRAC}.4.700.12.1.8.1.{n}": ("string", f"System Board Fan{n}") for n in (1, 2)},
        f"{dimm}.5.1.1": ("integer", memory),
        f"{array}.4.1": ("integer", "2"),
    }


def apc_pdu(lab: Path, pdu: str) -> dict[str, Value]:
    """A rack PDU of one phase, half the rack's watts: hundredths of a kilowatt, tenths of an ampere."""
    watts = world.rack_watts(lab, pdu.rsplit("-", 1)[0]) / 2
    power, amps = str(round(watts / 10)), str(round(watts / 230 * 10))
    return {
        f"{APC}.4.2.1.7.1": ("integer", "1"),
        f"{APC}.4.2.1.8.1": ("integer", "0"),
        f"{APC}.4.3.1.4.1": ("integer", "2"),
        f"{APC}.4.3.1.5.1": ("integer", power),
        f"{APC}.4.3.1.12.1": ("integer", "2"),
        f"{APC}.6.3.1.2.1": ("integer", "1"),
        f"{APC}.6.3.1.3.1": ("integer", "1"),
        f"{APC}.6.3.1.4.1": ("integer", "2"),
        f"{APC}.6.3.1.5.1": ("integer", amps),
        f"{APC}.6.3.1.6.1": ("integer", "230"),
        f"{APC}.6.3.1.7.1": ("integer", power),
    }


def ups(lab: Path, name: str) -> dict[str, Value]:
    """A UPS that carries its whole feed; output source 3 is mains, 5 battery."""
    feed = world.read(lab / "loads.json").get("feeds", {}).get(name.replace("ups", "feed"), {})
    battery, watts = bool(feed.get("on_battery")), world.feed_watts(lab)
    return {
        f"{UPS}.2.1.0": ("integer", "2"),
        f"{UPS}.2.2.0": ("integer", "30" if battery else "0"),
        f"{UPS}.2.3.0": ("integer", str(round(feed.get("battery_minutes", 15)))),
        f"{UPS}.2.4.0": ("integer", "100"),
        f"{UPS}.4.1.0": ("integer", "5" if battery else "3"),
        f"{UPS}.4.3.0": ("integer", "1"),
        f"{UPS}.4.4.1.3.1": ("integer", str(round(watts / 230 * 10))),
        f"{UPS}.4.4.1.4.1": ("integer", str(round(watts))),
        f"{UPS}.4.4.1.5.1": ("integer", str(round(watts / 50))),
        f"{UPS}.6.1.0": ("gauge", "1" if battery else "0"),
    }


class Table:
    """A device's values in the order of their OIDs, read again when older than half a second."""

    def __init__(self, lab: Path, device: str) -> None:
        self._lab, self._device, self._at = lab, device, 0.0
        self._read = ups if device.startswith("ups") else apc_pdu if device.startswith("rack") else idrac

    def _fresh(self) -> tuple[list[Oid], dict[Oid, Value]]:
        if time.monotonic() - self._at > KEPT_S:
            self._values = {oid(name): value for name, value in self._read(self._lab, self._device).items()}
            self._order, self._at = sorted(self._values), time.monotonic()
        return self._order, self._values

    def get(self, asked: Oid) -> tuple[Oid, Value] | None:
        _, values = self._fresh()
        return (asked, values[asked]) if asked in values else None

    def after(self, asked: Oid) -> tuple[Oid, Value] | None:
        order, values = self._fresh()
        place = bisect_right(order, asked)
        return (order[place], values[order[place]]) if place < len(order) else None


def main() -> None:
    table = Table(Path(sys.argv[1]), sys.argv[2])
    for line in sys.stdin:
        verb = line.strip()
        if verb == "PING":
            answer = ["PONG"]
        elif verb in {"get", "getnext"}:
            asked = oid(sys.stdin.readline())
            found = table.get(asked) if verb == "get" else table.after(asked)
            answer = [f".{'.'.join(map(str, found[0]))}", *found[1]] if found else ["NONE"]
        else:
            answer = ["not-writable"]
        sys.stdout.write("\n".join(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
