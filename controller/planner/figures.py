"""The numbers beside an explanation: what a VM is, what a host and its supplies carry, what its watts follow from."""

import numpy as np

from controller.model import cluster as model
from controller.planner import amounts, situation, supplies
from controller.planner.load import Load

Figures = tuple[tuple[str, str], ...]
"""Label and value as people read them."""


def of_vm(facts: situation.Situation, vm: int) -> Figures:
    """Its flavor, what it uses and writes, its state."""
    vms, host = facts.cluster.vms, int(facts.cluster.vms.host[vm])
    local = bool(host >= 0 and vms.disk_gib[vm] > 0 and not facts.cluster.hosts.shared_storage[host])
    disk = f"{vms.disk_gib[vm]:.0f} GiB disk" + (", which a live migration copies" if local else "")
    cpu = f"{vms.cpu_vcpus.values[vm]:.2f} vCPUs" if vms.cpu_vcpus.fresh[vm] else "not measured"
    return (
        ("flavor", f"{vms.vcpus[vm]:.0f} vCPUs, {vms.memory_mib[vm] / 1024:.0f} GiB, {disk}"),
        ("busy", cpu),
        ("at its peaks", _peaks(facts, vm)),
        ("dirties", f"{facts.dirty_bytes_s[vm] / amounts.MIB:.0f} MiB/s"
         + ("" if vms.dirty_bytes_s.fresh[vm] else " (assumed)")),
        ("state", model.VmState(int(vms.state[vm])).name),
    )  # fmt: skip


def _peaks(facts: situation.Situation, vm: int) -> str:
    """What it is taken to use where it arrives, and what is known of that."""
    vms, recent = facts.cluster.vms, facts.policy.recent
    known = [
        (f"{vms.cpu_high_vcpus[vm]:.2f} lately", np.isfinite(vms.cpu_high_vcpus[vm])),
        (f"{vms.cpu_ahead_vcpus.values[vm]:.2f} by its forecast", recent.forecast and vms.cpu_ahead_vcpus.fresh[vm]),
    ]
    said = ", ".join(words for words, is_known in known if is_known)
    return f"{facts.at_peaks[amounts.CPU, vm]:.2f} vCPUs ({said or 'no history'})"


def filled(facts: situation.Situation, host: int) -> str:
    """Up to how many busy threads it receives, and how much of its limit is kept for its own peaks."""
    limit, to = facts.limit[amounts.CPU, host], facts.filled_to[amounts.CPU, host]
    return f"{to:.1f} busy threads: its limit of {limit:.1f}, less {limit - to:.1f} that it uses more at its peaks"


def watts(hosts: model.Hosts, host: int) -> str:
    """What its watts are predicted from, and the error that is kept as margin."""
    measured = f"{hosts.power_watts.values[host]:.0f} W measured" if hosts.power_watts.fresh[host] else "not measured"
    slope, error = hosts.watts_per_thread[host], hosts.watts_error[host]
    return f"{measured}; {slope:.2f} W for one more busy thread, ± {error:.0f} W once it has received or shed"


def idle(facts: situation.Situation, host: int) -> Figures:
    """What freeing it would save; nothing where policy does not let it be freed."""
    if not facts.saving.freeable[host]:
        return ()
    return (("idle", f"{facts.saving.idle_watts[host]:.0f} W at least, saved where it is freed and powered down"),)


def reserved(hosts: model.Hosts, host: int) -> str:
    """What Placement keeps back for the host itself."""
    memory, disk = hosts.reserved_memory_mib[host] / 1024, hosts.reserved_disk_gib[host]
    return f"{hosts.reserved_vcpus[host]:.0f} vCPUs, {memory:.0f} GiB of memory, {disk:.0f} GiB of disk"


def power(before: Load, after: Load, host: int) -> Figures:
    """Each supply of the host before a plan and after it."""
    power = before.situation.cluster.power
    rows = [row for row in before.situation.watts.rows[host].tolist() if np.isfinite(before.least[row])]
    return tuple(
        (
            supplies.key(power, row).replace(":", " ", 1),
            f"{before.least[row]:.0f} W → {after.least[row]:.0f} W of {power.limit_watts[row]:.0f} W",
        )
        for row in rows
    )


def carries(load: Load, host: int) -> str:
    """How many VMs, and how full."""
    situation_, whole = load.situation, amounts.whole(load.situation.cluster.hosts)
    shares = [("CPU", load.used[0, host] / max(whole[0, host], 1e-9)),
              ("memory", load.used[1, host] / max(whole[1, host], 1e-9)),
              ("memory placed", load.asked[1, host] / max(situation_.capacity[1, host], 1.0))]  # fmt: skip
    known = [f"{name} {share:.0%}" for name, share in shares if np.isfinite(share)]
    return ", ".join([f"{load.vms_on[host]} VMs", *known])
