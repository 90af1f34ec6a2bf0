"""What the controller does on its own, from readings to plan, when a site cannot be seen well."""

from dataclasses import replace

import numpy as np
import pytest

from controller.engine.trust import Sight, TrustReport, report
from controller.model.cluster import Cluster
from controller.model.extent import Extent
from controller.model.ids import ProjectId
from controller.model.plan import Plan
from controller.model.sample import Kind, Quantity
from controller.planner import plan
from inventory.model import Classification
from tests.fakes.looks import NOW, Site


@pytest.fixture
def site() -> Site:
    """A site whose host h3 is hot, and where moves off it help."""
    site = Site()
    cool(site)
    heat(site, "h3")
    return site


def cool(site: Site) -> None:
    for quantity, value in ((Quantity.CPU_RATIO, 0.2), (Quantity.POWER_WATTS, 200.0), (Quantity.MEMORY_HEALTH, 0.0)):
        site.batch(Kind.HOST, quantity).values[:] = value
    for server in site.facts.servers:
        site.read(Kind.VM, Quantity.CPU_VCPUS, server.id, 0.3)


def heat(site: Site, host: str) -> None:
    site.read(Kind.HOST, Quantity.CPU_RATIO, host, 0.9)
    for server in site.facts.servers:
        if server.host == host:
            site.read(Kind.VM, Quantity.CPU_VCPUS, server.id, float(server.vcpus))


def planned(site: Site, freeze: str | None = None) -> tuple[Cluster, Plan]:
    cluster = replace(site.cluster(), freeze=freeze)
    return cluster, plan.plan(cluster, site.policy, NOW)


def judged(site: Site, most: Extent | None = None) -> TrustReport:
    return report(site.cluster(), site.estate, site.policy.trust, Sight(facts_at=NOW, most=most))


def test_a_hot_host_that_is_seen_well_is_relieved(site: Site) -> None:
    _, found = planned(site)
    assert {move.source for move in found.moves} == {"h3"}


def test_a_hot_host_whose_readings_went_stale_sheds_nothing(site: Site) -> None:
    site.read(Kind.HOST, Quantity.MEMORY_BYTES, "h3", 3e10, age_s=300)
    assert planned(site)[1].moves == ()


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 40.0])
def test_a_reading_that_cannot_be_is_no_reason_to_move_anything(site: Site, value: float) -> None:
    site.read(Kind.HOST, Quantity.CPU_RATIO, "h3", value)
    cluster, found = planned(site)
    assert found.moves == ()
    assert not cluster.hosts.trusted[cluster.hosts.names.index("h3")]


def test_a_host_without_readings_receives_nothing_though_it_looks_empty(site: Site) -> None:
    _, before = planned(site)
    target = before.moves[0].target
    for quantity in (Quantity.CPU_RATIO, Quantity.MEMORY_BYTES):
        site.lose(Kind.HOST, quantity, target)
    _, found = planned(site)
    assert found.moves and target not in {move.target for move in found.moves}


def test_two_sources_that_disagree_are_no_reason_to_move_anything(site: Site) -> None:
    site.batches.append(site.second_source(Kind.HOST, Quantity.CPU_RATIO, "other", lambda value: 0.2))
    assert planned(site)[1].moves == ()


def test_a_host_the_inventory_does_not_know_sheds_and_receives_nothing(site: Site) -> None:
    _, before = planned(site)
    target = before.moves[0].target
    keep = {name: host for name, host in site.estate.hosts.items() if name != target}
    site.estate = replace(site.estate, hosts=keep)
    _, found = planned(site)
    assert target not in {move.target for move in found.moves}
    assert judged(site).unknown_hosts == (target,)
    site.estate = replace(site.estate, hosts={n: host for n, host in keep.items() if n != "h3"})
    assert planned(site)[1].moves == ()


def test_a_vm_of_an_unknown_project_stays_where_it_is_and_counts(site: Site) -> None:
    stranger = ProjectId("stranger")
    site.serve(replace(each, project_id=stranger) if each.host == "h3" else each for each in site.facts.servers)
    cluster, found = planned(site)
    theirs = cluster.vms.system < 0
    assert theirs.any() and (cluster.vms.classification[theirs] == Classification.SECRET).all()
    assert not {move.vm for move in found.moves} & {i for i, t in zip(cluster.vms.ids, theirs, strict=True) if t}
    assert judged(site).unknown_vms == int(theirs.sum())


def test_an_estate_that_shrank_freezes_the_loop_and_nothing_moves(site: Site) -> None:
    found = judged(site, most=Extent(expected_hosts=8, hosts=8, vms=60))
    assert found.freeze and "VMs that the cloud shows shrank from 60 to 40" in found.freeze
    assert planned(site, found.freeze)[1].moves == ()
