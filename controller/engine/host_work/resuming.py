"""What a verb makes of runs that were left open: whether it may go on with them, and where it begins. Pure."""

from collections.abc import Collection

from controller.engine.host_work.order import Order
from controller.errors import RefusedError
from controller.model.host_run import HostRun, HostStep, HostVerb

OPTIONS = {HostVerb.CONFIGURE: "--drain", HostVerb.PATCH: "--reboot"}
"""Verbs that take a host out of service only with their option."""


def require(order: Order, runs: Collection[HostRun]) -> None:
    """Raises `RefusedError` (rule `host-run-open`) where one of these open runs is not this order's to go on with."""
    others = [_told(run, "is") for run in runs if run.verb is not order.verb]
    if others:
        remedy = "do that verb again, which goes on with it, or end it with gdcc host forget"
        raise RefusedError("; ".join(others), rule="host-run-open", remedy=remedy)
    out = [_told(run, "took it out of service and is") for run in runs if _took_out(run) and not order.takes_out]
    if out:
        remedy = f"do it again with {OPTIONS.get(order.verb, 'the same options')}, which gives the host back"
        raise RefusedError("; ".join(out), rule="host-run-open", remedy=remedy)


def first_step(order: Order, run: HostRun) -> HostStep:
    """Where the order goes on with the run; a verification is never older than the command that gives the host back."""
    if not order.takes_out or run.step not in order.steps:
        return order.steps[0]
    if run.verb in OPTIONS and run.step is HostStep.VERIFY and not run.drained:
        return order.steps[0]
    return HostStep.VERIFY if run.step is HostStep.ENABLE else run.step


def said(run: HostRun, first: HostStep) -> str:
    """That an earlier run was gone on with: what it did then is not done again."""
    return f" Gone on with from {first}, as begun by {run.who} at {run.since:%Y-%m-%d %H:%M}."


def _took_out(run: HostRun) -> bool:
    return run.drained or run.step is HostStep.DRAIN


def _told(run: HostRun, state: str) -> str:
    return f"{run.verb} of {run.host} by {run.who} {state} open at {run.step} since {run.since:%Y-%m-%d %H:%M}"
