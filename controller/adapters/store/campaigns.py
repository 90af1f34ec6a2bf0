"""Campaigns in the journal: `engine.campaign.ports.Records` over its database. Each call is one transaction."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, bindparam, insert, select, update

from controller.adapters.store.tables import campaign_hosts, campaign_steps, campaigns
from controller.errors import InvariantError, RefusedError
from controller.model import campaign as words
from controller.model.ids import HostName

_ORDER = TypeAdapter(words.Order)

_CAMPAIGNS = select(campaigns).order_by(campaigns.c.n.desc())
_CAMPAIGN = select(campaigns).where(campaigns.c.id == bindparam("campaign"))
_MEMBERS = select(campaign_hosts).where(campaign_hosts.c.campaign == bindparam("campaign")).order_by(campaign_hosts.c.n)

Transaction = Callable[[], AbstractContextManager[Connection]]


class SqlCampaigns:
    """See `engine.campaign.ports.Records`; raises what the journal raises."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, campaign: words.Campaign, members: Sequence[words.Member]) -> None:
        with self._transaction() as connection:
            if _row(connection, campaign.id) is not None:
                what, remedy = "a campaign of this name is in the journal", "give it another name"
                raise RefusedError(what, rule="known-campaign", where=campaign.id, remedy=remedy)
            connection.execute(insert(campaigns).values(_columns(campaign)))
            rows = [_member_columns(member) | {"n": n} for n, member in enumerate(members)]
            connection.execute(insert(campaign_hosts), rows)

    def save(self, campaign: words.Campaign, members: Sequence[words.Member] = ()) -> None:
        with self._transaction() as connection:
            _save(connection, campaign)
            for member in members:
                _save_member(connection, member)

    def campaign(self, campaign_id: str) -> words.Campaign | None:
        with self._transaction() as connection:
            row = _row(connection, campaign_id)
            return None if row is None else _campaign(row)

    def campaigns(self) -> tuple[words.Campaign, ...]:
        with self._transaction() as connection:
            return tuple(map(_campaign, connection.execute(_CAMPAIGNS)))

    def members(self, campaign_id: str) -> tuple[words.Member, ...]:
        with self._transaction() as connection:
            return tuple(map(_member, connection.execute(_MEMBERS, {"campaign": campaign_id})))

    def save_members(self, members: Sequence[words.Member]) -> None:
        with self._transaction() as connection:
            for member in members:
                _save_member(connection, member)

    def steps(self, campaign_id: str, newest: int) -> tuple[words.StepRecord, ...]:
        held = select(campaign_steps).where(campaign_steps.c.campaign == campaign_id)
        with self._transaction() as connection:
            rows = connection.execute(held.order_by(campaign_steps.c.n.desc()).limit(newest))
            return tuple(reversed([_step(row) for row in rows]))

    def steps_of(self, member: words.Member) -> tuple[words.StepRecord, ...]:
        with self._transaction() as connection:
            held = select(campaign_steps).where(*_same_attempt(member)).order_by(campaign_steps.c.n)
            return tuple(map(_step, connection.execute(held)))

    def begin(self, record: words.StepRecord) -> None:
        with self._transaction() as connection:
            connection.execute(insert(campaign_steps).values(_step_columns(record)))

    def end(self, record: words.StepRecord, member: words.Member | None = None) -> None:
        with self._transaction() as connection:
            same = (*_same_attempt(record), campaign_steps.c.step == record.step.value)
            found = connection.execute(update(campaign_steps).where(*same).values(_step_columns(record)))
            if found.rowcount != 1:
                raise InvariantError(
                    f"step {record.step} of {record.host} ended and never began", where=record.campaign
                )
            if member is not None:
                _save_member(connection, member)


def _save(connection: Connection, campaign: words.Campaign) -> None:
    row = _row(connection, campaign.id)
    if row is None:
        raise InvariantError("no campaign of this name is in the journal", where=campaign.id)
    before = words.State(row.state)
    if campaign.state is not before and campaign.state not in words.NEXT[before]:
        raise InvariantError(f"{before} cannot become {campaign.state}", where=campaign.id)
    other = select(campaigns.c.id).where(campaigns.c.open, campaigns.c.id != campaign.id)
    going = connection.execute(other).scalar()
    if campaign.state in words.OPEN and going is not None:
        what = f"campaign {going} goes on; hosts of two would be out together"
        raise RefusedError(what, rule="one-campaign", where=campaign.id, remedy="wait for its end, or abort it")
    connection.execute(update(campaigns).where(campaigns.c.id == campaign.id).values(_columns(campaign)))


def _row(connection: Connection, campaign_id: str) -> Row[Any] | None:
    return connection.execute(_CAMPAIGN, {"campaign": campaign_id}).first()


def _save_member(connection: Connection, member: words.Member) -> None:
    same = (campaign_hosts.c.campaign == member.campaign, campaign_hosts.c.host == member.host)
    found = connection.execute(update(campaign_hosts).where(*same).values(_member_columns(member)))
    if found.rowcount != 1:
        raise InvariantError(f"{member.host} is no host of this campaign", where=member.campaign)


def _same_attempt(of: words.Member | words.StepRecord) -> tuple[Any, ...]:
    table = campaign_steps.c
    return table.campaign == of.campaign, table.host == of.host, table.attempt == of.attempt


def _columns(campaign: words.Campaign) -> dict[str, Any]:
    return {
        "id": campaign.id,
        "body": _ORDER.dump_json(campaign.order).decode(),
        "who": campaign.who,
        "state": campaign.state.value,
        "why": campaign.why,
        "created_at": campaign.created_at,
        "started_at": campaign.started_at,
        "resumed_at": campaign.resumed_at,
        "ended_at": campaign.ended_at,
        "open": campaign.state in words.OPEN,
    }


def _campaign(row: Row[Any]) -> words.Campaign:
    return words.Campaign(
        id=row.id,
        order=_ORDER.validate_json(row.body),
        who=row.who,
        created_at=row.created_at,
        state=words.State(row.state),
        why=row.why,
        started_at=row.started_at,
        resumed_at=row.resumed_at,
        ended_at=row.ended_at,
    )


def _member_columns(member: words.Member) -> dict[str, Any]:
    return {each.name: getattr(member, each.name) for each in fields(member)} | {"state": member.state.value}


def _member(row: Row[Any]) -> words.Member:
    values = {each.name: getattr(row, each.name) for each in fields(words.Member)}
    return words.Member(**values | {"state": words.HostState(row.state), "host": HostName(row.host)})


def _step_columns(record: words.StepRecord) -> dict[str, Any]:
    return {each.name: getattr(record, each.name) for each in fields(record)} | {"step": record.step.value}


def _step(row: Row[Any]) -> words.StepRecord:
    values = {each.name: getattr(row, each.name) for each in fields(words.StepRecord)}
    return words.StepRecord(**values | {"step": words.Step(row.step), "host": HostName(row.host)})
