"""Which groups' rules are broken: already before, while servers are down, and by where they start again."""

from datetime import timedelta

from controller.model import cluster as model
from controller.model.policy import Policy
from controller.model.whatif import BrokenRule, Loss, Outcome
from controller.planner.whatif import outcome
from inventory.model import Domain
from tests import builders
from tests.builders import Group, Host, System, Vm


def lost(cluster: model.Cluster, *names: str) -> Outcome:
    losses = [Loss(kind=Domain.HOST, name=name) for name in names]
    return outcome.lose(outcome.spare(cluster, Policy(), builders.NOW), losses, timedelta(0))


def estate(*groups: Group, roomy: int = 3, **on: str) -> model.Cluster:
    """Hosts c1, c2, c3 …, and servers by name on them."""
    hosts = [Host(name=f"c{n}") for n in range(1, roomy + 1)]
    return builders.cluster(hosts=hosts, vms=[Vm(name=vm, host=host) for vm, host in on.items()], groups=groups)


def broken(found: Outcome) -> dict[str, tuple[bool, bool, bool]]:
    return {each.rule: (each.before, each.down, each.after) for one in found.systems for each in one.broken}


def test_a_rule_that_holds_before_and_after_is_not_told() -> None:
    apart = Group(name="web", members=("a", "b"))
    assert broken(lost(estate(apart, a="c1", b="c2"), "c1")) == {}


def test_servers_that_stand_apart_for_one_to_outlast_the_other_are_all_down_meanwhile() -> None:
    apart = Group(name="web", members=("a", "b"))
    assert broken(lost(estate(apart, roomy=4, a="c1", b="c2"), "c1", "c2")) == {"web": (False, True, False)}


def test_a_rule_broken_before_that_the_restart_heals_is_told_as_that() -> None:
    apart = Group(name="web", members=("a", "b", "c"))
    assert broken(lost(estate(apart, roomy=4, a="c1", b="c1", c="c2"), "c1")) == {"web": (True, False, False)}


def test_a_rule_broken_before_that_stays_broken_is_told_as_both() -> None:
    """What is lost is not what breaks it."""
    apart = Group(name="web", members=("a", "b", "c"))
    assert broken(lost(estate(apart, a="c1", b="c1", c="c2"), "c2")) == {"web": (True, False, True)}


def test_a_soft_rule_that_the_restart_breaks_is_told() -> None:
    """One host is left for two that would rather stand apart; three that stood together start where it is emptiest."""
    apart = Group(name="apart", members=("a", "b"), kind=model.GroupKind.SOFT_ANTI_AFFINITY)
    assert broken(lost(estate(apart, roomy=2, a="c1", b="c2"), "c1")) == {"apart": (False, False, True)}
    near = Group(name="near", members=("a", "b", "c"), kind=model.GroupKind.SOFT_AFFINITY)
    assert broken(lost(estate(near, a="c1", b="c1", c="c1"), "c1")) == {"near": (False, False, True)}


def test_a_group_of_two_systems_is_told_of_each_and_of_no_other() -> None:
    apart = Group(name="web", members=("a", "b"))
    systems = [System(name="one"), System(name="other"), System(name="third")]
    vms = [Vm(name="a", host="c1", system="one"), Vm(name="b", host="c1", system="other"),
           Vm(name="x", host="c1", system="third")]  # fmt: skip
    cluster = builders.cluster(hosts=[Host(name=f"c{n}") for n in (1, 2, 3)], vms=vms, groups=[apart], systems=systems)
    told = {each.system: each.broken for each in lost(cluster, "c1").systems}
    rule = (BrokenRule(rule="web", before=True, down=True, after=False),)
    assert told == {"one": rule, "other": rule, "third": ()}


def test_a_member_without_a_place_breaks_no_rule_where_it_is_not() -> None:
    apart = Group(name="web", members=("a", "b"))
    found = lost(estate(apart, roomy=2, a="c1", b="c2"), "c1")
    assert broken(found) == {}
    assert [each.rules for each in found.systems] == [("web",)]


def test_nothing_is_down_while_a_host_is_emptied() -> None:
    apart = Group(name="web", members=("a", "b"))
    cluster = estate(apart, roomy=3, a="c1", b="c1")
    found = outcome.empty(cluster, Policy(), builders.NOW, [cluster.hosts.names[0]])
    assert broken(found) == {"web": (True, False, False)}
