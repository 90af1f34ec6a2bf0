"""The three problems of the demonstration, by the breach keys that the daemon and the twin both use for them."""

from dataclasses import dataclass

from controller.twin.faults import devices, plant
from controller.twin.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """`key`: of the breach, as `feed:feed-1a`. `title`: for people. `amount_is`: what its amount counts."""

    key: str
    title: str
    amount_is: str

    @property
    def kind(self) -> str:
        return self.key.partition(":")[0]

    @property
    def subject(self) -> str:
        return self.key.partition(":")[2]


def of_scenario(scenario: Scenario) -> tuple[Problem, ...]:
    """What its faults do that migrations can cure, in its order."""
    found = [_problem(event.fault) for event in scenario.events]
    return tuple(problem for problem in found if problem is not None)


def _problem(fault: object) -> Problem | None:
    if isinstance(fault, plant.FeedOverload):
        return Problem(
            key=f"feed:{fault.feed}",
            title=f"{fault.feed} cannot carry its racks alone",
            amount_is="watts if its partner failed",
        )
    if isinstance(fault, devices.HealthFault):
        return Problem(
            key=f"health:{fault.host}",
            title=f"{fault.host} has failing {fault.part}",
            amount_is="VMs on it",
        )
    if isinstance(fault, plant.NoisyNeighbour):
        return Problem(
            key=f"cpu:{fault.host}",
            title=f"{fault.host} has a noisy neighbour",
            amount_is="of its threads busy",
        )
    return None
