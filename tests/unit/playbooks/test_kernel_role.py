"""The kernel role's lists of CPUs, and which microcode it finds older than what is installed."""

import struct
import sys
from pathlib import Path
from types import ModuleType

import pytest
from ansible.errors import AnsibleFilterError

from tests.unit.playbooks.role_modules import role_module

CPUS = role_module("kernel/filter_plugins/kernel_cpus.py")
INTEL = {"vendor_id": "GenuineIntel", "cpu family": "6", "model": "85", "stepping": "4"}
INTEL_SIGNATURE = 0x50654
AMD = {"vendor_id": "AuthenticAMD", "cpu family": "23", "model": "49", "stepping": "0"}
AMD_SIGNATURE, AMD_EQUAL = 0x830F10, 0x8310


@pytest.mark.parametrize(("given", "told"), [("", ""), ("4,5,6", "4-6"), ("8,4-5,6", "4-6,8"), ("0,2", "0,2")])
def test_a_list_of_cpus_is_told_as_the_kernel_tells_it(given: str, told: str) -> None:
    assert CPUS.kernel_cpus(given) == told


@pytest.mark.parametrize("given", ["4-31, 36", "all", "6-4", "1,", "nohz,1"])
def test_what_is_no_list_of_cpus_is_refused(given: str) -> None:
    with pytest.raises(AnsibleFilterError):
        CPUS.kernel_cpus(given)


@pytest.fixture
def microcode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script that runs on a host, on a folder as its root."""
    monkeypatch.setattr(sys, "argv", ["microcode.py", str(tmp_path)])
    for folder in ("intel-ucode", "amd-ucode"):
        (tmp_path / "lib/firmware" / folder).mkdir(parents=True)
    return role_module("kernel/files/microcode.py")


def cpuinfo(*cpus: dict[str, str]) -> str:
    return "\n".join("".join(f"{key}\t: {value}\n" for key, value in cpu.items()) for cpu in cpus)


def intel_update(revision: int, *, signature: int = INTEL_SIGNATURE, flags: int = 0xB7, others: bytes = b"") -> bytes:
    body = bytes(64)
    size = len(body) + 48 + len(others)
    return struct.pack("<9I12x", 1, revision, 0x07202025, signature, 0, 1, flags, len(body), size) + body + others


def amd_container(*patches: tuple[int, int]) -> bytes:
    """Of a CPU and its equivalent id; patches are revision and id."""
    table = struct.pack("<3I2H", AMD_SIGNATURE, 0, 0, AMD_EQUAL, 0) + bytes(16)
    sections = struct.pack("<3I", 0x00414D44, 0, len(table)) + table
    for revision, equal in patches:
        patch = struct.pack("<2I2H3I2H", 0x20250720, revision, 0x8004, 0, 0, 0, 0, equal, 0) + bytes(36)
        sections += struct.pack("<2I", 1, len(patch)) + patch
    return sections


def test_cpus_that_run_the_newest_that_is_installed_are_no_problem(microcode: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "lib/firmware/intel-ucode/06-55-04").write_bytes(intel_update(0x2007006) + intel_update(0x2006E05))
    (tmp_path / "lib/firmware/amd-ucode/microcode_amd_fam17h.bin").write_bytes(amd_container((0x830107B, AMD_EQUAL)))
    assert microcode.older(cpuinfo({**INTEL, "microcode": "0x2007006"}, {**AMD, "microcode": "0x830107c"})) == []


def test_an_older_one_is_named_with_how_many_cpus_run_it(microcode: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "lib/firmware/intel-ucode/06-55-04").write_bytes(intel_update(0x2007006))
    old, new = ({**INTEL, "microcode": revision} for revision in ("0x2006e05", "0x2007006"))
    assert microcode.older(cpuinfo(old, old, new)) == [
        "2 CPUs run microcode 0x2006e05, and 0x2007006 is installed for them, which a boot loads"
    ]


def test_updates_of_other_cpus_and_platforms_do_not_count(microcode: ModuleType, tmp_path: Path) -> None:
    flags = tmp_path / "sys/devices/system/cpu/cpu0/microcode/processor_flags"
    flags.parent.mkdir(parents=True)
    flags.write_text("0x80\n")
    other = intel_update(0x3000000, signature=0x50657) + intel_update(0x3000000, flags=0x01)
    (tmp_path / "lib/firmware/intel-ucode/06-55-04").write_bytes(other + intel_update(0x2006E05))
    table = amd_container((0x9999999, 0x1234), (0x830107B, AMD_EQUAL))
    (tmp_path / "lib/firmware/amd-ucode/microcode_amd_fam17h.bin").write_bytes(table)
    assert microcode.older(cpuinfo({**INTEL, "microcode": "0x2006e05"}, {**AMD, "microcode": "0x830107b"})) == []


def test_an_update_counts_by_its_further_signatures(microcode: ModuleType, tmp_path: Path) -> None:
    others = struct.pack("<I16x", 1) + struct.pack("<3I", INTEL_SIGNATURE, 0xB7, 0)
    update = intel_update(0x2007006, signature=0x50657, others=others)
    (tmp_path / "lib/firmware/intel-ucode/06-55-04").write_bytes(update)
    assert len(microcode.older(cpuinfo({**INTEL, "microcode": "0x1"}))) == 1


def test_a_cpu_for_which_nothing_is_installed_is_no_problem(microcode: ModuleType) -> None:
    assert microcode.older(cpuinfo({**INTEL, "microcode": "0x1"}, {**AMD, "microcode": "0x1"})) == []
