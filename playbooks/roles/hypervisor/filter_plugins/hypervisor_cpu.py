"""The flags of /proc/cpuinfo that declared traits and guests' flags need of a host's CPU.

Traits are those of os-traits (`hw/cpu/x86`), which Nova reports by `CPU_TRAITS_MAPPING` of its libvirt driver; flags
are the kernel's (`arch/x86/include/asm/cpufeatures.h`). What has no flag of its own there is left out, as MPX, which
the kernel knows no more, and what KVM gives a guest whether or not the CPU has it, as x2apic.
"""

from collections.abc import Iterable, Mapping
from typing import Any

_X86 = "HW_CPU_X86_"
_OF_TRAITS = {
    "3DNOW": "3dnow",
    "ABM": "abm",
    "AESNI": "aes",
    "AVX": "avx",
    "AVX2": "avx2",
    "AVX512BITALG": "avx512_bitalg",
    "AVX512BW": "avx512bw",
    "AVX512CD": "avx512cd",
    "AVX512DQ": "avx512dq",
    "AVX512ER": "avx512er",
    "AVX512F": "avx512f",
    "AVX512GFNI": "gfni",
    "AVX512IFMA": "avx512ifma",
    "AVX512PF": "avx512pf",
    "AVX512VAES": "vaes",
    "AVX512VBMI": "avx512vbmi",
    "AVX512VBMI2": "avx512_vbmi2",
    "AVX512VL": "avx512vl",
    "AVX512VNNI": "avx512_vnni",
    "AVX512VPCLMULQDQ": "vpclmulqdq",
    "AVX512VPOPCNTDQ": "avx512_vpopcntdq",
    "BMI": "bmi1",
    "BMI2": "bmi2",
    "CLMUL": "pclmulqdq",
    "F16C": "f16c",
    "FMA3": "fma",
    "FMA4": "fma4",
    "MMX": "mmx",
    "SHA": "sha_ni",
    "SSE": "sse",
    "SSE2": "sse2",
    "SSE3": "pni",
    "SSE41": "sse4_1",
    "SSE42": "sse4_2",
    "SSE4A": "sse4a",
    "SSSE3": "ssse3",
    "SVM": "svm",
    "AMD_SVM": "svm",
    "TBM": "tbm",
    "VMX": "vmx",
    "XOP": "xop",
}
_OF_GUESTS = {
    "pcid": "pcid",
    "invpcid": "invpcid",
    "pdpe1gb": "pdpe1gb",
    "md-clear": "md_clear",
    "ssbd": "ssbd",
    "pclmuldq": "pclmulqdq",
    "pclmulqdq": "pclmulqdq",
    "sse4.1": "sse4_1",
    "sse4.2": "sse4_2",
    **{flag: flag for flag in ("aes", "avx", "avx2", "avx512f", "bmi1", "bmi2", "fma", "svm", "vmx")},
}
"""QEMU's names of flags that a guest may be given on top of its model, and the kernel's."""


def flags(traits: Iterable[str], of_guests: Iterable[str]) -> list[str]:
    """Sorted; `of_guests` as Nova takes them in `cpu_model_extra_flags`: those with a minus are needed nowhere."""
    of_traits = {_OF_TRAITS.get(trait.removeprefix(_X86)) for trait in traits if trait.startswith(_X86)}
    added = {_OF_GUESTS.get(flag.removeprefix("+").lower()) for flag in of_guests}
    return sorted(flag for flag in of_traits | added if flag is not None)


class FilterModule:
    def filters(self) -> Mapping[str, Any]:
        return {"hypervisor_flags": flags}
