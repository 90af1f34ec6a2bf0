"""How far our greedy planner is from the true optimum on instances that a solver can prove: CP-SAT, level by level.

    python benchmarks/optimum.py                    60 seeds; some minutes
    python benchmarks/optimum.py --seeds 100 200    these seeds, the second not included
    python benchmarks/optimum.py --show 17          one instance: breaches left, and the moves that would mend more
    python benchmarks/optimum.py --rounds 64        so many searches a plan (`search_rounds`), the best of them

The instances are `parts/small_instances.py`: 4 to 12 hosts, 10 to 60 VMs, in trouble. The optimum is of the objective
in `controller/planner/score.py`: broken, then hot, then uneven, each level among placements that cost no more than ours
at the levels before. It knows no waves and no order, only what every rule says of where a VM may end
(`parts/optimum_problem.py`): it may move VMs that nothing asks to move, and in a ring. So it is never above what can be
reached, and sometimes below; where it is better than ours, its fewest moves are put into waves by our own code, which
tells whether they could be made one after the other. ortools has an environment of its own (`~/.cache/gdcc/ortools`,
exact and by hash; the first run needs PyPI).
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.parts import environment, optimum_problem, small_instances
from benchmarks.parts.judge import LEVELS
from benchmarks.parts.optimum_problem import SCALE
from benchmarks.parts.process import measured, row
from controller.model import cluster as model
from controller.model.plan import Breach, Concern
from controller.planner import plan, score, situation, waves
from controller.planner.choice import Choice
from controller.planner.load import Load
from controller.planner.situation import Situation
from tests.builders import NOW

REPOSITORY = Path(__file__).parents[1]
SECONDS_A_SOLVE = 10.0
NEAR = 0.01
WORST = 5
FULLNESS = (0.6, 0.8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One seed as we planned it: costs of each level before and after, in parts of `SCALE`; rules of what is left."""

    seed: int
    facts: Situation
    start: list[int]
    ours: list[int]
    seconds: float
    moves: int
    left: Counter[tuple[Concern, str]]
    problem: dict[str, Any]

    @property
    def full(self) -> float:
        """The fullest of vCPUs, memory and disk: what is placed, over what the hosts that may receive admit."""
        admitted = self.facts.capacity[:, self.facts.standing.closed == ""].sum(axis=1)
        return float((self.facts.asked.sum(axis=1) / admitted).max())


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One instance at one level. `reachable`: the better placement can be moved to, wave by wave."""

    seed: int
    start: float
    ours: float
    best: float
    proven: bool
    seconds: float
    reachable: bool | None

    @property
    def ratio(self) -> float:
        """What we left though it could be mended, as a share of the start; infinite where that was nothing."""
        left = self.ours - self.best
        return left / self.start if self.start > 0 else (float("inf") if left > 0 else 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs=2, default=[0, 60], metavar=("FIRST", "END"))
    parser.add_argument("--show", type=int, metavar="SEED")
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    seeds = range(*asked.seeds) if asked.show is None else [asked.show]
    interpreter = environment.python("ortools")
    instances = [planned(seed, asked.rounds) for seed in seeds]
    version, answers = solved(interpreter, instances)
    if asked.show is not None:
        show(instances[0], answers[0])
        return
    print(f"Python {platform.python_version()}, ortools {version}, {platform.machine()}, load {os.getloadavg()[0]:.1f}")
    print(f"{len(instances)} instances, {asked.rounds} rounds, at most {SECONDS_A_SOLVE:.0f} s a solve\n")
    tell(instances, [[gap(one, level, each) for level, each in enumerate(answer)]
                     for one, answer in zip(instances, answers, strict=True)])  # fmt: skip


def planned(seed: int, rounds: int) -> Instance:
    """Our plan of an instance, and the problem that the solver gets. Both hold the same score."""
    policy = replace(small_instances.POLICY, search_rounds=rounds)
    cluster = small_instances.cluster(seed)
    facts = situation.of_cluster(cluster, policy, NOW)
    began = time.perf_counter()
    made = plan.plan(cluster, policy, NOW)
    seconds = time.perf_counter() - began
    problem = optimum_problem.of_situation(facts)
    hosts = {name: number for number, name in enumerate(facts.cluster.hosts.names)}
    vms = {vm: number for number, vm in enumerate(facts.cluster.vms.ids)}
    before = facts.cluster.vms.host.tolist()
    after = list(before)
    for move in made.moves:
        after[vms[move.vm]] = hosts[move.target]
    start, ours = optimum_problem.costs(problem, before), optimum_problem.costs(problem, after)
    assert_same(ours, made.score_after)
    return Instance(
        seed=seed, facts=facts, start=start, ours=ours, seconds=seconds, moves=len(made.moves),
        left=Counter((breach.concern, rule(cluster, breach)) for breach in made.breaches_after),
        problem={**problem, "ours": ours, "placement": after},
    )  # fmt: skip


def rule(cluster: model.Cluster, breach: Breach) -> str:
    """The breach's rule; for a group its kind."""
    kinds = {group.name: group.kind.value for group in cluster.groups}
    return kinds[breach.subject] if breach.rule == "group" else breach.rule


