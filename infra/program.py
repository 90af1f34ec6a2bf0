"""From a stack's name to its program. A stack declares nothing unless its configuration and the whole estate hold."""

import difflib
from datetime import UTC, date, datetime

import pulumi

from infra import config, protection, renaming
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
    declare(estate, agency, settings, datetime.now(UTC).date())


def declare(estate: Estate, agency: Agency | None, settings: config.StackConfig, today: date) -> None:
    """Declares the foundation, or one agency. Each imports its own resources alone: much of a run is imports.

    `today` decides which exceptions from protection still count.
    """
    marked = protection.of_stack(settings.protect, settings.exceptions, today)
    pulumi.runtime.register_stack_transformation(marked)
    if agency is None:
        from infra.foundation import program as foundation  # noqa: PLC0415 - see above

        foundation.build(estate, settings)
    else:
        from infra.agency import program as agencies  # noqa: PLC0415 - see above

        pulumi.runtime.register_stack_transformation(renaming.of_stack(estate.systems.values()))
        agencies.build(estate, agency, settings)


def _agency(estate: Estate, stack: config.Stack) -> Agency | None:
    if stack.agency is None or stack.agency in estate.agencies:
        return estate.agencies[stack.agency] if stack.agency is not None else None
    near = difflib.get_close_matches(stack.agency, estate.agencies, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "add it to the estate, or remove the stack"
    raise config.ConfigError(stack.name, (f"estate {estate.name!r} has no agency {stack.agency!r} ({hint})",))
