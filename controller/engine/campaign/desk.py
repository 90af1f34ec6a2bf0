"""What operators may ask of campaigns. The API calls it; each refusal is a `RefusedError` that names its rule."""

from collections.abc import Callable, Collection
from dataclasses import replace

from controller.engine.campaign import orders, progress, work
from controller.engine.campaign.conductor import RUNS_DRY, Conductor, retried
from controller.engine.campaign.ports import Records
from controller.engine.ports import Clock, Journal
from controller.errors import RefusedError
from controller.model import campaign as words
from controller.model.campaign import Campaign, HostState, Order, Progress, State
from controller.planner.campaign import selection
from inventory.model import Estate

_MEASURED = 600
"""The newest steps, from which the mean of each is taken."""


class CampaignDesk:
    """`playbooks` are the files there are, `variables` what they know, `tags` those of one of them.

    `dry_run`: the cloud is only pretended to be changed, so nothing starts.
    """

    def __init__(
        self,
        *,
        records: Records,
        journal: Journal,
        clock: Clock,
        conductor: Conductor,
        estate: Callable[[], Estate],
        playbooks: Callable[[], Collection[str]],
        variables: Callable[[], orders.Variables],
        tags: Callable[[str], Collection[str]],
        dry_run: bool = False,
    ) -> None:
        self._records = records
        self._journal = journal
        self._clock = clock
        self._conductor = conductor
        self._estate = estate
        self._playbooks = playbooks
        self._variables = variables
        self._tags = tags
        self._dry_run = dry_run

    def new(self, order: Order, who: str) -> str:
        """Journals a campaign that waits to be started. Raises `InputError` for an order that cannot be meant."""
        self._check(order)
        members = selection.members(order.name, order, self._estate())
        campaign = Campaign(id=order.name, order=order, who=who, created_at=self._clock.now())
        work.check_ids(members, campaign.created_at)
        self._records.add(campaign, members)
        domains = len({member.domain for member in members})
        canaries = sum(member.canary for member in members)
        said = f"{len(members)} hosts in {domains} fault domains ({order.limits.domain}), {canaries} of them canaries"
        self._journal.note(campaign.created_at, who, f"new campaign {campaign.id}: {said}")
        return f"Campaign {campaign.id}: {said}. It waits for gdcc campaign start {campaign.id}."

    def _check(self, order: Order) -> None:
        """Files are read for what the order names, and for nothing else."""
        asked, playbooks = order.work, self._playbooks()
        variables = self._variables() if asked.variables else orders.Variables()
        tags = self._tags(asked.playbook) if asked.tags and asked.playbook and asked.playbook in playbooks else ()
        orders.check(order, playbooks, variables, tags)

    def all(self) -> tuple[Campaign, ...]:
        """Newest first."""
        return self._records.campaigns()

    def progress(self, campaign_id: str | None) -> Progress | None:
        """Of that campaign; without an id of the one that goes on, else of the newest. None where there is none."""
        if campaign_id is not None:
            return self._progress(self._campaign(campaign_id))
        known = self._records.campaigns()
        found = next((each for each in known if each.state in words.OPEN), known[0] if known else None)
        return None if found is None else self._progress(found)

    def start(self, campaign_id: str, who: str) -> str:
        campaign = self._in(campaign_id, State.NEW, "start")
        self._require_deeds(campaign_id)
        now = self._clock.now()
        self._records.save(replace(campaign, state=State.RUNNING, started_at=now, resumed_at=now))
        return self._noted(campaign, who, "started")

    def pause(self, campaign_id: str, who: str, why: str) -> str:
        campaign = self._in(campaign_id, State.RUNNING, "pause")
        self._records.save(replace(campaign, state=State.PAUSED, why=f"by {who}: {why or 'no reason given'}"))
        return self._noted(campaign, who, "paused", "; hosts under way are finished")

    def resume(self, campaign_id: str, who: str, *, retry: bool) -> str:
        """Goes on, earlier failures forgiven; with `retry`, failed hosts are tried again first."""
        campaign = self._in(campaign_id, State.PAUSED, "resume")
        self._require_deeds(campaign_id)
        members = self._records.members(campaign_id)
        failed = tuple(member for member in members if member.state is HostState.FAILED)
        if not retry and failed and (any(m.canary for m in failed) or not _left(members)):
            names = ", ".join(member.host for member in failed)
            what = f"failed hosts hold it: {names}"
            raise RefusedError(what, rule="failed-hosts", where=campaign_id, remedy="use --retry, or abort it")
        if retry:
            self._require_free(failed, campaign_id)
        now = self._clock.now()
        again = [retried(member) for member in failed] if retry else []
        self._records.save(replace(campaign, state=State.RUNNING, why="", resumed_at=now), again)
        return self._noted(campaign, who, "resumed", f"; {len(failed)} hosts are tried again" if retry else "")

    def abort(self, campaign_id: str, who: str, why: str) -> str:
        campaign = self._campaign(campaign_id)
        now, reason = self._clock.now(), f"aborted by {who}: {why or 'no reason given'}"
        if campaign.state is State.NEW:
            members = self._records.members(campaign_id)
            untouched = [replace(member, state=HostState.UNTOUCHED) for member in members]
            self._records.save(replace(campaign, state=State.ABORTED, why=reason, ended_at=now), untouched)
            return self._noted(campaign, who, "aborted", "; nothing was begun")
        if campaign.state not in {State.RUNNING, State.PAUSED}:
            raise _wrong_state(campaign, "abort")
        self._records.save(replace(campaign, state=State.ABORTING, why=reason, resumed_at=now))
        return self._noted(campaign, who, "being aborted", "; hosts that are out come back once they are verified")

    def _require_deeds(self, campaign_id: str) -> None:
        if self._dry_run:
            raise RefusedError(RUNS_DRY, rule="dry-run", where=campaign_id, remedy="set dry_run to false and restart")

    def _require_free(self, members: Collection[words.Member], campaign_id: str) -> None:
        hosts = {member.host for member in members}
        runs = [run for run in self._journal.host_runs.open_runs() if run.host in hosts]
        if runs:
            verbs = [f"{run.verb} goes on on {run.host}" for run in runs]
            remedy = "wait for it, or end its record with gdcc host forget"
            raise RefusedError(f"gdcc host {', '.join(verbs)}", rule="host-run", where=campaign_id, remedy=remedy)

    def _progress(self, campaign: Campaign) -> Progress:
        members = self._records.members(campaign.id)
        memory, now = self._conductor.memory, self._clock.now()
        going = campaign.state in words.OPEN
        under_way = [member for member in members if member.state is HostState.UNDER_WAY]
        out = sorted({member.domain for member in under_way})
        return Progress(
            campaign=campaign,
            members=members,
            doing={member.host: memory.doing.get(member.host, "begins") for member in under_way},
            held=memory.held if going else (),
            waits=memory.waits if going else "",
            domain=", ".join(out) or None,
            seconds=progress.seconds(self._records.steps(campaign.id, _MEASURED)),
            waves_left=progress.waves_left(campaign, members),
            host_time=progress.host_time(members),
            ends_at=progress.ends_at(campaign, members, now, self._estate().timezone),
        )

    def _campaign(self, campaign_id: str) -> Campaign:
        found = self._records.campaign(campaign_id)
        if found is None:
            raise RefusedError("there is no campaign of this name", rule="unknown-campaign", where=campaign_id)
        return found

    def _in(self, campaign_id: str, state: State, verb: str) -> Campaign:
        campaign = self._campaign(campaign_id)
        if campaign.state is not state:
            raise _wrong_state(campaign, verb)
        return campaign

    def _noted(self, campaign: Campaign, who: str, done: str, more: str = "") -> str:
        self._journal.note(self._clock.now(), who, f"campaign {campaign.id} is {done}")
        return f"Campaign {campaign.id} is {done}{more}."


def _left(members: Collection[words.Member]) -> bool:
    return any(member.state in {HostState.WAITING, HostState.UNDER_WAY} for member in members)


def _wrong_state(campaign: Campaign, verb: str) -> RefusedError:
    what = f"it is {campaign.state}, so there is nothing to {verb}"
    return RefusedError(what, rule="campaign-state", where=campaign.id)
