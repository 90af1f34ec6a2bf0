"""`gdcc estate list|drift|graph`: what there is, and what differs; nothing is changed."""

from pathlib import Path
from typing import Annotated

import typer

from controller.cli.estate.options import (
    PARALLEL,
    AgencyOption,
    EstateOption,
    FoundationOption,
    JsonOption,
    ParallelOption,
    RootOption,
)
from controller.cli.output import drift_told, told

TextfileOption = Annotated[Path | None, typer.Option("--textfile", help="Also write Prometheus metrics here.")]


def drift(
    agency: AgencyOption = [],  # noqa: B006 - typer's lists
    foundation: FoundationOption = False,
    parallel: ParallelOption = PARALLEL,
    textfile: TextfileOption = None,
    root: RootOption = None,
    estate: EstateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what the cloud has that the last runs did not leave there. Exit status: 0 none, 1 drift, 2 could not look."""
    with drift_told():
        from controller.bootstrap import estate as wiring
        from controller.cli.estate import looking, select

        chosen = select.selection(root, estate, agency, foundation)
        cloud = wiring.living(chosen.tool.root)
        where = cloud.opened if cloud.named else None
        looking.look(chosen, bool(agency or foundation), parallel, textfile, as_json, where)


def list_stacks(
    agency: AgencyOption = [],  # noqa: B006
    foundation: FoundationOption = False,
    root: RootOption = None,
    estate: EstateOption = None,
    as_json: JsonOption = False,
) -> None:
    """The estate's stacks: what each holds, since when, and who holds its lock."""
    from controller.cli.estate import listing, select

    with told():
        listing.show(select.selection(root, estate, agency, foundation), as_json)


def graph(
    agency: Annotated[str, typer.Argument(help="An agency, or foundation.")],
    svg: Annotated[Path | None, typer.Option("--svg", help="Also draw it here.")] = None,
    root: RootOption = None,
    estate: EstateOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a stack holds and depends on, as a tree; with --svg as a drawing too."""
    from controller.adapters.pulumi.stacks import FOUNDATION
    from controller.cli.estate import graphing, select

    with told():
        foundation = agency == FOUNDATION
        chosen = select.selection(root, estate, [] if foundation else [agency], foundation)
        graphing.draw(chosen, svg, as_json)


def provider_config(
    host: Annotated[str, typer.Argument(help="A host of the estate.")],
    root: RootOption = None,
    estate: EstateOption = None,
) -> None:
    """A host's provider.yaml, from which nova-compute gives Placement its traits."""
    import sys

    from controller.cli.estate import select

    with told():
        sys.stdout.write(select.provider_config_of(root, estate, host))
