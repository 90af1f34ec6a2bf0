"""The loop: its turns, what holds it back, what it sees and how far it trusts that, its newest plan."""

from collections.abc import Iterator

from prometheus_client.core import Metric

from controller.adapters.exposition.family import counted, counters, gauge, gauges, histograms
from controller.engine.status import PlanSummary, Status
from controller.model.policy import Mode
from controller.model.sample import Trust


def families(status: Status) -> Iterator[Metric]:
    """Everything that needs the status alone, but moves and drains."""
    yield from _loop(status)
    yield from _brakes(status)
    yield from _sight(status)
    if status.plan is not None:
        yield from _plan(status.plan)


def _loop(status: Status) -> Iterator[Metric]:
    info = ((status.version, status.estate), 1.0)
    yield gauges("gdcc_build_info", "Version of the controller and name of its estate.", ("version", "estate"), [info])
    modes = [((mode.name.lower(),), float(mode is status.mode)) for mode in Mode]
    yield gauges("gdcc_controller_mode", "1 for how far the controller goes on its own, everywhere.", ("mode",), modes)
    yield counters("gdcc_loop_turns", "Turns of the loop that ended.", (), [((), float(status.turns.count))])
    if status.turned_at is not None:
        ended = status.turned_at.timestamp()
        yield gauge("gdcc_loop_last_turn_timestamp_seconds", "When the last turn of the loop ended.", ended)
    interval = status.interval.total_seconds()
    yield gauge("gdcc_loop_interval_seconds", "From one turn's beginning to the next one's, as configured.", interval)
    phases = status.turns.phases
    yield histograms("gdcc_loop_phase_duration_seconds", "How long each phase of a turn took.", "phase", phases)


def _brakes(status: Status) -> Iterator[Metric]:
    frozen, stopped = float(status.freeze is not None), float(status.stopped is not None)
    yield gauge("gdcc_loop_frozen", "1 while the controller trusts too little of what it sees to move a VM.", frozen)
    yield gauge(
        "gdcc_loop_stopped",
        "1 while the loop moves nothing of its own: it cannot write its journal, read the cloud, or go on safely.",
        stopped,
    )
    scopes = [((str(pause.scope) if pause.scope else "everywhere",), 1.0) for pause in status.pauses]
    yield gauges("gdcc_paused", "1 for each scope in which an operator stopped new moves.", ("scope",), scopes)
    budget = status.budget
    yield gauge("gdcc_error_budget_failures", "Failed moves in the error budget's window.", float(budget.failures))
    yield gauge(
        "gdcc_error_budget_allowed_failures", "Failed moves that the error budget bears.", float(budget.allowed)
    )
    yield gauge("gdcc_error_budget_exhausted", "1 when failed moves stopped the controller.", float(budget.exhausted))


def _sight(status: Status) -> Iterator[Metric]:
    hosts, vms = status.hosts, status.vms
    yield gauge("gdcc_hosts", "Compute hosts in Nova.", float(hosts.total))
    yield gauge("gdcc_hosts_trusted", "Hosts with every fresh reading that policy asks for.", float(hosts.trusted))
    yield gauge("gdcc_hosts_enabled", "Hosts whose compute service is enabled.", float(hosts.enabled))
    yield gauge("gdcc_hosts_up", "Hosts whose compute service is up.", float(hosts.up))
    yield gauge("gdcc_hosts_draining", "Hosts that an operator's drain holds empty or empties.", float(hosts.draining))
    yield gauge("gdcc_hosts_unknown", "Hosts in Nova that are in no estate; left alone.", float(len(hosts.unknown)))
    yield gauge("gdcc_vms", "Servers in Nova.", float(vms.total))
    yield gauge("gdcc_vms_moving", "Servers under migration, whoever began it.", float(vms.moving))
    yield gauge("gdcc_vms_resting", "Servers that moved lately and rest.", float(vms.resting))
    yield gauge("gdcc_vms_locked", "Locked servers.", float(vms.locked))
    yield gauge(
        "gdcc_vms_unknown", "Servers of projects in no estate; moved on an operator's word.", float(vms.unknown)
    )
    yield from _readings(status)
    faults = [((fault.source, fault.reason), float(fault.count)) for fault in status.faults.counts]
    yield counters("gdcc_faults", "What a source gave that could not be used.", ("source", "reason"), faults)


def _readings(status: Status) -> Iterator[Metric]:
    labels = ("kind", "quantity")
    rows = [
        ((each.kind, each.quantity, trust.name.lower()), float(getattr(each, trust.name.lower())))
        for each in status.readings
        for trust in Trust
    ]
    yield gauges("gdcc_readings", "Readings by what the trust gate says of them.", (*labels, "trust"), rows)
    for name, text, field in (
        ("gdcc_reading_age_seconds", "Median age of the fresh readings of a quantity.", "age"),
        ("gdcc_reading_oldest_age_seconds", "Age of the oldest fresh reading of a quantity.", "oldest"),
    ):
        ages = [((each.kind, each.quantity), getattr(each, field)) for each in status.readings]
        yield gauges(name, text, labels, ((key, age) for key, age in ages if age is not None))


def _plan(plan: PlanSummary) -> Iterator[Metric]:
    created = plan.created_at.timestamp()
    yield gauge("gdcc_plan_created_timestamp_seconds", "When the newest plan was made.", created)
    yield gauge("gdcc_plan_waves", "Waves of the newest plan.", float(plan.waves))
    yield counted("gdcc_plan_moves", "Moves of the newest plan by what they are for.", "concern", plan.moves)
    yield counted("gdcc_plan_breaches", "Limits and rules broken at the newest look.", "rule", plan.breaches)
    after = plan.breaches_after
    yield counted("gdcc_plan_breaches_after", "Limits and rules still broken after the newest plan.", "rule", after)
    yield counted(
        "gdcc_plan_holds", "What should be mended and is held back, by the rule that holds it.", "rule", plan.holds
    )
    freed = float(plan.hosts_freed)
    yield gauge("gdcc_plan_hosts_freed", "Hosts that the newest plan empties, to be powered down.", freed)
    yield gauge("gdcc_plan_saved_watts", "Watts that those draw idle, at least.", plan.watts_saved)
    for name, text, score in (
        (
            "gdcc_plan_score",
            "The cluster's objective before the newest plan by concern, lower is better.",
            plan.score_before,
        ),
        ("gdcc_plan_score_after", "The cluster's objective after the newest plan by concern.", plan.score_after),
    ):
        yield gauges(name, text, ("concern",), (((concern,), value) for concern, value in score.items()))
