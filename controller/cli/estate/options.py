"""The options of `gdcc estate`, each said once."""

import os
from pathlib import Path
from typing import Annotated

import typer

AgencyOption = Annotated[list[str], typer.Option("--agency", help="An agency's stack; as often as needed.")]
FoundationOption = Annotated[bool, typer.Option("--foundation", help="The foundation's stack.")]
ParallelOption = Annotated[int, typer.Option("--parallel", min=1, max=64, help="How many stacks side by side.")]
RootOption = Annotated[Path | None, typer.Option("--root", help="The repository; the folder above with Pulumi.yaml.")]
EstateOption = Annotated[Path | None, typer.Option("--estate", help="The estate; the foundation's gdcc:estate.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For machines.")]

UnlockOption = Annotated[list[str], typer.Option("--unlock", help="A stack whose lock a killed run left behind.")]
SecretsOption = Annotated[str | None, typer.Option("--secrets-provider", help="How new stacks keep secrets.")]
NoPolicyOption = Annotated[bool, typer.Option("--no-policy", help="Without the policy pack; losses stay judged.")]
RefreshOption = Annotated[bool, typer.Option("--refresh", help="Look at the cloud first, not at the last run's word.")]
WriteOption = Annotated[bool, typer.Option("--write", help="Import what was found; without it, only say.")]
YesOption = Annotated[list[str], typer.Option("--yes", help="Destroy this stack without asking; its whole name.")]
ProtectedOption = Annotated[
    list[str], typer.Option("--yes-destroy", help="Destroy this stack, its protected resources too; its whole name.")
]

PARALLEL = os.cpu_count() or 2
"""One stack a processor: each keeps one busy for most of its time."""
