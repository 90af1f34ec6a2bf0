"""One look and no daemon: for `gdcc snapshot`, `gdcc plan` and `gdcc inventory draft`."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from controller import config
from controller.adapters import snapshot_file
from controller.adapters.clock import SystemClock
from controller.adapters.openstack import connect
from controller.adapters.store import schema
from controller.adapters.store.journal import open_journal
from controller.api import client
from controller.bootstrap import parts
from controller.engine import extents, forgotten, trust
from controller.engine.assemble import History, assemble, uplinks
from controller.engine.assemble.history import settled_at
from controller.engine.observe import Look, Observer
from controller.engine.ports import Clock
from controller.errors import PermanentError, TransientError
from controller.model.cloud import CatalogFacts, CloudFacts
from controller.model.cluster import Cluster
from controller.model.extent import Extent
from controller.model.ids import HostName
from controller.model.policy import Policy
from inventory.model import Estate

LOOK_AGAIN = timedelta(seconds=1)


def snapshot(path: Path) -> Cluster:
    """What the controller sees right now: the daemon's newest look, which knows what earlier ones told; with no daemon
    one of our own, until hosts are trusted, BMCs and uplinks read, or had time to be.

    So it is too where the daemon gives none: its socket is not ours to open, it is of another version, or it has not
    looked for long.
    """
    settings = parts.settings(path)
    try:
        found = client.fetch(settings.socket.path, "/snapshot")
    except (TransientError, PermanentError):
        return asyncio.run(_snapshot(parts.beside_a_daemon(settings)))
    return snapshot_file.parsed(found, str(settings.socket.path))


def catalog(cloud: str) -> tuple[CloudFacts, CatalogFacts]:
    """What a living cloud shows of itself, for a draft of its inventory."""
    return asyncio.run(_catalog(cloud))


async def _catalog(name: str) -> tuple[CloudFacts, CatalogFacts]:
    cloud = connect(name)
    try:
        return await asyncio.gather(cloud.facts(), cloud.catalog())
    finally:
        await cloud.close()


async def _snapshot(settings: config.Config) -> Cluster:
    clock, estate, rules = SystemClock(), parts.estate(settings), settings.policy.policy()
    cloud = parts.cloud(settings.cloud, rules.migration.request_timeout)
    observer = Observer(cloud, parts.collectors(settings, estate, clock), clock, deadline=settings.deadline)
    try:
        await observer.start()
        return await seen(observer, estate, settings, rules, clock)
    finally:
        await observer.stop()
        await cloud.close()


async def seen(observer: Observer, estate: Estate, settings: config.Config, rules: Policy, clock: Clock) -> Cluster:
    """Looks until all can be trusted or had time to be; a freeze that the daemon would be in stands in the snapshot."""
    patience = 2 * max(settings.scrape_interval, settings.snmp.interval) + settings.deadline
    end = clock.monotonic() + patience.total_seconds()
    while True:
        cluster, report = _judged(await observer.look(), estate, settings, rules)
        unread = report.untrusted or cluster.hosts.unread_health.any() or uplinks.unread(estate, cluster.racks)
        if not unread or clock.monotonic() >= end:
            return replace(cluster, freeze=report.freeze)
        await clock.sleep(LOOK_AGAIN)


def _judged(look: Look, estate: Estate, settings: config.Config, rules: Policy) -> tuple[Cluster, trust.TrustReport]:
    if look.facts is None:
        raise TransientError(f"the cloud cannot be read: {look.facts_error}", where="cloud")
    facts = forgotten.without(look.facts, forgotten.forgotten(look.facts, rules.migration))
    history, most = _remembered(settings, look)
    cluster = assemble(estate, facts, look.readings, rules, look.at, history=history)
    settled, _ = settled_at(history.entries, rules.migration)
    sight = trust.Sight(
        facts_at=facts.at,
        facts_error=look.facts_error,
        unread_members=facts.unread_members,
        most=most,
        settling=frozenset(HostName(host) for host, at in settled.items() if at > look.at.timestamp()),
    )
    return cluster, trust.report(cluster, estate, rules.trust, sight)


def _remembered(settings: config.Config, look: Look) -> tuple[History, Extent | None]:
    """What the journal remembers, where there is one; a daemon may be writing it."""
    if not schema.begun(settings.journal_url):
        return History(), None
    with open_journal(settings.journal_url, read_only=True) as journal:
        history = History(
            entries=journal.entries_since(look.at - timedelta(hours=24)),
            draining=frozenset(drain.host for drain in journal.drains()),
            refusals=journal.refusals(look.at),
        )
        return history, extents.most(journal.peaks())
