"""The foundation's stack: what every agency builds on."""

import pulumi

from infra import naming
from infra.config import StackConfig
from infra.foundation import exports
from infra.foundation.aggregates import Aggregates
from infra.foundation.control import OPENINGS, Control
from infra.foundation.flavors import Flavors
from infra.foundation.identity import Identity
from infra.foundation.networks import Networks
from infra.foundation.quotas import Quotas
from infra.foundation.volume_types import VolumeTypes
from infra.policy.meanings import Meanings
from inventory import aggregates
from inventory.model import Classification, Estate, Network, NetworkUse


def build(estate: Estate, settings: StackConfig) -> None:
    """Declares the foundation and exports what `exports` names. Images are known by id, and nothing is made of them."""
    control = _control_network(estate)
    control_level = max(Classification) if control is None else control.classification
    identity = Identity(
        "identity",
        operators=estate.operators.values(),
        known_roles=settings.roles,
        control_level=control_level,
    )
    quotas = Quotas(
        "quotas",
        estate=estate,
        roles=len(OPENINGS),
        control_level=control_level,
        project_id=identity.control_project_id,
        login_project=settings.login_project,
        login_quota=settings.login_quota,
    )
    image_ids = {image.name: image.id for image in estate.images.values()}
    Meanings("meanings", estate=estate, role_ids=settings.roles, image_ids=image_ids)
    flavors = Flavors("flavors", flavors=estate.flavors.values())
    Aggregates("aggregates", aggregates=aggregates.of(estate))
    volume_types = VolumeTypes("volume-types", volume_types=estate.volume_types.values())
    networks = Networks(
        "networks",
        networks=estate.networks.values(),
        project_id=identity.control_project_id,
        opts=pulumi.ResourceOptions(depends_on=[quotas]),
    )
    if control is not None:
        Control("control", network=control, project_id=identity.control_project_id)
    external = [each for each in estate.networks.values() if each.use is NetworkUse.EXTERNAL]
    pulumi.export(exports.FLAVOR_IDS, dict(flavors.ids))
    pulumi.export(exports.VOLUME_TYPE_IDS, dict(volume_types.ids))
    pulumi.export(exports.NETWORK_IDS, dict(networks.ids))
    pulumi.export(
        exports.EXTERNAL_NETWORK_IDS, {each.classification.name.lower(): networks.ids[each.name] for each in external}
    )
    pulumi.export(exports.ADDRESS_SCOPE_ID, networks.address_scope_id)
    pulumi.export(exports.ROLE_IDS, dict(identity.role_ids))
    pulumi.export(exports.IMAGE_IDS, image_ids)
    pulumi.export(exports.DOMAIN_IDS, {"operators": identity.domain_id, "agencies": naming.AGENCIES_DOMAIN_ID})
    pulumi.export(exports.PROJECT_IDS, {"control": identity.control_project_id})
    pulumi.export(exports.GROUP_IDS, dict(identity.group_ids))


def _control_network(estate: Estate) -> Network | None:
    return next((each for each in estate.networks.values() if each.use is NetworkUse.CONTROL), None)
