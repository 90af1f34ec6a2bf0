"""From a look to what a turn decides on: the snapshot, how far it is trusted, and what the guard goes by.

Keeps what one look must remember for the next: watts by busy threads, what was used lately, since when breaches hold,
how much there was, and the planner's tables of what rarely changes.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from controller.engine import breaches, extents, forgotten, lately, places, trust, watts
from controller.engine.assemble import History, assemble
from controller.engine.assemble.history import HOUR, settled_at
from controller.engine.observe import Look
from controller.engine.ports import Journal
from controller.errors import TransientError
from controller.model.cloud import CloudFacts, Migration
from controller.model.cluster import Cluster
from controller.model.extent import Peak
from controller.model.ids import HostName
from controller.model.operation import DrainState
from controller.model.policy import Policy
from controller.planner import classify, situation
from controller.planner.load import Load
from controller.planner.prepared import Prepared
from inventory.model import Estate

LOOKS_APART = 4
"""More than this many intervals between two looks, and breaches start anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look, judged. `situation` is what the guard goes by; `cluster.freeze` is the trust gate's.

    `facts` are the look's without the migrations that Nova never ended.
    """

    look: Look
    facts: CloudFacts
    cluster: Cluster
    report: trust.TrustReport
    situation: places.Situation

    @property
    def tables(self) -> Prepared | None:
        """What plans of this look need not work out again."""
        return self.situation.looked.prepared if self.situation.looked else None


class Sight:
    """Judges looks, one after the other. `estate` is what they are judged by."""

    def __init__(self, estate: Estate, journal: Journal, interval: timedelta) -> None:
        self.estate = estate
        self._journal = journal
        self._gap = LOOKS_APART * interval
        self._spells = breaches.Spells()
        self._samples = watts.no_samples()
        self._lately = lately.Lately()
        self._peaks: tuple[Peak, ...] | None = None
        self._prepared: Prepared | None = None
        self._told: set[int] = set()

    def take_over(self, estate: Estate, interval: timedelta) -> None:
        """Judges by a reloaded estate from now on. What was remembered stays, so an estate that shrank is noticed."""
        self.estate = estate
        self._gap = LOOKS_APART * interval

    def accept(self) -> None:
        """An operator has looked at a smaller estate and said that it is true. Raises what the journal raises."""
        self._journal.save_peaks(())
        self._peaks = ()

    def remember(self, seen: Seen, policy: Policy) -> None:
        """Notes how much there was at a good look, in the journal too. Raises what the journal raises."""
        if seen.report.extent is None:
            return
        before = self._noted()
        peaks = extents.noted(before, seen.report.extent, seen.look.at, policy.trust.freeze_shrink_window)
        if peaks != before:
            self._journal.save_peaks(peaks)
            self._peaks = peaks

    def _noted(self) -> tuple[Peak, ...]:
        if self._peaks is None:
            self._peaks = self._journal.peaks()
        return self._peaks

    def judge(self, look: Look, policy: Policy) -> Seen:
        """Raises TransientError as long as the cloud has never been read, and what the journal raises."""
        if look.facts is None:
            raise TransientError(f"the cloud has not been read yet: {look.facts_error}", where="cloud")
        history = self._history(look, policy)
        unended = forgotten.forgotten(look.facts, policy.migration)
        self._tell(unended, look.at)
        facts = forgotten.without(look.facts, unended)
        cluster = assemble(self.estate, facts, look.readings, policy, look.at, history=history)
        self._samples = watts.remembered(self._samples, cluster.hosts)
        self._lately, cluster = lately.looked(self._lately, cluster, policy.recent, look.at, _moving(history))
        looked = situation.of_cluster(cluster, policy, look.at, before=self._prepared)
        self._prepared = looked.prepared
        cluster = self._with_spells(cluster, looked, look)
        settling = self._settling(history, look, policy)
        report = trust.report(
            cluster,
            self.estate,
            policy.trust,
            trust.Sight(
                facts_at=facts.at,
                facts_error=look.facts_error,
                unread_members=facts.unread_members,
                most=extents.most(self._noted()),
                settling=settling,
            ),
        )
        cluster = replace(cluster, freeze=report.freeze)
        found = places.situation(self.estate, facts, cluster, looked, settling)
        found = replace(found, forgotten=frozenset(record.id for record in unended))
        return Seen(look=look, facts=facts, cluster=cluster, report=report, situation=found)

    def _tell(self, unended: tuple[Migration, ...], at: datetime) -> None:
        """Notes each migration that Nova never ended once in this process."""
        for record in unended:
            if record.id not in self._told:
                self._journal.note(at, "controller", forgotten.told(record))
                self._told.add(record.id)

    def _history(self, look: Look, policy: Policy) -> History:
        migration = policy.migration
        span = max(HOUR, migration.cooldown + migration.give_up_after, migration.settle + migration.give_up_after)
        types = {name: host.type for name, host in self.estate.hosts.items()}
        return History(
            entries=self._journal.entries_since(look.at - span),
            draining=frozenset(d.host for d in self._journal.drains() if d.state is not DrainState.ENDED),
            refusals=self._journal.refusals(look.at),
            slopes=watts.slopes(self._samples, self.estate.host_types, types),
        )

    def _settling(self, history: History, look: Look, policy: Policy) -> frozenset[HostName]:
        """Hosts that a move of ours, which has ended, touched a moment ago."""
        settled, _ = settled_at(history.entries, policy.migration)
        since = look.at.timestamp() - self._gap.total_seconds()
        return frozenset(HostName(host) for host, at in settled.items() if at > since)

    def _with_spells(self, cluster: Cluster, looked: situation.Situation, look: Look) -> Cluster:
        """The snapshot with since when each of its breaches holds."""
        found = classify.breaches(Load(looked))
        self._spells = breaches.looked(self._spells, (b.key for b in found), look.at, longest_gap=self._gap)
        return replace(cluster, breach_since=self._spells.since())


def _moving(history: History) -> frozenset[HostName]:
    """Hosts from or to which a move of ours runs."""
    under_way = [entry.intent for entry in history.entries if entry.outcome is None]
    return frozenset(host for intent in under_way for host in (intent.source, intent.target))
