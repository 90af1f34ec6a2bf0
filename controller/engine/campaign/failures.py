"""Failed hosts of a running campaign: which count against its limits, and when they pause it. Pure."""

from collections.abc import Sequence

from controller.model.campaign import Campaign, HostState, Member


def counted(campaign: Campaign, members: Sequence[Member]) -> tuple[Member, ...]:
    """Those that failed since an operator last started or resumed it, and are out of service.

    They take places and hold the fault domain, as hosts under way do. An operator who resumes accepts the others.
    """
    since = campaign.resumed_at or campaign.created_at
    return tuple(
        member
        for member in members
        if member.state is HostState.FAILED and (member.ended_at is None or member.ended_at > since)
    )


def stopped_by(campaign: Campaign, members: Sequence[Member], again: Sequence[Member] = ()) -> str | None:
    """Why a running campaign must pause. `again`: hosts that are out and wait to be tried again.

    Its failure budget, its canaries, that only failed hosts are left, or that these leave no other host within the
    limits.
    """
    failed = [member for member in members if member.state is HostState.FAILED]
    new, budget = counted(campaign, members), campaign.order.limits.failure_budget
    left = [member for member in members if member.state in {HostState.WAITING, HostState.UNDER_WAY}]
    if len(new) > budget:
        return f"{_named(new)} failed, and {budget} may: {_reasons(new)}"
    canaries = [member for member in failed if member.canary]
    if canaries and not any(member.canary for member in left):
        return f"{_named(canaries)} failed as canaries: {_reasons(canaries)}"
    if failed and not left:
        return f"all others are done; out of service: {_reasons(failed)}"
    if new and not again and _leave_none(campaign, new, left):
        limits = campaign.order.limits
        return (
            f"{are_out(new)}, beside which no other may go "
            f"({limits.hosts_at_once} at once, all in one {limits.domain}): {_reasons(new)}"
        )
    return None


def _leave_none(campaign: Campaign, new: Sequence[Member], left: Sequence[Member]) -> bool:
    """Whether nothing is under way, and no host whose turn it is may go beside the failed ones."""
    if any(member.state is HostState.UNDER_WAY for member in left):
        return False
    turn = [member for member in left if member.canary] or left
    domains = {member.domain for member in new}
    room = len(new) < campaign.order.limits.hosts_at_once
    return not (room and any(domains <= {member.domain} for member in turn))


def are_out(members: Sequence[Member]) -> str:
    """That these failed and are out, as the beginning of a sentence."""
    return f"{_named(members)} failed and {'are' if len(members) > 1 else 'is'} out"


def _named(members: Sequence[Member]) -> str:
    return ", ".join(member.host for member in members)


def _reasons(members: Sequence[Member]) -> str:
    return "; ".join(f"{member.host}: {member.why}" for member in members)
