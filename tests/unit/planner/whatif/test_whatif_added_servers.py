"""More servers of a flavor that an agency does not run yet: what the inventory says of it is enough."""

from datetime import timedelta

import pytest

from controller.adapters.snapshot_file import checks
from controller.errors import InputError
from controller.model import cluster as model
from controller.model.policy import Policy
from controller.model.whatif import Outcome, Verdict
from controller.planner.canonical import canonical
from controller.planner.whatif import grown, outcome
from inventory.model import Classification
from tests import builders
from tests.builders import Aggregate, Flavor, Host, System, Vm

FAST = model.Requirement(required_traits=frozenset({"FAST"}))
BIG = Flavor(name="big", vcpus=8, memory_gib=32, requirement=FAST, classification=Classification.CONFIDENTIAL)


def estate(**more: object) -> model.Cluster:
    """A host of 64 GiB that is fast, one of 256 GiB that is not."""
    hosts = [Host(name="fast", memory_gib=64, traits=frozenset({"FAST"})), Host(name="slow")]
    given: dict[str, object] = {"hosts": hosts, "flavors": [BIG], **more}
    return builders.cluster(**given)  # type: ignore[arg-type]


def more(cluster: model.Cluster, count: int, flavor: str = "big") -> Outcome:
    cluster, new = grown.with_servers(cluster, "agency", flavor, count)
    assert list(checks.flaws(canonical(cluster))) == []
    return outcome.lose(outcome.spare(cluster, Policy(), builders.NOW), (), timedelta(0), new)


@pytest.mark.parametrize("vms", [[], [Vm(name="other", host="slow")]])
def test_servers_of_a_flavor_that_nobody_runs_start_where_it_lets_them(vms: list[Vm]) -> None:
    found = more(estate(vms=vms), 2)
    assert {each.target for each in found.restarts} == {"fast"}
    assert all(each.system == "sys" for each in found.restarts)
    assert more(estate(vms=vms), 3).verdict is Verdict.SHORT


def test_one_of_which_nothing_is_measured_counts_for_all_that_it_may_use() -> None:
    hosts = [Host(name="fast", threads=10, memory_gib=1024, traits=frozenset({"FAST"}))]
    assert more(estate(hosts=hosts), 1).verdict is Verdict.SURVIVED
    assert more(estate(hosts=hosts), 2).verdict is Verdict.HOT


def test_a_running_server_says_more_than_the_catalog() -> None:
    as_m1 = Flavor(name="m1", memory_gib=500)
    assert more(estate(flavors=[as_m1], vms=[Vm(name="v", host="slow")]), 1, "m1").verdict is Verdict.SURVIVED


def test_one_that_only_is_off_is_as_the_inventory_says() -> None:
    off = Vm(name="v", host="slow", state=model.VmState.SHUTOFF)
    assert more(estate(flavors=[Flavor(name="m1")], vms=[off]), 1, "m1").verdict is Verdict.SURVIVED


def test_new_servers_belong_to_the_agencys_highest_system_that_the_flavor_is_for() -> None:
    systems = [
        System(name="open"),
        System(name="inner", classification=Classification.INTERNAL),
        System(name="secret", classification=Classification.SECRET),
        System(name="theirs", agency="other", classification=Classification.CONFIDENTIAL),
    ]
    cluster, _ = grown.with_servers(estate(systems=systems), "agency", "big", 1)
    assert cluster.systems.names[int(cluster.vms.system[-1])] == "inner"
    assert cluster.vms.classification[-1] == Classification.INTERNAL


def test_hosts_kept_for_the_systems_project_are_open_to_its_new_servers() -> None:
    project = model.Requirement(project_id="p")
    kept = Aggregate(name="kept", hosts=("fast",), metadata={"filter_tenant_id": "p"})
    assert more(estate(aggregates=[kept]), 1).verdict is Verdict.SHORT
    own = [Vm(name="v", host="slow", requirement=project)]
    assert more(estate(aggregates=[kept], vms=own), 1).verdict is Verdict.SURVIVED


def test_an_agency_without_a_system_that_the_flavor_is_for_is_refused() -> None:
    with pytest.raises(InputError, match="no system of agency agency may have flavor big"):
        more(estate(systems=[System(classification=Classification.SECRET)]), 1)


def test_a_flavor_whose_servers_nobody_can_show_to_fit_has_no_place() -> None:
    pinned = Flavor(name="pinned", fit_known=False)
    found = more(estate(flavors=[pinned]), 1, "pinned")
    assert found.verdict is Verdict.SHORT
    assert "pinned" in found.restarts[0].why
