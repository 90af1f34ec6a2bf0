"""Which CPUs run an older microcode than the newest that is installed for them.

Prints JSON: for each such microcode a sentence, none where all CPUs run the newest. What a package brings is read from
/lib/firmware, as the kernel itself reads it: intel-ucode/FAMILY-MODEL-STEPPING and amd-ucode/microcode_amd*.bin.
"""

import json
import struct
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else "/")
CPUS, FIRMWARE = ROOT / "proc/cpuinfo", ROOT / "lib/firmware"
PLATFORM = ROOT / "sys/devices/system/cpu/cpu0/microcode/processor_flags"

INTEL_HEADER = struct.Struct("<9I12x")
INTEL_DEFAULT_BYTES = 2000
INTEL_EXTENDED = struct.Struct("<I16x")
INTEL_SIGNATURE = struct.Struct("<3I")
AMD_MAGIC, AMD_TABLE, AMD_PATCH = 0x00414D44, 0, 1
AMD_SECTION = struct.Struct("<2I")
AMD_CPU = struct.Struct("<3I2H")
AMD_HEADER = struct.Struct("<2I2H3I2H")


def cpus(text: str) -> list[Mapping[str, str]]:
    """Each CPU's lines of /proc/cpuinfo."""
    blocks = (block.splitlines() for block in text.split("\n\n") if block.strip())
    return [
        {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in block)} for block in blocks
    ]


def signature(cpu: Mapping[str, str]) -> int:
    """CPUID's leaf 1 in EAX, of which Linux tells the parts."""
    family, model, stepping = (int(cpu[name]) for name in ("cpu family", "model", "stepping"))
    base, extended = min(family, 0xF), max(family - 0xF, 0)
    return extended << 20 | model >> 4 << 16 | base << 8 | (model & 0xF) << 4 | stepping


def intel_revisions(data: bytes, wanted: int, platform: int) -> Iterable[int]:
    """The revisions that a file has for a CPU's signature and its platform's bit."""
    at = 0
    while at + INTEL_HEADER.size <= len(data):
        _, revision, _, cpu, _, _, flags, size, total = INTEL_HEADER.unpack_from(data, at)
        size = size or INTEL_DEFAULT_BYTES
        total = total or size + INTEL_HEADER.size
        for found, bits in [(cpu, flags), *_others(data[at + INTEL_HEADER.size + size : at + total])]:
            if found == wanted and (bits & platform or not bits):
                yield revision
        at += total


def _others(table: bytes) -> Iterable[tuple[int, int]]:
    """Further signatures of one update."""
    if len(table) < INTEL_EXTENDED.size:
        return
    (count,) = INTEL_EXTENDED.unpack_from(table)
    for found, bits, _ in INTEL_SIGNATURE.iter_unpack(table[INTEL_EXTENDED.size :][: count * INTEL_SIGNATURE.size]):
        yield found, bits


def amd_revisions(data: bytes, wanted: int) -> Iterable[int]:
    """The revisions that a container has for a CPU's signature; several containers may stand one after the other."""
    at, known = 0, set[int]()
    while at + AMD_SECTION.size <= len(data):
        kind, size = AMD_SECTION.unpack_from(data, at)
        if kind == AMD_MAGIC:
            at, known = at + 4, set()
            continue
        content = data[at + AMD_SECTION.size :][:size]
        if kind == AMD_TABLE:
            rows = AMD_CPU.iter_unpack(content[: len(content) // AMD_CPU.size * AMD_CPU.size])
            known = {equal for cpu, _, _, equal, _ in rows if cpu == wanted}
        elif kind == AMD_PATCH:
            _, revision, _, _, _, _, _, equal, _ = AMD_HEADER.unpack_from(content)
            if equal in known:
                yield revision
        else:
            return
        at += AMD_SECTION.size + size


def installed(cpu: Mapping[str, str]) -> Iterable[int]:
    """Every revision that is installed for the CPU."""
    wanted = signature(cpu)
    if cpu.get("vendor_id") == "AuthenticAMD":
        for path in sorted(FIRMWARE.glob("amd-ucode/microcode_amd*.bin")):
            yield from amd_revisions(path.read_bytes(), wanted)
        return
    name = "{:02x}-{:02x}-{:02x}".format(*(int(cpu[part]) for part in ("cpu family", "model", "stepping")))
    path = FIRMWARE / "intel-ucode" / name
    if path.exists():
        platform = int(PLATFORM.read_text(), 16) if PLATFORM.exists() else 0xFF
        yield from intel_revisions(path.read_bytes(), wanted, platform)


def older(text: str) -> list[str]:
    """A sentence for each kind of CPU that runs an older revision than is installed for it."""
    kinds = Counter(tuple(sorted(_of_its_kind(cpu).items())) for cpu in cpus(text))
    said = []
    for kind, count in sorted(kinds.items()):
        cpu = dict(kind)
        runs, newest = int(cpu["microcode"], 16), max(installed(cpu), default=0)
        if runs < newest:
            said.append(
                f"{count} CPUs run microcode {runs:#x}, and {newest:#x} is installed for them, which a boot loads"
            )
    return said


def _of_its_kind(cpu: Mapping[str, str]) -> dict[str, str]:
    names = ("vendor_id", "cpu family", "model", "stepping", "microcode")
    return {name: cpu[name] for name in names if name in cpu} | {"microcode": cpu.get("microcode", "0x0")}


if __name__ == "__main__":
    json.dump(older(CPUS.read_text()), sys.stdout)
