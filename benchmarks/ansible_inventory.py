"""Seconds and memory of the inventory plugin for 5,000 hosts, each command in a process of its own.

    python benchmarks/ansible_inventory.py [VMS]

`--list` also pays for Ansible's own writing of every host's variables as JSON, which the same inventory from a file in
Ansible's own format pays, too: the last line is that one. Limits for the plugin: 3 s and 300 MiB.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from inventory import dump, generate

REPOSITORY = Path(__file__).parents[1]
SEED = 1
PARSED = """
import sys, time
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader()
loader, began, worked = DataLoader(), time.perf_counter(), time.process_time()
hosts = InventoryManager(loader, sources=[sys.argv[1]]).hosts
print(len(hosts), time.perf_counter() - began, time.process_time() - worked)
"""


def measured(what: str, command: Sequence[str], env: dict[str, str]) -> bytes:
    """Runs a command, prints what it took, and returns its output."""
    with tempfile.TemporaryFile() as out:
        began = time.perf_counter()
        whole = {**os.environ, "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"), **env}
        child = subprocess.Popen(command, cwd=REPOSITORY, env=whole, stdout=out)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        if child.returncode != 0:
            sys.exit(f"{' '.join(command)} ended with {child.returncode}")
        out.seek(0)
        said = out.read()
    cells = (f"{seconds:.1f}", f"{used.ru_utime + used.ru_stime:.1f}", f"{used.ru_maxrss / 1024:.0f}")
    print(f"| {what} | {' | '.join(cells)} | {len(said) / 2**20:.1f} |", flush=True)
    return said


def in_ansibles_format(listed: bytes, path: Path) -> None:
    """The same hosts, groups and variables as a file that Ansible's own plugin `yaml` reads (JSON is YAML)."""
    whole = json.loads(listed)
    hosts = whole.pop("_meta")["hostvars"]
    groups = {
        name: {
            "hosts": dict.fromkeys(group.get("hosts", ())),
            "children": {child: {} for child in group.get("children", ())},
        }
        for name, group in whole.items()
    }
    groups["all"]["hosts"] = hosts
    path.write_text(json.dumps(groups))


def main() -> None:
    vms = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    ansible = Path(sys.executable).with_name
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        estate = generate.estate(vms, SEED)
        dump.write(estate, folder / "estate", schema="estate.schema.json")
        source = folder / "estate" / "gdcc.yml"
        source.write_text("plugin: gdcc\n")
        kept = {
            "ANSIBLE_INVENTORY_CACHE": "1",
            "ANSIBLE_INVENTORY_CACHE_PLUGIN": "jsonfile",
            "ANSIBLE_INVENTORY_CACHE_CONNECTION": str(folder / "cache"),
        }
        inventory = (str(ansible("ansible-inventory")), "-i", str(source))
        chosen = (str(ansible("ansible")), "all", "-i", str(source), "--list-hosts", "--limit", "rack:rack-007")
        print(f"{len(estate.hosts):,} hosts, {vms:,} VMs, load {os.getloadavg()[0]:.1f}\n")
        print("| what | seconds | CPU s | peak MiB | MiB written |\n|---|---|---|---|---|")
        parsed = measured("the plugin alone", (sys.executable, "-c", PARSED, str(source)), {}).split()
        measured("ansible --limit rack:rack-007 --list-hosts", chosen, {})
        measured("ansible-inventory --graph", (*inventory, "--graph"), {})
        listed = measured("ansible-inventory --list", (*inventory, "--list"), {})
        measured("the cache written", chosen, kept)
        measured("ansible --limit, from the cache", chosen, kept)
        measured("ansible-inventory --list, from the cache", (*inventory, "--list"), kept)
        in_ansibles_format(listed, folder / "same.yml")
        same = (str(ansible("ansible-inventory")), "-i", str(folder / "same.yml"), "--list")
        measured("ansible-inventory --list of Ansible's own format", same, {})
        count, seconds, cpu_s = (float(each) for each in parsed)
        print(f"\nReading the source took {seconds:.1f} s and {cpu_s:.1f} CPU s for {count:,.0f} hosts.")


if __name__ == "__main__":
    main()
