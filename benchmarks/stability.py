"""A day of 200 hosts replayed: nobody moves anything, a plain threshold balancer, and the controller itself.

    python benchmarks/stability.py                    24 hours, 200 hosts, 4,000 VMs, seed 1
    python benchmarks/stability.py --hours 3 --vms 2001 --begins 8.5    a shorter piece of a day on 101 hosts
    python benchmarks/stability.py --wire 40          only: a morning of 8 hosts over HTTP and SNMP, and without

The estate is `gdcc inventory generate`'s. The load is seeded and the same in every arm: a cycle of the day for each
agency and system, noise, 300 short spikes (20 to 100 s) that must move nothing and 67 lasting ones (20 to 90 min) that
must. The controller is the product: observe, trust, assemble, plan, guard, migrate, verify, each with its journal,
cooldowns and budgets, in mode auto with the policy's defaults, a turn every 30 s. The balancer turns as often, may make
as many moves at once, and its copies take what ours take.

BYPASSED in the day: HTTP, JSON, SNMP and the exporters' pages; the twin's world answers through adapters in this
process (`replay/cloud.py`, `replay/sensors.py`), for the wire of a day costs hours.
`tests/contract/test_replay_contract.py` holds them to the real adapters at one instant, `--wire` over a morning. Time
is virtual, so that planning takes none.
Exit status 1 where a VM was moved twice within an hour, a rule was broken, or a short spike moved a VM off a hot host
(what leaves for a feed or for balance is not told apart): by the twin's own truth (`replay/account.py`).
"""

import argparse
import logging
import os
import platform
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context

from rich.console import Console
from rich.table import Table

from benchmarks.replay import arms, wire
from benchmarks.replay.account import Account
from benchmarks.replay.arms import Day, Lived
from inventory import generate

ARMS = {"nothing": arms.nothing, "threshold balancer": arms.threshold, "controller": arms.controller}


def lived(name: str, day: Day) -> Lived:
    """One arm, for a process of its own."""
    logging.disable(logging.CRITICAL)
    return ARMS[name](day)


def all_arms(day: Day) -> dict[str, Lived]:
    """Every arm of the day, two at a time, the longest first."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        running = {name: pool.submit(lived, name, day) for name in reversed(ARMS)}
        return {name: running[name].result() for name in ARMS}


def table(found: dict[str, Lived]) -> Table:
    """A column an arm."""
    shown = Table(title="What the day came to, by the twin's truth")
    shown.add_column("")
    for name in found:
        shown.add_column(name, justify="right")
    for title, told in ROWS.items():
        shown.add_row(title, *(told(each.account) for each in found.values()))
    shown.add_row("wall s, CPU s", *(f"{each.seconds:.0f}, {each.cpu_seconds:.0f}" for each in found.values()))
    return shown


ROWS = {
    "hot minutes of hosts (CPU)": lambda a: f"{a.hot_minutes['cpu']:,.0f}",
    "hot minutes of hosts (memory, network)": lambda a: f"{a.hot_minutes['memory'] + a.hot_minutes['network']:,.0f}",
    "hot minutes of feeds, PDUs, phases": lambda a: f"{a.power_minutes:,.0f}",
    "hot minutes in all": lambda a: f"{a.hot:,.0f}",
    "CPU spells over 3 min, over 10 min": lambda a: f"{a.longer_than(3)}, {a.longer_than(10)}",
    "longest CPU spell, min": lambda a: f"{max(a.spells, default=0.0):.0f}",
    "moves": lambda a: f"{a.moved:,}",
    "moves an hour, mean and most": lambda a: f"{sum(a.hourly) / len(a.hourly):.1f}, {max(a.hourly)}",
    "moves failed": lambda a: f"{a.failed}",
    "GiB copied": lambda a: f"{a.copied_gib:,.0f}",
    "VMs moved twice within an hour": lambda a: f"{a.again}",
    "moves off hosts hot for less than 150 s": lambda a: f"{a.hasty}",
    "rules broken": lambda a: f"{len(a.broken)}",
}


def ratios(found: dict[str, Lived]) -> str:
    """The controller's hot minutes against the others'."""
    ours = found["controller"].account
    said = []
    for name in ("nothing", "threshold balancer"):
        other = found[name].account
        shares = [
            f"{what} {mine / theirs:.2f}" if theirs else f"{what} -"
            for what, mine, theirs in (
                ("CPU", ours.hot_minutes["cpu"], other.hot_minutes["cpu"]),
                ("power", ours.power_minutes, other.power_minutes),
                ("all", ours.hot, other.hot),
            )
        ]
        said.append(f"hot minutes to {name}: {', '.join(shares)}")
    return "; ".join(said)


def flaws(account: Account) -> list[str]:
    """What must not be, in words."""
    found = {
        f"{account.again} moves of a VM within an hour of its last": account.again,
        f"{account.hasty} moves for a short spike": account.hasty,
        f"rules broken: {', '.join(sorted(account.broken)[:5])}": len(account.broken),
    }
    return [what for what, count in found.items() if count]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--begins", type=float, default=0.0, help="hour of the day")
    parser.add_argument("--vms", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mean", type=float, default=0.28, help="busy threads of all, on the day's mean")
    parser.add_argument("--wire", type=float, metavar="MINUTES", help="so many minutes over the wire and without")
    given = parser.parse_args()
    console = Console(width=110)
    logging.disable(logging.CRITICAL)
    if given.wire is not None:
        console.print(*wire.compared(timedelta(minutes=given.wire), given.seed), sep="\n")
        return
    estate = generate.estate(given.vms, given.seed, loopback=True)
    day = Day(
        estate=estate,
        seed=given.seed,
        length=timedelta(hours=given.hours),
        begins=timedelta(hours=given.begins),
        mean_ratio=given.mean,
    )
    console.print(
        f"{len(estate.hosts)} hosts, {given.vms:,} VMs, {given.hours:g} h, seed {given.seed}; Python "
        f"{platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}"
    )
    console.print("In one process: HTTP, JSON, SNMP and exporters' pages are bypassed, and planning takes no time.")
    found = all_arms(day)
    console.print(table(found))
    console.print(ratios(found))
    wrong = flaws(found["controller"].account)
    if wrong:
        sys.exit(f"the controller: {'; '.join(wrong)}")


if __name__ == "__main__":
    main()
