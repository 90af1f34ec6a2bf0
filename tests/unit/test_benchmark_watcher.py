"""Watcher beside ours: what it is told of a cluster, and what judges both."""

from benchmarks.parts import judge, perturbed, watcher_facts
from controller.model.policy import Policy
from controller.planner import plan
from tests import builders
from tests.builders import NOW, Host, Vm


def test_amounts_reach_watcher_in_its_own_units() -> None:
    cluster = builders.cluster(
        hosts=[Host(name="h1", threads=32, vcpus=128.0, memory_gib=256.0), Host(name="h2")],
        vms=[Vm(name="a", host="h1", vcpus=4, memory_gib=8.0, cpu=1.0, memory_used_gib=2.0)],
    )
    facts = watcher_facts.of_cluster(cluster, {}, seed=1)
    host, vm = facts["hosts"][0], facts["vms"][0]
    assert (host["vcpus"], host["vcpu_ratio"], host["memory"]) == (32, 4.0, 256 * 1024)
    assert host["metrics"] == {"host_cpu_usage": 100.0 / 32, "host_ram_usage": 2.0 * 1024 * 1024}
    assert (vm["host"], vm["vcpus"], vm["memory"]) == ("h1", 4, 8192)
    assert vm["metrics"] == {"instance_cpu_usage": 25.0, "instance_ram_usage": 2048.0}


def test_a_move_that_a_rule_refuses_is_counted_and_made() -> None:
    cluster = builders.cluster(
        hosts=[Host(name="h1", memory_gib=64.0), Host(name="h2", memory_gib=64.0)],
        vms=[Vm(name="a", host="h1", memory_gib=40.0), Vm(name="b", host="h2", memory_gib=40.0)],
    )
    verdict = judge.judged(cluster, Policy(), NOW, [("a", "h2")])
    assert (verdict.moves, verdict.refused, verdict.over_memory) == (1, {"capacity": 1}, 1)


def test_our_own_moves_pass_the_judge_and_leave_what_the_plan_says() -> None:
    cluster = perturbed.perturbed(40, 760, seed=1)
    made = plan.plan(cluster, perturbed.POLICY, perturbed.NOW)
    verdict = judge.judged(cluster, perturbed.POLICY, perturbed.NOW, [(move.vm, move.target) for move in made.moves])
    assert not verdict.refused
    assert (verdict.over, verdict.score) == (judge.over_any_limit(made.breaches_after), made.score_after)
