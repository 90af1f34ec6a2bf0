"""Names that follow from the estate and that more than its programs know: of stacks, and of what stands in no project.

All other names are in `infra.naming`.
"""

FOUNDATION = "foundation"
"""The foundation's stack."""

PROJECT = "gdcc"
"""The Pulumi project, as `Pulumi.yaml` has it; the prefix of what is the whole cloud's."""

CONTROL_PROJECT = f"{PROJECT}-control"
"""The project of the control VMs, in the operators' domain."""

_AGENCY_STACK = "agency-"


def agency_stack(agency: str) -> str:
    """The stack of an agency."""
    return f"{_AGENCY_STACK}{agency}"


def agency_of(stack: str) -> str | None:
    """The agency of a stack; None for a stack that is no agency's."""
    agency = stack.removeprefix(_AGENCY_STACK)
    return agency if agency != stack and agency else None


def operators_group(agency: str) -> str:
    """The group of those who run an agency's systems."""
    return f"{agency}-operators"


def auditors_group(agency: str) -> str:
    """The group of those who may only look at an agency's systems."""
    return f"{agency}-auditors"


def subnet_pool(agency: str) -> str:
    """The subnet pool of an agency."""
    return f"{agency}-pool"


def service_user(system: str) -> str:
    """The user of a system's deployment tool."""
    return f"{system}-deployer"


def container(data_set: str) -> str:
    """The object container of a data set."""
    return data_set
