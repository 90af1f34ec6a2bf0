"""What the foundation's stack gave: ids by name. Nothing is looked up in the cloud."""

from collections.abc import Iterable, Mapping

import pulumi


class Catalogue:
    """The foundation's outputs; what it lacks fails the update with the stack to run first.

    Each id is one Pulumi output, however many systems use it.
    """

    def __init__(self, stack: str) -> None:
        self._stack = stack
        self._reference = pulumi.StackReference(stack)
        self._tables: dict[str, pulumi.Output[Mapping[str, str] | None]] = {}
        self._ids: dict[tuple[str, str], pulumi.Output[str]] = {}

    def table(self, output: str) -> pulumi.Output[Mapping[str, str] | None]:
        """An output that maps names to ids, as it is; None where the foundation has none of that name."""
        if output not in self._tables:
            self._tables[output] = self._reference.get_output(output)
        return self._tables[output]

    def one(self, output: str) -> pulumi.Output[str]:
        """An output that is one id."""
        return self._reference.get_output(output).apply(lambda id_: self._given(output, id_))

    def id_of(self, output: str, name: str) -> pulumi.Output[str]:
        """The id of a thing by its name, in an output that is a mapping."""
        if (output, name) not in self._ids:
            what = f"{output}: {name}"
            self._ids[output, name] = self.table(output).apply(lambda ids: self._given(what, (ids or {}).get(name)))
        return self._ids[output, name]

    def ids_of(self, output: str, names: Iterable[str]) -> dict[str, pulumi.Output[str]]:
        """Ids by name."""
        return {name: self.id_of(output, name) for name in names}

    def _given(self, what: str, id_: str | None) -> str:
        if id_ is None:
            raise pulumi.RunError(f"{self._stack} has no {what} among its outputs (run `up` of that stack first)")
        return id_