def assert_same(costs: list[int], of_score: tuple[float, ...]) -> None:
    """The solver's arithmetic is the planner's, but for rounding."""
    pairs = zip(costs, of_score[: len(LEVELS)], strict=True)
    assert all(abs(cost / SCALE - value) < 1e-4 for cost, value in pairs), (costs, of_score)


def solved(interpreter: str, instances: list[Instance]) -> tuple[str, list[list[dict[str, Any]]]]:
    with tempfile.TemporaryDirectory() as folder:
        problems, answers = Path(folder) / "problems.json", Path(folder) / "answers.json"
        problems.write_text(json.dumps([instance.problem for instance in instances]))
        script = REPOSITORY / "benchmarks" / "parts" / "optimum_run.py"
        command = [interpreter, "-I", str(script), str(problems), str(answers), str(SECONDS_A_SOLVE)]
        measured(command, REPOSITORY, dict(os.environ))
        told = json.loads(answers.read_text())
    return told["version"], told["answers"]


def gap(instance: Instance, level: int, answer: dict[str, Any]) -> Gap:
    """Ours against the solver's; its placement is scored by our own code too."""
    start, ours, best = instance.start[level], instance.ours[level], answer.get("cost", instance.ours[level])
    if "placement" in answer:
        assert_same(optimum_problem.costs(instance.problem, answer["placement"]),
                    score.of_load(moved(instance.facts, answer["placement"])))  # fmt: skip
    better = answer.get("lean", {}).get("placement")
    return Gap(
        seed=instance.seed, start=start / SCALE, ours=ours / SCALE, best=best / SCALE,
        proven=answer["status"] == "OPTIMAL", seconds=answer["seconds"],
        reachable=None if better is None else not waves.waves(instance.facts, choices(instance.facts, better))[1],
    )  # fmt: skip


def moved(facts: Situation, placement: list[int]) -> Load:
    load = Load(facts)
    for choice in choices(facts, placement):
        load.move(choice.vm, choice.target)
    return load


def choices(facts: Situation, placement: list[int]) -> list[Choice]:
    """The moves to a placement, for no breach in particular."""
    why = Breach(
        key="optimum", concern=Concern.BROKEN, rule="optimum", subject="", amount=1.0, limit=0.0, unit="", why=""
    )
    pairs = enumerate(zip(facts.cluster.vms.host.tolist(), placement, strict=True))
    return [Choice(vm=vm, target=target, breach=why) for vm, (home, target) in pairs if home != target]


