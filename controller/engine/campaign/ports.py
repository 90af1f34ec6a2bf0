"""What campaigns need of the world beside the engine's own ports."""

from collections.abc import Sequence
from typing import Protocol

from controller.model.campaign import Campaign, Member, StepRecord
from controller.model.ids import HostName
from controller.model.operation import Drain


class Records(Protocol):
    """Campaigns in the journal. Every call commits before it returns, or raises what the journal raises."""

    def add(self, campaign: Campaign, members: Sequence[Member]) -> None:
        """Keeps a new one; `RefusedError` (rule `known-campaign`) where one of its id was made before."""
        ...

    def save(self, campaign: Campaign, members: Sequence[Member] = ()) -> None:
        """Replaces it by id, and these members with it or nothing.

        `RefusedError` (rule `one-campaign`) where it would go on beside another.

        Raises `InvariantError` where `campaign.NEXT` has no such step.
        """
        ...

    def campaign(self, campaign_id: str) -> Campaign | None: ...

    def campaigns(self) -> tuple[Campaign, ...]:
        """All, newest first."""
        ...

    def members(self, campaign_id: str) -> tuple[Member, ...]:
        """In the order in which they are to be begun."""
        ...

    def save_members(self, members: Sequence[Member]) -> None:
        """Replaces them all or none."""
        ...

    def steps(self, campaign_id: str, newest: int) -> tuple[StepRecord, ...]:
        """The newest so many of all hosts and attempts, oldest first."""
        ...

    def steps_of(self, member: Member) -> tuple[StepRecord, ...]:
        """Of the member's present attempt, oldest first."""
        ...

    def begin(self, record: StepRecord) -> None: ...

    def end(self, record: StepRecord, member: Member | None = None) -> None:
        """Replaces an open record, and in the same transaction the member where one is given."""
        ...


class Fleet(Protocol):
    """Takes hosts out of service and gives them back, as `desk.Desk` does it for operators."""

    async def drain(self, host: HostName, who: str, why: str, *, keep_shutoff: bool) -> Drain: ...

    async def look(self, drain: Drain) -> Drain:
        """The drain as Nova shows its host right now; changes nothing. Raises where Nova does not answer."""
        ...

    async def holds(self, host: HostName, why: str) -> bool:
        """Whether Nova says right now that the host is disabled by a drain of ours for that reason, ended or not."""
        ...

    async def enable(self, host: HostName, who: str, *, force: bool) -> str: ...
