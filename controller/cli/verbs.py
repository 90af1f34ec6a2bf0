"""A group of verbs, each imported when it is called or its help is asked for: no verb waits for another's libraries."""

import importlib
from collections.abc import Mapping
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup
from typer.main import get_command


class Verbs(TyperGroup):
    """A group whose verbs are named in `places`: for each `module:attribute`, a function or an app of more verbs."""

    places: ClassVar[Mapping[str, str]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of `places`."""
        return list(self.places)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The verb of this name, None where there is none."""
        if cmd_name in self.places and cmd_name not in self.commands:
            self.commands[cmd_name] = _imported(cmd_name, self.places[cmd_name])
        return self.commands.get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As the group above; what was mistyped is compared with every name, so all are imported for it."""
        if args[0] not in self.places:
            for name in self.places:
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)


def _imported(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if isinstance(found, typer.Typer):
        command = get_command(found)
    else:
        alone = typer.Typer(add_completion=False)
        alone.command(name)(found)
        command = get_command(alone)
    command.name = name
    return command
