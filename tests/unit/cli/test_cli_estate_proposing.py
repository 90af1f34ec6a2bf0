"""What `gdcc estate` proposes of a living cloud, and what it says where that one does not answer."""

import json
from contextlib import asynccontextmanager

import pytest

from controller.adapters.pulumi import finding
from controller.bootstrap import estate as wiring
from controller.cli.estate import proposing, select
from controller.errors import TransientError
from inventory.model import LISTED_IN_NOVA
from tests.fakes.estate_project import Project


class Services:
    """Listings of a cloud with a public flavor, no hosts and no images; or of one that does not answer."""

    def __init__(self, answers):
        self.answers = answers

    async def rows(self, service, path, table, params=None):
        if not self.answers:
            raise TransientError("no answer", where=path)
        return [{"name": "m1.tiny", "os-flavor-access:is_public": True}] if table == "flavors" else []

    async def find(self, service, path, params=None):
        return None


class Living(wiring.LivingCloud):
    """A cloud of these services; its entry is None where nobody names it."""

    @property
    def named(self):
        return self.entry is not None

    @asynccontextmanager
    async def opened(self):
        yield finding.Cloud(rows=Services(self.entry == "answers"), region="R")

    async def login_project(self):
        return None


def lives(monkeypatch, entry="answers"):
    monkeypatch.setattr(wiring, "living", lambda root: Living(entry=entry))


@pytest.fixture
def project(tmp_path, monkeypatch):
    made = Project(tmp_path)
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    return made


def chosen(project, foundation):
    return select.selection(project.root, None, [] if foundation else project.agencies[:1], foundation)


def test_every_host_image_and_public_flavor_that_does_not_fit_gets_a_sentence(project, monkeypatch):
    lives(monkeypatch)
    asked = chosen(project, foundation=True)
    said = proposing.sentences(asked)
    registered = [each for each in asked.estate.hosts.values() if each.lifecycle in LISTED_IN_NOVA]
    assert sum(each.startswith("host ") and "Nova does not list it" in each for each in said) == len(registered) > 0
    assert sum(each.startswith("image ") for each in said) == len(asked.estate.images)
    assert said[-1].startswith("flavor m1.tiny is public")
    (warned,) = proposing.open_to_all(chosen(project, foundation=False))
    assert warned.startswith("1 flavor is public, for projects of every level: m1.tiny (")


def test_a_stack_of_an_agency_and_a_cloud_that_nobody_named_propose_nothing(project, monkeypatch):
    lives(monkeypatch)
    assert proposing.sentences(chosen(project, foundation=False)) == []
    lives(monkeypatch, None)
    assert proposing.sentences(chosen(project, foundation=True)) == proposing.open_to_all(chosen(project, True)) == []


def test_a_cloud_that_does_not_answer_is_told_and_ends_nothing(project, monkeypatch):
    lives(monkeypatch, "does not")
    for said in (proposing.sentences(chosen(project, True)), proposing.open_to_all(chosen(project, True))):
        (sentence,) = said
        assert "was not asked" in sentence and "no answer" in sentence


TOLD, WARNED = "flavor m1.tiny is public", "warning: 1 flavor is public"


@pytest.mark.parametrize(("verb", "told"), [("list", TOLD), ("preview", TOLD), ("drift", TOLD), ("up", WARNED)])
def test_the_verbs_tell_people_and_machines(project, monkeypatch, verb, told):
    lives(monkeypatch)
    project.deployed("foundation", *project.stacks)
    said = project.gdcc(verb, "--foundation", "--json").stdout
    proposed = json.loads(said)["proposals"]
    assert proposed[-1].startswith(told)
    assert told in project.gdcc(verb, "--foundation").stdout
