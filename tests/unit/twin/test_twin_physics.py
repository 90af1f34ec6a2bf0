"""The twin's physics: what is drawn comes to what is fed, more load never means fewer watts, copies take their time."""

import numpy as np
import pytest

from controller.twin import physics, topology
from controller.twin.copying import Copy, Stage, shares
from controller.twin.nature import Nature
from controller.twin.world import World
from tests.fakes.small_estate import small_estate

MIB = 1 << 20


@pytest.fixture(scope="module")
def topo() -> topology.Topology:
    return topology.of(small_estate())


def test_feeds_carry_exactly_what_hosts_and_racks_draw(topo: topology.Topology) -> None:
    watts = np.linspace(150.0, 550.0, len(topo.hosts))
    drawn = physics.electricity(watts, np.ones(len(topo.feeds), np.bool_), topo)
    assert drawn.feed.sum() == pytest.approx(watts.sum() + 4 * 100.0)
    assert drawn.pdu.sum() == pytest.approx(drawn.phase.sum())


def test_a_dead_feed_moves_its_hosts_onto_its_partner_and_draws_nothing(topo: topology.Topology) -> None:
    watts = np.full(len(topo.hosts), 300.0)
    live = np.array([name != "NA" for name in topo.feeds])
    drawn = physics.electricity(watts, live, topo)
    assert drawn.feed[topo.feed_row("NA")] == 0.0
    assert drawn.feed[topo.feed_row("NB")] == pytest.approx(4 * 300.0 + 100.0)
    assert drawn.supplied.all()


def test_failover_watts_count_every_dual_corded_host_whole_on_each_of_its_feeds(topo: topology.Topology) -> None:
    watts = np.full(len(topo.hosts), 300.0)
    alone = physics.failover_watts(watts, topo)
    assert alone.feed == pytest.approx(np.full(4, 4 * 300.0 + 200.0))
    assert alone.pdu == pytest.approx(np.full(8, 2 * 300.0 + 100.0))


def test_more_cpu_never_draws_fewer_watts_and_stays_between_idle_and_peak() -> None:
    ratios = np.linspace(0.0, 1.0, 101)
    watts = physics.watts(ratios, np.full(101, 150.0), np.full(101, 550.0))
    assert (np.diff(watts) > 0).all()
    assert watts[0] == 150.0
    assert watts[-1] == pytest.approx(550.0)


def test_vms_share_a_full_host_and_the_rest_of_their_demand_is_steal() -> None:
    demand, host = np.array([24.0, 24.0, 4.0]), np.array([0, 0, 1], np.int32)
    shared = physics.contention(demand, host, np.array([32.0, 32.0]), np.zeros(2))
    assert shared.used.sum() == pytest.approx(32.0 + 4.0)
    assert shared.cpu_ratio == pytest.approx([1.0, 0.125])
    assert shared.steal == pytest.approx([1 / 3, 1 / 3, 0.0])


def test_an_inlet_approaches_its_target_slowly_and_never_passes_it() -> None:
    inlet = np.array([20.0])
    seen = [inlet := physics.inlet(inlet, np.array([22.0]), np.array([3.0]), 10.0, 120.0) for _ in range(100)]
    values = np.concatenate(seen)
    assert (np.diff(values) >= 0).all()
    assert values[0] < 20.5
    assert values[-1] == pytest.approx(25.0, abs=0.01)


def test_a_copy_converges_when_the_link_outruns_the_guest_and_not_otherwise() -> None:
    def rounds(dirty: float) -> float:
        copy = Copy(stage=Stage.RUNNING, remaining=4096.0 * MIB, total=4096.0 * MIB)
        for _ in range(200):
            copy.advance(1000.0 * MIB, dirty, 0.25)
        return copy.remaining

    assert rounds(200.0 * MIB) <= 300.0 * MIB
    assert rounds(1500.0 * MIB) == 4096.0 * MIB


def test_copies_that_share_a_link_get_equal_parts_of_it(topo: topology.Topology) -> None:
    alone = shares({1: (0, 2)}, topo, 1.0)
    both = shares({1: (0, 2), 2: (0, 4)}, topo, 1.0)
    assert alone[1] == pytest.approx(1200.0 * MIB)
    assert both == pytest.approx({1: 600.0 * MIB, 2: 600.0 * MIB})


def test_the_same_seed_makes_the_same_world() -> None:
    worlds = [World(small_estate(), Nature(seed=3), 1.8e9) for _ in range(2)]
    for world in worlds:
        world.advance(30.0)
    assert worlds[0].servers.keys() == worlds[1].servers.keys()
    assert np.array_equal(worlds[0].hosts.watts, worlds[1].hosts.watts)


def test_a_feed_that_lost_its_mains_runs_on_battery_and_then_drops_its_hosts_second_cord() -> None:
    world = World(small_estate(), Nature(battery_minutes=1.0), 1.8e9)
    row = world.topology.feed_row("NA")
    world.plant.mains[row] = False
    world.advance(30.0)
    assert world.plant.feed_watts[row] > 0
    assert world.plant.battery_minutes[row] == pytest.approx(0.5)
    world.advance(31.0)
    assert world.plant.feed_watts[row] == 0.0
    assert world.hosts.powered.all()


def test_hosts_whose_every_feed_is_dead_stop_and_draw_nothing() -> None:
    world = World(small_estate(), Nature(battery_minutes=0.01), 1.8e9)
    world.plant.mains[[world.topology.feed_row("NA"), world.topology.feed_row("NB")]] = False
    world.advance(5.0)
    assert list(world.hosts.powered) == [False] * 4 + [True] * 4
    assert (world.hosts.watts[:4] == 0.0).all()
    assert not any(service.up for service in world.services[:4])
