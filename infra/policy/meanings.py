"""How a program tells the policies what ids of other stacks mean: Pulumi shows a policy no stack reference."""

from collections.abc import Mapping

import pulumi

from infra.policy import kinds
from inventory.model import Estate

Ids = Mapping[str, str]
"""Ids in the cloud by the estate's name, as a stack exports them; the external networks' by classification."""


class Meanings(pulumi.ComponentResource):
    """Declares nothing in the cloud. Its inputs are `levels`, the classification of each id, and `roles`, their names.

    Give it all that other stacks told, unchanged: the rules judge by ids, whatever names a program used them under.
    `project_ids` are those of other stacks' systems. An output that a stack does not have yet is None.
    """

    def __init__(
        self,
        name: str,
        *,
        estate: Estate,
        role_ids: pulumi.Input[Ids | None],
        flavor_ids: pulumi.Input[Ids | None] = None,
        volume_type_ids: pulumi.Input[Ids | None] = None,
        external_network_ids: pulumi.Input[Ids | None] = None,
        project_ids: pulumi.Input[Ids | None] = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        told = pulumi.Output.all(flavor_ids, volume_type_ids, external_network_ids, project_ids)
        inputs = {
            "levels": told.apply(lambda ids: levels(estate, *ids)),
            "roles": pulumi.Output.from_input(role_ids).apply(_by_id),
        }
        super().__init__(kinds.MEANINGS, name, inputs, opts)
        self.register_outputs({})


def levels(
    estate: Estate, flavors: Ids | None, volume_types: Ids | None, external_networks: Ids | None, projects: Ids | None
) -> dict[str, str]:
    """The classification of each id, by what the estate says of its name. An id under two levels gets the lower one."""
    told = [
        *((id_, estate.flavors[name].classification) for name, id_ in _known(flavors, estate.flavors)),
        *((id_, estate.volume_types[name].classification) for name, id_ in _known(volume_types, estate.volume_types)),
        *((id_, estate.systems[name].classification) for name, id_ in _known(projects, estate.systems)),
    ]
    named = {id_: level.name.lower() for id_, level in sorted(told, key=lambda each: each[1], reverse=True)}
    return {**{id_: level for level, id_ in (external_networks or {}).items()}, **named}


def _known(ids: Ids | None, table: Mapping[str, object]) -> list[tuple[str, str]]:
    return [(name, id_) for name, id_ in (ids or {}).items() if name in table]


def _by_id(ids: Ids | None) -> dict[str, str]:
    return {id_: name for name, id_ in (ids or {}).items()}
