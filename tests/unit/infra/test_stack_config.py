"""A stack's configuration: read whole, or refused with everything that is wrong with it."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pulumi
import pytest

from infra import config, naming, program
from infra.config import ConfigError, parse
from inventory import generate
from tests.unit.infra.foundation import engine

SEED = "0f" * 32
ROLES = json.dumps({"member": "a" * 32, "reader": "b" * 32})
FOUNDATION = {"estate": "inventory/estates/demo", "roles": ROLES}
AGENCY = {"estate": "inventory/estates/demo", "seed": SEED, "credentialsFrom": "2026-01-31"}


def refused(stack: str, given: dict[str, str], secrets: set[str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as error:
        parse(stack, given, {"seed"} if secrets is None else secrets)
    return error.value.problems


def test_the_foundation_needs_an_estate_and_the_ids_of_the_clouds_roles() -> None:
    read = parse("foundation", FOUNDATION)
    assert read.stack == config.Stack(name="foundation", agency=None)
    assert read.estate == config.ROOT / "inventory/estates/demo"
    assert read.roles == {"member": "a" * 32, "reader": "b" * 32}
    assert read.protect is True


def test_an_agency_needs_a_seed_and_the_day_that_its_credentials_count_from() -> None:
    read = parse("agency-tax", {**AGENCY, "credentialDays": "30"}, {"seed"})
    assert read.stack.agency == "tax"
    assert (read.seed, read.password_generation) == (SEED, 1)
    assert read.foundation == "organization/gdcc/foundation"
    assert read.credentials_expire_at == datetime(2026, 3, 2, tzinfo=UTC)
    assert read.credentials_from == date(2026, 1, 31)


def test_a_date_without_quotes_in_the_file_is_the_same_date() -> None:
    as_pulumi_says = {**AGENCY, "credentialsFrom": "2026-01-31 00:00:00 +0000 UTC"}
    assert parse("agency-tax", as_pulumi_says, {"seed"}).credentials_from == date(2026, 1, 31)


def test_exceptions_are_read_with_the_rest_and_wrong_ones_refused_with_it() -> None:
    entry = {"rule": "protected-kinds", "resource": "tax-return", "reason": "moved", "until": "2026-03-01"}
    (named,) = parse("foundation", {**FOUNDATION, "exceptions": json.dumps([entry])}).exceptions
    assert named.until == date(2026, 3, 1)
    (said,) = refused("foundation", {**FOUNDATION, "exceptions": json.dumps([{**entry, "until": "soon"}])})
    assert said.startswith("gdcc:exceptions entry 1 ends 'soon'")


def test_the_logins_quota_goes_with_its_project_for_without_it_the_first_up_might_lower_it() -> None:
    project = {**FOUNDATION, "loginProject": "d" * 32}
    (said,) = refused("foundation", project)
    assert said.startswith("gdcc:loginQuota is missing beside gdcc:loginProject")
    read = parse("foundation", {**project, "loginQuota": '{"network": 400, "port": -1, "rbacPolicy": "7"}'})
    assert read.login_quota == {"network": 400, "port": -1, "rbacPolicy": 7}
    for wrong in ("[]", '{"networks": 1}', '{"network": "many"}', '{"network": -2}'):
        (said,) = refused("foundation", {**project, "loginQuota": wrong})
        assert said.startswith("gdcc:loginQuota ")


def test_everything_that_is_wrong_is_told_at_once() -> None:
    wrong = {
        "estate": "inventory/estates/nowhere",
        "seed": "abc",
        "passwordGeneration": "0",
        "foundation": "gdcc/foundation",
        "credentialsFrom": "31.1.2026",
        "credentialDays": "-5",
        "protect": "yes",
        "roles": '{"member": "me"}',
        "sede": "typing slip",
        "wholly-unlike": "",
    }
    said = refused("agency-tax", wrong)
    assert [each.split(" ")[0] for each in said] == [f"gdcc:{key}" for key in wrong]
    assert "(did you mean gdcc:seed?)" in said[8]
    assert "(known: estate, seed," in said[9]


def test_missing_keys_are_told_by_the_kind_of_stack() -> None:
    assert [each.split(" ")[0] for each in refused("foundation", {})] == ["gdcc:estate", "gdcc:roles"]
    missing = [each.split(" ")[0] for each in refused("agency-tax", {})]
    assert missing == ["gdcc:estate", "gdcc:seed", "gdcc:credentialsFrom"]


@pytest.mark.parametrize("stack", ["dev", "agency", "agency-", "Foundation", ""])
def test_a_stack_of_no_known_name_is_refused(stack: str) -> None:
    assert "neither the foundation's nor an agency's" in refused(stack, FOUNDATION)[0]


def test_a_seed_in_clear_is_refused_and_no_message_repeats_it() -> None:
    (said,) = refused("agency-tax", AGENCY, secrets=set())
    assert said.startswith("gdcc:seed stands in clear")
    short = "deadbeef" * 7
    assert not any(short in each for each in refused("agency-tax", {**AGENCY, "seed": short}))


def test_the_seed_is_not_shown() -> None:
    assert SEED not in repr(parse("agency-tax", AGENCY, {"seed"}))


@pytest.mark.parametrize("text", ["[]", "nonsense", '{"member": 5, "reader": "b"}', '{"admin": "%s"}' % ("c" * 32)])
def test_roles_that_are_no_ids_or_leave_out_members_are_refused(text: str) -> None:
    (said,) = refused("foundation", {**FOUNDATION, "roles": text})
    assert "openstack role list" in said


@pytest.mark.parametrize("seed", ["", "zz" * 32, "ab" * 31, "a" * 65])
def test_a_seed_is_32_bytes_or_more_in_hexadecimal(seed: str) -> None:
    (said,) = refused("agency-tax", {**AGENCY, "seed": seed})
    assert "openssl rand -hex 32" in said


@pytest.fixture
def keys() -> Iterator[Callable[[Mapping[str, str]], None]]:
    """Sets the running stack's keys as the engine does."""

    def give(given: Mapping[str, str]) -> None:
        pulumi.runtime.set_all_config(dict(given), [key for key in given if key == "gdcc:seed"])

    yield give
    pulumi.runtime.set_all_config({}, [])


