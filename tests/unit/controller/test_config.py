"""The daemon's settings: what is refused, and how it is told."""

from datetime import timedelta
from pathlib import Path

import pytest

from controller import config
from controller.errors import InputError
from controller.model.policy import Consolidation, Mode, Scope, ScopeKind
from inventory import windows
from inventory.model import Tier


def written(folder: Path, text: str) -> Path:
    path = folder / "controller.yaml"
    path.write_text(text)
    return path


def refused(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        config.load(written(folder, text))
    return str(caught.value).splitlines()


def test_the_smallest_configuration_recommends_and_moves_nothing(tmp_path: Path) -> None:
    settings = config.load(written(tmp_path, "version: 1\nestate: estate\n"))
    assert settings.estate == tmp_path / "estate"
    assert settings.policy.policy().mode is Mode.RECOMMEND


def test_every_error_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = "version: 1\nestate: e\nintervall: 5s\npolicy:\n  limits:\n    at_once: 0\n  sustained: 5\n"
    lines = refused(tmp_path, text)
    assert [line.split(": ")[0].rsplit(":", 1)[1] for line in lines] == ["3", "6", "7"]
    assert "intervall is not a key" in lines[0]
    assert "30s" in lines[2]


def test_another_version_is_refused(tmp_path: Path) -> None:
    assert "controller.yaml:1: version" in refused(tmp_path, "version: 2\nestate: e\n")[0]


@pytest.mark.parametrize("text", ["", "- 1\n", "version: [\n"])
def test_what_is_no_configuration_is_told_so(tmp_path: Path, text: str) -> None:
    assert str(tmp_path) in refused(tmp_path, text)[0]


def test_a_key_that_stands_twice_is_refused_and_not_the_first_of_them_forgotten(tmp_path: Path) -> None:
    text = (
        "version: 1\nestate: e\npolicy: {mode: observe}\nsnmp: {interval: 3s,\n  interval: 9s}\npolicy: {mode: auto}\n"
    )
    lines = refused(tmp_path, text)
    assert [line.removeprefix(str(tmp_path / "controller.yaml")) for line in lines] == [
        ":5: interval stands there twice",
        ":6: policy stands there twice",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("version: 1\nestate: e\nestate: [\n", 4),
        ("version: 1\nestate: 2026-02-30\n", 2),
        ("version: 1\nestate: !!int e\n", 2),
        (f"version: 1\nestate: {'9' * 5000}\n", 2),
        ("version: 1\nestate: \x07\n", 1),
        ("version: 1\nestate: " + 2000 * "[", 1),
        ("version: 1\nestate: &a [*a]\n", 2),
    ],
)
def test_what_yaml_cannot_read_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    assert refused(tmp_path, text)[0].startswith(f"{tmp_path / 'controller.yaml'}:{line}: ")


