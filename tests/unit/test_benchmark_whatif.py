"""The mixed estate that `benchmarks/whatif.py` loses parts of is one that could be, and not all of it can be lost."""

from collections import Counter
from datetime import timedelta

from benchmarks.parts import mixed, perturbed
from controller.adapters.snapshot_file import checks
from controller.model import cluster as model
from controller.model.whatif import Verdict
from controller.planner.whatif import loss, outcome
from inventory.model import Domain


def test_a_mixed_estate_is_a_snapshot_with_groups_and_levels_of_its_own() -> None:
    cluster = mixed.mixed(200, 3_000, seed=1)
    assert list(checks.flaws(cluster)) == []
    assert {group.kind for group in cluster.groups} == {model.GroupKind.AFFINITY, model.GroupKind.ANTI_AFFINITY}
    assert {group.domain for group in cluster.groups} == {Domain.HOST, Domain.RACK}
    assert set(cluster.hosts.clearance.tolist()) == set(cluster.vms.classification.tolist()) == {0, 1, 2, 3}
    assert (cluster.vms.classification <= cluster.hosts.clearance[cluster.vms.host]).all()
    again = mixed.mixed(200, 3_000, seed=1)
    assert again.groups[0].name == cluster.groups[0].name
    assert again.vms.classification.tolist() == cluster.vms.classification.tolist()


def test_some_of_it_cannot_be_lost_and_most_of_it_can() -> None:
    cluster = mixed.mixed(100, 1_500, seed=1)
    spare = outcome.spare(cluster, perturbed.POLICY, perturbed.NOW)
    every = (outcome.lose(spare, [each], timedelta(0)) for each in loss.every_single(cluster))
    hosts = Counter(found.verdict for found in every if found.losses[0].kind is Domain.HOST)
    assert 0 < hosts[Verdict.SHORT] < hosts[Verdict.SURVIVED]
