"""`gdcc twin`: a data centre in software on loopback."""

import asyncio
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from controller.cli.output import people, refuse, told
from inventory.load import EstateError, load

if TYPE_CHECKING:
    from controller.twin.datacentre import DataCentre


def twin(
    estate: Annotated[Path, typer.Option("--estate", help="The estate's directory.")],
    scenario: Annotated[Path | None, typer.Option("--scenario", help="What befalls it, and when.")] = None,
    state: Annotated[Path, typer.Option("--state", help="Where credentials are written.")] = Path(".gdcc-twin"),
    seed: Annotated[int | None, typer.Option("--seed", help="Another seed than the scenario's.")] = None,
    port: Annotated[int, typer.Option("--port", help="Of the OpenStack APIs and of /twin.", min=1, max=65535)] = 18774,
    traps: Annotated[str | None, typer.Option("--traps", help="host:port that traps are sent to.")] = None,
) -> None:
    """Run a data centre in software on loopback: BMCs, PDUs, exporters and an OpenStack, until SIGTERM."""
    from controller.twin import datacentre
    from controller.twin import scenario as scenarios

    began = time.monotonic()
    with told():
        try:
            held = load(estate)
        except EstateError as error:
            refuse(str(error))
        chosen = scenarios.chosen(scenario, seed)
        centre = datacentre.build(held, chosen, port)
        centre.agents.traps.receiver = datacentre.receiver(traps)
        datacentre.hand_over(centre, estate, state)
        asyncio.run(_run(centre, port, state, began))


async def _run(centre: "DataCentre", port: int, state: Path, began: float) -> None:
    from controller.twin import datacentre

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with datacentre.serving(centre, port):
        for line in datacentre.described(centre, state):
            people.print(line, markup=False)
        people.print(f"ready after {time.monotonic() - began:.1f} s; SIGTERM ends it", soft_wrap=True)
        await stop.wait()
