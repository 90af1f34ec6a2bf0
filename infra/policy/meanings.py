"""How a program tells the policies what ids of other stacks mean: Pulumi shows a policy no stack reference."""

import functools
from collections.abc import Mapping
from typing import Protocol

import pulumi

from infra.policy import kinds
from inventory.model import Classification, Estate, NetworkUse

Ids = Mapping[str, str]
"""Ids in the cloud by the estate's name, as a stack exports them; the external networks' by classification."""


class Meanings(pulumi.ComponentResource):
    """Declares nothing in the cloud. Its inputs are `levels`, the classification of each id, and `roles`, their names.

    Give it all that other stacks told, unchanged: the rules judge by ids, whatever names a program used them under.
    `project_ids` are those of other stacks' systems. `ranges` are the provider networks' levels, by range. An output
    that a stack does not have yet is None.
    """

    def __init__(
        self,
        name: str,
        *,
        estate: Estate,
        role_ids: pulumi.Input[Ids | None],
        flavor_ids: pulumi.Input[Ids | None] = None,
        volume_type_ids: pulumi.Input[Ids | None] = None,
        image_ids: pulumi.Input[Ids | None] = None,
        external_network_ids: pulumi.Input[Ids | None] = None,
        project_ids: pulumi.Input[Ids | None] = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        told = pulumi.Output.all(
            flavors=flavor_ids,
            volume_types=volume_type_ids,
            images=image_ids,
            external_networks=external_network_ids,
            projects=project_ids,
        )
        inputs = {
            "levels": told.apply(functools.partial(levels, estate)),
            "roles": pulumi.Output.from_input(role_ids).apply(_by_id),
            "ranges": ranges(estate),
        }
        super().__init__(kinds.MEANINGS, name, inputs, opts)
        self.register_outputs({})


def levels(estate: Estate, told: Mapping[str, Ids | None]) -> dict[str, str]:
    """The classification of each id, by what the estate says of its name. An id under two levels gets the lower one.

    An image's level is how high its data is, where the others' is how high they may hold: it gets the higher one.
    """
    holding = [
        *_classified(told["flavors"], estate.flavors),
        *_classified(told["volume_types"], estate.volume_types),
        *_classified(told["projects"], {name: each for each in estate.systems.values() for name in each.names}),
    ]
    data = _classified(told["images"], estate.images)
    by_level = [*sorted(holding, key=_level, reverse=True), *sorted(data, key=_level)]
    external = {id_: level for level, id_ in (told["external_networks"] or {}).items()}
    return {**external, **{id_: level.name.lower() for id_, level in by_level}}


def ranges(estate: Estate) -> dict[str, str]:
    """The classification of each external network, by its range."""
    external = [each for each in estate.networks.values() if each.use is NetworkUse.EXTERNAL]
    return {each.cidr: each.classification.name.lower() for each in external}


class _Classified(Protocol):
    """What bears a level in the estate."""

    @property
    def classification(self) -> Classification: ...


def _classified(ids: Ids | None, table: Mapping[str, _Classified]) -> list[tuple[str, Classification]]:
    return [(id_, table[name].classification) for name, id_ in (ids or {}).items() if name in table]


def _level(entry: tuple[str, Classification]) -> Classification:
    return entry[1]


def _by_id(ids: Ids | None) -> dict[str, str]:
    return {id_: name for name, id_ in (ids or {}).items()}
