"""Rounds that set out from the best moves so far but some."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.parts import small_instances
from controller.model.plan import Concern
from controller.model.policy import Policy
from controller.planner import check, plan, reconsidering, room, search, situation, whim
from tests import builders
from tests.builders import NOW, Host, Vm
from tests.fakes import freeable


def begun(facts, best, seed):
    """A search that has only set out, and the moves it forgot."""
    dice = np.random.default_rng(seed)
    made = search.Search(facts, room.USUAL, search.never, whim.Whim(dice=dice, reconsiders=True))
    reconsidering.begin(made, best, dice)
    return made


@pytest.mark.parametrize("seed", range(6))
def test_it_sends_who_was_sent_but_up_to_half_who_wait(seed):
    facts = situation.of_cluster(small_instances.cluster(14), small_instances.POLICY, NOW)
    best = search.choices(facts).choices
    made = begun(facts, best, seed)
    waiting = set(np.flatnonzero(made.waits).tolist())
    assert 1 <= len(waiting) <= len(best) / 2
    assert waiting < {choice.vm for choice in best}
    sent = {choice.vm: choice.target for choice in made.found().choices}
    assert sent.items() <= {choice.vm: choice.target for choice in best}.items()
    assert not waiting & sent.keys()


def test_who_waits_is_moved_for_no_reason_until_the_others_were_looked_at():
    facts = situation.of_cluster(small_instances.cluster(14), small_instances.POLICY, NOW)
    best = search.choices(facts).choices
    made = begun(facts, best, 0)
    forgotten = [choice for choice in best if made.waits[choice.vm]]
    assert not any(made.may_move(choice.vm, choice.breach) for choice in forgotten)
    made.waits[:] = False
    assert all(made.may_move(choice.vm, choice.breach) for choice in forgotten)


def test_no_host_is_left_half_freed():
    facts = situation.of_cluster(freeable.cluster(), freeable.ON, NOW)
    best = search.choices(facts).choices
    assert best and {choice.breach.concern for choice in best} == {Concern.CONSOLIDATION}
    made = begun(facts, best, 1)
    assert not made.waits.any() and made.found().choices == ()


def test_of_no_moves_nothing_is_forgotten():
    facts = situation.of_cluster(
        builders.cluster(hosts=[Host(name="c1")], vms=[Vm(name="a", host="c1")]), Policy(), NOW
    )
    made = begun(facts, (), 1)
    assert not made.waits.any() and made.found().choices == ()


def test_a_move_into_the_room_of_a_forgotten_one_is_left_out_too():
    """The large one finds room on c2 alone, and only once the small one has left it."""
    cluster = builders.cluster(
        hosts=[
            Host(name="c1", memory_gib=64, memory_health=2),
            Host(name="c2", memory_gib=64),
            Host(name="c3", memory_gib=50),
        ],
        vms=[
            Vm(name="large", host="c1", memory_gib=60, memory_used_gib=10),
            Vm(name="small", host="c2", memory_gib=40, memory_used_gib=10),
        ],
    )
    facts = situation.of_cluster(cluster, Policy(balance=False), NOW)
    best = search.choices(facts).choices
    assert [choice.room_for is None for choice in best] == [False, True]
    begins = [begun(facts, best, seed) for seed in range(20)]
    forgets_the_first = [made for made in begins if made.waits[best[0].vm]]
    assert forgets_the_first and all(made.found().choices == () for made in forgets_the_first)
    assert any(len(made.found().choices) == 1 for made in begins)


def test_it_mends_what_a_direction_alone_leaves():
    cluster = small_instances.cluster(31)
    directed, reconsidered = (
        plan.plan(cluster, replace(small_instances.POLICY, search_rounds=rounds), NOW) for rounds in (3, 8)
    )
    assert reconsidered.score_after[0] < directed.score_after[0]
    assert check.problems(cluster, small_instances.POLICY, reconsidered) == ()
