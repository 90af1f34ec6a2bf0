"""A rack's traffic is the sum of its uplinks', trusted as the least of them, and never a part told as the whole."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.adapters import snapshot_file
from controller.engine import census
from controller.engine.assemble import uplinks
from controller.engine.gate import Gate
from controller.engine.readings import Readings, merged
from controller.model.policy import TrustPolicy
from controller.model.sample import Batch, Kind, Quantity, Trust
from inventory.model import Estate
from tests.fakes.looks import NOW, Site
from tests.fakes.small_estate import small_estate

ESTATE = small_estate()
PORTS = uplinks.ports(ESTATE)
RACKS = sorted(ESTATE.racks)
IN, OUT = Quantity.UPLINK_IN_BYTES_S, Quantity.UPLINK_OUT_BYTES_S
STALE_S = TrustPolicy().default_max_age.total_seconds()


def batch(quantity: Quantity, readings: dict[str, tuple[float, float]]) -> Batch:
    return Batch(
        kind=Kind.PORT, quantity=quantity, source="snmp", names=tuple(readings),
        values=np.array([value for value, _ in readings.values()], np.float64),
        at=np.array([NOW.timestamp() - age for _, age in readings.values()], np.float64),
    )  # fmt: skip


def gate(readings: dict[str, tuple[float, float]]) -> Gate:
    """Everything read by one source; of each port bytes/s and age."""
    batches = [(0, batch(quantity, readings)) for quantity in (IN, OUT)]
    store = merged(Readings(), batches, forget_before=0.0)
    return Gate(readings=store, sources=store.sources, policy=TrustPolicy(), now=NOW.timestamp())


amounts = st.floats(0.0, 1e9) | st.just(-1.0) | st.just(1e15)
ages = st.floats(0.0, STALE_S - 1) | st.floats(STALE_S + 1, 10 * STALE_S)


@given(st.dictionaries(st.sampled_from([name for _, name in PORTS]), st.tuples(amounts, ages)))
def test_a_fresh_sum_is_of_every_port_of_the_rack(readings: dict[str, tuple[float, float]]) -> None:
    into, out = uplinks.traffic(ESTATE, gate(readings), RACKS)
    for row, rack in enumerate(RACKS):
        known = [readings[name] for of, name in PORTS if of == rack and name in readings]
        whole = len(known) == 3
        good = whole and all(0.0 <= value <= 2e12 and age < STALE_S for value, age in known)
        for column in (into, out):
            assert column.fresh[row] == good
            assert (column.trust[row] == Trust.ABSENT) == (not whole)
            if good:
                assert column.values[row] == pytest.approx(sum(value for value, _ in known))
                assert NOW.timestamp() - column.at[row] == pytest.approx(max(age for _, age in known), abs=1e-3)
                assert column.source[row] == 0
            if not whole:
                assert np.isnan(column.values[row]) and column.source[row] == -1


def test_a_rack_without_uplinks_has_no_traffic_and_one_of_several_has_its_own() -> None:
    devices = {name: device for name, device in ESTATE.devices.items() if device.serves != "r2"}
    readings = {name: (1e6, 1.0) for _, name in PORTS}
    into, _ = uplinks.traffic(replace(ESTATE, devices=devices), gate(readings), RACKS)
    assert into.trust.tolist() == [Trust.FRESH, Trust.ABSENT, Trust.FRESH, Trust.FRESH]
    bare: Estate = replace(ESTATE, devices={})
    into, out = uplinks.traffic(bare, gate(readings), RACKS)
    assert set(into.trust) == set(out.trust) == {Trust.ABSENT}


def test_a_snapshot_shows_racks_with_their_limits_and_readings() -> None:
    site = Site()
    racks = site.cluster().racks
    assert racks.uplink_in_bytes_s.fresh.all() and racks.uplink_out_bytes_s.fresh.all()
    assert not uplinks.unread(site.estate, racks)
    for _, name in PORTS[:3]:
        site.read(Kind.PORT, IN, name, 7e6)
    site.read(Kind.PORT, OUT, PORTS[3][1], 5e6, age_s=STALE_S + 5)
    cluster = site.cluster()
    racks = cluster.racks
    assert racks.uplink_in_bytes_s.values[0] == 21e6
    assert racks.uplink_out_bytes_s.trust.tolist() == [Trust.FRESH, Trust.STALE, Trust.FRESH, Trust.FRESH]
    counted = {(each.kind, each.quantity): each for each in census.readings(cluster)}
    assert (counted["rack", "uplink_out_bytes_s"].fresh, counted["rack", "uplink_out_bytes_s"].stale) == (3, 1)
    shown = census.racks(cluster)
    assert (shown[0].uplink_bytes_s, shown[0].uplink_in_bytes_s) == (2400.0 * 2**20, 21e6)
    assert shown[1].uplink_out_bytes_s is None
    site.lose(Kind.PORT, IN, PORTS[0][1])
    assert uplinks.unread(site.estate, site.cluster().racks)


def test_a_snapshot_file_holds_them(tmp_path: Path) -> None:
    cluster, path = Site().cluster(), tmp_path / "cluster.json"
    snapshot_file.write(cluster, path)
    again = snapshot_file.read(path)
    np.testing.assert_array_equal(again.racks.uplink_in_bytes_s.values, cluster.racks.uplink_in_bytes_s.values)
    np.testing.assert_array_equal(again.racks.uplink_out_bytes_s.at, cluster.racks.uplink_out_bytes_s.at)