@pytest.mark.parametrize("value", ["s3cret-word: x", "'s3cret-word", "*s3cret-word", "!s3cret-word x", "[s3cret-word"])
def test_a_secret_beside_a_mistake_is_not_told_with_it(tmp_path: Path, value: str) -> None:
    text = f"version: 1\nestate: e\nprometheus: {{url: http://p}}\nprometheus2:\n  password: {value}\n"
    assert "s3cret" not in "\n".join(refused(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    ["interval: 0s", "deadline: 0ms", "scrape_interval: 0s", "snmp: {interval: 0s}", "policy: {migration: {poll: 0s}}",
     "policy: {migration: {request_timeout: 0s}}", "prometheus: {url: http://p, timeout: 0s}",
     "prometheus: {url: http://p, window: 0s}"],
)  # fmt: skip
def test_what_would_be_done_without_rest_or_never_waited_for_is_refused(tmp_path: Path, text: str) -> None:
    (line,) = refused(tmp_path, f"version: 1\nestate: e\n{text}\n")
    assert "controller.yaml:3: " in line and "must be above 0" in line


def test_a_duration_beyond_all_time_is_refused(tmp_path: Path) -> None:
    (line,) = refused(tmp_path, f"version: 1\nestate: e\ninterval: {'9' * 30}d\n")
    assert "controller.yaml:3: interval is longer than anything lasts" in line


def test_a_reading_that_hosts_do_not_have_cannot_be_required_of_them(tmp_path: Path) -> None:
    text = "version: 1\nestate: e\npolicy:\n  trust:\n    required_of_hosts: [cpu_ratio, cpu_vcpus]\n"
    (line,) = refused(tmp_path, text)
    assert "controller.yaml:5: policy.trust.required_of_hosts names cpu_vcpus, which is not read of hosts" in line


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        config.load(tmp_path / "none.yaml")


def test_modes_scopes_tiers_and_windows_are_read_by_their_names(tmp_path: Path) -> None:
    text = """version: 1
estate: e
policy:
  mode: auto
  scope_modes: {"agency:moph": observe}
  migration: {force_complete_tiers: [basic], cooldown: 2h}
  blackouts: ["Fri-Mon 22:00-05:00"]
  search_rounds: 4
"""
    policy = config.load(written(tmp_path, text)).policy.policy()
    assert policy.mode is Mode.AUTO
    assert policy.scope_modes == {Scope(kind=ScopeKind.AGENCY, name="moph"): Mode.OBSERVE}
    assert policy.migration.force_complete_tiers == frozenset({Tier.BASIC})
    assert policy.migration.cooldown == timedelta(hours=2)
    assert policy.blackouts[0].days == frozenset({4, 5, 6, 0})
    assert policy.search_rounds == 4


@pytest.mark.parametrize("rounds", ["0", "9", "many"])
def test_rounds_that_no_turn_has_time_for_are_refused(tmp_path: Path, rounds: str) -> None:
    (line,) = refused(tmp_path, f"version: 1\nestate: e\npolicy:\n  search_rounds: {rounds}\n")
    assert "controller.yaml:4: policy.search_rounds" in line


def test_consolidation_is_off_and_set_in_a_section_of_its_own(tmp_path: Path) -> None:
    assert not config.load(written(tmp_path, "version: 1\nestate: e\n")).policy.policy().consolidation.enabled
    text = "version: 1\nestate: e\npolicy:\n  consolidation: {enabled: true, fill_ratio: 0.7, spare_hosts: 2}\n"
    read = config.load(written(tmp_path, text)).policy.policy().consolidation
    assert read == Consolidation(enabled=True, fill_ratio=0.7, spare_hosts=2)


@pytest.mark.parametrize(
    "word", ["fill_ratio: 1.0", "fill_ratio: 0", "spare_hosts: -1", "watts_per_gib: .nan", "watts_per_gib: -1",
             "max_hosts: 0", "fill: 0.5"],
)  # fmt: skip
def test_what_would_fill_hosts_to_the_brim_or_means_nothing_is_refused(tmp_path: Path, word: str) -> None:
    text = f"version: 1\nestate: e\npolicy:\n  consolidation:\n    {word}\n"
    (line,) = refused(tmp_path, text)
    assert f"controller.yaml:5: policy.consolidation.{word.partition(':')[0]}" in line


@pytest.mark.parametrize("text", ["22:00-05:00", "Sat,Sun 00:00-24:00", "Mon-Tue,Fri 08:00-09:30"])
def test_a_window_is_written_as_in_the_estate(tmp_path: Path, text: str) -> None:
    policy = config.load(written(tmp_path, f"version: 1\nestate: e\npolicy: {{windows: ['{text}']}}\n")).policy.policy()
    assert policy.windows == (windows.window(text),)


@pytest.mark.parametrize("text", ["mon 01:00-02:00", "Mon 25:00-26:00", "Mon 10:00-10:00", "7"])
def test_what_is_no_window_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    (line,) = refused(tmp_path, f"version: 1\nestate: e\npolicy:\n  windows: ['{text}']\n")
    assert "controller.yaml:4: policy.windows.0" in line


def test_what_counts_more_than_what_reaches_the_policy(tmp_path: Path) -> None:
    path = tmp_path / "controller.yaml"
    path.write_text("version: 1\nestate: e\npolicy:\n  objective: [drain, broken, hot, consolidation, uneven]\n")
    names = [concern.value for concern in config.load(path).policy.policy().objective]
    assert names == ["drain", "broken", "hot", "consolidation", "uneven"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("{cpu: 0}", "at least one weight must be above 0"),
        ("{memory: -1}", "greater than or equal to 0"),
        ("{gpu: 1}", "gpu"),
    ],
)
def test_weights_that_balance_nothing_are_told_with_their_line(tmp_path: Path, given: str, told: str) -> None:
    (line,) = refused(tmp_path, f"version: 1\nestate: e\npolicy:\n  balance_weights: {given}\n")
    assert "controller.yaml:4" in line and told in line


