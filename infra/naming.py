"""Every name and tag that the programs give, in one place: stacks, Pulumi's resources, and things in the cloud.

Those that others know as well stand in `inventory.names`. A flavor, a volume type, an image, a provider network, an
aggregate and a project bear the estate's own names.
"""

from datetime import date

from inventory import names

CONTROL_PROJECT = names.CONTROL_PROJECT
FOUNDATION = names.FOUNDATION
PROJECT = names.PROJECT
agency_of = names.agency_of
agency_stack = names.agency_stack
auditors_group = names.auditors_group
container = names.container
operators_group = names.operators_group
service_user = names.service_user
subnet_pool = names.subnet_pool


DEFAULT_FOUNDATION = f"organization/{PROJECT}/{FOUNDATION}"
"""The foundation in a StackReference: file, S3 and PostgreSQL backends call their one organization so."""

OPERATORS_DOMAIN = f"{PROJECT}-operators"
AGENCIES_DOMAIN = "Default"
AGENCIES_DOMAIN_ID = "default"
"""Where agencies' projects, groups and service users stand: the domain that Keystone is bootstrapped with."""

ADDRESS_SCOPE = PROJECT


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


def credential(system: str, begins: date) -> str:
    """The application credential of a system's deployment tool; one that begins another day is another one."""
    return f"{system}-deployer-{begins.isoformat()}"


def operators_role(group: str, role: str) -> str:
    """Pulumi's name of what gives a group of operators a role."""
    return f"{group}-{role}"


def bandwidth_limit(policy: str, direction: str) -> str:
    """Pulumi's name of a QoS policy's limit in one direction."""
    return f"{policy}-{direction}"


def control_egress(role: str) -> str:
    """Pulumi's name of the rule by which control VMs of a role get out."""
    return f"{control_group(role)}-out"


def control_ingress(role: str, port: int, source: str | None) -> str:
    """Pulumi's name of the rule that lets another role, or the whole control network, reach control VMs on a port."""
    return f"{control_group(role)}-{port}-from-{source or 'network'}"
