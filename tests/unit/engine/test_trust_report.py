from dataclasses import replace
from datetime import timedelta

import pytest

from controller.engine.trust import Sight, TrustReport, report
from controller.model.extent import Extent
from controller.model.ids import HostName, ProjectId
from controller.model.policy import TrustPolicy
from controller.model.sample import Kind, Quantity
from tests.fakes.looks import NOW, Site


@pytest.fixture
def site() -> Site:
    return Site()


def judged(site: Site, **sight: object) -> TrustReport:
    sight = {"facts_at": NOW, **sight}
    return report(site.cluster(), site.estate, TrustPolicy(), Sight(**sight))  # type: ignore[arg-type]


def blind(site: Site, *hosts: str) -> None:
    for host in hosts:
        site.read(Kind.HOST, Quantity.CPU_RATIO, host, 0.5, age_s=140)


def test_a_good_look_freezes_nothing_and_is_remembered(site: Site) -> None:
    found = judged(site)
    assert found.freeze is None and found.untrusted == ()
    assert found.extent == Extent(expected_hosts=8, hosts=8, vms=40)


def test_each_untrusted_host_is_told_with_every_reason(site: Site) -> None:
    blind(site, "h2")
    site.lose(Kind.HOST, Quantity.MEMORY_BYTES, "h2")
    site.read(Kind.HOST, Quantity.CPU_RATIO, "h5", 7.0)
    assert judged(site).untrusted == (
        ("h2", "cpu_ratio stale, taken 140 s ago, memory_bytes absent"),
        ("h5", "cpu_ratio implausible, 7"),
    )


def test_a_quarter_of_untrusted_hosts_is_borne_and_more_freezes_with_a_sentence(site: Site) -> None:
    blind(site, "h1", "h2")
    assert judged(site).freeze is None
    blind(site, "h3", "h4")
    assert judged(site).freeze == (
        "4 of 8 hosts have no trusted readings, more than the 25% that policy allows: "
        "h1 (cpu_ratio stale, taken 140 s ago), h2 (cpu_ratio stale, taken 140 s ago), "
        "h3 (cpu_ratio stale, taken 140 s ago) and 1 more"
    )


def test_hosts_that_settle_after_a_move_freeze_nothing(site: Site) -> None:
    blind(site, "h1", "h2", "h3")
    assert judged(site).freeze
    assert judged(site, settling=frozenset({HostName("h1"), HostName("h2")})).freeze is None


def test_hosts_switched_off_on_purpose_freeze_nothing_and_hosts_that_died_do(site: Site) -> None:
    blind(site, "h1", "h2", "h3")
    off = [replace(s, up=False, enabled=False) if s.host in {"h1", "h2", "h3"} else s for s in site.facts.services]
    site.facts = replace(site.facts, services=tuple(off))
    assert judged(site).freeze is None
    dead = [replace(service, enabled=True) for service in site.facts.services]
    site.facts = replace(site.facts, services=tuple(dead))
    assert judged(site).freeze


def test_hosts_switched_off_on_purpose_make_no_telemetry_stale_and_hosts_that_died_do(site: Site) -> None:
    def cpu() -> tuple[int, int]:
        (found,) = (each for each in judged(site).readings if (each.kind, each.quantity) == ("host", "cpu_ratio"))
        return found.fresh, found.stale

    blind(site, "h1", "h2", "h3")
    dead = [replace(s, up=False) if s.host in {"h1", "h2", "h3"} else s for s in site.facts.services]
    site.facts = replace(site.facts, services=tuple(dead))
    assert cpu() == (5, 3)
    site.facts = replace(site.facts, services=tuple(replace(service, enabled=service.up) for service in dead))
    assert cpu() == (5, 0)


def test_unknown_hosts_missing_hosts_and_vms_of_unknown_projects_are_counted(site: Site) -> None:
    hosts = dict(site.estate.hosts)
    hosts["h9"] = replace(hosts.pop("h2"), name="h9")
    site.estate = replace(site.estate, hosts=hosts)
    site.change_server("buses-web-1", project_id=ProjectId("stranger"))
    found = judged(site)
    assert (found.unknown_hosts, found.missing_hosts, found.unknown_vms) == (("h2",), ("h9",), 1)
    assert found.freeze is None


@pytest.mark.parametrize(
    ("before", "what"),
    [
        (Extent(expected_hosts=10, hosts=8, vms=40), "hosts that the inventory expects shrank from 10 to 8, by 20%"),
        (Extent(expected_hosts=8, hosts=10, vms=40), "hosts that the cloud shows shrank from 10 to 8"),
        (Extent(expected_hosts=8, hosts=8, vms=45), "VMs that the cloud shows shrank from 45 to 40, by 11%"),
    ],
)
def test_what_shrank_past_the_limit_freezes_until_somebody_accepts_it(site: Site, before: Extent, what: str) -> None:
    found = judged(site, most=before)
    assert found.freeze and what in found.freeze
    assert found.extent is None
    assert judged(site, most=None).freeze is None


def test_a_little_less_is_the_way_of_the_world(site: Site) -> None:
    found = judged(site, most=Extent(expected_hosts=8, hosts=8, vms=44))
    assert found.freeze is None
    assert found.extent == Extent(expected_hosts=8, hosts=8, vms=40)


def test_a_cloud_that_could_not_be_read_freezes_at_once_and_is_no_measure_of_its_extent(site: Site) -> None:
    before = Extent(expected_hosts=8, hosts=8, vms=40)
    found = judged(site, facts_at=NOW - timedelta(seconds=31), facts_error="nova: 500", most=before)
    assert found.freeze == "the cloud could not be read (nova: 500); what is known of it is 31 s old"
    assert found.extent is None


def test_facts_that_are_too_old_freeze(site: Site) -> None:
    assert judged(site, facts_at=NOW - timedelta(seconds=91)).freeze == "what is known of the cloud is 91 s old"


def test_an_inventory_of_another_cloud_freezes(site: Site) -> None:
    site.estate = replace(site.estate, hosts={})
    found = judged(site)
    assert found.freeze == "none of the cloud's 8 hosts is in the inventory"


def test_a_server_or_group_that_cannot_be_understood_freezes_and_names_the_first(site: Site) -> None:
    unread = ("server s2: vcpus is missing", "server group g1: policy is missing")
    assert judged(site, unread_members=unread).freeze == (
        "2 of the cloud's servers and server groups could not be understood, so no group rule can be relied on: "
        "server s2: vcpus is missing"
    )
