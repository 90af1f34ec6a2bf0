"""The replayed day on a few hosts: the same in every arm, told by an account of its own, and lived through safely."""

from datetime import timedelta

import numpy as np
import pytest

from benchmarks import stability
from benchmarks.replay import account, arms, balancer
from benchmarks.replay.account import Accountant
from benchmarks.replay.arms import Day
from benchmarks.replay.load import Spike
from benchmarks.replay.site import BEGINS, Site
from controller.model.policy import Mode, Policy
from inventory import generate

HOST, MINUTES_IN = "cmp0006", 5.0


class Spiked(Day):
    """A calm day but for one spike on the fullest host, `minutes` long."""

    __slots__ = ()
    minutes = 1.0

    def site(self) -> Site:
        site = Day.site(self)
        host = site.world.topology.host_row(HOST)
        rows = tuple(server.row for server in site.world.servers_on(host))
        begins = MINUTES_IN * 60.0
        site.load.spikes = (Spike(host=host, begins=begins, ends=begins + self.minutes * 60, rows=rows, level=0.95),)
        return site


class Lasting(Spiked):
    """The same with a spike that is to be acted on."""

    __slots__ = ()
    minutes = 20.0


def day(kind: type[Day] = Day, minutes: float = 30.0, mean_ratio: float = 0.2) -> Day:
    """Ten hosts from half past eight on. Balance is off, so that whatever moves was hot."""
    estate = generate.estate(120, 1, loopback=True)
    policy = Policy(mode=Mode.AUTO, balance=False)
    length, begins = timedelta(minutes=minutes), timedelta(hours=8.5)
    return kind(estate=estate, seed=3, length=length, begins=begins, mean_ratio=mean_ratio, policy=policy)


def test_whatever_moves_the_load_of_every_step_is_the_same() -> None:
    busy = day(Lasting, minutes=12.0)
    one, other = busy.site(), busy.site()
    balanced = balancer.Balancer(other, busy.policy)
    for minute in range(1, 13):
        for site in (one, other):
            site.until(BEGINS + timedelta(minutes=minute))
        balanced.turn()
        assert np.array_equal(one.world.vms.pinned, other.world.vms.pinned, equal_nan=True)
    assert other.orders.records and not one.orders.records


@pytest.mark.lab
def test_a_short_spike_moves_nothing_and_a_lasting_one_is_cured() -> None:
    short, lasting = arms.controller(day(Spiked, minutes=12.0)), arms.controller(day(Lasting, minutes=20.0))
    assert short.account.hot_minutes["cpu"] > 0
    assert short.account.moved == 0
    assert lasting.account.moved > 0
    assert lasting.account.hasty == 0
    assert (
        lasting.account.hot_minutes["cpu"] < 0.5 * arms.nothing(day(Lasting, minutes=20.0)).account.hot_minutes["cpu"]
    )
    assert stability.flaws(lasting.account) == []


def test_the_plain_balancer_moves_for_a_short_spike() -> None:
    assert arms.threshold(day(Spiked, minutes=12.0)).account.hasty > 0


@pytest.mark.lab
def test_the_same_seed_gives_the_same_day() -> None:
    busy = day(Lasting, minutes=10.0)
    one, other = arms.controller(busy), arms.controller(busy)
    assert one.account == other.account
    assert one.entries and [each.intent for each in one.entries] == [each.intent for each in other.entries]


@pytest.mark.parametrize(("apart_s", "count"), [(3599.0, 1), (3601.0, 0)])
def test_a_vm_that_moves_twice_within_an_hour_is_counted(apart_s: float, count: int) -> None:
    site = day().site()
    server = next(each for each in site.world.servers.values() if each.system)
    for at in (0.0, apart_s):
        site.world.now += at
        site.orders.live_migrate(server, None, at_once=False)
        server.task_state = None
    assert account.twice_within_an_hour(list(site.orders.records.values())) == count


def test_a_rule_that_a_move_breaks_is_told_by_the_twins_own_truth() -> None:
    quiet = day()
    site = quiet.site()
    accountant = Accountant(site, quiet.policy)
    alone = {group.id for group in site.world.groups.values() if group.max_server_per_host == 1}
    spread = next(server for server in site.world.servers.values() if server.group in alone)
    mate = next(s for s in site.world.servers.values() if s.set_key == spread.set_key and s is not spread)
    site.world.place(spread, mate.host)
    site.orders.copies.clear()
    site.orders.live_migrate(next(s for s in site.world.servers.values() if s is not spread), None, at_once=False)
    site.until(BEGINS + timedelta(minutes=1))
    assert f"group:{spread.set_key}" in accountant.close(lambda _: "cpu").broken


@pytest.mark.lab
@pytest.mark.soak
def test_a_whole_day_of_200_hosts_moves_no_vm_twice_in_an_hour_and_breaks_no_rule() -> None:
    whole = Day(estate=generate.estate(4000, 1, loopback=True), seed=1, length=timedelta(hours=24))
    found = stability.all_arms(whole)
    ours = found["controller"].account
    assert stability.flaws(ours) == []
    assert ours.hot < found["nothing"].account.hot
