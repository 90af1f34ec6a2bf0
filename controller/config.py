"""The daemon's settings: one strict YAML file, read by `bootstrap` alone.

Unknown keys are refused, every error carries file and line, and all of them are told at once. A secret is given as
`{file: PATH}` or `{env: NAME}` (or in clear, for a lab); it is read when it is needed and its repr shows nothing.
"""

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from controller.adapters import config_file
from controller.errors import InputError
from controller.model import policy
from controller.model.cluster import Hosts
from controller.model.plan import Concern
from controller.model.sample import Quantity
from inventory import windows
from inventory.model import Tier, Window

_DEFAULT = policy.Policy()

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def _duration(value: object) -> object:
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        try:
            return timedelta(seconds=float(match[1]) * _UNITS[match[2]])
        except OverflowError as error:
            raise ValueError("is longer than anything lasts") from error
    if isinstance(value, timedelta):
        return value
    raise ValueError("is a number with a unit: 500ms, 30s, 5m, 1h or 2d")


def _above_zero(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be above 0")
    return value


def _window(value: object) -> object:
    return value if isinstance(value, Window) else windows.window(str(value))


def _by_name(kind: type[policy.Mode | Tier]) -> Any:
    def parse(value: object) -> object:
        names = {member.name.lower(): member for member in kind}
        if isinstance(value, kind):
            return value
        if str(value) not in names:
            raise ValueError(f"is one of {', '.join(names)}")
        return names[str(value)]

    return parse


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Period = Annotated[Duration, AfterValidator(_above_zero)]
"""How often something is done, or how long it is waited for: 0 would be without rest, or not at all."""
Positive = Annotated[int, Field(ge=1)]
Ratio = Annotated[float, Field(gt=0, le=1)]
WeekWindow = Annotated[Window, BeforeValidator(_window)]
ModeName = Annotated[policy.Mode, BeforeValidator(_by_name(policy.Mode))]
TierName = Annotated[Tier, BeforeValidator(_by_name(Tier))]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Secret(Strict):
    """Where a secret is: exactly one of `file`, `env`, `value`."""

    file: Path | None = None
    env: str | None = None
    value: SecretStr | None = None

    @model_validator(mode="before")
    @classmethod
    def _in_clear(cls, given: object) -> object:
        return {"value": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(place is not None for place in (self.file, self.env, self.value)) != 1:
            raise ValueError("is given as one of file, env or value")
        return self

    def reveal(self) -> str:
        """The secret itself. Raises InputError when its file or variable is not there, or is no text."""
        if self.value is not None:
            return self.value.get_secret_value()
        if self.env is not None:
            if self.env not in os.environ:
                raise InputError("the environment variable is not set", where=self.env)
            return os.environ[self.env]
        assert self.file is not None
        try:
            return self.file.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise InputError(f"the secret cannot be read: {error.strerror}", where=str(self.file)) from error
        except UnicodeDecodeError:
            raise InputError("the secret is not text in UTF-8", where=str(self.file)) from None


def _require_one_way_in(token: Secret | None, username: str | None, password: Secret | None) -> None:
    if (username is None) is not (password is None):
        raise ValueError("needs username and password together")
    if token is not None and username is not None:
        raise ValueError("takes a token or a password, not both")


class SnmpCredential(Strict):
    """v2c: `community`. v3: `user`, `auth` and `priv` secrets with their protocols."""

    version: Literal["2c", "3"]
    community: Secret | None = None
    user: str | None = None
    auth: Secret | None = None
    auth_protocol: Literal["sha1", "sha224", "sha256", "sha384", "sha512"] = "sha256"
    priv: Secret | None = None
    priv_protocol: Literal["aes128", "aes192", "aes256"] = "aes128"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = ("community",) if self.version == "2c" else ("user", "auth", "priv")
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            raise ValueError(f"needs {', '.join(missing)} for version {self.version}")
        others = {"community", "user", "auth", "priv"}.difference(needed)
        if extra := sorted(name for name in others if getattr(self, name) is not None):
            raise ValueError(f"takes no {', '.join(extra)} for version {self.version}")
        return self


class Traps(Strict):
    """Where to listen for SNMP traps; a trap only hurries a poll."""

    listen: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 162


class Snmp(Strict):
    interval: Period = timedelta(seconds=30)
    credentials: Mapping[str, SnmpCredential] = Field(default_factory=dict)
    traps: Traps | None = None


class Query(Strict):
    """`quantity` read by `promql`; `label` carries the VM's uuid or the host's name."""

    quantity: Quantity
    kind: Literal["host", "vm"]
    promql: str
    label: str
    age: str | None = None
    optional: bool = False
    """An empty answer is no fault, as of a metric that not every exporter has."""

    @model_validator(mode="after")
    def _aged(self) -> Self:
        usual = "instance" if self.kind == "host" else "uuid"
        if self.age is None and self.label != usual:
            raise ValueError(f"needs age, the PromQL for its samples' time by {self.label}, unless label is {usual}")
        return self


class Prometheus(Strict):
    url: str
    token: Secret | None = None
    username: str | None = None
    password: Secret | None = None
    ca_file: Path | None = None
    timeout: Period = timedelta(seconds=10)
    window: Period = timedelta(minutes=1)
    """What rates look back: at least twice Prometheus's scrape interval."""
    queries: tuple[Query, ...] | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        _require_one_way_in(self.token, self.username, self.password)
        return self


class Exporters(Strict):
    """How exporters are read where there is no Prometheus: over HTTPS with `tls`, and then by a token or a password."""

    tls: bool = False
    ca_file: Path | None = None
    token: Secret | None = None
    username: str | None = None
    password: Secret | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        _require_one_way_in(self.token, self.username, self.password)
        if not self.tls and (self.ca_file or self.token or self.password):
            raise ValueError("needs tls: true for a ca_file, a token or a password")
        return self

    def authorization(self) -> str | None:
        """The header's value. Raises InputError where a secret is not there."""
        if self.token is not None:
            return f"Bearer {self.token.reveal()}"
        if self.username is None or self.password is None:
            return None
        pair = f"{self.username}:{self.password.reveal()}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"


class Cloud(Strict):
    """`name` of an entry in clouds.yaml; none reads OS_* variables. `file` names a clouds.yaml elsewhere."""

    name: str | None = None
    region: str | None = None
    file: Path | None = None


class Socket(Strict):
    """The operators' socket: mode 0660, group `group` (the daemon's own where none is given)."""

    path: Path = Path("/run/gdcc/gdcc.sock")
    group: str | None = None


class Http(Strict):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 9877


class Ansible(Strict):
    """How playbooks are run. `root` is the folder with `ansible.cfg` and `playbooks/`; see docs/hosts.md."""

    root: Path = Path(__file__).parents[1]
    inventory: Path | None = None
    """The estate's own `gdcc.yml` where none is named."""
    artifacts: Path | None = None
    """What runs leave, in `state_dir` where none is named; its newest `kept` stay."""
    kept: Annotated[int, Field(ge=10)] = 500
    forks: Positive = 50
    """Hosts that one playbook works on at once."""
    at_once: Positive = Field(default_factory=lambda: 4 * (os.cpu_count() or 1))
    """Playbooks side by side: each takes 2.7 s of a processor to begin, and 220 MiB."""
    timeout: Period = timedelta(hours=1)
    """How long one playbook may take, from when it begins."""
    vault: Secret | None = None
    vault_command: tuple[str, ...] = ()
    """Prints the vault's password; its words as they are, with no shell."""
    environment: frozenset[str] = frozenset()
    """Variables of this program's environment that playbooks may read, as for a lookup; their values are secrets."""

    @model_validator(mode="after")
    def _one_vault(self) -> Self:
        if self.vault is not None and self.vault_command:
            raise ValueError("takes vault or vault_command, not both")
        return self


class Thresholds(Strict):
    cpu_ratio: Ratio = _DEFAULT.thresholds.cpu_ratio
    memory_ratio: Ratio = _DEFAULT.thresholds.memory_ratio
    network_ratio: Ratio = _DEFAULT.thresholds.network_ratio
    storage_ratio: Ratio = _DEFAULT.thresholds.storage_ratio
    facility_share: Ratio = _DEFAULT.thresholds.facility_share
    uneven_ratio: Ratio = _DEFAULT.thresholds.uneven_ratio
    reserve_hosts: Annotated[int, Field(ge=0, le=100)] = _DEFAULT.thresholds.reserve_hosts


Weight = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]


class BalanceWeights(Strict):
    cpu: Weight = _DEFAULT.balance_weights.cpu
    memory: Weight = _DEFAULT.balance_weights.memory
    network: Weight = _DEFAULT.balance_weights.network
    storage: Weight = _DEFAULT.balance_weights.storage

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not any(dict(self).values()):
            raise ValueError("at least one weight must be above 0 (balance: false evens out nothing)")
        return self


class Limits(Strict):
    at_once: Positive = _DEFAULT.limits.at_once
    out_of_host: Positive = _DEFAULT.limits.out_of_host
    into_host: Positive = _DEFAULT.limits.into_host
    across_rack: Positive = _DEFAULT.limits.across_rack
    per_agency: Positive = _DEFAULT.limits.per_agency
    per_system: Positive = _DEFAULT.limits.per_system
    per_hour: Positive = _DEFAULT.limits.per_hour
    max_moves: Positive = _DEFAULT.limits.max_moves
    gain_per_gib: Annotated[float, Field(ge=0)] = _DEFAULT.limits.gain_per_gib
    max_copy: Duration = _DEFAULT.limits.max_copy


class Consolidation(Strict):
    """Frees whole hosts where that harms nothing more urgent: docs/policy.md, docs/decisions/0011."""

    enabled: bool = _DEFAULT.consolidation.enabled
    fill_ratio: Annotated[float, Field(gt=0, lt=1)] = _DEFAULT.consolidation.fill_ratio
    spare_hosts: Annotated[int, Field(ge=0)] = _DEFAULT.consolidation.spare_hosts
    watts_per_gib: Annotated[float, Field(ge=0, allow_inf_nan=False)] = _DEFAULT.consolidation.watts_per_gib
    max_hosts: Positive = _DEFAULT.consolidation.max_hosts


class Recent(Strict):
    window: Annotated[Duration, Field(le=timedelta(hours=2))] = _DEFAULT.recent.window
    quantile: Annotated[float, Field(ge=0.5, le=1)] = _DEFAULT.recent.quantile
    forecast: bool = _DEFAULT.recent.forecast


AdmissionRule = Literal["traits", "availability-zone", "aggregate", "tenant-isolation"]
"""`policy.ADMISSION_RULES`, as they are written."""

OF_HOSTS = frozenset(Quantity(each.name) for each in fields(Hosts) if each.name in set(Quantity))
"""What a host has a reading of."""


class Trust(Strict):
    max_age: Mapping[Quantity, Duration] = Field(default_factory=dict)
    default_max_age: Duration = _DEFAULT.trust.default_max_age
    required_of_hosts: frozenset[Quantity] = _DEFAULT.trust.required_of_hosts
    health_required: bool = _DEFAULT.trust.health_required
    freeze_untrusted_share: Ratio = _DEFAULT.trust.freeze_untrusted_share
    freeze_shrink_share: Ratio = _DEFAULT.trust.freeze_shrink_share
    freeze_shrink_window: Duration = _DEFAULT.trust.freeze_shrink_window
    max_future: Duration = _DEFAULT.trust.max_future

    @field_validator("required_of_hosts")
    @classmethod
    def _read_of_hosts(cls, quantities: frozenset[Quantity]) -> frozenset[Quantity]:
        if others := sorted(quantities - OF_HOSTS):
            raise ValueError(f"names {', '.join(others)}, which is not read of hosts: {', '.join(sorted(OF_HOSTS))}")
        return quantities


class Migration(Strict):
    intent_deadline: Duration = _DEFAULT.migration.intent_deadline
    request_timeout: Period = _DEFAULT.migration.request_timeout
    poll: Period = _DEFAULT.migration.poll
    stall_after: Duration = _DEFAULT.migration.stall_after
    give_up_after: Duration = _DEFAULT.migration.give_up_after
    force_complete_tiers: frozenset[TierName] = _DEFAULT.migration.force_complete_tiers
    post_copy: bool = _DEFAULT.migration.post_copy
    force_complete_after: Duration = _DEFAULT.migration.force_complete_after
    max_pause: Duration = _DEFAULT.migration.max_pause
    verify_timeout: Duration = _DEFAULT.migration.verify_timeout
    refusal_memory: Duration = _DEFAULT.migration.refusal_memory
    recheck_memory: Duration = _DEFAULT.migration.recheck_memory
    cooldown: Duration = _DEFAULT.migration.cooldown
    settle: Duration = _DEFAULT.migration.settle


class Admission(Strict):
    """What moves a VM that stands where Nova would not put it: docs/policy.md."""

    moves: frozenset[AdmissionRule] = frozenset({"traits"})
    most_share: Annotated[float, Field(ge=0, le=1)] = _DEFAULT.admission.most_share
    at_least: Annotated[int, Field(ge=0)] = _DEFAULT.admission.at_least


class ErrorBudget(Strict):
    failures: Positive = _DEFAULT.error_budget.failures
    window: Duration = _DEFAULT.error_budget.window


class PolicySettings(Strict):
    mode: ModeName = policy.Mode.RECOMMEND
    scope_modes: Mapping[str, ModeName] = Field(default_factory=dict)
    thresholds: Thresholds = Thresholds()
    limits: Limits = Limits()
    recent: Recent = Recent()
    trust: Trust = Trust()
    migration: Migration = Migration()
    admission: Admission = Admission()
    error_budget: ErrorBudget = ErrorBudget()
    sustained: Duration = _DEFAULT.sustained
    windows: tuple[WeekWindow, ...] = ()
    blackouts: tuple[WeekWindow, ...] = ()
    objective: tuple[Concern, ...] = _DEFAULT.objective
    balance: bool = True
    balance_weights: BalanceWeights = BalanceWeights()
    consolidation: Consolidation = Consolidation()
    search_rounds: Annotated[int, Field(ge=1, le=8)] = _DEFAULT.search_rounds

    @field_validator("objective")
    @classmethod
    def _objective(cls, objective: tuple[Concern, ...]) -> tuple[Concern, ...]:
        if flaw := policy.objective_flaw(objective):
            raise ValueError(flaw)
        return objective

    @model_validator(mode="after")
    def _scopes(self) -> Self:
        for text in self.scope_modes:
            scope(text)
        return self

    def policy(self) -> policy.Policy:
        """The frozen value that planner and guard take."""
        return policy.Policy(
            mode=self.mode,
            scope_modes={scope(text): mode for text, mode in self.scope_modes.items()},
            thresholds=policy.Thresholds(**dict(self.thresholds)),
            limits=policy.Limits(**dict(self.limits)),
            recent=policy.Recent(**dict(self.recent)),
            trust=policy.TrustPolicy(**dict(self.trust)),
            migration=policy.MigrationPolicy(**dict(self.migration)),
            admission=policy.AdmissionPolicy(
                moves=frozenset[str](self.admission.moves),
                most_share=self.admission.most_share,
                at_least=self.admission.at_least,
            ),
            error_budget=policy.ErrorBudget(**dict(self.error_budget)),
            sustained=self.sustained,
            windows=self.windows,
            blackouts=self.blackouts,
            objective=self.objective,
            balance=self.balance,
            balance_weights=policy.BalanceWeights(**dict(self.balance_weights)),
            consolidation=policy.Consolidation(**dict(self.consolidation)),
            search_rounds=self.search_rounds,
        )


class Config(Strict):
    """Everything. Only `version` and `estate` have no default."""

    version: Literal[1]
    estate: Path
    state_dir: Path = Path("/var/lib/gdcc")
    journal: str | None = None
    """SQLAlchemy's URL (docs/journal.md); keep a server's password in the file that its `passfile` names."""
    socket: Socket = Socket()
    http: Http = Http()
    cloud: Cloud = Cloud()
    interval: Period = timedelta(seconds=30)
    deadline: Period = timedelta(seconds=20)
    snmp: Snmp = Snmp()
    prometheus: Prometheus | None = None
    exporters: Exporters = Exporters()
    ansible: Ansible = Ansible()
    scrape_interval: Period = timedelta(seconds=15)
    dry_run: bool = False
    """Everything but acting: Nova is read, and what would be asked of it is logged."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    policy: PolicySettings = PolicySettings()

    @property
    def journal_url(self) -> str:
        """SQLAlchemy's URL of the journal; SQLite in `state_dir` where none is named."""
        return self.journal or f"sqlite:///{self.state_dir / 'journal.db'}"


def scope(text: str) -> policy.Scope:
    """A scope from `kind:name`. Raises ValueError."""
    kind, _, name = text.partition(":")
    if kind not in set(policy.ScopeKind) or not name:
        raise ValueError(
            f"{text!r} is not a scope: write one of {', '.join(policy.ScopeKind)} and its name, as rack:r07"
        )
    return policy.Scope(kind=policy.ScopeKind(kind), name=name)


def load(path: Path) -> Config:
    """Reads the settings at `path`; relative paths in it start at its folder.

    Raises InputError with one line for each error.
    """
    try:
        text = path.read_text()
    except OSError as error:
        raise InputError(f"the configuration cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise InputError(f"is not text in UTF-8: byte {error.start}", where=str(path)) from error
    node, data = config_file.parsed(path, text)
    if not isinstance(data, dict):
        raise InputError("is empty or no mapping", where=str(path), remedy="begin with version: 1 and estate: DIR")
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise InputError(_told(path, node, error)) from error
    anchored: Config = _anchored(config, path.parent.resolve())
    return anchored


def _anchored(value: Any, base: Path) -> Any:
    """The same with each path below `base`, wherever it stands; an absolute one stays as it is."""
    if isinstance(value, Path):
        return base / value
    if isinstance(value, Mapping):
        return {key: _anchored(each, base) for key, each in value.items()}
    if isinstance(value, Strict):
        return value.model_copy(update={name: _anchored(each, base) for name, each in value})
    return value


def _told(path: Path, node: yaml.Node | None, error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        keys = [key for key in problem["loc"] if key != "[key]"]
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = "is not a key of this configuration"
        name = ".".join(str(key) for key in keys)
        lines.append(f"{path}:{config_file.line(node, keys)}: {name} {message[:1].lower()}{message[1:]}")
    return "\n".join(sorted(set(lines)))
