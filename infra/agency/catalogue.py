"""What the foundation's stack gave: ids by name. Nothing is looked up in the cloud."""

from collections.abc import Iterable, Mapping

import pulumi


class Catalogue:
    """The foundation's outputs; what it lacks fails the update with the stack to run first."""

    def __init__(self, stack: str) -> None:
        self._stack = stack
        self._reference = pulumi.StackReference(stack)
        self._outputs: dict[str, pulumi.Output[Mapping[str, str] | None]] = {}

    def table(self, name: str) -> pulumi.Output[Mapping[str, str] | None]:
        """One of the foundation's mappings as it is; None where it has none."""
        if name not in self._outputs:
            self._outputs[name] = self._reference.get_output(name)
        return self._outputs[name]

    def id_of(self, table: str, name: str) -> pulumi.Output[str]:
        """The id of a thing by its name in one of the foundation's mappings, such as `flavors`."""
        return self.table(table).apply(lambda ids: self._found(table, name, ids))

    def one(self, output: str) -> pulumi.Output[str]:
        """An output that is one id."""
        return self._reference.get_output(output).apply(lambda id_: self._given(output, id_))

    def ids_of(self, table: str, names: Iterable[str]) -> dict[str, pulumi.Output[str]]:
        """Ids by name."""
        return {name: self.id_of(table, name) for name in names}

    def _given(self, output: str, id_: str | None) -> str:
        if id_ is None:
            raise pulumi.RunError(f"{self._stack} has no output {output} (run `up` of that stack first)")
        return id_

    def _found(self, table: str, name: str, ids: Mapping[str, str] | None) -> str:
        if ids is None or name not in ids:
            raise pulumi.RunError(f"{self._stack} has no {name!r} among its {table} (run `up` of that stack first)")
        return ids[name]
