"""Scenarios are read strictly, and faults befall the twin and are lifted."""

from pathlib import Path

import pytest

from controller.errors import InputError
from controller.twin import churn, datacentre, scenario, truth
from controller.twin.datacentre import DataCentre
from controller.twin.faults.cloud import VmState
from controller.twin.faults.plant import FeedOverload, HostFailure
from inventory.load import load
from tests.fakes.small_estate import small_estate

ROOT = Path(__file__).parents[3]


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "scenario.yaml"
    path.write_text(text)
    return path


def test_every_error_of_a_scenario_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "version: 1\nnature: {seed: 1, gravity: 9}\nevents:\n- {at: 5, fault: health, host: h1, part: memory}\n"
        "- {at: 5s, fault: health, host: h1, part: soul}\n- {at: 5s, fault: earthquake}\n"
        "- {at: 1s, fault: dead_device, device: h1, loud: true}\n",
    )
    with pytest.raises(InputError) as error:
        scenario.load(path)
    lines = str(error.value).splitlines()
    assert [line.removeprefix(f"{path}:").split(":")[0] for line in lines] == ["2", "4", "5", "6", "7"]
    assert "nature.gravity" in lines[0]
    assert "number with a unit" in lines[1]
    assert "events.1.part" in lines[2]
    assert "earthquake" in lines[3]
    assert "events.3.loud" in lines[4]


@pytest.mark.parametrize("text", [b"version: 2026-02-30\n", b"\xff\xfe", b"version: " + 2000 * b"["])
def test_a_scenario_that_yaml_cannot_read_is_told(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_bytes(text)
    with pytest.raises(InputError, match=r"scenario.yaml: is not YAML: "):
        scenario.load(path)


def test_another_version_and_an_empty_scenario_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"scenario\.yaml:1: version"):
        scenario.load(written(tmp_path, "version: 2\n"))
    with pytest.raises(InputError, match=r"scenario\.yaml:1: is empty"):
        scenario.load(written(tmp_path, ""))
    with pytest.raises(InputError, match="cannot be read"):
        scenario.load(tmp_path / "none.yaml")


def small(tmp_path: Path, events: str = "") -> DataCentre:
    path = written(tmp_path, f"version: 1\nnature: {{noise_ratio: 0}}\nevents:\n{events}" if events else "version: 1\n")
    return datacentre.build(small_estate(), scenario.load(path), 1)


def run(centre: DataCentre, seconds: float) -> None:
    for _ in range(int(seconds / 0.25)):
        datacentre.step(centre, 0.25)


def test_a_fault_befalls_at_its_time_and_is_lifted_after_its_own(tmp_path: Path) -> None:
    centre = small(tmp_path, "- {at: 2s, for: 3s, fault: dead_device, device: h1}\n")
    run(centre, 1.0)
    assert not centre.world.ailments.dead
    run(centre, 2.0)
    assert centre.world.ailments.dead == {"h1"}
    run(centre, 3.0)
    assert not centre.world.ailments.dead


def test_an_event_that_names_what_is_not_there_is_told_and_harms_nothing(tmp_path: Path) -> None:
    centre = small(tmp_path, "- {at: 0s, fault: host_failure, host: h99}\n")
    run(centre, 1.0)
    assert centre.timeline.errors == ["host_failure: there is no host 'h99'"]


def test_a_failed_host_stops_its_service_and_guests_until_it_is_lifted(tmp_path: Path) -> None:
    centre = small(tmp_path)
    fault = HostFailure(fault="host_failure", host="h1")
    fault.befall(centre.cloud)
    run(centre, 2.0)
    assert not centre.world.services[0].up
    assert centre.world.hosts.cpu_ratio[0] == 0.0
    fault.lift(centre.cloud)
    run(centre, 2.0)
    assert centre.world.hosts.cpu_ratio[0] > 0.0


def test_a_feed_is_overloaded_by_as_much_as_was_asked_or_not_at_all(tmp_path: Path) -> None:
    centre = small(tmp_path)
    with pytest.raises(InputError, match="no load of its VMs"):
        FeedOverload(fault="feed_overload", feed="NA", ratio=1.5).befall(centre.cloud)
    FeedOverload(fault="feed_overload", feed="NA", ratio=0.38).befall(centre.cloud)
    run(centre, 2.0)
    (limit,) = [each for each in truth.told(centre.cloud)["limits"] if each["key"] == "feed:NA"]
    assert limit["load"] / limit["limit"] == pytest.approx(0.38, rel=0.02)


def test_states_of_vms_are_as_their_owners_would_have_them(tmp_path: Path) -> None:
    centre = small(tmp_path)
    VmState(fault="vm_state", vm="buses-web-1", state="SHUTOFF", locked=True).befall(centre.cloud)
    (server,) = [each for each in centre.world.servers.values() if each.name == "buses-web-1"]
    assert (server.status, server.locked, server.power_state) == ("SHUTOFF", True, 4)


def test_vms_arrive_only_where_rules_admit_them_and_leave_again(tmp_path: Path) -> None:
    centre = small(tmp_path)
    arrived = [churn.arrive(centre.cloud) for _ in range(12)]
    assert any(arrived)
    assert truth.told(centre.cloud)["broken"] == []
    before = len(centre.world.servers)
    assert churn.depart(centre.cloud)
    assert len(centre.world.servers) == before - 1


def test_the_demo_begins_whole_and_then_breaks_in_three_places_that_can_be_cured_at_any_hour() -> None:
    estate = load(ROOT / "inventory/estates/demo")
    centre = datacentre.build(estate, scenario.load(ROOT / "controller/twin/scenarios/demo.yaml"), 1)
    run(centre, 19.0)
    assert truth.told(centre.cloud)["broken"] == []
    run(centre, 3.0)
    assert centre.timeline.errors == []
    assert truth.told(centre.cloud)["broken"] == ["cpu:cmp0046", "feed:feed-1a", "feed:feed-1b", "health:cmp0028"]
    for server in centre.world.servers_on(centre.world.topology.host_row("cmp0028")):
        system = centre.world.system_of(server)
        assert not system.windows and not system.blackouts, f"{server.name} could not leave at every hour"
