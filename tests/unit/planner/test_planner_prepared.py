"""Which tables of an earlier snapshot are used again, and which are made anew."""

from dataclasses import fields, replace

import numpy as np
import pytest

from controller.errors import InputError
from controller.model.cluster import Cluster
from controller.planner import prepared
from controller.planner.prepared import Prepared
from tests.fakes import arbitrary_clusters


def anew(before: Prepared, cluster: Cluster) -> set[str]:
    """The tables that had to be made."""
    _, tables = prepared.tidied(cluster, before)
    names = [field.name for field in fields(tables)]
    return {name for name in names if getattr(tables, name).table is not getattr(before, name).table}


@pytest.fixture
def cluster() -> Cluster:
    return arbitrary_clusters.cluster(3, 5, 12)


@pytest.fixture
def before(cluster: Cluster) -> Prepared:
    return prepared.tidied(cluster)[1]


def test_new_loads_and_places_need_no_new_table(cluster: Cluster, before: Prepared) -> None:
    read = replace(cluster.vms.cpu_vcpus, values=cluster.vms.cpu_vcpus.values * 2.0)
    vms = replace(cluster.vms, cpu_vcpus=read, host=np.roll(cluster.vms.host, 1))
    hosts = replace(cluster.hosts, names=tuple("".join([*name]) for name in cluster.hosts.names), up=~cluster.hosts.up)
    assert anew(before, replace(cluster, vms=vms, hosts=hosts)) == set()


def test_a_vm_that_came_costs_the_order_of_vms_alone(cluster: Cluster, before: Prepared) -> None:
    ids = (*cluster.vms.ids[:-1], type(cluster.vms.ids[-1])("zz-new"))
    assert anew(before, replace(cluster, vms=replace(cluster.vms, ids=ids))) == {"vms"}


def test_a_host_in_another_rack_costs_the_topology_and_one_with_other_traits_the_kinds(
    cluster: Cluster, before: Prepared
) -> None:
    moved = replace(cluster.hosts, rack=(cluster.hosts.rack + 1) % len(cluster.racks.names))
    assert anew(before, replace(cluster, hosts=moved)) == {"topology"}
    traits = (frozenset({"CUSTOM_NEW"}), *cluster.hosts.traits[1:])
    assert anew(before, replace(cluster, hosts=replace(cluster.hosts, traits=traits))) == {"kinds"}


def test_a_name_that_stands_twice_is_refused_whatever_was_prepared(cluster: Cluster, before: Prepared) -> None:
    ids = (*cluster.vms.ids[:-1], cluster.vms.ids[0])
    with pytest.raises(InputError, match="twice"):
        prepared.tidied(replace(cluster, vms=replace(cluster.vms, ids=ids)), before)
