"""What the daemon costs: its CPU and memory at 48 hosts and at 1,000, watching a twin on the wire.

`python benchmarks/daemon.py [SECONDS]` prints a table; each size runs a twin and a daemon (mode recommend, SNMP and
exporters polled every 30 s and 15 s, a turn every 30 s) for that long, 90 without it, after its first two turns.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import yaml

SIZES = (("48 hosts (demo)", None), ("1,000 hosts", 20_000))
PORT = 19877
CPU, TURNS = "process_cpu_seconds_total", "gdcc_loop_turns_total"


def gdcc(*words: str, **options: object) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "controller", *words], **options)  # type: ignore[call-overload]


def metric(name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=30) as page:
        found = re.search(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", page.read().decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


def wait_for(turns: float, seconds: float = 300.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if metric(TURNS) >= turns:
                return
        except OSError:
            pass
        time.sleep(1)
    sys.exit(f"the daemon did not make {turns:.0f} turns in {seconds:.0f} s")


def estate(folder: Path, vms: int | None) -> Path:
    if vms is None:
        return Path(__file__).parent.parent / "inventory/estates/demo"
    words = ("inventory", "generate", "--vms", str(vms), "--seed", "1", "--loopback", "--out", str(folder / "estate"))
    if gdcc(*words, stdout=subprocess.DEVNULL).wait():
        sys.exit("the estate could not be generated")
    return folder / "estate"


def measured(vms: int | None, seconds: float) -> tuple[float, ...]:
    """Hosts with trusted readings, VMs, share of a core, MiB resident, and how many turns ended meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        twin = gdcc("twin", "--estate", str(estate(folder, vms)), "--state", str(folder), stdout=subprocess.DEVNULL)
        daemon = None
        try:
            while not (folder / "daemon.yaml").exists():
                time.sleep(0.5)
            time.sleep(10 if vms else 2)
            settings = yaml.safe_load((folder / "daemon.yaml").read_text())
            settings |= {"http": {"port": PORT}, "policy": {"mode": "recommend"}, "deadline": "25s"}
            (folder / "run.yaml").write_text(yaml.safe_dump(settings))
            with (folder / "log").open("wb") as log:
                daemon = gdcc("run", "--config", str(folder / "run.yaml"), stderr=log)
            wait_for(2)
            cpu, turns, began = metric(CPU), metric(TURNS), time.monotonic()
            time.sleep(seconds)
            share = (metric(CPU) - cpu) / (time.monotonic() - began)
            resident = metric("process_resident_memory_bytes") / 2**20
            return metric("gdcc_hosts_trusted"), metric("gdcc_vms"), share, resident, metric(TURNS) - turns
        finally:
            for process in (daemon, twin):
                if process is not None:
                    process.send_signal(signal.SIGTERM)
                    process.wait()


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 90.0
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {seconds:.0f} s each\n")
    print("| estate | hosts trusted | VMs | share of a core | RSS MiB | turns |\n|---|---|---|---|---|---|")
    for title, size in SIZES:
        trusted, vms, share, memory, turns = measured(size, seconds)
        assert trusted > 0 and turns > 0, f"{title}: nothing was seen, so nothing was measured"
        print(f"| {title} | {trusted:,.0f} | {vms:,.0f} | {share:.1%} | {memory:.0f} | {turns:.0f} |", flush=True)


main()
