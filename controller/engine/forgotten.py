"""Migrations that Nova never ended, though nothing copies any more: their host died, or a message was lost. Pure.

Nova leaves such a record as running for ever. Counted as under way, it would use up its hosts' limits, and hold up
their drains, until somebody ends it in Nova's database.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from controller.model.cloud import CloudFacts, Migration, Server
from controller.model.policy import MigrationPolicy


def forgotten(facts: CloudFacts, policy: MigrationPolicy) -> tuple[Migration, ...]:
    """Those whose record has not changed for as long as a migration may take, and whose server is at rest or gone."""
    old = [record for record in facts.migrations if facts.at - _since(record) > policy.patience(cold=False)]
    servers = {server.id: server for server in facts.servers} if old else {}
    return tuple(record for record in old if record.status != "finished" and _rests(servers.get(record.server_id)))


def without(facts: CloudFacts, records: Iterable[Migration]) -> CloudFacts:
    """The facts without these records."""
    ids = {record.id for record in records}
    return replace(facts, migrations=tuple(each for each in facts.migrations if each.id not in ids)) if ids else facts


def told(record: Migration) -> str:
    """What an operator should know and do about one."""
    way = f"{record.source} to {record.target or 'no host yet'}"
    return (
        f"Nova shows migration {record.id} of {record.server_id} from {way} as {record.status}, unchanged since "
        f"{_since(record):%Y-%m-%d %H:%M} UTC, yet nothing is under way with that server: it does not count any "
        "more; a cloud operator should end the record"
    )


def _since(record: Migration) -> datetime:
    return record.updated_at or record.created_at


def _rests(server: Server | None) -> bool:
    return server is None or (server.task_state is None and server.status != "VERIFY_RESIZE")
