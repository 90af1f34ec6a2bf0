"""What hosts keep free: one sum says what every set of hosts that may be lost would say, however servers came there."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from controller.planner.failover import Failover
from controller.planner.pools import Pools
from tests.properties.test_planner_properties import slowly

AMOUNTS = st.integers(0, 12)


@st.composite
def estates(draw):
    """Pools, what servers ask and where they are, what hosts admit, and how many of these may be lost."""
    hosts, vms, count = draw(st.integers(2, 6)), draw(st.integers(0, 10)), draw(st.integers(1, 4))
    masks = draw(st.lists(st.lists(st.booleans(), min_size=hosts, max_size=hosts), min_size=count, max_size=count))
    inside = np.array(masks, np.bool_)
    capacity = np.array(draw(st.lists(AMOUNTS, min_size=hosts * 3, max_size=hosts * 3)), float).reshape(3, hosts)
    asked = np.array(draw(st.lists(AMOUNTS, min_size=vms * 3, max_size=vms * 3)), float).reshape(3, vms)
    stands = np.array(draw(st.lists(st.booleans(), min_size=hosts, max_size=hosts)), np.bool_)
    of_vm = np.array(draw(st.lists(st.integers(-1, count - 1), min_size=vms, max_size=vms)), np.int32)
    pools = Pools(
        names=tuple(map(str, range(count))), hosts=inside, of_vm=of_vm, stands=stands,
        own=np.array([[not (few & ~many).any() for few in inside] for many in inside]),
        whole=(inside & stands).astype(float) @ capacity.T,
    )  # fmt: skip
    at = np.array(draw(st.lists(st.integers(-1, hosts - 1), min_size=vms, max_size=vms)), np.int32)
    return pools, draw(st.integers(1, 3)), capacity, asked, at


def short(pools, spare, capacity, asked, at, pool):
    """By trying: the most that is missing, whichever hosts are lost."""
    hosts = range(capacity.shape[1])
    carried = np.array([asked[:, at == host].sum(axis=1) for host in hosts]).T.reshape(3, -1)
    inside = pools.hosts[pool]
    own = [vm for vm in range(len(at)) if pools.of_vm[vm] >= 0 and pools.own[pool, pools.of_vm[vm]] and at[vm] >= 0]
    standing = [host for host in hosts if pools.stands[host]]
    most = np.zeros(3)
    for lost in (some for count in range(spare + 1) for some in combinations(standing, count)):
        gone = {*lost, *(host for host in hosts if not pools.stands[host])}
        left = [host for host in hosts if host not in gone and inside[host]]
        free = (capacity - carried)[:, left].sum(axis=1)
        needed = asked[:, [vm for vm in own if at[vm] in gone]].sum(axis=1)
        most = np.maximum(most, needed - free)
    return most


@slowly
@given(estate=estates())
def test_what_is_short_is_what_the_worst_loss_would_lack(estate):
    pools, spare, capacity, asked, at = estate
    failover = Failover(pools, spare, capacity, asked, at)
    for pool in range(len(pools.names)):
        np.testing.assert_allclose(failover.short[pool], short(pools, spare, capacity, asked, at, pool))


@slowly
@given(estate=estates(), data=st.data())
def test_servers_that_came_and_went_leave_what_would_be_reckoned_anew(estate, data):
    pools, spare, capacity, asked, at = estate
    failover, now = Failover(pools, spare, capacity, asked, at), at.copy()
    placed = np.flatnonzero(at >= 0).tolist()
    for _ in range(data.draw(st.integers(0, 6)) if placed else 0):
        vm, host = data.draw(st.sampled_from(placed)), data.draw(st.integers(0, capacity.shape[1] - 1))
        failover.arrive(vm, host)
        failover.leave(vm, int(now[vm]))
        now[vm] = host
    fresh = Failover(pools, spare, capacity, asked, now)
    np.testing.assert_allclose(failover.needed, fresh.needed)
    np.testing.assert_allclose(failover.free, fresh.free)


@slowly
@given(estate=estates(), data=st.data())
def test_what_is_admitted_makes_no_pool_short_in_any_outcome(estate, data):
    """Several that are let in one after the other, of which any may fail."""
    pools, spare, capacity, asked, at = estate
    failover, coming = Failover(pools, spare, capacity, asked, at), {}
    hosts = np.flatnonzero(pools.stands).astype(np.int32)
    before = failover.short
    for vm in np.flatnonzero((at >= 0) & (pools.of_vm >= 0)).tolist():
        may = [host for host in hosts[failover.admits(vm, int(at[vm]), hosts)].tolist() if host != at[vm]]
        may = [host for host in may if pools.hosts[pools.of_vm[vm], host]]
        if may and data.draw(st.booleans()):
            coming[vm] = data.draw(st.sampled_from(may))
            failover.arrive(vm, coming[vm])
    for count in range(min(len(coming), 4) + 1):
        for done in combinations(coming, count):
            after = at.copy()
            after[list(done)] = [coming[vm] for vm in done]
            assert (Failover(pools, spare, capacity, asked, after).short <= before + 1e-9).all()


@slowly
@given(estate=estates(), data=st.data())
def test_relief_is_what_a_pool_is_less_short_of_without_a_server(estate, data):
    pools, spare, capacity, asked, at = estate
    failover = Failover(pools, spare, capacity, asked, at)
    for pool in range(len(pools.names)):
        for vm in failover.fillers(pool, at).tolist():
            told = [failover.relief(pool, quantity, np.array([vm]), at)[0] for quantity in range(3)]
            without = Failover(pools, spare, capacity, asked, np.where(np.arange(len(at)) == vm, -1, at))
            gained = (failover.needed - failover.free - without.needed + without.free)[pool]
            np.testing.assert_allclose(told, gained)
