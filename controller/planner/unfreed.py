"""Why a plan leaves a host in use that policy lets be freed."""

from controller.model.plan import Plan
from controller.model.sample import IntColumn
from controller.planner import canonical, describe, freeing, room, stuck
from controller.planner.holds import Holds
from controller.planner.load import Load
from controller.planner.search import Search, never
from controller.planner.situation import Situation
from controller.planner.stuck import Verdict

LATER = f"nothing stands against it; a search ends after {freeing.TRIES} hosts that it cannot empty"


def why(facts: Situation, plan: Plan, holds: Holds, host: int) -> str:
    """In words, as everything stands after the plan's moves; "" where no host is freed, or none stands on this one."""
    if not facts.policy.consolidation.enabled:
        return ""
    search = _after(facts, plan)
    vms = search.on(host)
    if not len(vms):
        return ""
    if not facts.own_moves:
        return "the controller makes no moves of its own"
    most = facts.policy.consolidation.max_hosts
    spent = f"one plan frees {most} at most (consolidation.max_hosts)" if len(plan.frees) >= most else ""
    found = _of_host(facts, host) or _of_vms(search.load, holds, vms) or spent
    return found or search.freeing.obstacle(host) or LATER


def _of_host(facts: Situation, host: int) -> str:
    closed, saving = str(facts.standing.closed[host]), facts.saving
    if closed or saving.freeable[host]:
        return describe.of_host(facts.cluster, closed, host) if closed else ""
    told = "a server is on its way to it"
    return told if saving.idle_watts[host] > 0 else "what it draws idle is not known (its watts, CPU and slope)"


def _of_vms(load: Load, holds: Holds, vms: IntColumn) -> str:
    held = [Verdict(vm=vm, rule=rule) for vm in vms.tolist() if (rule := holds.held(vm))]
    return stuck.briefly(stuck.grouped(load, held))


def _after(facts: Situation, plan: Plan) -> Search:
    """A search that has made the plan's moves."""
    search = Search(facts, room.USUAL, never)
    vms, hosts = facts.cluster.vms.ids, facts.cluster.hosts.names
    for move in plan.moves:
        search.send(canonical.at(vms, move.vm), canonical.at(hosts, move.target), freeing.NO_MATTER)
    return search
