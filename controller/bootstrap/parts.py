"""Settings into parts: the estate, the cloud, the collectors, the journal."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from controller import config
from controller.adapters.clock import SystemClock
from controller.adapters.exporters.collector import ExporterCollector
from controller.adapters.exporters.fetch import HttpFetch
from controller.adapters.openstack import OpenStackCloud, connect
from controller.adapters.prometheus import collector as prometheus
from controller.adapters.prometheus import joined, query
from controller.adapters.snmp import own_engine
from controller.adapters.snmp.collector import SnmpCollector
from controller.adapters.snmp.credentials import AuthProtocol, Community, Credential, PrivProtocol, User
from controller.adapters.snmp.target import targets
from controller.adapters.store import lock, schema
from controller.adapters.store.journal import SqlJournal, open_journal
from controller.engine import scoping
from controller.engine.ports import Collector
from controller.errors import InputError
from controller.model.sample import Kind
from inventory import load
from inventory.model import Estate


def estate(settings: config.Config) -> Estate:
    """The estate the settings name.

    Raises InputError with a line for each problem, and for a mode given to what is not in it, which would bind nothing.
    """
    try:
        found = load.load(settings.estate)
    except load.EstateError as error:
        raise InputError(str(error)) from error
    if unknown := scoping.unknown(settings.policy.policy().scope_modes, found):
        names = ", ".join(sorted(map(str, unknown)))
        raise InputError(f"{names} is not in the inventory", where="policy.scope_modes", remedy="correct the name")
    return found


def cloud(settings: config.Cloud, request_timeout: timedelta) -> OpenStackCloud:
    """The cloud, not yet asked anything."""
    return connect(
        settings.name,
        region=settings.region,
        clouds_file=settings.file,
        request_timeout_s=request_timeout.total_seconds(),
    )


def beside_a_daemon(settings: config.Config) -> config.Config:
    """The settings of a verb that looks once: it hears no traps, for their port is the daemon's and it polls anyway."""
    return settings.model_copy(update={"snmp": settings.snmp.model_copy(update={"traps": None})})


ENGINE_FILE = "snmp-engine.json"
"""In `state_dir`: the id and the boots of our SNMP engine."""

Collectors = tuple[Collector, SnmpCollector]


def collectors(settings: config.Config, its_estate: Estate, clock: SystemClock) -> Collectors:
    """Every source of readings, preferred ones first: Prometheus, or without one the exporters themselves; then SNMP.

    SNMP polls nothing where no credential is configured.
    """
    if settings.prometheus is None:
        first: Collector = _exporters(settings, its_estate, clock)
    else:
        first = _prometheus(settings.prometheus, its_estate)
    return first, _snmp(settings, its_estate, clock)


def sources(settings: config.Config, its_estate: Estate) -> tuple[object, ...]:
    """All that looking is built from, so that a change can be seen, one in a credential's or a CA's file too.

    Raises InputError for a secret or a CA file that is not there.
    """
    return (
        {name: _credential(given) for name, given in settings.snmp.credentials.items()},
        _content((settings.prometheus or settings.exporters).ca_file),
        settings.model_dump(
            include={"snmp", "prometheus", "exporters", "scrape_interval", "deadline"},
            exclude={"snmp": {"credentials"}},
        ),
        {name: (host.exporters, host.address, host.lifecycle) for name, host in its_estate.hosts.items()},
        targets(its_estate),
    )


def _content(file: Path | None) -> bytes:
    try:
        return b"" if file is None else file.read_bytes()
    except OSError as error:
        raise InputError(f"the CA file cannot be read: {error.strerror}", where=str(file)) from error


def _snmp(settings: config.Config, its_estate: Estate, clock: SystemClock) -> SnmpCollector:
    given = settings.snmp
    credentials = {name: _credential(each) for name, each in given.credentials.items()}
    configured = [target for target in targets(its_estate) if credentials]
    if given.traps is None:
        return SnmpCollector(configured, credentials, clock, interval=given.interval)
    engine = own_engine.started(settings.state_dir / ENGINE_FILE, clock.monotonic)
    traps = given.traps.listen, given.traps.port
    return SnmpCollector(configured, credentials, clock, interval=given.interval, traps=traps, engine=engine)


def _credential(given: config.SnmpCredential) -> Credential:
    if given.community is not None:
        return Community(community=given.community.reveal())
    assert given.user is not None and given.auth is not None and given.priv is not None
    return User(
        name=given.user,
        auth=given.auth.reveal(),
        priv=given.priv.reveal(),
        auth_protocol=AuthProtocol(given.auth_protocol),
        priv_protocol=PrivProtocol(given.priv_protocol),
    )


def _exporters(settings: config.Config, its_estate: Estate, clock: SystemClock) -> ExporterCollector:
    given = settings.exporters
    fetch = HttpFetch(tls=given.tls, ca_file=given.ca_file, authorization=given.authorization)
    return ExporterCollector(its_estate.hosts.values(), clock, interval=settings.scrape_interval, fetch=fetch)


def _prometheus(settings: config.Prometheus, its_estate: Estate) -> prometheus.PrometheusCollector:
    server = prometheus.Server(
        url=settings.url,
        timeout=settings.timeout,
        token=settings.token.reveal if settings.token else None,
        username=settings.username,
        password=settings.password.reveal if settings.password else None,
        ca_file=settings.ca_file,
    )
    asked = (
        query.defaults(settings.window) if settings.queries is None else tuple(_query(one) for one in settings.queries)
    )
    return prometheus.PrometheusCollector(server, asked, joined.HostLabels.of(its_estate.hosts.values()))


def _query(one: config.Query) -> query.Query:
    kind = Kind(one.kind)
    age = one.age or query.default_age(kind)
    return query.Query(
        quantity=one.quantity, kind=kind, promql=one.promql, label=one.label, age=age, optional=one.optional
    )


@contextmanager
def journal(settings: config.Config, purpose: str) -> Iterator[SqlJournal]:
    """The journal, locked for this process and its tables brought up to date.

    Raises RefusedError (rule `journal-locked`) while another process holds it, InputError where `state_dir` cannot be
    made.
    """
    try:
        settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o750)
    except OSError as error:
        raise InputError(
            f"the folder for what outlives the process cannot be made: {error.strerror}",
            where=str(settings.state_dir),
            remedy="name one in `state_dir` that can be written",
        ) from error
    with lock.take(settings.journal_url, purpose=purpose, now=datetime.now(UTC)) as held:
        schema.upgrade(settings.journal_url)
        with open_journal(settings.journal_url, lock=held) as opened:
            yield opened


def settings(path: Path) -> config.Config:
    """The settings at `path`."""
    return config.load(path)
