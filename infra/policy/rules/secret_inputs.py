"""Passwords and keys are marked secret, so that Pulumi's state holds them encrypted.

Pulumi shows a validation no marks (pulumi-policy issue 241); its remediation step sees them, and `pack` asks there.
"""

from collections.abc import Mapping

from infra.policy import kinds

NAME = "secrets-are-secret"
DESCRIPTION = "Passwords, keys and tokens are marked secret, so that they stand encrypted in the state."

INPUTS: Mapping[str, tuple[str, ...]] = {
    kinds.APPLICATION_CREDENTIAL: ("secret",),
    kinds.CONTAINER: ("containerSyncKey",),
    kinds.IMAGE: ("imageSourcePassword",),
    kinds.INSTANCE: ("adminPass",),
    kinds.KEY_SECRET: ("payload",),
    kinds.PROVIDER: ("password", "applicationCredentialSecret", "token", "key"),
    kinds.USER: ("password",),
}
"""The inputs of each kind that are secrets. The provider's SDK marks some of them by itself."""


def in_clear(kind: str, marked: Mapping[str, bool]) -> tuple[str, ...]:
    """The secret inputs that are given but not marked; `marked` says of each given input whether it is."""
    return tuple(key for key in INPUTS.get(kind, ()) if marked.get(key) is False)
