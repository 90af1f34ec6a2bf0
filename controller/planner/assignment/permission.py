"""Whether this process may make machine code: a hardened unit of systemd (`MemoryDenyWriteExecute`) forbids it."""

import functools

WITHOUT = "this process may make no machine code: searches differ by chance alone"
"""What a person is told where it is not granted."""


@functools.cache
def granted() -> bool:
    """LLVM's own answer for this process, which does not change."""
    from llvmlite import binding  # noqa: PLC0415 - a large library, which most searches do without

    try:
        binding.check_jit_execution()
    except OSError:
        return False
    return True