def test_an_objective_that_puts_evenness_before_what_is_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    late = "version: 1\nestate: e\npolicy:\n  objective: [uneven, broken, hot, drain, consolidation]\n"
    (line,) = refused(tmp_path, late)
    assert "controller.yaml:4: policy.objective" in line and "nothing that is wrong waits" in line


def test_a_scope_of_no_kind_is_refused(tmp_path: Path) -> None:
    assert "is not a scope" in refused(tmp_path, "version: 1\nestate: e\npolicy:\n  scope_modes: {moph: auto}\n")[0]


def test_a_credential_says_what_it_lacks(tmp_path: Path) -> None:
    lines = refused(tmp_path, 'version: 1\nestate: e\nsnmp:\n  credentials:\n    bmc: {version: "3", user: u}\n')
    assert "needs auth, priv for version 3" in lines[0]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            "{version: '3', user: u, auth: authauth, priv: privpriv, community: public}",
            "community for version 3",
        ),
        ("{version: '2c', community: public, user: u, auth: authauth}", "auth, user for version 2c"),
    ],
)
def test_a_credential_of_two_versions_is_refused_and_not_sent_in_clear(tmp_path: Path, given: str, told: str) -> None:
    (line,) = refused(tmp_path, f"version: 1\nestate: e\nsnmp:\n  credentials:\n    bmc: {given}\n")
    assert "controller.yaml:5: snmp.credentials.bmc" in line and f"takes no {told}" in line


@pytest.mark.parametrize("given", ["username: u", "password: p", "token: t, username: u, password: p"])
def test_half_a_login_or_two_at_prometheus_are_refused(tmp_path: Path, given: str) -> None:
    (line,) = refused(tmp_path, f"version: 1\nestate: e\nprometheus: {{url: 'https://p', {given}}}\n")
    assert "controller.yaml:3: prometheus" in line


def test_a_secret_shows_nothing_of_itself(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("from a file\n")
    text = f"""version: 1
estate: e
snmp:
  credentials:
    a: {{version: "2c", community: in-clear-here}}
    b: {{version: "2c", community: {{file: {tmp_path / "s"}}}}}
"""
    settings = config.load(written(tmp_path, text))
    secret = {name: credential.community for name, credential in settings.snmp.credentials.items()}
    assert secret["a"] and secret["a"].reveal() == "in-clear-here"
    assert secret["b"] and secret["b"].reveal() == "from a file"
    assert "in-clear-here" not in repr(settings)
    assert "in-clear-here" not in settings.model_dump_json()


def test_a_secrets_file_that_another_system_wrote_ends_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(b"word\r\n")
    assert config.Secret(file=tmp_path / "s").reveal() == "word"


def test_a_secrets_file_that_is_no_text_is_told_without_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(b"\xff\xfeword")
    with pytest.raises(InputError, match=r"/s: the secret is not text in UTF-8$"):
        config.Secret(file=tmp_path / "s").reveal()


def test_every_relative_path_starts_at_the_configurations_folder(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("from a file\n")
    text = """version: 1
estate: e
prometheus: {url: "https://p", ca_file: ca.pem, token: {file: s}}
exporters: {tls: true, ca_file: /etc/ca.pem, username: u, password: {file: s}}
snmp: {credentials: {a: {version: "2c", community: {file: s}}}}
"""
    settings = config.load(written(tmp_path, text))
    assert settings.prometheus and settings.prometheus.ca_file == tmp_path / "ca.pem"
    assert settings.prometheus.token and settings.prometheus.token.reveal() == "from a file"
    assert settings.exporters.ca_file == Path("/etc/ca.pem")
    assert settings.exporters.authorization() == "Basic dTpmcm9tIGEgZmlsZQ=="
    assert settings.snmp.credentials["a"].community
    assert settings.snmp.credentials["a"].community.reveal() == "from a file"


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("{token: t}", "needs tls: true"),
        ("{tls: true, username: u}", "username and password together"),
        ("{tls: true, token: t, username: u, password: p}", "not both"),
    ],
)
def test_a_way_into_the_exporters_that_cannot_be_meant_is_refused(tmp_path: Path, given: str, what: str) -> None:
    (line,) = refused(tmp_path, f"version: 1\nestate: e\nexporters: {given}\n")
    assert "controller.yaml:3: exporters" in line and what in line


def test_a_secret_that_is_not_there_is_told_when_it_is_needed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        config.Secret(file=tmp_path / "none").reveal()
    with pytest.raises(InputError, match="not set"):
        config.Secret(env="GDCC_TEST_NO_SUCH_VARIABLE").reveal()
