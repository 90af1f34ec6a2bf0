"""Lists of CPUs as the kernel writes them."""

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from ansible.errors import AnsibleFilterError

_LIST = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*")


def kernel_cpus(text: str) -> str:
    """The list in its shortest form, as `4-6,8` of `8,4,5,6`: so the kernel tells it. Empty for none."""
    if not text:
        return ""
    if not _LIST.fullmatch(text):
        raise AnsibleFilterError(f"{text!r} is no list of CPUs, as 4-31,36-63")
    numbers = sorted({number for part in text.split(",") for number in span(part)})
    begins = [numbers[0], *(after for before, after in pairwise(numbers) if after > before + 1)]
    ends = [*(before for before, after in pairwise(numbers) if after > before + 1), numbers[-1]]
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(begins, ends, strict=True))


def span(part: str) -> Iterable[int]:
    first, _, last = part.partition("-")
    if last and int(last) < int(first):
        raise AnsibleFilterError(f"{part} is no span of CPUs: it ends before it begins")
    return range(int(first), int(last or first) + 1)


class FilterModule:
    def filters(self) -> Mapping[str, Any]:
        return {"kernel_cpus": kernel_cpus}