def tell(instances: list[Instance], gaps: list[list[Gap]]) -> None:
    """A row a level, then the worst seeds of each."""
    row("level", "sum at the start", "ours", "optimum", "gap in % of the start", "the same of what is reachable",
        "optimal", "within 1 %", "worse", "of these, reachable move by move", "not proven",
        "solve seconds, median and most")  # fmt: skip
    row(*["---"] * 12)
    for name, found in zip(LEVELS, zip(*gaps, strict=True), strict=True):
        row(name, *summary(found))
    print()
    by_fullness(instances, gaps)
    sizes, seconds = [len(one.facts.cluster.vms.ids) for one in instances], [one.seconds for one in instances]
    print(f"\n{min(sizes)} to {max(sizes)} VMs. Our plans took {statistics.median(seconds):.3f} s in the median, "
          f"{max(seconds):.3f} s at most, {sum(one.moves for one in instances)} moves in all.")  # fmt: skip
    for concern, found in zip(LEVELS, zip(*gaps, strict=True), strict=True):
        worse = [(each, one) for each, one in zip(found, instances, strict=True) if each.ours > each.best]
        worst = sorted((each for each, _ in worse), key=lambda each: each.best - each.ours)
        told = (f"{each.seed} ({each.start:.3g}: {each.ours:.3g}, {each.best:.3g})" for each in worst[:WORST])
        print(f"\nWorst seeds, {concern} (at the start: ours, optimum): {', '.join(told) or 'none'}.")
        left = sum((one.left for _, one in worse), Counter[tuple[Concern, str]]())
        kinds = (f"{count} {rule}" for (of, rule), count in left.most_common() if of is concern)
        print(f"Left in all that are worse: {', '.join(kinds) or 'nothing'}.")


def by_fullness(instances: list[Instance], gaps: list[list[Gap]]) -> None:
    """The gap of each level where there is room, where it is scarce, and where there is nearly none."""
    row("placed, of what the open hosts admit", "instances", *(f"gap in % of the start, {name}" for name in LEVELS))
    row(*["---"] * (2 + len(LEVELS)))
    for least, most in pairwise((0.0, *FULLNESS, float("inf"))):
        found = [levels for one, levels in zip(instances, gaps, strict=True) if least <= one.full < most]
        shares = (share(level) for level in zip(*found, strict=True))
        row(f"{least:.0%} to {most:.0%}" if most < float("inf") else f"{least:.0%} and more", len(found), *shares)


def share(found: Sequence[Gap]) -> str:
    """All that is left of what could be mended, in % of all that there was."""
    start = sum(each.start for each in found)
    return f"{100 * sum(each.ours - each.best for each in found) / start:.2f}" if start else "-"


def summary(found: tuple[Gap, ...]) -> tuple[object, ...]:
    """One level over all instances."""
    start, ours, best = (sum(getattr(each, name) for each in found) for name in ("start", "ours", "best"))
    worse = [each for each in found if each.ratio > NEAR]
    optimal = sum(each.ours <= each.best and each.proven for each in found)
    near = sum(0 < each.ratio <= NEAR and each.proven for each in found)
    asked = [each.seconds for each in found if each.seconds] or [0.0]
    return (
        f"{start:.2f}", f"{ours:.2f}", f"{best:.2f}", share(found),
        share([replace(each, best=each.ours) if each.reachable is False else each for each in found]),
        optimal, near, len(worse),
        sum(bool(each.reachable) for each in worse), sum(not each.proven for each in found),
        f"{statistics.median(asked):.2f}, {max(asked):.1f} ({sum(each.seconds > 0 for each in found)} solved)",
    )  # fmt: skip


def show(instance: Instance, answers: list[dict[str, Any]]) -> None:
    """What we left of one instance, and the fewest moves to the optimum of each level where ours is worse."""
    names, vms = instance.facts.cluster.hosts.names, instance.facts.cluster.vms.names
    made = plan.plan(small_instances.cluster(instance.seed), instance.facts.policy, NOW)
    print(made.sentence, *(f"ours: {move.why}" for move in made.moves), sep="\n")
    print(*(f"left: {breach.why}" for breach in made.breaches_after), sep="\n")
    print(*(f"held: {hold}" for hold in made.holds), sep="\n")
    for name, answer in zip(LEVELS, answers, strict=True):
        better = answer.get("lean", {}).get("placement")
        if better is not None:
            into = choices(instance.facts, better)
            waiting = {choice.vm for choice in waves.waves(instance.facts, into)[1]}
            print(f"{name}, optimum {answer['cost'] / SCALE:.6g}:")
            for choice in into:
                home = names[int(instance.facts.cluster.vms.host[choice.vm])]
                print(f"  {vms[choice.vm]} {home} -> {names[choice.target]}{' waits' * (choice.vm in waiting)}")


if __name__ == "__main__":
    main()
