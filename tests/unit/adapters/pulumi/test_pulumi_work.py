"""What each verb does with a stack, by a small `pulumi`."""

import asyncio
import json
import os
from datetime import date

from controller.adapters.pulumi import tool, work
from controller.adapters.pulumi.runs import Run, Runner, State
from controller.adapters.pulumi.stacks import Verb, Wave
from tests.fakes import pulumi_cli

STACK = "agency-tax"


class Place:
    """A repository with one stack, and orders that take note of what the guard of an `up` was shown."""

    def __init__(self, home, **stack):
        self.home, self.shown = home, []
        (home / "Pulumi.yaml").write_text("name: gdcc\n")
        (home / "infra/stacks").mkdir(parents=True)
        (home / "stacks").mkdir()
        (home / "stacks" / f"{STACK}.json").write_text(json.dumps({"resources": [], "pending": [], **stack}))
        path = os.pathsep.join([str(pulumi_cli.install(home)), os.environ["PATH"]])
        self.tool = tool.find(home, {**os.environ, "PATH": path, "FAKE_PULUMI": str(home)})

    def declares(self, *names):
        (self.home / "scenario.json").write_text(json.dumps({STACK: {"declares": names}}))

    def carried_out(self, verb):
        async def settle(runner, run, kept):
            await runner.step(run, "settle", "refresh", "--clear-pending-creates")

        async def beside(run, kept):
            self.shown.append(kept)

        async def nothing():
            return None

        orders = work.Orders(
            tool=self.tool,
            estate="estate",
            today=date(2026, 11, 21),
            settle=settle,
            beside=beside,
            roles=nothing,
            login_project=nothing,
            known={STACK: {}},
        )
        run = Run(stack=STACK, verb=verb, folder=self.home / "run")
        runner = Runner(self.tool, work.worker(orders), lambda run: None, 1)
        asyncio.run(runner.go([Wave(stacks=(STACK,))], [run]))
        return run


def test_an_up_is_judged_by_the_state_that_the_settling_left_and_not_by_the_one_before(tmp_path):
    place = Place(tmp_path, pending=["n1"])
    place.declares("n1")
    assert place.carried_out(Verb.UP).state is State.DONE
    (kept,) = place.shown
    assert kept.pending == ()
