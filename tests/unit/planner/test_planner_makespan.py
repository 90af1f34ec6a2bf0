"""How long a plan takes, how its waves are filled, and what no order of its moves could undercut."""

from datetime import timedelta

from controller.model.plan import Plan
from controller.model.policy import Limits, Policy
from controller.planner import plan
from tests import builders
from tests.builders import NOW, Host, Vm


def of_a_failing_host(gib: tuple[float, ...], **limits: int) -> Plan:
    """c1 fails under VMs of these sizes, that write nothing; c2 to c9 are empty. All links carry 1 GiB/s."""
    cluster = builders.cluster(
        hosts=[
            Host(name="c1", memory_gib=512, memory_health=2, link_mib_s=1024.0),
            *[Host(name=f"c{n}", memory_gib=512, link_mib_s=1024.0) for n in range(2, 10)],
        ],
        vms=[
            Vm(name=f"v{n}", host="c1", memory_gib=size, memory_used_gib=0.5, dirty_mib_s=0.0)
            for n, size in enumerate(gib)
        ],
    )
    few = {"at_once": 2, "out_of_host": 2, "into_host": 1, "per_agency": 9, "per_system": 9, "across_rack": 9}
    return plan.plan(cluster, Policy(balance=False, limits=Limits(**few | limits)), NOW)


def sizes(made: Plan) -> list[list[float]]:
    return [[move.copy_bytes / builders.GIB for move in wave] for wave in made.waves]


def test_short_copies_do_not_wait_for_long_ones_wave_after_wave():
    made = of_a_failing_host((64, 60, 4, 2))
    assert sizes(made) == [[64, 60], [4, 2]]
    assert made.takes == timedelta(seconds=2 * 64 + 2 * 4), "two copies share the link out of c1"
    assert (made.takes_at_least, made.waves_at_least) == (timedelta(seconds=64 + 60 + 4 + 2), 2)


def test_one_long_copy_is_no_reason_to_send_the_rest_later():
    made = of_a_failing_host((64, 4, 4), at_once=3, out_of_host=3)
    assert sizes(made) == [[64, 4, 4]]
    assert made.takes == made.takes_at_least == timedelta(seconds=3 * 64)


def test_a_limit_of_one_at_once_leaves_no_way_under_the_sum():
    made = of_a_failing_host((8, 4, 2), at_once=1)
    assert made.takes == made.takes_at_least == timedelta(seconds=14)
    assert made.waves_at_least == len(made.waves) == 3


def test_a_plan_of_nothing_takes_no_time():
    made = of_a_failing_host(())
    assert (made.takes, made.takes_at_least, made.waves_at_least) == (timedelta(0), timedelta(0), 0)