def refused_before_anything_is_declared(stack: str) -> str:
    """What the program says; `engine` would have told of a resource or a look-up."""
    with pytest.raises(pulumi.RunError) as error:
        engine.declared(stack, program.run)
    return str(error.value)


def test_an_agency_that_the_estate_does_not_know_is_refused(keys: Callable[[Mapping[str, str]], None]) -> None:
    keys({f"gdcc:{key}": value for key, value in AGENCY.items()})
    said = refused_before_anything_is_declared("agency-eecp")
    assert said == "stack agency-eecp: estate 'demo' has no agency 'eecp' (did you mean 'eeco'?)"


def test_a_broken_estate_is_told_with_its_lines(tmp_path: Path, keys: Callable[[Mapping[str, str]], None]) -> None:
    (tmp_path / "estate.yaml").write_text("version: 1\nestate: {name: x}\nflavours: []\n", encoding="utf-8")
    keys({"gdcc:estate": str(tmp_path), "gdcc:roles": ROLES, "other:key": "1"})
    said = refused_before_anything_is_declared("foundation")
    assert said.startswith(f"{tmp_path}/estate.yaml:3: ")
    assert "did you mean 'flavors'" in said


def test_the_foundations_program_runs_from_its_keys(keys: Callable[[Mapping[str, str]], None]) -> None:
    keys({f"gdcc:{key}": value for key, value in FOUNDATION.items()})
    assert engine.declared("foundation", program.run).of("Flavor").keys() == generate.demo().flavors.keys()


def test_every_agency_of_the_demo_has_a_stack_that_leads_back_to_it() -> None:
    agencies = generate.demo().agencies
    stacks = {naming.agency_stack(name): name for name in agencies}
    assert {stack: naming.agency_of(stack) for stack in stacks} == stacks
    assert naming.FOUNDATION not in stacks
