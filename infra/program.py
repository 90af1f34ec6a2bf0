"""From a stack's name to its program. A stack declares nothing unless its configuration and the whole estate hold."""

import difflib

import pulumi

from infra import config
from inventory import load
from inventory.model import Agency, Estate


def run() -> None:
    """Declares the running stack. Raises `pulumi.RunError`, which Pulumi shows without a traceback."""
    try:
        settings = config.read()
        estate = load.load(settings.estate)
        agency = _agency(estate, settings.stack)
    except (config.ConfigError, load.EstateError) as error:
        raise pulumi.RunError(str(error)) from error
    declare(estate, agency, settings)


def declare(estate: Estate, agency: Agency | None, settings: config.StackConfig) -> None:
    """Declares the foundation, or one agency. Each imports its own resources alone: much of a run is imports."""
    if agency is None:
        from infra.foundation import program as foundation  # noqa: PLC0415 - see above

        foundation.build(estate, settings)
    else:
        from infra.agency import program as agencies  # noqa: PLC0415 - see above

        agencies.build(estate, agency, settings)


def _agency(estate: Estate, stack: config.Stack) -> Agency | None:
    if stack.agency is None or stack.agency in estate.agencies:
        return estate.agencies[stack.agency] if stack.agency is not None else None
    near = difflib.get_close_matches(stack.agency, estate.agencies, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "add it to the estate, or remove the stack"
    raise config.ConfigError(stack.name, (f"estate {estate.name!r} has no agency {stack.agency!r} ({hint})",))
