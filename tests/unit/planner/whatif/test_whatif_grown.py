"""More hosts and more servers than there are."""

from datetime import timedelta

import numpy as np
import pytest

from controller.adapters.snapshot_file import checks
from controller.errors import InputError
from controller.model import cluster as model
from controller.model.policy import Policy
from controller.model.whatif import Loss, Outcome, Verdict
from controller.planner.canonical import canonical
from controller.planner.whatif import grown, outcome
from inventory.model import Domain
from tests import builders
from tests.builders import Aggregate, Host, Vm


def tight() -> model.Cluster:
    ssd = model.Requirement(aggregate_specs={"ssd": "true"})
    hosts = [Host(name=name, memory_gib=16) for name in ("c1", "c2")]
    vms = [Vm(name=f"on-{host.name}", host=host.name, memory_gib=12, requirement=ssd) for host in hosts]
    fast = Aggregate(name="fast", hosts=("c1", "c2"), metadata={"ssd": "true"})
    return builders.cluster(hosts=hosts, vms=vms, aggregates=[fast])


def without_c1(cluster: model.Cluster) -> Outcome:
    spare = outcome.spare(cluster, Policy(), builders.NOW)
    return outcome.lose(spare, [Loss(kind=Domain.HOST, name="c1")], timedelta(0))


def more(cluster: model.Cluster, count: int) -> Outcome:
    cluster, new = grown.with_servers(cluster, "agency", "m1", count)
    return outcome.lose(outcome.spare(cluster, Policy(), builders.NOW), (), timedelta(0), new)


def test_one_more_host_like_another_is_where_its_servers_go() -> None:
    assert without_c1(tight()).verdict is Verdict.SHORT
    found = without_c1(grown.with_hosts(tight(), "c2", 1))
    assert found.verdict is Verdict.SURVIVED
    assert [each.target for each in found.restarts] == ["c2+1"]


def test_a_grown_snapshot_is_a_snapshot() -> None:
    cluster = grown.with_hosts(tight(), "c2", 3)
    assert list(checks.flaws(canonical(cluster))) == []
    assert cluster.hosts.power.shape == (5, 2)
    assert np.nan_to_num(cluster.hosts.memory_bytes.values[2:]).tolist() == [0.0, 0.0, 0.0]
    cluster, new = grown.with_servers(cluster, "agency", "m1", 2)
    assert list(checks.flaws(canonical(cluster))) == []
    assert cluster.vms.host[-2:].tolist() == [-1, -1]
    assert list(new) == list(cluster.vms.ids[-2:])


def test_as_many_servers_start_as_there_is_room_for() -> None:
    roomy = grown.with_hosts(tight(), "c2", 3)
    assert more(roomy, 3).verdict is Verdict.SURVIVED
    found = more(roomy, 5)
    assert found.verdict is Verdict.SHORT
    assert sum(each.target is None for each in found.restarts) == 2
    assert [each.source for each in found.restarts] == [None] * 5


def test_servers_that_are_new_go_down_in_no_system() -> None:
    (system,) = more(tight(), 3).systems
    assert (system.down, system.servers, system.unplaced) == (0, 2 + 3, 3)


def test_new_servers_are_like_one_of_which_is_known_where_it_fits() -> None:
    vms = [Vm(name="a", host="c1", fit_known=False), Vm(name="b", host="c1")]
    cluster = builders.cluster(hosts=[Host(name="c1")], vms=vms)
    assert more(cluster, 2).verdict is Verdict.SURVIVED
    assert more(builders.cluster(hosts=[Host(name="c1")], vms=vms[:1]), 2).verdict is Verdict.SHORT


def test_more_may_be_added_of_what_was_added_already() -> None:
    twice = grown.with_hosts(grown.with_hosts(tight(), "c2", 1), "c2", 2)
    assert twice.hosts.names[2:] == ("c2+1", "c2+2", "c2+3")
    once, first = grown.with_servers(twice, "agency", "m1", 1)
    assert grown.with_servers(once, "agency", "m1", 1)[1] != first
    assert more(twice, 3).verdict is Verdict.SURVIVED


@pytest.mark.parametrize(
    ("agency", "flavor", "says"),
    [("nobody", "m1", "knows no agency nobody"), ("agency", "m9", "knows no flavor m9")],
)
def test_more_of_what_nobody_knows_is_refused(agency: str, flavor: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        grown.with_servers(tight(), agency, flavor, 1)


def test_more_servers_of_a_flavor_that_an_agency_has_none_of_are_refused() -> None:
    cluster = builders.cluster(hosts=[Host(name="c1")], vms=[Vm(name="v", host="c1", state=model.VmState.SHUTOFF)])
    with pytest.raises(InputError, match="has no running server of flavor m1"):
        grown.with_servers(cluster, "agency", "m1", 1)


def test_more_hosts_like_one_that_is_not_there_are_refused() -> None:
    with pytest.raises(InputError, match="knows no host c9"):
        grown.with_hosts(tight(), "c9", 1)
