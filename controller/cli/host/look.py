"""`gdcc host facts|drift`: what is declared against what is found; nothing is changed."""

from controller.cli.host.options import CONFIG, ConfigOption, HostsArgument, JsonOption, TagsOption, TextfileOption
from controller.cli.output import drift_told


def facts(
    hosts: HostsArgument,
    textfile: TextfileOption = None,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """What hosts are, declared against found. Exit status: 0 as declared, 1 one differs, 2 could not look at a host."""
    with drift_told():
        from controller.cli.host import finding
        from controller.cli.host.doing import Asked

        finding.facts(Asked(patterns=hosts, config=config, as_json=as_json), textfile)


def drift(
    hosts: HostsArgument,
    tags: TagsOption = [],  # noqa: B006 - typer's lists
    textfile: TextfileOption = None,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Say what configure would change. Exit status: 0 nothing, 1 drift, 2 could not look at a host."""
    with drift_told():
        from controller.cli.host import drifting
        from controller.cli.host.doing import Asked

        drifting.drift(Asked(patterns=hosts, config=config, as_json=as_json), tuple(tags), textfile)
