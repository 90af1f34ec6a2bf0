"""`gdcc estate preview|up|refresh|destroy`: what changes stacks, or says what would."""

from controller.adapters.pulumi.stacks import Verb
from controller.cli.estate.options import (
    PARALLEL,
    AgencyOption,
    EstateOption,
    FoundationOption,
    JsonOption,
    NoPolicyOption,
    ParallelOption,
    ProtectedOption,
    RefreshOption,
    RootOption,
    SecretsOption,
    UnlockOption,
    WriteOption,
    YesOption,
)
from controller.cli.output import told


def preview(
    agency: AgencyOption = [],  # noqa: B006 - typer's lists
    foundation: FoundationOption = False,
    parallel: ParallelOption = PARALLEL,
    refresh: RefreshOption = False,
    no_policy: NoPolicyOption = False,
    unlock: UnlockOption = [],  # noqa: B006
    secrets_provider: SecretsOption = None,
    root: RootOption = None,
    estate: EstateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what `up` would change, stack by stack. It leaves nothing behind: no stack, and no stack's file."""
    from controller.cli.estate import deploying, select

    with told():
        chosen = select.selection(root, estate, agency, foundation)
        deploying.unlock(chosen, unlock)
        orders = deploying.orders(chosen, refresh=refresh, policy=not no_policy, secrets_provider=secrets_provider)
        deploying.carry_out(Verb.PREVIEW, chosen, orders, parallel, as_json)


def up(
    agency: AgencyOption = [],  # noqa: B006
    foundation: FoundationOption = False,
    parallel: ParallelOption = PARALLEL,
    refresh: RefreshOption = False,
    no_policy: NoPolicyOption = False,
    unlock: UnlockOption = [],  # noqa: B006
    secrets_provider: SecretsOption = None,
    root: RootOption = None,
    estate: EstateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the cloud what the estate declares: the foundation, then the agencies side by side."""
    from controller.cli.estate import deploying, select

    with told():
        chosen = select.selection(root, estate, agency, foundation)
        deploying.unlock(chosen, unlock)
        orders = deploying.orders(chosen, refresh=refresh, policy=not no_policy, secrets_provider=secrets_provider)
        deploying.carry_out(Verb.UP, chosen, orders, parallel, as_json)


def refresh(
    agency: AgencyOption = [],  # noqa: B006
    foundation: FoundationOption = False,
    parallel: ParallelOption = PARALLEL,
    unlock: UnlockOption = [],  # noqa: B006
    root: RootOption = None,
    estate: EstateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write into the state what the cloud holds. To only look, use `drift`."""
    from controller.cli.estate import deploying, select

    with told():
        chosen = select.selection(root, estate, agency, foundation)
        deploying.unlock(chosen, unlock)
        deploying.carry_out(Verb.REFRESH, chosen, deploying.orders(chosen), parallel, as_json)


def destroy(
    agency: AgencyOption = [],  # noqa: B006
    foundation: FoundationOption = False,
    parallel: ParallelOption = PARALLEL,
    yes: YesOption = [],  # noqa: B006
    yes_destroy: ProtectedOption = [],  # noqa: B006
    unlock: UnlockOption = [],  # noqa: B006
    root: RootOption = None,
    estate: EstateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete what stacks hold, agencies before the foundation; each must be named, here or when asked."""
    from controller.cli.estate import deploying, select

    with told():
        chosen = select.selection(root, estate, agency, foundation)
        deploying.confirm(chosen.stacks, {*yes, *yes_destroy})
        deploying.unlock(chosen, unlock)
        orders = deploying.orders(chosen, unprotect=frozenset(yes_destroy))
        deploying.carry_out(Verb.DESTROY, chosen, orders, parallel, as_json)


def import_(
    agency: AgencyOption = [],  # noqa: B006
    foundation: FoundationOption = False,
    parallel: ParallelOption = PARALLEL,
    write: WriteOption = False,
    no_policy: NoPolicyOption = False,
    unlock: UnlockOption = [],  # noqa: B006
    secrets_provider: SecretsOption = None,
    root: RootOption = None,
    estate: EstateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find in a living cloud what the estate declares; with --write take it under management.

    The foundation first, then `up --foundation`, then the agencies: they refer to what it exports. Where a server
    group lives, its system's service user gets its password first, because it is the one who imports the group.
    """
    from controller.cli.estate import deploying, select, taking

    with told():
        chosen = select.selection(root, estate, agency, foundation)
        deploying.unlock(chosen, unlock)
        orders = deploying.orders(chosen, policy=not no_policy, secrets_provider=secrets_provider)
        taking.take(chosen, orders, write, parallel, as_json)
