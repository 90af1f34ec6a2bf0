"""CP-SAT on problems of `optimum_problem`. Runs in an environment of its own, for ortools and our packages cannot share
one (protobuf), and knows nothing of ours.

    python optimum_run.py PROBLEMS ANSWERS SECONDS

Level by level: the least cost of a level among all placements that cost no more than ours at the levels before it. So
where ours is best at every level before, it is the lexicographic optimum; and where it is not, what it may have gained
by that is not hidden.
"""

import importlib.metadata
import json
import sys
import time
from pathlib import Path

from ortools.sat.python import cp_model

WORKERS = 2
LEVELS = 4


class Model:
    """One problem's placements, and the cost of each level as an expression."""

    def __init__(self, problem: dict) -> None:
        self.problem, self.cp = problem, cp_model.CpModel()
        self.x = {}
        for vm, hosts in enumerate(problem["allowed"]):
            for host in hosts:
                self.x[vm, host] = self.cp.new_bool_var(f"x{vm},{host}")
            self.cp.add_exactly_one(self.x[vm, host] for host in hosts)
        self.arrived = self._arrivals()
        self.doubt = {}
        self.costs = [[] for _ in range(LEVELS)]
        for vm, host, level, cost in problem["costs"]:
            self.costs[level].append(cost * self.x[vm, host])
        for meter in problem["meters"]:
            self._hold(meter)

    def _arrivals(self) -> dict:
        """Whether any VM that brings CPU arrived on each host."""
        made, allowed, brings = {}, self.problem["allowed"], self.problem["brings"]
        for host in range(len(self.problem["margins"])):
            came = [x for (vm, to), x in self.x.items() if to == host != allowed[vm][0] and brings[vm]]
            made[host] = self.cp.new_bool_var(f"arrived{host}")
            self.cp.add_max_equality(made[host], [*came, 0])
        return made

    def _doubt(self, host: int):
        """The whole error of the host's prediction where it received, else at most the watts that it shed."""
        if host not in self.doubt:
            margin = self.problem["margins"][host]
            here = [(vm, amount) for vm, amount in enumerate(self.problem["sheds"])
                    if self.problem["allowed"][vm][0] == host]  # fmt: skip
            shed = sum(amount * (1 - self.x[vm, host]) for vm, amount in here)
            least, self.doubt[host] = (self.cp.new_int_var(0, margin, f"{name}{host}") for name in ("least", "doubt"))
            self.cp.add_min_equality(least, [shed, margin])
            self.cp.add_max_equality(self.doubt[host], [least, margin * self.arrived[host]])
        return self.doubt[host]

    def _hold(self, meter: dict) -> None:
        margins = self.problem["margins"]
        load = meter["base"] + sum(amount * self.x[vm, host] for vm, host, amount in meter["terms"])
        doubtful = set(meter["doubts"])
        load += sum(margins[host] * self.arrived[host] for host in meter["arrivals"] if host not in doubtful)
        load += sum(self._doubt(host) for host in meter["doubts"])
        if meter["binds"]:
            bound = self.cp.new_bool_var("bound")
            for vm, host in meter["binds"]:
                self.cp.add_implication(self.x[vm, host], bound)
            self.cp.add(load <= meter["limit"]).only_enforce_if(bound)
        if meter["level"] is not None:
            most = abs(meter["base"]) + sum(abs(amount) for _, _, amount in meter["terms"]) + sum(margins)
            over = self.cp.new_int_var(0, most, "over")
            self.cp.add(over >= load - meter["limit"])
            self.costs[meter["level"]].append(meter["weight"] * over)

    def least(self, level: int, ours: list[int], hint: list[int], seconds: float) -> dict:
        """The best placement at a level, and whether it is proven to be."""
        cp = self.cp.clone()
        for before in range(level):
            cp.add(sum(self.costs[before]) <= ours[before])
        return self._solved(cp, sum(self.costs[level]), hint, seconds)

    def fewest_moves(self, level: int, most: list[int], hint: list[int], seconds: float) -> dict:
        """The fewest moves to a placement that costs no more than so much at this level and those before."""
        cp = self.cp.clone()
        for each in range(level + 1):
            cp.add(sum(self.costs[each]) <= most[each])
        stay = sum(self.x[vm, hosts[0]] for vm, hosts in enumerate(self.problem["allowed"]))
        return self._solved(cp, -stay, hint, seconds)

    def _solved(self, cp: cp_model.CpModel, cost, hint: list[int], seconds: float) -> dict:
        cp.minimize(cost)
        cp.clear_hints()
        for (vm, host), x in self.x.items():
            cp.add_hint(x, int(hint[vm] == host))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers, solver.parameters.max_time_in_seconds = WORKERS, seconds
        solver.parameters.random_seed = 1
        began = time.perf_counter()
        status = solver.solve(cp)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return {"status": solver.status_name(status), "seconds": time.perf_counter() - began}
        return {
            "status": solver.status_name(status),
            "seconds": time.perf_counter() - began,
            "cost": round(solver.objective_value),
            "bound": round(solver.best_objective_bound),
            "placement": [next(host for host in hosts if solver.value(self.x[vm, host]))
                          for vm, hosts in enumerate(self.problem["allowed"])],
        }  # fmt: skip


def answered(problem: dict, seconds: float) -> list[dict]:
    """One answer a level; a level at which ours costs nothing is not asked for."""
    model, ours, hint = Model(problem), problem["ours"], problem["placement"]
    found = []
    for level in range(LEVELS):
        if ours[level] == 0:
            found.append({"status": "OPTIMAL", "seconds": 0.0, "cost": 0, "bound": 0, "placement": hint})
            continue
        best = model.least(level, ours, hint, seconds)
        if best.get("cost", ours[level]) < ours[level]:
            most = [*ours[:level], best["cost"]]
            best["lean"] = model.fewest_moves(level, most, best["placement"], seconds)
        found.append(best)
    return found


def main() -> None:
    problems, seconds = json.loads(Path(sys.argv[1]).read_text()), float(sys.argv[3])
    version = importlib.metadata.version("ortools")
    Path(sys.argv[2]).write_text(
        json.dumps({"version": version, "answers": [answered(problem, seconds) for problem in problems]})
    )


if __name__ == "__main__":
    main()
