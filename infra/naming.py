"""Every name and tag that the programs give, in one place: stacks, Pulumi's resources, and things in the cloud.

A flavor, a volume type, an image, a provider network, an aggregate and a project bear the estate's own names.
"""

from datetime import date

FOUNDATION = "foundation"
"""The foundation's stack."""

PROJECT = "gdcc"
"""The Pulumi project, as `Pulumi.yaml` has it; the prefix of what is the whole cloud's."""

DEFAULT_FOUNDATION = f"organization/{PROJECT}/{FOUNDATION}"
"""The foundation in a StackReference: file, S3 and PostgreSQL backends call their one organization so."""

OPERATORS_DOMAIN = f"{PROJECT}-operators"
CONTROL_PROJECT = f"{PROJECT}-control"
AGENCIES_DOMAIN = "Default"
AGENCIES_DOMAIN_ID = "default"
"""Where agencies' projects, groups and service users stand: the domain that Keystone is bootstrapped with."""

ADDRESS_SCOPE = PROJECT

_AGENCY_STACK = "agency-"


def agency_stack(agency: str) -> str:
    """The stack of an agency."""
    return f"{_AGENCY_STACK}{agency}"


def agency_of(stack: str) -> str | None:
    """The agency of a stack; None for a stack that is no agency's."""
    agency = stack.removeprefix(_AGENCY_STACK)
    return agency if agency != stack and agency else None


def resource(*parts: str) -> str:
    """Pulumi's name of a resource within its stack: what it is of, then what it is."""
    return ".".join(parts)


def tag(key: str, value: str) -> str:
    """`agency:tax`, for Keystone's projects and Neutron's resources."""
    return f"{key}:{value}"


def system_tags(agency: str, system: str, classification: str, tier: str) -> list[str]:
    """The tags of a system's project and of all that stands in it, sorted as Keystone and Neutron return them."""
    given = {"agency": agency, "system": system, "classification": classification, "tier": tier}
    return sorted(tag(key, value) for key, value in given.items())


def control_tags(classification: str) -> list[str]:
    """The tags of the control VMs' project and of all that stands in it: the operators' own agency and system."""
    return system_tags(PROJECT, "control", classification, "critical")


def qos_policy(network: str) -> str:
    """The QoS policy of a provider network."""
    return f"{network}-limit"


def volume_qos(volume_type: str) -> str:
    """The QoS specs of a volume type."""
    return f"{volume_type}-limit"


def subnet(network: str) -> str:
    """The subnet of a network."""
    return f"{network}-subnet"


def control_group(role: str) -> str:
    """The security group of control VMs of a role."""
    return f"control-{role}"


def operators_group(agency: str) -> str:
    """The group of those who run an agency's systems."""
    return f"{agency}-operators"


def auditors_group(agency: str) -> str:
    """The group of those who may only look at an agency's systems."""
    return f"{agency}-auditors"


def subnet_pool(agency: str) -> str:
    """The subnet pool of an agency."""
    return f"{agency}-pool"


def network(system: str) -> str:
    """A system's own network."""
    return f"{system}-net"


def router(system: str) -> str:
    """A system's router."""
    return f"{system}-router"


def security_group(system: str, role: str) -> str:
    """The security group of a system's VMs of one role."""
    return f"{system}-{role}"


def server_group(system: str, role: str) -> str:
    """The server group of a VM set: Nova's, and its VMs' names without their number."""
    return f"{system}-{role}"


def container(data_set: str) -> str:
    """The object container of a data set."""
    return data_set


def service_user(system: str) -> str:
    """The user of a system's deployment tool."""
    return f"{system}-deployer"


def credential(system: str, begins: date) -> str:
    """The application credential of a system's deployment tool; one that begins another day is another one."""
    return f"{system}-deployer-{begins.isoformat()}"
