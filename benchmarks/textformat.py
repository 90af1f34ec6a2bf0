"""Reading one host's exporter page: ours beside prometheus_client's parser, best of seven, milliseconds."""

import time
from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from controller.adapters.exporters.page import NAMES, page
from controller.adapters.exporters.textformat import Reader

MODES = ("idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user")


def node_page(cpus: int = 64, others: int = 1500) -> str:
    """A page as large as a compute host's: what is read, and more that is not."""
    lines = [
        f'node_cpu_seconds_total{{cpu="{n}",mode="{mode}"}} {n * 1.25e3:.2f}' for n in range(cpus) for mode in MODES
    ]
    lines += [f'node_filesystem_avail_bytes{{device="/dev/sd{n}",mountpoint="/m{n}"}} 1.7e+10' for n in range(others)]
    for way in ("receive", "transmit"):
        lines += [f'node_network_{way}_bytes_total{{device="{device}"}} 1e+10' for device in ("eth0", "eth1", "bond0")]
        lines += [f'node_network_{way}_bytes_total{{device="tap{n}"}} 1e+09' for n in range(60)]
    lines += ["node_memory_MemTotal_bytes 4e+11", "node_memory_MemAvailable_bytes 1e+11"]
    return "\n".join(lines) + "\n"


def best(task: Callable[[], object], rounds: int = 7) -> float:
    """The shortest of several runs, in milliseconds."""
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        task()
        seconds.append(time.perf_counter() - begun)
    return min(seconds) * 1e3


def main() -> None:
    text = node_page()
    body, reader = text.encode(), Reader(NAMES)
    ours = best(lambda: page(reader.read(body), "h1", at=0.0, clock=0.0))
    theirs = best(lambda: [sample for family in text_string_to_metric_families(text) for sample in family.samples])
    print(f"{len(body):,} bytes, {text.count(chr(10)):,} lines: ours {ours:.2f} ms, prometheus_client {theirs:.2f} ms, "
          f"{theirs / ours:.0f}x")  # fmt: skip


if __name__ == "__main__":
    main()
