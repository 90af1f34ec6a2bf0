"""The verbs that do something to hosts, each an order."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from controller.cli.host.options import (
    CONFIG,
    CheckOption,
    ConfigOption,
    DirectOption,
    HostsArgument,
    JsonOption,
    SetOption,
    SocketOption,
    TagsOption,
    YesOption,
)
from controller.model.host_run import HostVerb
from controller.model.ids import HostName
from controller.model.playbook import Variable

if TYPE_CHECKING:
    from controller.cli.host import doing

DrainFlag = Annotated[bool, typer.Option("--drain", help="Take the hosts out of service for it, one by one.")]
RebootFlag = Annotated[bool, typer.Option("--reboot", help="Reboot where a package asks for it: drained, one by one.")]
PackageOption = Annotated[list[str], typer.Option("--package", help="Upgrade only these; as often as needed.")]
NamedOption = Annotated[list[str], typer.Option("--yes-decommission", help="This host without asking; its whole name.")]


def prepare(
    hosts: HostsArgument,
    check: CheckOption = False,
    set_: SetOption = [],  # noqa: B006 - typer's lists
    config: ConfigOption = CONFIG,
    socket: SocketOption = None,
    direct: DirectOption = False,
    as_json: JsonOption = False,
) -> None:
    """From a bare Debian that answers by SSH to a host that can be configured."""
    _do(HostVerb.PREPARE, _common(hosts, config, socket, direct, as_json), set_, check=check)


def configure(
    hosts: HostsArgument,
    check: CheckOption = False,
    tags: TagsOption = [],  # noqa: B006
    set_: SetOption = [],  # noqa: B006
    drain: DrainFlag = False,
    yes: YesOption = False,
    config: ConfigOption = CONFIG,
    socket: SocketOption = None,
    direct: DirectOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make hosts what is declared, and verify them."""
    asked = _common(hosts, config, socket, direct, as_json, yes=yes)
    _do(HostVerb.CONFIGURE, asked, set_, check=check, tags=tuple(tags), drain=drain)


def verify(
    hosts: HostsArgument,
    config: ConfigOption = CONFIG,
    socket: SocketOption = None,
    direct: DirectOption = False,
    as_json: JsonOption = False,
) -> None:
    """Look whether the running hosts are what is declared; changes nothing."""
    _do(HostVerb.VERIFY, _common(hosts, config, socket, direct, as_json), [])


def enable(
    hosts: HostsArgument,
    config: ConfigOption = CONFIG,
    socket: SocketOption = None,
    direct: DirectOption = False,
    as_json: JsonOption = False,
) -> None:
    """Verify hosts, then end their drains and give them back."""
    _do(HostVerb.VERIFY, _common(hosts, config, socket, direct, as_json), [], give_back=True)


def reboot(
    hosts: HostsArgument,
    check: CheckOption = False,
    set_: SetOption = [],  # noqa: B006
    yes: YesOption = False,
    config: ConfigOption = CONFIG,
    socket: SocketOption = None,
    direct: DirectOption = False,
    as_json: JsonOption = False,
) -> None:
    """Drain, reboot, verify and give back, one host after the other."""
    _do(HostVerb.REBOOT, _common(hosts, config, socket, direct, as_json, yes=yes), set_, check=check)


def patch(
    hosts: HostsArgument,
    check: CheckOption = False,
    package: PackageOption = [],  # noqa: B006
    reboot: RebootFlag = False,
    set_: SetOption = [],  # noqa: B006
    yes: YesOption = False,
    config: ConfigOption = CONFIG,
    socket: SocketOption = None,
    direct: DirectOption = False,
    as_json: JsonOption = False,
) -> None:
    """Upgrade packages and verify; with --reboot drain first, reboot where it is asked for, and give back."""
    packages: dict[str, Variable] = {"patch_packages": tuple(package)} if package else {}
    asked = _common(hosts, config, socket, direct, as_json, yes=yes)
    _do(HostVerb.PATCH, asked, set_, packages, check=check, reboot=reboot)


def rotate_keys(
    hosts: HostsArgument,
    old: Annotated[Path, typer.Option("--old", help="The old private key; its public half beside it as .pub.")],
    new: Annotated[Path, typer.Option("--new", help="The new private key; its public half beside it as .pub.")],
    user: Annotated[str | None, typer.Option(help="Whose key; the account Ansible logs in with.")] = None,
    config: ConfigOption = CONFIG,
    socket: SocketOption = None,
    direct: DirectOption = False,
    as_json: JsonOption = False,
) -> None:
    """One SSH key for another; the old one goes only after a fresh login with the new one."""
    given: dict[str, Variable] = {"rotate_user": user} if user else {}
    for name, path in (("old", old), ("new", new)):
        given[f"rotate_{name}_key"] = _public(path)
        given[f"rotate_{name}_key_file"] = str(path.resolve())
    _do(HostVerb.ROTATE_KEYS, _common(hosts, config, socket, direct, as_json), [], given)


def decommission(
    hosts: HostsArgument,
    check: CheckOption = False,
    yes: NamedOption = [],  # noqa: B006
    config: ConfigOption = CONFIG,
    socket: SocketOption = None,
    direct: DirectOption = False,
    as_json: JsonOption = False,
) -> None:
    """Drain hosts and take them out of service for good; they stay disabled."""
    from controller.cli.host import doing
    from controller.cli.output import refuse

    asked = _common(hosts, config, socket, direct, as_json, yes=True)
    for host in () if check else doing.ready(asked).hosts:
        if host not in yes and typer.prompt(f"Type {host} to decommission it") != host:
            refuse("nothing was done")
    _do(HostVerb.DECOMMISSION, asked, [], check=check)


def _public(key: Path) -> str:
    path = key.with_name(f"{key.name}.pub")
    try:
        return path.read_text().strip()
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error.strerror}") from error


def _common(
    hosts: list[str], config: Path, socket: Path | None, direct: bool, as_json: bool, *, yes: bool = False
) -> "doing.Asked":
    from controller.cli.host.doing import Asked

    return Asked(patterns=hosts, config=config, socket=socket, direct=direct, as_json=as_json, yes=yes)


def _do(
    verb: HostVerb, asked: "doing.Asked", set_: list[str], more: dict[str, Variable] | None = None, **how: Any
) -> None:
    from controller.bootstrap.host import Tools
    from controller.cli.host import doing
    from controller.engine.host_work.order import Order

    given = {**(more or {}), **doing.variables(set_)}

    def made(hosts: tuple[HostName, ...], elsewhere: frozenset[HostName], tools: Tools) -> Order:
        return Order(
            verb=verb, hosts=hosts, elsewhere=elsewhere, timeout=tools.timeout, variables=given,
            looks_at_once=tools.looks_at_once, **how,
        )  # fmt: skip

    doing.do(asked, made)
