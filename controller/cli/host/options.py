"""The options of `gdcc host`, each said once."""

from pathlib import Path
from typing import Annotated

import typer

HostsArgument = Annotated[list[str], typer.Argument(help="Host names, all, or groups as rack:r07, type:c64.")]
ConfigOption = Annotated[Path, typer.Option("--config", envvar="GDCC_CONFIG", help="The daemon's configuration.")]
SocketOption = Annotated[
    Path | None, typer.Option("--socket", envvar="GDCC_SOCKET", help="The daemon's socket; the configuration's.")
]
DirectOption = Annotated[bool, typer.Option("--direct", help="With no daemon, holding the journal's lock.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For machines.")]
CheckOption = Annotated[bool, typer.Option("--check", help="Only say what would change.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Drain without asking.")]
TagsOption = Annotated[list[str], typer.Option("--tags", help="Only these concerns, as network; as often as needed.")]
SetOption = Annotated[list[str], typer.Option("--set", help="NAME=VALUE of a variable, in YAML; as often as needed.")]
TextfileOption = Annotated[Path | None, typer.Option("--textfile", help="Also write Prometheus metrics here.")]

CONFIG = Path("/etc/gdcc/controller.yaml")
