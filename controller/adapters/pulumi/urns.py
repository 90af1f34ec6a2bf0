"""How Pulumi names things: `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`, and the types that are its own."""

STACK = "pulumi:pulumi:Stack"
REFERENCE = "pulumi:pulumi:StackReference"
PROVIDERS = "pulumi:providers:"
"""What the type of a provider begins with, before its service."""


def name_of(urn: str) -> str:
    """The name at the end of a URN."""
    return urn.rpartition("::")[2]


def type_of(urn: str) -> str:
    """The type in a URN, without its parents' types."""
    parts = urn.split("::")
    return parts[2].rpartition("$")[2] if len(parts) > 3 else ""


def kind_of(urn: str) -> str:
    """The type's last word, such as `Network`."""
    return type_of(urn).rpartition(":")[2]


def is_default(urn: str) -> bool:
    """Whether a provider's URN is that of a default one, which no program names."""
    return name_of(urn).startswith("default")


def named_provider(reference: str) -> str:
    """The URN in a reference to a provider, `URN::id`; empty where it is a default one."""
    urn = reference.rpartition("::")[0]
    return "" if not urn or is_default(urn) else urn
